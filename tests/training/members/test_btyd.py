"""Laws and published figures of buy-till-you-die."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import dblquad
from scipy.special import hyp2f1
from scipy.stats import beta, gamma

from training.members.btyd import PurchaseModel, SpendModel, fit_purchases, fit_spend, log_likelihoods

SAMPLE = Path(__file__).parents[3].parent / "shared" / "data" / "cdnow_sample" / "summary.csv"
MODELS = [PurchaseModel(kind, 0.55, 10.6, 0.8, 2.4, 0.0) for kind in ("bgnbd", "mbgnbd")]

positive = st.floats(0.05, 20.0)
histories = st.tuples(st.integers(0, 60), st.floats(0, 1), st.floats(1, 1000))


def simulated(
    n: int, parameters: tuple[float, float, float, float], seed: int, *, leave_at_once: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Histories drawn from BG/NBD itself, or from MBG/NBD (`leave_at_once`), watched for 20 to 60 units of time."""
    r, alpha, a, b = parameters
    random = np.random.default_rng(seed)
    rate, leaving, T = random.gamma(r, 1 / alpha, n), random.beta(a, b, n), random.uniform(20, 60, n)
    x, tx = np.zeros(n), np.zeros(n)
    alive = random.random(n) > leaving * leave_at_once
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


def own_weight(model: SpendModel, count: float) -> float:
    """How much of a customer's own mean is in their expected spend."""
    return model.p * count / (model.p * count + model.q - 1)


@pytest.mark.parametrize(("between", "within", "low", "high"), [(1.0, 0.3, 0.9, 1.0), (0.3, 1.0, 0.2, 0.6)])
def test_where_all_have_bought_equally_often_their_own_spread_tells_how_much_their_means_say(between, within, low, high):
    """The means of customers who are alike and buy unevenly look like those of customers who differ and buy evenly."""
    random = np.random.default_rng(2)
    purchases = np.exp(random.normal(3, between, (500, 1)) + random.normal(0, within, (500, 5)))
    model = fit_spend(np.full(500, 5.0), purchases.mean(axis=1), purchases.std(axis=1, ddof=1))
    assert low < own_weight(model, 5.0) < high


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 40), st.floats(0.01, 1e6), st.floats(0, 3)), min_size=1, max_size=30))
def test_a_spend_fit_is_always_finite_and_never_trusts_a_handful_wholly(rows):
    counts, mean, relative = np.array(rows, dtype=float).T
    for sd in (None, np.where(counts > 1, relative * mean, np.nan)):
        model = fit_spend(counts, mean, sd)
        assert np.isfinite([model.p, model.q, model.v]).all()
        assert 0.001 < own_weight(model, 1.0) < 1
        assert np.isfinite(model.expected_spend(counts, mean)).all()


@pytest.mark.parametrize("kind", ["bgnbd", "mbgnbd"])
@pytest.mark.parametrize(("customers", "low", "high"), [(1, 0.1, 0.95), (5, 0.3, 0.97), (60, 0.8, 1.0)])
def test_few_customers_of_whom_none_came_back_make_nothing_certain(kind, customers, low, high):
    age = np.linspace(100, 300, customers)
    model = fit_purchases(np.zeros(customers), np.zeros(customers), age, kind, usual=True)
    churn = 1 - model.active_probability(np.zeros(1), np.zeros(1), np.array([200.0]), 90.0)[0]
    assert low < churn < high


def test_what_is_usual_is_lost_among_a_thousand_customers():
    histories = simulated(1_000, (0.6, 8.0, 0.9, 2.5), seed=4)
    plain, drawn = (fit_purchases(*histories, "bgnbd", usual=usual) for usual in (False, True))
    forecasts = [model.active_probability(*histories, 30.0) for model in (plain, drawn)]
    assert np.abs(forecasts[0] - forecasts[1]).max() < 0.02


def silence_by_simulation(model: PurchaseModel, x: int, tx: float, T: float, horizon: float) -> tuple[float, float]:
    """Of customers drawn from MBG/NBD itself, those with this history: the share alive, and purchases in the horizon."""
    random = np.random.default_rng(11)
    rates, leaving = random.gamma(model.r, 1 / model.alpha, 200_000), random.beta(model.a, model.b, 200_000)
    # The chance of the history given rate and leaving: x gaps that end at tx, and then silence, or having left.
    stayed, left = (1 - leaving) ** (x + 1) * np.exp(-rates * (T - tx)), leaving * (1 - leaving) ** x
    chance = rates**x * np.exp(-rates * tx)
    alive = float((chance * stayed).sum() / (chance * (stayed + left)).sum())
    bought = (1 - np.exp(-leaving * rates * horizon)) / leaving
    return alive, float((chance * stayed * bought).sum() / (chance * (stayed + left)).sum())


@pytest.mark.parametrize(("x", "tx", "T"), [(0, 0.0, 20.0), (1, 5.0, 30.0), (4, 25.0, 30.0), (4, 10.0, 60.0)])
def test_mbgnbd_agrees_with_customers_drawn_from_its_definition(x, tx, T):
    model = PurchaseModel("mbgnbd", 0.8, 9.0, 1.1, 2.4, 0.0)
    history = np.array([float(x)]), np.array([tx]), np.array([T])
    alive, bought = silence_by_simulation(model, x, tx, T, 30.0)
    assert model.alive_probability(*history)[0] == pytest.approx(alive, rel=0.02)
    assert model.expected_purchases(*history, 30.0)[0] == pytest.approx(bought, rel=0.03)


@pytest.mark.parametrize(("x", "tx", "T"), [(0, 0.0, 20.0), (3, 25.0, 30.0)])
def test_the_likelihood_of_mbgnbd_is_the_integral_over_its_definition(x, tx, T):
    r, alpha, a, b = 0.8, 9.0, 1.1, 2.4

    def density(rate: float, leaving: float) -> float:
        weight = gamma.pdf(rate, r, scale=1 / alpha) * beta.pdf(leaving, a, b)
        stays = (1 - leaving) ** (x + 1) * np.exp(-rate * T) + leaving * (1 - leaving) ** x * np.exp(-rate * tx)
        return float(rate**x * stays * weight)

    integral, _ = dblquad(density, 0, 1, 0, 3)
    values, _ = log_likelihoods(np.array([[x, tx, T]]), np.log([r, alpha, a, b]), "mbgnbd")
    assert np.exp(values[0]) == pytest.approx(integral, rel=1e-3)


@pytest.mark.parametrize("kind", ["bgnbd", "mbgnbd"])
def test_the_slopes_of_the_likelihood_are_its_differences(kind):
    rows, theta = np.array([[0, 0, 20.0], [1, 5, 30.0], [6, 28, 30.0]]), np.log([0.8, 9.0, 1.1, 2.4])
    slopes = log_likelihoods(rows, theta, kind)[1]
    for place in range(4):
        step = np.eye(4)[place] * 1e-6
        ahead, behind = (log_likelihoods(rows, theta + sign * step, kind)[0] for sign in (1, -1))
        assert slopes[place] == pytest.approx((ahead - behind) / 2e-6, rel=1e-5, abs=1e-8)


def test_the_parameters_of_a_company_whose_customers_leave_at_once_come_back():
    model = fit_purchases(*simulated(20_000, (0.9, 8.0, 1.2, 2.5), seed=3, leave_at_once=True))
    assert model.kind == "mbgnbd"
    assert [model.r, model.alpha, model.a, model.b] == pytest.approx([0.9, 8.0, 1.2, 2.5], rel=0.15)


@pytest.mark.slow
@pytest.mark.parametrize("usual", [False, True])
def test_hundreds_of_random_companies_never_diverge(usual):
    random = np.random.default_rng(9)
    for seed in range(300):
        parameters = tuple(np.exp(random.normal(0, 1.5, 4)) * (1, 20, 1, 3))
        x, tx, T = simulated(int(random.integers(1, 400)), parameters, seed, leave_at_once=bool(seed % 2))
        for kind in ("bgnbd", "mbgnbd"):
            model = fit_purchases(x, tx, T, kind, usual=usual)
            assert np.isfinite([model.r, model.alpha, model.a, model.b, model.log_likelihood]).all()
            active = model.active_probability(x, tx, T, 30.0)
            assert ((active >= 0) & (active <= 1)).all()
            assert np.isfinite(model.expected_purchases(x, tx, T, 30.0)).all()


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
