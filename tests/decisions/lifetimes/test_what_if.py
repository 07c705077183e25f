"""Each lever moves the value of a customer the way it must."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from decisions.lifetimes.lifetime import lifetime_value
from decisions.lifetimes.what_if import BOUNDS, Terms, changed, customer_value
from keepwell.errors import ConfigError

probability = st.floats(0.01, 0.99)
terms = st.builds(
    Terms,
    retention=st.floats(-0.5, 0.5),
    income=st.floats(-0.5, 1),
    margin=st.floats(0.05, 0.9),
    discount_rate=st.floats(0, 0.5),
    years=st.floats(0.5, 10),
    referral_rate=st.floats(0, 1),
    keep_cost=st.floats(0, 20),
    marketing_cost=st.floats(0, 50),
)
FALLS = {"discount_rate", "keep_cost", "marketing_cost"}
RISES = {lever: -1 if lever in FALLS else 1 for lever in BOUNDS}
STEP = dict.fromkeys(BOUNDS, 0.1) | {"margin": 0.05, "years": 1, "keep_cost": 5, "marketing_cost": 5}


def value(churn, active_value, given_terms, horizon_days=90):
    churn, active_value = np.array([churn]), np.array([active_value])
    days = np.array([float(horizon_days)])
    return float(customer_value(churn, (1 - churn) * active_value, churn * active_value, days, given_terms)[0])


def pays(churn, active_value, given_terms, horizon_days=90):
    """Whether a horizon with this customer brings more than it costs to keep them, before and after any step."""
    worst = min(1 - churn + given_terms.retention, 1) * active_value * (1 + given_terms.income) * given_terms.margin
    return worst > (given_terms.keep_cost + STEP["keep_cost"]) * horizon_days / 365


@pytest.mark.parametrize("lever", BOUNDS)
@given(churn=probability, active_value=st.floats(50, 1e4), given_terms=terms)
def test_each_lever_has_its_sign_for_a_customer_who_pays(lever, churn, active_value, given_terms):
    assume(pays(churn, active_value, given_terms))
    more = replace(given_terms, **{lever: getattr(given_terms, lever) + STEP[lever]})
    before, after = value(churn, active_value, given_terms), value(churn, active_value, more)
    assert RISES[lever] * (after - before) >= -1e-9 * abs(before)


@pytest.mark.parametrize("lever", BOUNDS)
def test_each_lever_moves_the_value_of_a_usual_customer(lever):
    terms = Terms(margin=0.5, keep_cost=10, marketing_cost=5, referral_rate=0.1)
    moved = value(0.3, 200.0, replace(terms, **{lever: getattr(terms, lever) + STEP[lever]})) - value(0.3, 200.0, terms)
    assert np.sign(moved) == RISES[lever]
    assert abs(moved) > 0.1


@given(churn=probability, active_value=st.floats(0, 1e4), rate=st.floats(0, 0.5), years=st.floats(0.5, 10))
def test_as_things_are_it_is_the_lifetime_value_of_the_scores(churn, active_value, rate, years):
    p, expected = np.array([churn]), np.array([(1 - churn) * active_value])
    scored = lifetime_value(p, expected, np.array([90.0]), yearly_rate=rate, years=years)[0]
    assert value(churn, active_value, Terms(discount_rate=rate, years=years)) == pytest.approx(scored)


def test_nobody_is_kept_more_than_surely():
    sure, more = Terms(retention=0.3), Terms(retention=0.9)
    assert value(0.3, 100.0, sure) == pytest.approx(value(0.3, 100.0, more))
    assert value(0.3, 100.0, replace(sure, discount_rate=0.0, years=90 / 365)) == pytest.approx(100.0)


def test_who_never_leaves_spends_as_expected():
    found = customer_value(np.zeros(1), np.array([50.0]), np.zeros(1), np.array([365.0]), Terms(discount_rate=0, years=2))
    assert found[0] == 100


@pytest.mark.parametrize(
    ("lever", "value", "message"),
    [
        ("luck", 1.0, "there is no lever 'luck'"),
        ("margin", 1.5, "margin must lie between 0 and 1, found 1.5"),
        ("years", float("nan"), "years must lie"),
    ],
)
def test_a_lever_that_is_none_or_out_of_bounds_is_refused(lever, value, message):
    with pytest.raises(ConfigError, match=message):
        changed(Terms(), lever, value)


def test_the_terms_are_the_levers():
    assert set(BOUNDS) == set(Terms.__dataclass_fields__) == set(RISES)
