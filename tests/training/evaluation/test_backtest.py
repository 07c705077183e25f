"""The procedure is held against simple rivals at dates it has not learned from."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data import TrainingData
from training.evaluation.backtest import FURTHER_METRICS, NOT_TESTED, Backtest, backtest, fit_graded, graded
from training.evaluation.rivals import RIVALS, fit_rival
from training.metrics.intervals import METRICS, Interval
from training.recipe import Recipe
from training.scorer import Scorer

bounds = st.tuples(st.floats(-1, 1), st.floats(-1, 1)).map(sorted).map(lambda pair: Interval(sum(pair) / 2, *pair))


def test_folds_step_back_by_whole_horizons_from_the_newest_labelled_date(tested: Backtest, shop_data: TrainingData):
    dates = [shop_data.as_of - timedelta(days=k * shop_data.horizon_days) for k in (1, 2, 3)]
    assert [fold.as_of for fold in tested.folds] == dates
    for fold in tested.folds:
        assert set(fold.rivals) == set(RIVALS)
        assert len(fold.churned) == len(fold.value) == len(fold.matrix) == len(fold.predictions.expected_value)


def test_every_figure_has_an_interval_around_it(tested: Backtest):
    # The three dates are up to 90 days ago: 180 days are over at none of them.
    further = {f"{name}_90d" for name in FURTHER_METRICS}
    assert set(tested.figures) == set(METRICS) | further
    for figures in (tested.figures, *tested.rival_figures.values()):
        assert all(figure.low <= figure.high for figure in figures.values())


def test_later_labels_do_not_change_what_was_forecast_at_a_fold(tested: Backtest, shop_data: TrainingData):
    oldest = tested.folds[-1]
    day = shop_data.labelled_days[-3]
    later = shop_data.day + shop_data.horizon_days > day
    scrambled = replace(shop_data, memo={}, value=np.where(later, 5.0, shop_data.value))
    again = backtest(scrambled, Recipe(), seed=0).folds[-1]
    assert np.array_equal(again.predictions.expected_value, oldest.predictions.expected_value)
    assert np.array_equal(again.rivals["recency"].expected_value, oldest.rivals["recency"].expected_value)


@pytest.mark.parametrize("name", RIVALS)
def test_every_rival_is_a_scorer_that_saves_and_explains_itself(shop_data, name, tmp_path):
    rival = fit_rival(shop_data, shop_data.as_of_day, name, Recipe(), seed=0)
    rows = shop_data.at(shop_data.as_of_day).matrix
    rival.save(tmp_path)
    forecast, explanation = Scorer.load(tmp_path).predict(rows), rival.explain(rows)
    p = forecast.churn_probability
    assert rival.info.family == name
    assert np.array_equal(p, rival.predict(rows).churn_probability)
    assert explanation.churn.sum(1) + explanation.churn_baseline == pytest.approx(np.log(p / (1 - p)), abs=1e-9)
    assert explanation.value.sum(1) + explanation.value_baseline == pytest.approx(np.log(forecast.expected_value), abs=1e-9)


@given(st.dictionaries(st.sampled_from(RIVALS), bounds, min_size=1))
def test_a_better_rival_never_raises_the_grade(gains):
    grade, champion = graded(gains, gains)
    less = {name: Interval(gain.value - 0.1, gain.low - 0.1, gain.high - 0.1) for name, gain in gains.items()}
    assert graded(less, less)[0] >= grade
    assert (grade == "D") == bool(champion)


def test_a_rival_that_was_better_only_on_less_history_replaces_nothing():
    worse, better = Interval(-0.1, -0.2, -0.05), Interval(0.1, 0.05, 0.2)
    assert graded({"lifetime": worse}, {"lifetime": better}) == ("C", "")


def test_one_date_is_too_few_to_hand_out_a_rival():
    worse = {"lifetime": Interval(-0.1, -0.2, -0.05)}
    assert graded(worse, worse, dates=1) == ("C", "")
    assert graded(worse, worse, dates=2) == ("D", "lifetime")


def test_a_rival_that_is_surely_better_is_handed_out_in_place_of_the_model(shop_data: TrainingData, tested: Backtest):
    beaten = replace(tested, grade="D", champion="recency")
    scorer = fit_graded(shop_data, beaten, Recipe(), seed=0)
    assert (scorer.info.family, scorer.info.grade, scorer.info.backtest_dates) == ("recency", "D", 3)


def test_a_history_too_short_for_a_backtest_is_not_graded(shop_data: TrainingData):
    young = shop_data.rows(shop_data.day == shop_data.as_of_day)
    assert backtest(young, Recipe(), seed=0) == NOT_TESTED
    assert fit_graded(young, NOT_TESTED, Recipe(), seed=0).info.grade == "none"
