"""Metrics against scikit-learn and SciPy, weights against repeated rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from features.campaign import Campaign
from training.metrics.intervals import METRICS, direction, interval, resampled_weights
from training.metrics.weighted import Outcome
from training.scorer import Predictions


def example(n: int, seed: int) -> tuple[Outcome, Predictions]:
    random = np.random.default_rng(seed)
    churned = np.append(random.random(n - 2) < 0.6, [True, False])
    value = np.where(churned, 0.0, np.round(random.gamma(1, 50, n), 2) + 0.01)
    p = np.clip(np.round(random.beta(2, 2, n), 2), 0.01, 0.99)
    expected = random.gamma(1, 30, n)
    worth = np.round(random.gamma(1, 80, n), 2)
    return Outcome(churned, value, worth), Predictions(p, expected, expected, expected * 0.1, expected * 3)


def rows(forecast: Predictions, place: np.ndarray) -> Predictions:
    fields = ("churn_probability", "expected_value", "value_if_active", "value_low", "value_high")
    return Predictions(**{field: getattr(forecast, field)[place] for field in fields})


@settings(max_examples=25, deadline=None)
@given(n=st.integers(5, 300), seed=st.integers(0, 1_000))
def test_figures_agree_with_their_reference(n, seed):
    outcome, forecast = example(n, seed)
    y, p, ones = outcome.churned, forecast.churn_probability, np.ones(n)
    references = {
        "churn_auc": roc_auc_score(y, p),
        "churn_average_precision": average_precision_score(y, p),
        "churn_log_loss": log_loss(y, p),
        "churn_brier_loss": brier_score_loss(y, p),
        "value_rank_correlation": spearmanr(outcome.value, forecast.expected_value)[0],
        "value_mae": np.abs(outcome.value - forecast.expected_value).mean(),
        "value_total_ratio": forecast.expected_value.sum() / outcome.value.sum(),
    }
    for name, reference in references.items():
        assert METRICS[name](outcome, forecast)(ones) == pytest.approx(reference, rel=1e-9), name


ORDERED_BEFORE = {"value_rank_correlation", "value_above_high_worst_share", "value_quantile_loss_ratio"}
"""Ranks, tenths and the quantiles of earlier spend are those of the rows, whatever the weights."""


@pytest.mark.parametrize("name", sorted(set(METRICS) - ORDERED_BEFORE))
def test_a_weight_of_two_is_the_row_twice(name):
    outcome, forecast = example(60, seed=4)
    twice = np.append(np.arange(60), 7)
    longer = rows(forecast, twice)
    weights = np.where(np.arange(60) == 7, 2.0, 1.0)
    repeated = METRICS[name](Outcome(outcome.churned[twice], outcome.value[twice]), longer)(np.ones(61))
    alike = Outcome(outcome.churned, outcome.value)
    assert METRICS[name](alike, forecast)(weights) == pytest.approx(repeated, rel=1e-6)


def test_a_perfect_forecast_has_a_gini_of_one_and_no_error():
    outcome, forecast = example(50, seed=1)
    perfect = Predictions(forecast.churn_probability, outcome.value, outcome.value, outcome.value, outcome.value)
    figures = {name: METRICS[name](outcome, perfect)(np.ones(50)) for name in ("value_gini", "value_mae", "value_rmse")}
    assert figures == {"value_gini": pytest.approx(1), "value_mae": 0, "value_rmse": 0}


def test_an_interval_holds_its_figure_and_narrows_with_more_customers():
    widths = []
    for n in (100, 10_000):
        outcome, forecast = example(n, seed=2)
        found = interval(METRICS["churn_log_loss"](outcome, forecast), resampled_weights(np.arange(n), seed=0))
        assert found.low < found.value < found.high
        widths.append(found.high - found.low)
    assert widths[1] < widths[0] / 5


def test_all_rows_of_a_customer_are_drawn_together():
    customer = np.array([3, 1, 3, 2, 1])
    weights = resampled_weights(customer, seed=1)
    assert np.array_equal(weights[:, 0], weights[:, 2])
    assert np.array_equal(weights[:, 1], weights[:, 4])
    assert (weights[:, [0, 1, 3]].sum(1) == 3).all()


CHURN_RANKED = ("churn_auc", "churn_average_precision", "churn_top_decile_lift", "churn_lift_quality", "churn_empc")
VALUE_RANKED = ("value_gini", "value_top_decile_captured", "value_rank_correlation")


@settings(max_examples=25, deadline=None)
@given(n=st.integers(5, 120), seed=st.integers(0, 1_000))
def test_the_order_of_the_rows_changes_no_figure(n, seed):
    outcome, forecast = example(n, seed)
    place = np.random.default_rng(seed).permutation(n)
    shuffled = Outcome(outcome.churned[place], outcome.value[place], outcome.worth[place])
    for name, metric in METRICS.items():
        assert metric(shuffled, rows(forecast, place))(np.ones(n)) == pytest.approx(
            metric(outcome, forecast)(np.ones(n)), rel=1e-9
        ), name


@settings(max_examples=25, deadline=None)
@given(n=st.integers(5, 120), seed=st.integers(0, 1_000))
def test_figures_of_the_order_see_nothing_but_the_order(n, seed):
    outcome, forecast = example(n, seed)
    bent = replace(forecast, churn_probability=forecast.churn_probability**3, expected_value=np.sqrt(forecast.expected_value))
    for name in (*CHURN_RANKED, *VALUE_RANKED):
        before, after = (METRICS[name](outcome, each)(np.ones(n)) for each in (forecast, bent))
        assert after == pytest.approx(before, rel=1e-9), name


@settings(max_examples=25, deadline=None)
@given(n=st.integers(5, 120), seed=st.integers(0, 1_000))
def test_no_order_is_better_than_the_perfect_one_and_none_earns_less_than_nothing(n, seed):
    outcome, forecast = example(n, seed)
    truth = outcome.churned * 0.9 + 0.05
    perfect = Predictions(truth, outcome.value, outcome.value, outcome.value, outcome.value)
    for name in (*CHURN_RANKED, "value_gini", "value_top_decile_captured"):
        best, ours = (METRICS[name](outcome, each)(np.ones(n)) for each in (perfect, forecast))
        assert ours <= best + 1e-9, name
    assert METRICS["churn_lift_quality"](outcome, perfect)(np.ones(n)) == pytest.approx(1)
    assert METRICS["churn_empc"](outcome, forecast)(np.ones(n)) >= -1e-12
    assert METRICS["value_campaign_profit"](outcome, forecast)(np.ones(n)) >= 0


def test_a_guess_has_no_lift():
    outcome, forecast = example(500, seed=3)
    guess = replace(forecast, churn_probability=np.full(500, 0.4), expected_value=np.ones(500))
    figures = {name: METRICS[name](outcome, guess)(np.ones(500)) for name in ("churn_auc", "churn_lift_quality", "value_gini")}
    assert figures == pytest.approx({"churn_auc": 0.5, "churn_lift_quality": 0.0, "value_gini": 0.0}, abs=1e-9)
    assert METRICS["churn_top_decile_lift"](outcome, guess)(np.ones(500)) == pytest.approx(1)


def test_the_decile_error_is_the_mean_share_by_which_tenths_were_missed():
    value = np.repeat(np.arange(1.0, 11.0), 3)
    outcome, said = Outcome(np.zeros(30, dtype=bool), value), value * np.repeat([1.5, 1.0], [15, 15])
    forecast = Predictions(np.full(30, 0.5), said, said, said, said)
    # Forecasts keep the order of the customers but for a tie of 7.5 and 7, which stand in one tenth each.
    assert METRICS["value_decile_error"](outcome, forecast)(np.ones(30)) == pytest.approx(0.25, abs=0.05)
    exact = replace(forecast, expected_value=value)
    assert METRICS["value_decile_error"](outcome, exact)(np.ones(30)) == pytest.approx(0, abs=1e-12)


def test_every_figure_says_which_way_is_better():
    promises = {name for name in METRICS if direction(name) == 0}
    quantiles = {"value_above_high_share", "value_above_high_worst_share", "value_below_low_share", "value_quantile_loss_ratio"}
    assert promises == {"value_total_ratio", *quantiles}


def test_the_worst_tenth_is_that_with_most_surprises():
    value = np.where(np.arange(100) < 5, 9.0, 0.0)
    expected = np.arange(100.0)
    forecast = Predictions(np.full(100, 0.5), expected, expected, np.zeros(100), np.full(100, 8.0))
    outcome = Outcome(value == 0, value)
    assert METRICS["value_above_high_share"](outcome, forecast)(np.ones(100)) == pytest.approx(0.05)
    assert METRICS["value_above_high_worst_share"](outcome, forecast)(np.ones(100)) == pytest.approx(0.5)


def test_quantiles_are_held_against_those_of_earlier_spend():
    value = np.linspace(0, 100, 101)
    outcome = Outcome(value == 0, value, worth=value)
    same = Predictions(np.full(101, 0.5), value, value, np.full(101, 10.0), np.full(101, 90.0))
    right = Predictions(np.full(101, 0.5), value, value, value, value)
    ratio = METRICS["value_quantile_loss_ratio"]
    assert ratio(outcome, same)(np.ones(101)) == pytest.approx(1)
    assert ratio(outcome, right)(np.ones(101)) == 0
    assert np.isnan(ratio(Outcome(value == 0, value), right)(np.ones(101)))


@pytest.mark.parametrize("name", ["churn_empc", "value_campaign_profit"])
def test_profit_is_counted_by_the_campaign_and_is_money(name: str) -> None:
    random = np.random.default_rng(6)
    p = random.uniform(0.02, 0.98, 300)
    churned, value = random.random(300) < p, random.lognormal(3, 1, 300)
    said = Predictions(p, value, value, value, value)

    def earned(**amounts: float) -> float:
        outcome = Outcome(churned, value, campaign=Campaign(**amounts))
        return METRICS[name](outcome, said)(np.ones(300))

    assert earned() == METRICS[name](Outcome(churned, value), said)(np.ones(300))
    assert earned(customer_value=1400, incentive=70, contact=7) == pytest.approx(7 * earned())
    assert earned(contact=3) < earned()
    assert earned(alpha=12, beta=8) > earned()
