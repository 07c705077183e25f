"""Drift is what exceeds what matters, what chance does, and what is usual."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from training.metrics.intervals import Interval
from training.monitor.drift import LEAST_DISTANCE, lost_auc, shifts
from training.monitor.reference import Reference, described
from training.monitor.usual import Usual

DATES = tuple(date(2025, 1, 1) + timedelta(days=30 * month) for month in range(12))
SIZE = 800


def reference_of(columns: dict[str, list[np.ndarray]], scores: dict[str, list[np.ndarray]] | None = None) -> Reference:
    """A training that saw these columns at DATES."""
    return Reference(
        dates=DATES,
        customers=(SIZE,) * len(DATES),
        features={name: described(parts) for name, parts in columns.items()},
        scores={name: described(parts) for name, parts in (scores or {}).items()},
        importance=dict.fromkeys(columns, 1 / max(1, len(columns))),
        auc=(0.8,) * len(DATES),
        rows={},
        categories={},
    )


def drifted(reference: Reference, now: dict[str, np.ndarray], gap_days: int = 30) -> list[tuple[str, str]]:
    return [(shift.column, shift.measure) for shift in shifts(reference, now, {}, gap_days) if shift.is_drift]


def test_columns_that_stay_as_they_were_raise_hardly_ever_an_alarm() -> None:
    random = np.random.default_rng(1)
    alarms = 0
    for _ in range(60):
        columns = {f"f{number}": list(random.normal(size=(len(DATES), 150))) for number in range(20)}
        alarms += bool(drifted(reference_of(columns), {name: random.normal(size=150) for name in columns}))
    assert alarms <= 3


@pytest.mark.parametrize("moved", [lambda x: x + 0.6, lambda x: x * 2, lambda x: np.where(np.arange(SIZE) % 3, x, 5.0)])
def test_a_shift_that_matters_is_found(moved: object) -> None:
    random = np.random.default_rng(2)
    reference = reference_of({"spend_90d": list(random.normal(size=(len(DATES), SIZE)))})
    assert drifted(reference, {"spend_90d": moved(random.normal(size=SIZE))}) == [("spend_90d", "distribution")]  # type: ignore[operator]


def test_a_small_shift_of_many_customers_is_sure_and_does_not_matter() -> None:
    random = np.random.default_rng(3)
    reference = reference_of({"spend_90d": list(random.normal(size=(len(DATES), 50_000)))})
    (shift,) = (each for each in shifts(reference, {"spend_90d": random.normal(0.1, 1, 50_000)}, {}, 30) if each.value > 0.005)
    assert shift.limit == LEAST_DISTANCE
    assert not shift.is_drift


def test_the_same_shift_is_chance_for_few_customers_and_drift_for_many() -> None:
    random = np.random.default_rng(4)
    for size, found in ((40, []), (5_000, [("spend_90d", "distribution")])):
        reference = reference_of({"spend_90d": list(random.normal(size=(len(DATES), size)))})
        assert drifted(reference, {"spend_90d": random.normal(0.4, 1, size)}) == found


def test_what_grows_as_it_always_did_is_usual_and_a_jump_is_not() -> None:
    random = np.random.default_rng(5)
    ageing = [random.normal(0.5 * month, 1, SIZE) for month in range(len(DATES))]
    reference, steady = (
        reference_of({"days_since_joined": ageing}),
        reference_of({"days_since_joined": [ageing[-1]] * len(DATES)}),
    )
    next_month, next_quarter = (random.normal(0.5 * (len(DATES) - 1 + months), 1, SIZE) for months in (1, 3))
    assert drifted(reference, {"days_since_joined": next_month}) == []
    assert drifted(reference, {"days_since_joined": next_quarter}, gap_days=90) == []
    assert drifted(reference, {"days_since_joined": next_quarter}) == [("days_since_joined", "distribution")]
    assert drifted(steady, {"days_since_joined": next_month}) == [("days_since_joined", "distribution")]


def test_a_column_that_goes_missing_is_found_by_its_share() -> None:
    random = np.random.default_rng(6)
    reference = reference_of({"spend_90d": list(random.normal(size=(len(DATES), SIZE)))})
    now = random.normal(size=SIZE)
    now[: SIZE // 5] = np.nan
    assert drifted(reference, {"spend_90d": now}) == [("spend_90d", "missing share")]
    assert ("spend_90d", "missing share") in drifted(reference, {"spend_90d": np.full(SIZE, np.nan)})


def test_a_column_that_becomes_known_as_the_history_grows_is_no_drift() -> None:
    nothing = np.full(SIZE, np.nan)
    reference = reference_of({"spend_90d": [nothing] * len(DATES)})
    assert drifted(reference, {"spend_90d": nothing}) == []
    assert drifted(reference, {"spend_90d": np.ones(SIZE)}) == []


def test_the_mean_of_a_score_that_falls_by_a_third_is_drift() -> None:
    random = np.random.default_rng(7)
    values = list(random.gamma(0.3, 100, (len(DATES), 5_000)))
    reference = reference_of({}, {"expected_value": values})
    means = [s for s in shifts(reference, {}, {"expected_value": values[-1] / 1.5}, 30) if s.measure == "mean"]
    assert [shift.is_drift for shift in means] == [True]
    assert means[0].value == pytest.approx(np.log(1.5))


def test_a_training_at_one_date_knows_nothing_usual() -> None:
    random = np.random.default_rng(8)
    reference = reference_of({"spend_90d": list(random.normal(size=(len(DATES), SIZE)))})
    column = reference.features["spend_90d"]
    last = {name: getattr(column, name)[-1:] for name in ("counts", "missing", "mean", "sd")}
    alone = replace(reference, dates=DATES[-1:], customers=(SIZE,), auc=(0.8,), features={"spend_90d": replace(column, **last)})
    assert drifted(alone, {"spend_90d": random.normal(size=SIZE)}) == []
    assert Usual((0,), 30).limit(np.zeros((1, 1))) == 0


def test_a_loss_of_auc_counts_where_it_is_sure_and_matters() -> None:
    reference = reference_of({"spend_90d": [np.arange(SIZE, dtype=float)] * len(DATES)})
    for now, degraded in (
        (Interval(0.7, 0.68, 0.72), True),
        (Interval(0.78, 0.76, 0.79), False),
        (Interval(0.7, 0.5, 0.9), False),
    ):
        assert lost_auc(reference, now, 30).is_degraded == degraded


def test_a_reference_comes_back_from_json() -> None:
    random = np.random.default_rng(9)
    parts = list(random.normal(size=(len(DATES), SIZE)))
    parts[0][:] = np.nan
    reference = reference_of({"spend_90d": parts}, {"expected_value": parts})
    assert Reference.from_dict(json.loads(reference.as_json())) == reference
