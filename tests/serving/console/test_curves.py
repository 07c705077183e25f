from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from serving.console.curves import TICKS, curve, steps


@given(st.floats(1e-6, 1e15))
def test_steps_are_few_rise_from_0_and_end_within(most: float) -> None:
    found = steps(most)
    assert found[0] == 0
    assert 2 <= len(found) <= TICKS + 2
    assert found == sorted(found)
    assert found[-1] <= most * (1 + 1e-9)


def test_a_curve_without_height_is_none() -> None:
    assert curve([0.0], [0.0], named=(str, str), says="nothing") is None


def test_a_curve_starts_in_the_corner_and_ends_at_the_other() -> None:
    drawn = curve([0.0, 50.0, 100.0], [0.0, 8.0, 10.0], named=(str, str), says="rises", dots=[(50.0, 8.0, "here")])
    assert drawn is not None
    assert drawn.line == "0.00,100.00 50.00,20.00 100.00,0.00"
    assert (drawn.dots[0].x, drawn.dots[0].y) == ("50.00%", "20.00%")
