"""Hysteresis over a year: who stands on an edge, with noise within the band, keeps their word from month to month."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.decide import PREVIOUS, decide
from decisions.labels import SCHEMES
from decisions.schemes.verdict import held
from serving.plans.policy import read_policy

POLICY = read_policy()
CUSTOMERS, MONTHS, NOISE = 2_000, 12, 0.02
WORDS = [scheme for scheme in PREVIOUS if scheme in SCHEMES]
EDGES = {"recency_days": (20.0, 40, 60, 80), "frequency": (5.0, 10, 15, 20), "monetary": (100.0, 300, 700, 1500)}


def steady_months() -> Iterator[dict[str, np.ndarray]]:
    """A year of customers whose true figures stay as they are, while each month's figures are off by up to 2 %."""
    rng = np.random.default_rng(0)
    churn, money = rng.uniform(0, 1, CUSTOMERS), rng.lognormal(5, 1.2, CUSTOMERS)
    cost, discount, activity = (
        money * rng.uniform(0.5, 1.5, CUSTOMERS),
        rng.uniform(0, 0.4, CUSTOMERS),
        rng.uniform(0, 1, CUSTOMERS),
    )
    overdue, growth, days = rng.uniform(0, 6, CUSTOMERS), rng.uniform(0.5, 2, CUSTOMERS), rng.integers(1, 40, CUSTOMERS) * 1.0
    for _ in range(MONTHS):

        def seen(true: np.ndarray) -> np.ndarray:
            return true * (1 + rng.uniform(-NOISE, NOISE, CUSTOMERS))

        yield {
            "churn_probability": np.minimum(seen(churn), churn + NOISE * (1 - churn)),
            "expected_value": seen(money),
            "value_if_active": money,
            "horizon_days": np.array(365),
            "net_spend_365d": seen(money),
            "service_cost": cost,
            "overdue_ratio": seen(overdue),
            "spend_180d_to_previous": seen(growth),
            "discount_share_365d": seen(discount),
            "active_month_share": seen(activity),
            "purchase_days_all": days,
            "purchase_days_365d": days,
            "days_since_first_purchase": np.full(CUSTOMERS, 800.0),
            "recency_days": seen(overdue * 20),
            "spend_365d": seen(money),
        }


def changes(hysteresis: float) -> dict[str, int]:
    """How many words of each scheme changed within the year."""
    policy = POLICY.model_copy(update={"hysteresis": hysteresis})
    count, before = dict.fromkeys([*WORDS, "rfm_cell"], 0), None
    for month in steady_months():
        decided = decide({**month, **(before or {})}, policy, EDGES)
        if before is not None:
            for scheme in count:
                count[scheme] += int((decided[scheme] != before[PREVIOUS[scheme]]).sum())
        before = {PREVIOUS[scheme]: decided[scheme].astype(object) for scheme in count}
    return count


def test_on_a_simulated_year_nobody_flickers_and_without_hysteresis_many_do():
    flickering, steady = changes(0.0), changes(POLICY.hysteresis)
    assert min(flickering.values()) > 20, flickering
    assert max(steady.values()) == 0, steady


@given(edge=st.floats(0, 1), band=st.floats(0, 0.9))
def test_a_held_share_stays_a_share_and_who_was_beyond_it_has_the_lower_edge(edge, band):
    before, fresh, beyond = held(edge, np.array([-1, 0, 1]), band, most=1.0)
    assert 0 <= beyond <= fresh == edge <= before <= 1


@pytest.mark.parametrize(("side", "expected"), [(-1, 110.0), (0, 100.0), (1, 90.0)])
def test_an_edge_of_money_moves_by_its_own_share(side, expected):
    assert held(100.0, np.array([side]), 0.1)[0] == pytest.approx(expected)
