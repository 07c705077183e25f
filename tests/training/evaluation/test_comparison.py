from __future__ import annotations

import runpy
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from features.company import Company
from keepwell.errors import HistoryError
from tests.training.conftest import AS_OF, HORIZON
from training.data import TrainingData
from training.evaluation.comparison import (
    FIGURES,
    OURS,
    Comparison,
    compared,
    figure,
    gains,
    kept_share,
    last_whole_horizon,
    some_customers,
    usual_horizon,
)
from training.metrics.intervals import METRICS, direction
from training.metrics.weighted import Outcome
from training.scorer import Predictions

SCRIPT = Path(__file__).parents[3].parent / "shared" / "bench" / "metrics.py"
THEIR_NAMES = {
    "churn_auc": "auc",
    "churn_average_precision": "average_precision",
    "churn_log_loss": "log_loss",
    "churn_brier_loss": "brier",
    "churn_calibration_error": "ece",
    "value_rank_correlation": "spearman",
    "value_gini": "gini",
    "value_top_decile_captured": "top_decile_value_share",
    "value_mae": "mae",
    "value_rmse": "rmse",
    "value_total_ratio": "total_ratio",
}


def forecast(churn: np.ndarray, value: np.ndarray) -> Predictions:
    return Predictions(churn, value, *(np.full(len(churn), np.nan),) * 3)


def what_came(n: int, seed: int) -> tuple[Outcome, Predictions]:
    """Customers of whom most bring nothing, and a forecast that knows something of them."""
    random = np.random.default_rng(seed)
    chance = random.beta(2, 1, n)
    churned = random.random(n) < chance
    value = np.where(churned, 0.0, random.lognormal(3, 1, n))
    return Outcome(churned, value), forecast(chance, (1 - chance) * random.lognormal(3.5, 0.3, n))


def told_by(outcome: Outcome, told: Predictions) -> dict[str, float]:
    plain = np.ones(len(outcome.churned))
    return {name: figure(name, outcome, told)(plain) for name in FIGURES}


@pytest.mark.skipif(not SCRIPT.exists(), reason="shared/bench/metrics.py is not here")
@pytest.mark.parametrize("are_rounded", [False, True], ids=["all different", "many alike"])
def test_the_figures_are_those_of_the_shared_script(are_rounded: bool) -> None:
    outcome, told = what_came(4_000, seed=1)
    if are_rounded:
        told = replace(told, expected_value=told.expected_value.round(0))
    truth = pd.DataFrame({"customer_id": range(4_000), "churned": outcome.churned.astype(int), "value": outcome.value})
    columns = {"churn_probability": told.churn_probability, "expected_value": told.expected_value}
    theirs = runpy.run_path(str(SCRIPT))["score"](truth, pd.DataFrame({"customer_id": range(4_000), **columns}))
    ours = told_by(outcome, told)
    # Of customers forecast alike we take the mean over all orders where the script draws one; areas are sums there.
    loose = {"value_gini": 2e-3 if are_rounded else 5e-4, "value_top_decile_captured": 0.02 if are_rounded else 1e-4}
    for name in FIGURES:
        assert ours[name] == pytest.approx(theirs[THEIR_NAMES[name]], abs=loose.get(name, 6e-5)), name


def test_the_figures_are_eleven_of_those_that_a_backtest_has() -> None:
    assert len(FIGURES) == 11
    assert set(FIGURES) <= set(METRICS)


def test_expecting_nothing_of_everybody_ranks_nobody() -> None:
    outcome, told = what_came(5_000, seed=2)
    nothing = replace(told, expected_value=np.zeros(5_000))
    assert abs(told_by(outcome, nothing)["value_rank_correlation"]) < 0.05


def test_what_is_kept_of_a_coin_is_all_without_costs_and_the_margin_with_them(shop: Company) -> None:
    table = shop.tables["transactions"].drop("cost", strict=False)
    plain = replace(shop, tables={**shop.tables, "transactions": table})
    assert kept_share(plain) == 1.0
    costs = table.with_columns(cost=(pl.col("amount") * 3) // 4)
    scales = {**shop.scales, "transactions.cost": shop.scales["transactions.amount"]}
    assert kept_share(replace(shop, tables={**shop.tables, "transactions": costs}, scales=scales)) == pytest.approx(
        0.25, rel=1e-2
    )


def drawn(values: dict[str, float], spread: float) -> dict[str, np.ndarray]:
    """Each figure, and resamples around it that are the same for everybody."""
    steps = np.linspace(-spread, spread, 21)
    return {name: np.concatenate([[values[name]], values[name] + steps]) for name in FIGURES}


def test_who_forecasts_the_same_is_level() -> None:
    one = drawn(dict.fromkeys(FIGURES, 0.5), 0.1)
    assert {gain.verdict for gain in gains(one, one).values()} == {"level"}


@pytest.mark.parametrize("name", FIGURES)
def test_better_is_ahead_and_worse_is_behind(name: str) -> None:
    sign = direction(name) or 1  # a ratio of 0.6 is nearer to 1 than one of 0.5
    base = dict.fromkeys(FIGURES, 0.5)
    better, worse = ({**base, name: 0.5 + sign * step} for step in (0.1, -0.1))
    ours = drawn(base, 0.1)
    assert gains(ours, drawn(worse, 0.1))[name].verdict == "ahead"
    assert gains(ours, drawn(better, 0.1))[name].verdict == "behind"


def test_a_ratio_beyond_one_is_as_far_off_as_one_below() -> None:
    base = dict.fromkeys(FIGURES, 0.5)
    double, half = ({**base, "value_total_ratio": ratio} for ratio in (2.0, 0.5))
    assert gains(drawn(double, 0.0), drawn(half, 0.0))["value_total_ratio"].by.value == pytest.approx(0)


def test_the_last_horizon_ends_where_the_data_do(shop: Company) -> None:
    as_of = last_whole_horizon(shop, 90)
    assert as_of + timedelta(days=90) == date(2025, 1, 1)


def test_a_history_of_less_than_two_horizons_is_refused(shop: Company) -> None:
    with pytest.raises(HistoryError, match="no two horizons of 250 days"):
        last_whole_horizon(shop, 250)


def test_the_usual_horizon_leaves_four_to_learn_from(shop: Company) -> None:
    assert usual_horizon(shop) == 28
    old = shop.tables["transactions"].with_columns(ordered_day=pl.col("ordered_day") - 400, known_day=pl.col("known_day") - 400)
    longer = replace(shop, tables={**shop.tables, "transactions": pl.concat([old, shop.tables["transactions"]])})
    assert usual_horizon(longer) == 90


def test_some_customers_are_whole_and_always_the_same(shop: Company) -> None:
    few = some_customers(shop, 100)
    ids = few.tables["transactions"]["customer_id"].unique()
    assert 70 < len(ids) < 130
    rows = shop.tables["transactions"].filter(pl.col("customer_id").is_in(ids.implode()))
    assert few.tables["transactions"].equals(rows)
    assert some_customers(shop, 100).tables["complaints"].equals(few.tables["complaints"])


@pytest.fixture(scope="module")
def scores(shop_data: TrainingData, scorer: Any, matrix: np.ndarray) -> pl.DataFrame:
    """What a scorer that was trained at the date says of it, as `keepwell score` writes it, in another order."""
    told = scorer.predict(matrix)
    names = ("churn_probability", "expected_value", "value_low", "value_high")
    frame = pl.DataFrame({"customer_id": shop_data.at(shop_data.as_of_day).customer_id} | {n: getattr(told, n) for n in names})
    return frame.with_columns(model_family=pl.lit("ensemble"), grade=pl.lit("C")).reverse()


@pytest.fixture(scope="module")
def comparison(shop: Company, scores: pl.DataFrame) -> Comparison:
    return compared(shop, HORIZON, AS_OF, scores, seed=0)


def test_every_forecaster_has_every_figure_within_its_bounds(comparison: Comparison) -> None:
    assert list(comparison.figures) == [OURS, *comparison.peers]
    for figures in comparison.figures.values():
        assert tuple(figures) == FIGURES
        assert all(each.low <= each.high and np.isfinite(each.value) for each in figures.values())


def test_the_best_peer_has_the_best_figure(comparison: Comparison) -> None:
    for name in FIGURES:
        sign = direction(name)
        if sign:
            best = max(comparison.peers, key=lambda peer: sign * comparison.figures[peer][name].value)
            assert comparison.figures[comparison.best_peer(name)][name] == comparison.figures[best][name]


def test_scores_that_know_what_came_are_ahead_of_everybody(shop: Company, scores: pl.DataFrame) -> None:
    truth = scores.select("customer_id").join(_truth(shop), on="customer_id")
    known = truth.select(
        "customer_id",
        churn_probability=pl.when("churned").then(1 - 1e-6).otherwise(1e-6),
        expected_value="value",
        value_low="value",
        value_high="value",
        model_family=pl.lit("oracle"),
        grade=pl.lit("A"),
    )
    found = compared(shop, HORIZON, AS_OF, known, seed=0)
    assert {gain.verdict for peer in found.peers for name, gain in found.gains[peer].items() if direction(name)} == {"ahead"}
    assert found.outside == {"value_above_high_share": 0.0, "value_below_low_share": 0.0}


def _truth(shop: Company) -> pl.DataFrame:
    """What came, counted anew from the rows."""
    day = (AS_OF - date(1970, 1, 1)).days
    inside = shop.tables["transactions"].filter(pl.col("ordered_day").is_between(day, day + HORIZON, closed="left"))
    bought = inside.group_by("customer_id").agg(bought=(pl.col("amount") > 0).any(), value=pl.col("amount").sum() / 100)
    everybody = shop.tables["transactions"].select(pl.col("customer_id").unique())
    joined = everybody.join(bought, on="customer_id", how="left")
    return joined.select("customer_id", churned=~pl.col("bought").fill_null(value=False), value=pl.col("value").fill_null(0.0))


def test_what_came_later_changes_no_peer(shop: Company, scores: pl.DataFrame, comparison: Comparison) -> None:
    table = shop.tables["transactions"]
    end = (AS_OF - date(1970, 1, 1)).days + HORIZON
    more = table.filter(pl.col("ordered_day") < end - HORIZON).with_columns(
        ordered_day=pl.lit(end, pl.Int32), known_day=pl.lit(end, pl.Int32)
    )
    later = replace(shop, tables={**shop.tables, "transactions": pl.concat([table, more])})
    assert compared(later, HORIZON, AS_OF, scores, seed=0).figures == comparison.figures


def test_a_horizon_that_is_not_over_is_refused(shop: Company, scores: pl.DataFrame) -> None:
    with pytest.raises(HistoryError, match="end after"):
        compared(shop, HORIZON, date(2024, 12, 10), scores, seed=0)


def test_too_few_customers_for_peers_are_refused(shop: Company, scores: pl.DataFrame) -> None:
    with pytest.raises(HistoryError, match="too few for the peers"):
        compared(some_customers(shop, 100), HORIZON, AS_OF, scores, seed=0)
