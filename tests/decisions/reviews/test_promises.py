"""What was promised of each tier against what came."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.labels import Tier
from decisions.reviews.promises import calibration, promises

TIERS = [*map(str, Tier), None]


def columns(rows: int, seed: int) -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(seed)
    churn = random.random(rows)
    tiers = np.array([TIERS[code] for code in random.integers(0, len(TIERS), rows)], dtype=object)
    return tiers, churn, (random.random(rows) < churn).astype(float), random.exponential(20, rows), random.exponential(20, rows)


@given(st.integers(1, 200), st.integers(0, 1000))
def test_tiers_add_up_to_all_customers_who_have_one(rows: int, seed: int) -> None:
    tiers, churn, churned, expected, value = columns(rows, seed)
    whole, *parts = promises(tiers, churn, churned, expected, value)
    have_one = np.array([tier is not None for tier in tiers])
    assert whole.customers == rows
    assert sum(part.customers for part in parts) == have_one.sum()
    assert sum(part.value_came for part in parts) == pytest.approx(value[have_one].sum())
    assert [part.tier for part in parts] == [tier for tier in map(str, Tier) if tier in tiers.tolist()]


@given(st.integers(1, 200), st.integers(0, 1000))
def test_calibration_counts_everybody_once_from_the_safest_on(rows: int, seed: int) -> None:
    _, churn, churned, _, _ = columns(rows, seed)
    groups = calibration(churn, churned)
    assert sum(group.customers for group in groups) == rows
    assert [group.churn_promised for group in groups] == sorted(group.churn_promised for group in groups)


def test_a_promise_is_broken_only_where_it_is_surely_off_by_more_than_matters() -> None:
    tiers, many = np.array(["VIP"] * 4000, dtype=object), np.ones(4000)
    half = np.tile([1.0, 0.0], 2000)
    assert promises(tiers, 0.48 * many, half, many, many)[0].trouble == ""
    assert promises(tiers, 0.3 * many, half, many, many)[0].trouble == "more left than was forecast"
    assert promises(tiers, 0.8 * many, half, many, 2 * many)[0].trouble == (
        "fewer left than was forecast; they brought more than was forecast"
    )
    assert promises(tiers[:6], 0.3 * many[:6], half[:6], many[:6], many[:6])[0].trouble == ""  # six customers prove nothing


def test_without_values_churn_is_judged_alone() -> None:
    tiers, nothing = np.array(["VIP", "VIP"], dtype=object), np.full(2, np.nan)
    whole = promises(tiers, np.array([0.5, 0.5]), np.array([1.0, 0.0]), nothing, nothing)[0]
    assert np.isnan([whole.value_promised, whole.value_came, whole.value_ratio.value]).all()
    assert whole.churned.value == 0.5
