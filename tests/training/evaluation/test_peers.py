from __future__ import annotations

import numpy as np
import pytest

from training.data import TrainingData
from training.evaluation.peers import Customers, last_period, lightgbm, logistic_ridge, peer_forecasts, textbook
from training.fitting import positive_values
from training.scorer import Predictions

PEERS = ("last_period", "logistic_ridge", "lightgbm", "textbook", "logistic_all", "lightgbm_all")


def customers(n: int, seed: int) -> Customers:
    """Who buys often has bought lately, stays, and spends as before."""
    random = np.random.default_rng(seed)
    rate = random.gamma(1.0, 2.0, n)
    bought, total = random.poisson(rate), 1 + random.poisson(4 * rate)
    basket = random.lognormal(3, 0.5, n)
    recency = random.exponential(30 / (0.2 + rate))
    churned = (random.poisson(rate) == 0).astype(float)
    value = np.where(churned == 1, 0.0, basket * np.maximum(rate, 0.5))
    rfm = np.column_stack([recency, np.full(n, 300.0), total, total * basket, bought, bought * basket])
    return Customers(rfm, churned, value)


@pytest.fixture(scope="module")
def told(shop_data: TrainingData) -> dict[str, Predictions]:
    return peer_forecasts(shop_data, seed=0)


def test_every_peer_says_something_possible_of_every_customer(shop_data: TrainingData, told: dict[str, Predictions]) -> None:
    assert tuple(told) == PEERS
    for name, forecast in told.items():
        assert len(forecast.churn_probability) == len(shop_data.at(shop_data.as_of_day)), name
        assert ((forecast.churn_probability > 0) & (forecast.churn_probability < 1)).all(), name
        assert np.isfinite(forecast.expected_value).all(), name


def test_the_same_seed_gives_the_same_peers(shop_data: TrainingData, told: dict[str, Predictions]) -> None:
    again = peer_forecasts(shop_data, seed=0)
    for name in PEERS:
        np.testing.assert_array_equal(again[name].expected_value, told[name].expected_value)


def test_peers_that_foretell_spend_are_held_to_what_is_kept_of_it(shop_data: TrainingData, told: dict[str, Predictions]) -> None:
    half = peer_forecasts(shop_data, seed=0, kept_share=0.5)
    for name in PEERS:
        share = 0.5 if name in {"last_period", "textbook"} else 1.0  # the others have learned from what was kept
        np.testing.assert_allclose(half[name].expected_value, share * told[name].expected_value)


def test_the_last_period_is_repeated_for_as_long_as_the_horizon() -> None:
    learned = customers(500, seed=1)
    churn, value = last_period(learned, learned, horizon_days=45)  # the window of 30 days is nearest
    np.testing.assert_allclose(value, learned.spent * 1.5)
    bought = learned.bought > 0
    assert churn[bought] == pytest.approx(learned.churned[bought].mean(), abs=0.005)
    assert churn[~bought] == pytest.approx(learned.churned[~bought].mean(), abs=0.005)


def test_the_amounts_of_the_regression_sum_to_what_buyers_brought() -> None:
    learned = customers(800, seed=2)
    active = Customers(*(array[learned.churned == 0] for array in (learned.rfm, learned.churned, learned.value)))
    churn, value = logistic_ridge(learned, active)
    assert (value / (1 - churn)).sum() == pytest.approx(positive_values(active.value).sum())


@pytest.mark.parametrize("peer", [logistic_ridge, lambda learned, now: lightgbm(learned, now, 0)], ids=["regression", "trees"])
def test_who_has_learned_orders_others_better_than_chance(peer: object) -> None:
    learned, others = customers(2_000, seed=3), customers(2_000, seed=4)
    churn, value = peer(learned, others)  # type: ignore[operator]
    assert churn[others.churned == 1].mean() > churn[others.churned == 0].mean() + 0.1
    assert np.corrcoef(value, others.value)[0, 1] > 0.3


def test_the_textbook_holds_who_bought_lately_for_livelier(shop_data: TrainingData) -> None:
    now = shop_data.at(shop_data.as_of_day)
    churn, value = textbook(shop_data)
    recency, often = now.column("recency_days"), now.column("purchase_days_all") > 3
    lately = often & (recency < np.median(recency[often]))
    assert churn[lately].mean() < churn[often & ~lately].mean()
    assert (value > 0).all()
