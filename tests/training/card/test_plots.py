from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.card.plots import calibration_curve, gain_curve, gains, importance_bars, value_deciles, wilson_interval


@given(st.integers(1, 10_000).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))))
def test_an_interval_holds_its_share_and_stays_within_0_and_1(counted: tuple[int, int]) -> None:
    low, share, high = wilson_interval(*counted)
    assert 0 <= low <= share <= high <= 1


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=60))
def test_a_gain_curve_never_falls_and_ends_with_all_churners(customers: list[tuple[bool, float]]) -> None:
    churned, probability = np.array([row[0] for row in customers]), np.array([row[1] for row in customers])
    curve = gains(churned, probability, np.linspace(0, 1, 21))
    assert (np.diff(curve) >= -1e-12).all()
    assert curve[-1] == pytest.approx(float(churned.any()))


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 40), st.booleans())
def test_every_picture_can_be_drawn_of_any_customers(count: int, churned: bool) -> None:
    label, number = np.full(count, churned), np.linspace(0.1, 0.9, count)
    for figure in (
        calibration_curve(label, number),
        gain_curve(label, {"model": number, "rival": number}),
        value_deciles(number, number),
        importance_bars({"recency_days": 1.0}, "title"),
    ):
        figure.canvas.draw()
        assert figure.axes[0].get_title(loc="left")


def test_a_calibrated_forecast_lies_on_the_diagonal() -> None:
    random = np.random.default_rng(0)
    probability = random.random(40_000)
    line = calibration_curve(random.random(40_000) < probability, probability).axes[0].containers[0].lines[0]
    assert np.abs(np.subtract(*line.get_xydata().T)).max() < 0.02
