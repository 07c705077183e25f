"""Each warning is found where it is true, and only there."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from features.asof import day_number
from features.checks.odd_times import Suspicion
from features.company import Company
from tests.training.conftest import AS_OF
from training.card.evidence import Evidence, late_shares, look, shares_beyond
from training.card.trust import about_the_backtest, about_the_data
from training.data import TrainingData
from training.evaluation.backtest import Backtest, Fold
from training.horizon_report import Advice
from training.metrics.intervals import Interval
from training.scorer import Predictions

NAMES = ("purchase_days_all", "recency_days")
NONE = Evidence(advice=None, suspicions=())


def fold(day: date, said: np.ndarray, came: np.ndarray, expected: np.ndarray, value: np.ndarray) -> Fold:
    """A date of customers of whom the first half has bought once, the second half often."""
    days = np.where(np.arange(len(said)) < len(said) // 2, 1.0, 9.0)
    matrix = np.column_stack([days, np.full(len(said), 60.0)])
    forecast = Predictions(said, expected, expected, expected, expected)
    return Fold(day, np.arange(len(said)), matrix, came, value, forecast, {})


def sound(day: date, count: int = 2_000) -> Fold:
    """A date at which all came as it was forecast."""
    came = np.arange(count) % 10 < 4
    value = np.where(came, 0.0, 10.0)
    return fold(day, np.full(count, 0.4), came, np.full(count, 6.0), value)


def warnings(*folds: Fold, areas: tuple[Interval, ...] = (), grade: str = "A") -> list[str]:
    ratios = {each.as_of: float(each.predictions.expected_value.sum() / each.value.sum()) for each in folds}
    figures = {
        day: {"value_total_ratio": Interval(ratio, ratio, ratio), "churn_auc": areas[place] if areas else Interval(0.8, 0.7, 0.9)}
        for place, (day, ratio) in enumerate(ratios.items())
    }
    tested = Backtest(folds, {}, {}, {}, grade, "", figures_by_date=figures)
    return list(about_the_backtest(tested, [each.predictions for each in folds], NAMES))


DAYS = (date(2025, 9, 1), date(2025, 6, 1), date(2025, 3, 1))


def test_of_a_forecast_that_came_true_nothing_is_said():
    assert warnings(*(sound(day) for day in DAYS)) == []


def test_few_dates_are_said():
    assert warnings(sound(DAYS[0])) == ["Only 1 backtest date of the 3 wanted: one season may look like the rule."]


def test_a_segment_whose_churn_was_missed_is_named():
    def once_buyers_leave(day: date) -> Fold:
        good = sound(day)
        # Buyers of one day leave more often than forecast, the others less often: on the whole the forecast is right.
        came = np.concatenate([np.arange(1_000) % 10 < 6, np.arange(1_000) % 10 < 2])
        return replace(good, churned=came)

    said = warnings(*(once_buyers_leave(day) for day in DAYS))
    assert "Of customers who bought on one day only, 40% were forecast to leave and 60% did (3,000 forecasts)." in said
    assert len(said) == 2


def test_a_segment_whose_value_was_missed_is_named():
    def regulars_bring_more(day: date) -> Fold:
        good = sound(day)
        return replace(good, value=good.value * np.repeat([1.0, 2.0], 1_000))

    said = warnings(*(regulars_bring_more(day) for day in DAYS))
    assert "Customers who bought on five days or more were forecast to bring 0.5 times what they brought, 67% of all." in said


def test_a_level_that_moves_between_dates_is_said():
    lively = replace(sound(DAYS[1]), churned=np.arange(2_000) % 10 < 2, value=np.where(np.arange(2_000) % 10 < 2, 0.0, 10.0))
    said = warnings(sound(DAYS[0]), lively, sound(DAYS[2]))
    assert "As of 2025-06-01, churn was forecast at 40% on average and came to 20%: the level moves." in said
    assert any("0.75 times what came as of 2025-06-01 and 1.00 times" in words for words in said)


def test_an_order_that_was_surely_better_at_one_date_is_said():
    areas = (Interval(0.9, 0.88, 0.92), Interval(0.8, 0.78, 0.82), Interval(0.85, 0.83, 0.87))
    said = warnings(*(sound(day) for day in DAYS), areas=areas)
    assert any("better as of 2025-09-01 (AUC 0.90) than as of 2025-06-01 (0.80)" in words for words in said)


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        (replace(NONE, advice=Advice(60, fits=True, reasons=("12% came back",))), "would take 60 days, not 30: 12% came back"),
        (replace(NONE, late={"complaints": 0.2}), "20% of the last year's complaints became known more than a week late"),
        (
            replace(NONE, beyond={"recency_days": 0.1}),
            'beyond any that could be learned from, in features that lead: 10% in "Days since last purchase"',
        ),
        (
            replace(NONE, suspicions=(Suspicion("alone", "customers.plan", "tells all", "leave it out"),)),
            "customers.plan: tells all",
        ),
    ],
)
def test_what_the_data_show_is_said(evidence: Evidence, said: str):
    found = list(about_the_data(evidence, {"churn": {"recency_days": 1.0}}, 30, 5))
    assert len(found) == 1
    assert said in found[0]


def test_of_sound_data_nothing_is_said():
    calm = replace(NONE, advice=Advice(30, fits=True, reasons=("few",)), late={"complaints": 0.01}, beyond={"recency_days": 0.01})
    assert list(about_the_data(calm, {"churn": {"recency_days": 1.0}}, 30, 5)) == []


def test_rows_that_became_known_late_are_counted(shop: Company):
    day = day_number(AS_OF)
    frame = shop.tables["complaints"].filter(pl.col("known_day") < day)
    late = frame.with_columns(known_day=pl.col("opened_day") + pl.when(pl.int_range(pl.len()) % 4 == 0).then(8).otherwise(7))
    known = replace(shop, tables={"complaints": late})
    share = float(np.mean(np.arange(len(late)) % 4 == 0))
    assert late_shares(known, day) == {"complaints": pytest.approx(share, abs=0.02)}


def test_customers_beyond_what_was_learned_are_counted(shop_data: TrainingData):
    newest = shop_data.day == shop_data.as_of_day
    matrix = shop_data.matrix.copy()
    matrix[np.flatnonzero(newest)[:50], 0] = 1e9
    beyond = shares_beyond(replace(shop_data, matrix=matrix, memo={}))
    assert beyond[shop_data.names[0]] >= 50 / newest.sum()
    assert all(0 < share <= 1 for share in beyond.values())


def test_a_look_at_a_company_can_be_kept_as_plain_values(shop: Company, shop_data: TrainingData):
    found = look(shop, shop_data, AS_OF).as_dict()
    assert set(found) == {"advice", "suspicions", "late", "beyond"}
