"""Laws and published figures of buy-till-you-die."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import hyp2f1

from training.btyd import PurchaseModel, SpendModel, fit_purchases, fit_spend

SAMPLE = Path(__file__).parents[2].parent / "shared" / "data" / "cdnow_sample" / "summary.csv"
MODELS = [PurchaseModel(kind, 0.55, 10.6, 0.8, 2.4, 0.0) for kind in ("bgnbd", "mbgnbd")]

positive = st.floats(0.05, 20.0)
histories = st.tuples(st.integers(0, 60), st.floats(0, 1), st.floats(1, 1000))


def simulated(n: int, parameters: tuple[float, float, float, float], seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Histories drawn from BG/NBD itself, watched for 20 to 60 units of time."""
    r, alpha, a, b = parameters
    random = np.random.default_rng(seed)
    rate, leaving, T = random.gamma(r, 1 / alpha, n), random.beta(a, b, n), random.uniform(20, 60, n)
    x, tx = np.zeros(n), np.zeros(n)
    alive = np.ones(n, dtype=bool)
    clock = np.zeros(n)
    while alive.any():
        clock = clock + random.exponential(1 / rate)
        alive &= clock < T
        x, tx = x + alive, np.where(alive, clock, tx)
        alive &= random.random(n) > leaving
    return x, tx, T


@pytest.mark.skipif(not SAMPLE.exists(), reason="the CDNOW sample is not part of the project")
def test_the_cdnow_sample_gives_the_published_figures():
    sample = pl.read_csv(SAMPLE)
    x, tx, T = (sample[name].cast(pl.Float64).to_numpy() for name in ("frequency", "recency", "T"))
    model = fit_purchases(x, tx, T, "bgnbd")
    assert [round(each, 3) for each in (model.r, model.alpha, model.a, model.b)] == [0.243, 4.414, 0.793, 2.426]
    assert round(model.log_likelihood, 1) == -9582.4


def test_the_parameters_of_a_simulated_company_come_back():
    model = fit_purchases(*simulated(20_000, (0.6, 8.0, 0.9, 2.5), seed=3), "bgnbd")
    assert [model.r, model.alpha, model.a, model.b] == pytest.approx([0.6, 8.0, 0.9, 2.5], rel=0.12)


def test_the_kind_that_made_the_data_is_the_likelier_one():
    histories_of_bgnbd = simulated(5_000, (0.6, 8.0, 1.5, 2.0), seed=5)
    assert fit_purchases(*histories_of_bgnbd).kind == "bgnbd"


@settings(max_examples=15, deadline=None)
@given(scale=st.sampled_from([1 / 365, 1 / 7, 24.0]))
def test_another_unit_of_time_changes_only_alpha(scale):
    x, tx, T = simulated(500, (0.6, 8.0, 0.9, 2.5), seed=1)
    plain, scaled = fit_purchases(x, tx, T, "bgnbd"), fit_purchases(x, tx * scale, T * scale, "bgnbd")
    assert [scaled.r, scaled.alpha / scale, scaled.a, scaled.b] == pytest.approx(
        [plain.r, plain.alpha, plain.a, plain.b], rel=1e-3
    )


@settings(max_examples=25, deadline=None)
@given(st.lists(histories, min_size=1, max_size=30))
def test_a_fit_never_fails_and_is_always_finite(rows):
    x, share, T = np.array(rows, dtype=float).T
    model = fit_purchases(x, np.where(x > 0, share * T, 0.0), T)
    figures = [model.r, model.alpha, model.a, model.b, model.log_likelihood]
    assert np.isfinite(figures).all()
    assert min(figures[:4]) > 0


@pytest.mark.parametrize("model", MODELS)
@given(history=histories, horizon=st.floats(1, 400))
def test_forecasts_stay_within_their_range_and_grow_with_the_horizon(model, history, horizon):
    x, share, T = (np.array([float(each)]) for each in history)
    tx = np.where(x > 0, share * T, 0.0)
    alive = model.alive_probability(x, tx, T)
    near, far = model.active_probability(x, tx, T, horizon), model.active_probability(x, tx, T, horizon + 1)
    assert 0 <= near <= far <= alive <= 1
    # A count is at least as large as the chance that it is not 0.
    assert model.expected_purchases(x, tx, T, horizon) >= near - 1e-6


@pytest.mark.parametrize("model", MODELS)
def test_the_longer_the_silence_the_less_likely_alive(model):
    silence = np.linspace(0, 200, 30)
    alive = model.alive_probability(np.full(30, 3.0), np.full(30, 50.0), 50 + silence)
    assert (np.diff(alive) < 0).all()


def test_whoever_bought_once_is_certainly_alive_under_bgnbd_but_not_under_mbgnbd():
    once = np.array([0.0]), np.array([0.0]), np.array([300.0])
    assert MODELS[0].alive_probability(*once) == 1
    assert MODELS[1].alive_probability(*once) < 1


def test_expected_purchases_agree_with_the_closed_form():
    model = PurchaseModel("bgnbd", 0.243, 4.414, 1.3, 2.426, 0.0)
    x, tx, T, horizon = np.array([0.0, 2.0, 5.0]), np.array([0.0, 30.0, 20.0]), np.full(3, 39.0), 39.0
    z = horizon / (model.alpha + T + horizon)
    shrink = ((model.alpha + T) / (model.alpha + T + horizon)) ** (model.r + x)
    series = shrink * hyp2f1(model.r + x, model.b + x, model.a + model.b + x - 1, z)
    closed = (model.a + model.b + x - 1) / (model.a - 1) * (1 - series) * model.alive_probability(x, tx, T)
    assert model.expected_purchases(x, tx, T, horizon) == pytest.approx(closed, rel=0.01)


def test_customers_who_buy_like_clockwork_and_never_leave_go_on_at_their_rate():
    """Steady customers have a huge alpha and leave with almost no probability: nothing of the count may be lost in rounding."""
    model = PurchaseModel("bgnbd", 8_000.0, 240_000.0, 0.0003, 3_400.0, 0.0)
    x, T = np.arange(5.0, 30.0), 30 * np.arange(5.0, 30.0)
    rate = (model.r + x) / (model.alpha + T)
    assert model.expected_purchases(x, T, T, 90.0) == pytest.approx(90 * rate, rel=1e-3)


def test_the_gamma_gamma_parameters_of_a_simulated_company_come_back():
    random = np.random.default_rng(0)
    n, p, q, v = 40_000, 4.0, 5.0, 20.0
    count = random.integers(1, 12, n).astype(float)
    mean = random.gamma(p * count, 1 / (count * random.gamma(q, 1 / v, n)))
    model = fit_spend(count, mean)
    assert [model.p, model.q, model.v] == pytest.approx([p, q, v], rel=0.1)


@given(p=positive, above=positive, v=positive, count=st.integers(1, 500), mean=st.floats(0.01, 1e5))
def test_expected_spend_lies_between_the_own_mean_and_everyones(p, above, v, count, mean):
    model = SpendModel(p, 1 + above, v)
    everyone = p * v / above
    spend = float(model.expected_spend(np.array([float(count)]), np.array([mean]))[0])
    assert min(mean, everyone) * (1 - 1e-9) <= spend <= max(mean, everyone) * (1 + 1e-9)


@pytest.mark.slow
def test_a_million_customers_give_the_parameters_they_were_made_with():
    model = fit_purchases(*simulated(1_000_000, (0.6, 8.0, 0.9, 2.5), seed=7))
    assert [model.r, model.alpha, model.a, model.b] == pytest.approx([0.6, 8.0, 0.9, 2.5], rel=0.05)
