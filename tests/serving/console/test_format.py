from __future__ import annotations

import math
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from serving.console import format as show


@given(st.floats(allow_infinity=False) | st.none(), st.integers(0, 2))
def test_a_number_reads_back_and_a_missing_one_is_never_0(value: float | None, decimals: int) -> None:
    shown = show.number(value, decimals)
    if value is None or math.isnan(value):
        assert shown == show.MISSING
    else:
        assert math.isclose(float(shown.replace(",", "").replace(show.MINUS, "-")), value, abs_tol=0.5 * 10**-decimals + 1e-9)
        assert not shown.startswith(f"{show.MINUS}0") or "." in shown


@given(st.floats(0, 1))
def test_only_none_and_all_look_like_none_and_all(share: float) -> None:
    assert (show.percent(share) == "0 %") == (share == 0)
    assert (show.percent(share) == "100 %") == (share == 1)


@given(st.floats(allow_infinity=False), st.sampled_from(["days", "share", "ratio", "currency", "units", "orders", "stage", ""]))
def test_every_unit_is_shown(value: float, unit: str) -> None:
    assert show.measured(value, unit)


@given(st.dates())
def test_a_day_names_its_month(value: date) -> None:
    assert show.day(value).split()[0] == str(value.day)
    assert show.day(value).endswith(str(value.year))
