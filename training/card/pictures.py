"""The pictures of a card, each with a sentence that says what it shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from features.catalog import entry_of
from training.card import plots
from training.card.document import Picture
from training.card.words import number_text
from training.metrics.profit import campaign_gains, profit_curve

if TYPE_CHECKING:
    from training.arrays import Floats
    from training.evaluation.backtest import Fold
    from training.scorer import Predictions

SHOWN_RIVALS = ("recency", "lifetime")
ASKED = 0.2
"""The share of the customers of whom the gain curve is told in words."""


def of_fold(fold: Fold, model: Predictions) -> Iterator[Picture]:
    """Calibration, gain, profit and value of a model's forecasts at a past date."""
    yield _calibration(fold, model)
    yield _gain(fold, model)
    yield _profit(fold, model)
    yield _deciles(fold, model)


def of_importance(importance: Mapping[str, Mapping[str, float]], shown: int) -> Iterator[Picture]:
    """The features that move each forecast most, by their plain names."""
    for target, weights in importance.items():
        first = {_title(name): weight for name, weight in list(weights.items())[:shown]}
        figure = plots.importance_bars(first, f"What moves the forecast of {target}")
        yield Picture(f"plots/importance_{target}.png", f"Most of all: {'; '.join(list(first)[:3])}.", figure)


def _calibration(fold: Fold, model: Predictions) -> Picture:
    p = model.churn_probability
    groups = [group for group in np.array_split(np.argsort(p, kind="stable"), plots.BINS) if len(group)]
    said, came = ([float(each[group].mean()) for group in (groups[0], groups[-1])] for each in (p, fold.churned))
    words = (
        f"Of the safest tenth {said[0]:.0%} were forecast to leave and {came[0]:.0%} did; of the riskiest tenth "
        f"{said[1]:.0%}, and {came[1]:.0%} did."
    )
    return Picture("plots/calibration.png", words, plots.calibration_curve(fold.churned, p))


def _gain(fold: Fold, model: Predictions) -> Picture:
    risks = {"model": model.churn_probability, **_rivals(fold)}
    found = float(plots.gains(fold.churned, model.churn_probability, np.array([ASKED]))[0])
    words = f"Asking the riskiest {ASKED:.0%} of the customers finds {found:.0%} of all who left; at random, {ASKED:.0%}."
    return Picture("plots/gain.png", words, plots.gain_curve(fold.churned, risks))


def _profit(fold: Fold, model: Predictions) -> Picture:
    worth = np.ones(len(fold.churned)) if fold.worth is None else fold.worth
    gains = campaign_gains(fold.churned, worth, fold.campaign)
    risks = {"model": _at_risk(model), **{name: _at_risk(fold.rivals[name]) for name in _rivals(fold)}}
    asked, profit = profit_curve(gains, risks["model"])
    best = int(np.argmax(profit))
    campaign = fold.campaign
    words = (
        f"A campaign by value at risk earns most, {number_text(float(profit[best]))} a customer, when it asks {asked[best]:.0%} "
        f"of them; asking all earns {number_text(float(profit[-1]))}. The mean customer is taken to be worth "
        f"{campaign.customer_value:g}, an offer costs {campaign.incentive:g}, a contact {campaign.contact:g}, and "
        f"{campaign.acceptance:.0%} of leavers take the offer."
    )
    return Picture("plots/profit.png", words, plots.profit_curves(gains, risks))


def _deciles(fold: Fold, model: Predictions) -> Picture:
    groups = np.array_split(np.argsort(-model.expected_value, kind="stable"), plots.BINS)
    said, came = (number_text(float(each[groups[0]].mean())) for each in (model.expected_value, fold.value))
    words = f"A customer of the best tenth was forecast to bring {said} and brought {came}."
    return Picture("plots/value_deciles.png", words, plots.value_deciles(fold.value, model.expected_value))


def _rivals(fold: Fold) -> dict[str, Floats]:
    return {name: fold.rivals[name].churn_probability for name in SHOWN_RIVALS if name in fold.rivals}


def _at_risk(forecast: Predictions) -> Floats:
    return forecast.churn_probability * forecast.value_if_active


def _title(feature: str) -> str:
    entry = entry_of(feature)
    return entry.title if entry else feature
