"""One fit tells of several horizons: churn never rises with the horizon, and is as often right as the model's own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.arrays import logit
from training.data import TrainingData
from training.fitting import lifetime_at
from training.horizons import OWN_AND_STEP, Further, further_trial, lifetime_steps, over
from training.members.stack import Blend
from training.procedure import fit_procedure
from training.recipe import Recipe
from training.scorer import Scorer

HORIZONS = (90, 180)
levels = st.floats(-6, 6)


def test_every_horizon_that_the_history_allows_has_a_forecast_of_everybody(scorer: Scorer, matrix: np.ndarray):
    forecast = scorer.predict(matrix)
    assert tuple(forecast.further_churn) == HORIZONS
    assert scorer.further_names == tuple(forecast.further_columns()) == ("churn_probability_90d", "churn_probability_180d")
    for churn in forecast.further_churn.values():
        assert churn.shape == (len(matrix),)
        assert ((churn > 0) & (churn < 1)).all()


@given(near=levels, far=levels, weights=st.tuples(st.floats(0, 3), st.floats(0, 3)))
def test_churn_never_rises_with_the_horizon_whatever_the_blends_say(shop_data, matrix, near, far, weights):
    lifetime = over(lifetime_at(shop_data, shop_data.as_of_day), 60)
    blends = {30: Blend(weights, near), 90: Blend(weights, far), 180: Blend(OWN_AND_STEP, near - far)}
    own = np.linspace(-5, 5, len(matrix))
    churn = Further(lifetime, blends).churn(own, matrix)
    assert (churn[30] >= 1 / (1 + np.exp(-own)) - 1e-12).all()
    assert (churn[90] <= 1 / (1 + np.exp(-own)) + 1e-12).all()
    assert (churn[180] <= churn[90]).all()


def test_without_anything_learned_buy_till_you_die_alone_tells_of_every_horizon(shop_data: TrainingData, matrix: np.ndarray):
    lifetime = lifetime_at(shop_data, shop_data.as_of_day)
    further = Further(lifetime, dict.fromkeys(HORIZONS, Blend(OWN_AND_STEP, 0.0)))
    churn = further.churn(lifetime.churn_logit(matrix), matrix)
    for days in HORIZONS:
        assert logit(churn[days]) == pytest.approx(over(lifetime, days).churn_logit(matrix), abs=1e-6)


def test_a_longer_horizon_is_a_step_down(shop_data: TrainingData, matrix: np.ndarray):
    steps = lifetime_steps(lifetime_at(shop_data, shop_data.as_of_day), HORIZONS, matrix)
    assert (steps[180] <= steps[90]).all()
    assert (steps[90] <= 0).all()
    assert (steps[90] < 0).any()


def test_what_is_not_over_at_a_date_is_not_learned_from(shop_data: TrainingData, matrix: np.ndarray):
    """The procedure at a past date: labels of the longer horizon that ended later may be anything."""
    cut = shop_data.labelled_days[-2]
    scrambled = {days: np.where(shop_data.day + days > cut, 1 - churned, churned) for days, churned in shop_data.further.items()}
    one, two = (
        fit_procedure(data, cut, Recipe(), seed=0).predict(matrix).further_churn
        for data in (shop_data, replace(shop_data, memo={}, further=scrambled))
    )
    assert all(np.array_equal(one[days], two[days]) for days in HORIZONS)


def test_a_trial_knows_who_left_only_where_the_horizon_is_over(shop_data: TrainingData):
    known = shop_data.known_at(shop_data.as_of_day)
    trial = further_trial(known, lifetime_at(shop_data, shop_data.as_of_day))
    for place, days in enumerate(HORIZONS):
        over_by_now = known.day + days <= shop_data.as_of_day
        assert np.array_equal(~np.isnan(trial.churned[:, place]), over_by_now)
        assert np.array_equal(~np.isnan(trial.offset[:, place]), over_by_now)


def test_forecasts_of_a_longer_horizon_meet_what_came(shop_data: TrainingData):
    """At a past date of the shop: the mean forecast over 90 days is near the share that left."""
    day = shop_data.as_of_day - 90
    rows = shop_data.at(day)
    forecast = fit_procedure(shop_data, day, Recipe(), seed=0).predict(rows.matrix).further_churn[90]
    assert forecast.mean() == pytest.approx(rows.further[90].mean(), abs=0.12)


def test_plain_values_bring_back_the_same_horizons(scorer: Scorer):
    assert scorer.further is not None
    assert Further.from_dict(scorer.further.to_dict()) == scorer.further
