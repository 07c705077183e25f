"""The figures behind the pictures of docs/concepts: what Keepwell itself computes of simulated companies, never typed in.

`scripts/draw_concepts.py` keeps them in docs/images/concepts/figures.json and draws them. Every part is a plain
dictionary, rounded, so that another kind of processor gives the same file.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from concept_cases import Figures, first, rounded, shortened, tenths, time_figures, uplift_figures

from datasets.shop import season_of
from datasets.simulate import Truth, simulate
from decisions.concentration import lorenz_curve
from decisions.labels import Tier
from decisions.schemes.tiers import value_tier
from features.asof import NEVER_DAY, day_date, day_number
from features.company import Company
from features.reading.sources import read_company
from serving.plans.policy import read_policy
from training.arrays import Flags, Floats
from training.card.plots import wilson_interval
from training.data import TrainingData, training_data
from training.evaluation.backtest import CLEARLY, Backtest, Fold, backtest, fit_graded
from training.fitting import lifetime_at
from training.horizon_report import horizon_report
from training.recipe import Recipe
from training.run import known_until, one_blas_thread
from training.scorer import Predictions, Scorer
from training.silence import purchases

AS_OF, HORIZON_DAYS, CUSTOMERS, MONTHS, SEED = date(2026, 1, 1), 60, 3_000, 24, 7


@dataclass(frozen=True)
class Shop:
    """The simulated shop that most pages look at; its parts are made when first asked for, and kept."""

    folder: Path

    @cached_property
    def truth(self) -> Truth:
        """What the shop itself cannot see."""
        return simulate(self.folder, customers=CUSTOMERS, months=MONTHS, seed=SEED, until=AS_OF)

    @cached_property
    def company(self) -> Company:
        """Its tables."""
        assert self.truth.until == AS_OF  # the files are there once the truth is
        return read_company(self.folder)

    @cached_property
    def data(self) -> TrainingData:
        """What a training at AS_OF learns from."""
        return training_data(known_until(self.company, AS_OF), HORIZON_DAYS, AS_OF)

    @cached_property
    def tested(self) -> Backtest:
        """The procedure at past dates."""
        return backtest(self.data, Recipe(), 0)

    @cached_property
    def scorer(self) -> Scorer:
        """The model of AS_OF."""
        return fit_graded(self.data, self.tested, Recipe(), 0)

    @cached_property
    def predictions(self) -> Predictions:
        """What the model says of all customers at AS_OF."""
        return self.scorer.predict(self.data.at(self.data.as_of_day).matrix)


LOOK_DAY, SHORT_DAYS, LONG_DAYS, SHOWN = date(2025, 7, 1), 30, 90, 12
"""The page on horizons looks at customers who on this day have just been silent for SHORT_DAYS, and shows so many of them."""


def horizon_figures(shop: Shop) -> Figures:
    """Customers called gone after SHORT_DAYS: when they came back, if they did; and shares for the usual horizons."""
    bought, day = purchases(shop.company, day_number(AS_OF)), day_number(LOOK_DAY)
    moment = bought.at(day)
    silent = day - moment.last
    gone = np.flatnonzero((silent > SHORT_DAYS) & (silent <= 2 * SHORT_DAYS))
    back_in = moment.next[gone] - day
    days = [bought.day[bought.start[one] : bought.start[one + 1]] - day for one in gone[:SHOWN]]
    report = horizon_report(shop.company, AS_OF)
    return {
        "day": str(LOOK_DAY),
        "customers": [one[one >= -LONG_DAYS].tolist() for one in days],
        "gone": len(gone),
        "back_before_long": shortened(float((back_in < LONG_DAYS - SHORT_DAYS).mean())),
        "back_later": shortened(float(((back_in >= LONG_DAYS - SHORT_DAYS) & (moment.next[gone] != NEVER_DAY)).mean())),
        "horizons": {
            one.days: {"churned": shortened(one.churned), "returned": shortened(one.returned), "looked_days": one.looked_days}
            for one in report.horizons
        },
        "advice_days": report.advice.horizon_days,
    }


RHYTHMS = {"every week": 52, "every two weeks": 26, "every month": 12}
"""Customers of a year's standing, by their purchases a year."""

LONGEST_SILENCE = 180


def churn_figures(shop: Shop) -> Figures:
    """The chance of buying nothing in the next HORIZON_DAYS by days of silence, as buy-till-you-die says of the shop."""
    model, rule = lifetime_at(shop.data, shop.data.as_of_day).purchases, read_policy().status
    silence = np.arange(LONGEST_SILENCE + 1.0)
    curves = {}
    for name, a_year in RHYTHMS.items():
        bought, last = np.full(len(silence), float(a_year)), np.full(len(silence), 365.0)
        away = 1 - model.active_probability(bought, last, last + silence, HORIZON_DAYS)
        curves[name] = {
            "churn": rounded(away[::5]),
            "lapsing_after": int(np.argmax(away >= rule.lapsing_from)),
            "lost_after": int(np.argmax(away >= rule.lost_from)) or None,
        }
    return {"silence": silence[::5].tolist(), "lapsing_from": rule.lapsing_from, "lost_from": rule.lost_from, "curves": curves}


def calibration_figures(shop: Shop) -> Figures:
    """Forecasts of all backtest dates against what came, in tenths; and the true chances of those told about a half."""
    forecast, churned = _of_folds(shop.tested, lambda fold: (fold.predictions.churn_probability, fold.churned))
    percentile = np.argsort(np.argsort(forecast, kind="stable"), kind="stable") / len(forecast)
    groups = tenths(-forecast)
    told, true = shop.predictions.churn_probability, _true_churn(shop)
    half = (told > 0.4) & (told < 0.6)
    return {
        "customers": len(forecast),
        "percentile": [shortened(percentile[group].mean()) for group in groups],
        "forecast": [shortened(forecast[group].mean()) for group in groups],
        "came": [rounded(wilson_interval(int(churned[group].sum()), len(group))) for group in groups],
        "half": {
            "customers": int(half.sum()),
            "told": shortened(told[half].mean()),
            "true": shortened(true[half].mean()),
            "shares": rounded(np.histogram(true[half], bins=10, range=(0, 1))[0] / half.sum()),
        },
    }


def _true_churn(shop: Shop) -> Floats:
    """The true chance (n,) that each customer of AS_OF buys nothing in the horizon, in the season that it is."""
    season = float(season_of(HORIZON_DAYS, AS_OF.timetuple().tm_yday - 1).mean())
    lively = shop.truth.customers.with_columns(pl.col("purchase_rate") * season)
    chance = replace(shop.truth, customers=lively).churn_probability(HORIZON_DAYS)
    by_id = dict(zip(lively["customer_id"], chance, strict=True))
    return np.array([by_id[one] for one in shop.data.at(shop.data.as_of_day).customer_id])


BAND = (60.0, 100.0)
"""Customers expected to bring so much are looked at together."""


def value_figures(shop: Shop) -> Figures:
    """What came of customers with one expected value, and how often the tenths stayed within their intervals."""
    told = _of_folds(
        shop.tested, lambda fold: (fold.predictions.expected_value, fold.predictions.value_low, fold.predictions.value_high)
    )
    (value,) = _of_folds(shop.tested, lambda fold: (fold.value,))
    expected, low, high = told
    band = (expected > BAND[0]) & (expected < BAND[1])
    came = value[band]
    return {
        "customers": len(value),
        "band": {
            "customers": int(band.sum()),
            "expected": shortened(expected[band].mean()),
            "mean": shortened(came.mean()),
            "nothing": shortened((came <= 0).mean()),
            "quantiles": dict(zip(("10", "50", "90"), rounded(np.quantile(came, (0.1, 0.5, 0.9))), strict=True)),
            "low": shortened(low[band].mean()),
            "high": shortened(high[band].mean()),
            "counts": np.histogram(came, bins=25, range=(0, 500))[0].tolist(),
        },
        "above_high": shortened((value > high).mean()),
        "below_low": shortened((value < low).mean()),
        "tenths": [
            {
                "expected": shortened(expected[group].mean()),
                "mean": shortened(value[group].mean()),
                "above_high": shortened((value > high)[group].mean()),
                "below_low": shortened((value < low)[group].mean()),
            }
            for group in tenths(expected)
        ],
        "total_ratio": shortened(expected.sum() / value.sum()),
    }


def tier_figures(shop: Shop) -> Figures:
    """How value is spread, what is at risk by tier and status, and what three lists of the same length would watch over."""
    told, policy = shop.predictions, read_policy()
    churn, expected = told.churn_probability, told.expected_value
    at_risk, tier = churn * told.value_if_active, np.array(value_tier(expected, policy.tiers).words)
    status = np.where(
        churn >= policy.status.lost_from, "lost", np.where(churn >= policy.status.lapsing_from, "lapsing", "active")
    )
    poorest_first, value = lorenz_curve(expected)
    best_first = np.linspace(0, 1, 41) ** 2  # close together where few customers bring much
    saveable = np.where(status == "lost", 0.0, at_risk)
    return {
        "customers": len(churn),
        "best_first": rounded(best_first),
        "brought": rounded(1 - np.interp(1 - best_first, poorest_first, value)),
        "tiers": {str(word): _share_of(tier == word, expected, at_risk, saveable) for word in Tier},
        "statuses": {word: _share_of(status == word, expected, at_risk, saveable) for word in ("active", "lapsing", "lost")},
        "lists": {
            name: _share_of(first(key, len(churn) // 20), expected, at_risk, saveable)
            for name, key in (("riskiest", churn), ("most valuable", expected), ("most at risk, not lost", saveable))
        },
    }


def _share_of(rows: Flags, expected: Floats, at_risk: Floats, saveable: Floats) -> Figures:
    """What part of the customers, of the value and of the value at risk `rows` (n,) are; `saveable` leaves the lost out."""
    parts = {"value": expected, "at_risk": at_risk, "saveable": saveable}
    return {"customers": int(rows.sum()), **{name: shortened(part[rows].sum() / part.sum()) for name, part in parts.items()}}


def backtest_figures(shop: Shop) -> Figures:
    """The dates of the newest backtest and what each is used for; gains over the rivals, by date and over all."""
    fold = day_number(shop.tested.folds[0].as_of)
    return {
        "first": str(day_date(int(shop.data.day.min()))),
        "horizon_days": HORIZON_DAYS,
        "as_of": str(AS_OF),
        "dates": [{"date": str(day_date(day)), "use": _use(day, fold)} for day in shop.data.labelled_days],
        "tested": [str(one.as_of) for one in shop.tested.folds],
        "gains": {name: rounded((gain.low, gain.value, gain.high)) for name, gain in shop.tested.gains.items()},
        "clearly": CLEARLY,
        "grade": shop.tested.grade,
        "auc": shortened(shop.tested.figures["churn_auc"].value),
    }


def _use(day: int, fold: int) -> str:
    """What the procedure tried at the day `fold` does with the date `day`."""
    if day == fold:
        return "tested"
    if day + HORIZON_DAYS > fold:
        return "not over"
    return "learned" if day + HORIZON_DAYS <= fold - HORIZON_DAYS else "calibrated"


def _of_folds(tested: Backtest, taken: Callable[[Fold], Sequence[Any]]) -> list[Any]:
    """Arrays of all folds in a row."""
    return [np.concatenate(parts) for parts in zip(*map(taken, tested.folds), strict=True)]


OF_THE_SHOP: Mapping[str, Callable[[Shop], Figures]] = {
    "horizon": horizon_figures,
    "churn": churn_figures,
    "calibration": calibration_figures,
    "value": value_figures,
    "tiers": tier_figures,
    "backtests": backtest_figures,
}


def all_figures() -> Figures:
    """Every figure of every page; takes about a minute."""
    with one_blas_thread(), tempfile.TemporaryDirectory() as folder:
        shop = Shop(Path(folder) / "shop")
        figures = {"time": time_figures(), "uplift": uplift_figures()}
        figures |= {name: make(shop) for name, make in OF_THE_SHOP.items()}
    return dict(sorted(figures.items()))


def as_json(figures: Figures) -> str:
    """The file that is kept."""
    return json.dumps(figures, indent=1) + "\n"
