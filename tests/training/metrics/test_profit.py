"""EMPC against its authors' figure, against a grid, and against the profit that it is the expectation of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import beta

from features.campaign import DEFAULT_CAMPAIGN, Campaign
from training.metrics.profit import (
    campaign_gains,
    expected_maximum_profit,
    maximum_profit,
    profit_curve,
    sorted_contacts,
)

CHEAP = Campaign(customer_value=60, incentive=5, contact=4)
DEAR = Campaign(customer_value=1000, incentive=0, contact=0, alpha=2, beta=3)


@st.composite
def customers(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Who churned, and risks with many ties."""
    rows = draw(st.lists(st.tuples(st.booleans(), st.integers(0, 12)), min_size=1, max_size=80))
    return np.array([row[0] for row in rows]), np.array([row[1] / 12 for row in rows])


def best_by_hand(churned: np.ndarray, risk: np.ndarray, acceptance: float, campaign: Campaign) -> float:
    """The best profit over every place to stop between two different risks."""
    profits = [0.0]
    for limit in np.unique(risk):
        left, stayed = (churned & (risk >= limit)).sum(), (~churned & (risk >= limit)).sum()
        kept = acceptance * (campaign.customer_value - campaign.incentive) * left
        profits.append((kept - campaign.contact * (left + stayed) - campaign.incentive * stayed) / len(risk))
    return max(profits)


def test_the_authors_example_is_met_to_the_last_digit():
    churned, risk = np.arange(8) % 2 == 1, np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.8, 0.9])
    found = expected_maximum_profit(sorted_contacts(churned, risk))
    assert found.profit == pytest.approx(23.875593418348, abs=1e-9)
    assert found.contacted == pytest.approx(0.874370076349, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(customers())
def test_the_known_share_of_takers_gives_the_best_of_every_place_to_stop(rows):
    for acceptance in (0.05, 0.3, 0.9):
        found = maximum_profit(sorted_contacts(*rows), acceptance)
        assert found.profit == pytest.approx(best_by_hand(*rows, acceptance, DEFAULT_CAMPAIGN), abs=1e-9)
        assert 0 <= found.contacted <= 1 + 1e-12


@settings(max_examples=15, deadline=None)
@given(customers(), st.sampled_from([DEFAULT_CAMPAIGN, CHEAP, DEAR]))
def test_the_expected_profit_is_the_mean_of_the_best_ones(rows, campaign):
    shares = (np.arange(4_000) + 0.5) / 4_000
    density = beta.pdf(shares, campaign.alpha, campaign.beta)
    contacts = sorted_contacts(*rows)
    by_share = [maximum_profit(contacts, share, campaign).profit for share in shares]
    found = expected_maximum_profit(contacts, campaign)
    assert found.profit == pytest.approx(float(np.average(by_share, weights=density)), abs=1e-3 * campaign.customer_value)
    assert found.profit >= maximum_profit(contacts, campaign.acceptance, campaign).profit - 1e-9


@settings(max_examples=20, deadline=None)
@given(customers())
def test_a_beta_without_width_is_a_known_share(rows):
    narrow = Campaign(alpha=6e6, beta=14e6)
    contacts = sorted_contacts(*rows)
    assert expected_maximum_profit(contacts, narrow).profit == pytest.approx(maximum_profit(contacts, 0.3).profit, abs=0.02)


@settings(max_examples=20, deadline=None)
@given(customers())
def test_customers_of_equal_worth_earn_the_known_share_s_profit(rows):
    churned, risk = rows
    _, profit = profit_curve(campaign_gains(churned, np.full(len(risk), 7.0)), risk)
    expected = maximum_profit(sorted_contacts(churned, risk), DEFAULT_CAMPAIGN.acceptance).profit
    assert profit.max() == pytest.approx(expected, abs=1e-9)


def test_where_nobody_leaves_nobody_is_contacted():
    found = expected_maximum_profit(sorted_contacts(np.zeros(5, dtype=bool), np.linspace(0, 1, 5)))
    assert (found.profit, found.contacted) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"incentive": 200.0}, "can never pay"),
        ({"contact": -1.0}, "contact"),
        ({"alpha": 0.0}, "alpha"),
        ({"beta": float("inf")}, "beta"),
        ({"customer": 5}, "customer"),
    ],
)
def test_a_campaign_that_cannot_be_is_refused(wrong, told):
    with pytest.raises(ValidationError, match=told):
        Campaign.model_validate(wrong)
