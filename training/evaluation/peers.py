"""What others would do with the same purchases, from well-known parts: the peers of the public comparison.

    last_period      who bought in the last period does so again, and spends as much
    logistic_ridge   logistic regression and ridge regression (scikit-learn) on logarithms of recency, frequency and spend
    lightgbm         LightGBM as it comes, on the same columns
    textbook         BG/NBD and Gamma-Gamma by maximum likelihood

Where lines have costs, what a customer brings is what is left after them: the first and the last, which know spend alone, are
held to the share that was left of all spend so far.

The second and third learn from the newest date whose horizon is over, as one does with one table of labels; the textbook model
from all purchases. Two further peers get all that Keepwell's own models get, its features and its dates:

    logistic_all     logistic regression and least squares on logarithms
    lightgbm_all     LightGBM with its default settings

The only home of scikit-learn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from training.arrays import Flags, Floats, inside
from training.data import TrainingData
from training.evaluation.rivals import WINDOWS, fit_rival
from training.fitting import positive_values
from training.members.btyd import fit_purchases, fit_spend
from training.members.kinds import HISTORY
from training.members.trees import fit_default_trees
from training.recipe import Recipe
from training.scorer import Predictions

Forecast = tuple[Floats, Floats]
"""Churn probability and expected value, both (n,)."""


@dataclass(frozen=True)
class Customers:
    """Customers of one date: RFM columns (n, 6) and, where the horizon is over, `churned` and `value` (n,), else NaN."""

    rfm: Floats
    churned: Floats
    value: Floats

    @property
    def bought(self) -> Floats:
        """Purchase days in the last period (n,)."""
        return self.rfm[:, -2]

    @property
    def spent(self) -> Floats:
        """Spend in the last period (n,)."""
        return self.rfm[:, -1]


def peer_forecasts(data: TrainingData, seed: int, kept_share: float = 1.0) -> dict[str, Predictions]:
    """What each peer says of the customers of `data.as_of`, in the order of the rows of that date.

    `kept_share` is what the company keeps of a coin spent, for peers that foretell spend. There must be enough customers at the
    newest labelled date (`training.evaluation.comparison.require_peers`).
    """
    now, learned = _customers(data, data.as_of_day), _customers(data, data.labelled_days[-1])
    peers: Mapping[str, Callable[[], Forecast]] = {
        "last_period": lambda: _kept(kept_share, last_period(learned, now, data.horizon_days)),
        "logistic_ridge": lambda: logistic_ridge(learned, now),
        "lightgbm": lambda: lightgbm(learned, now, seed),
        "textbook": lambda: _kept(kept_share, textbook(data)),
    }
    plain = {name: _predictions(*peer()) for name, peer in peers.items()}
    return plain | {f"{name}_all": _with_everything(data, name, seed) for name in ("logistic", "lightgbm")}


def last_period(learned: Customers, now: Customers, horizon_days: int) -> Forecast:
    """The churn of those who had bought, and of those who had not, in the last period; spend as in it, a horizon long."""
    bought_then, bought_now = learned.bought > 0, now.bought > 0
    churn = np.where(bought_now, _share(learned.churned, bought_then), _share(learned.churned, ~bought_then))
    return churn, now.spent * horizon_days / _window(horizon_days)


def logistic_ridge(learned: Customers, now: Customers) -> Forecast:
    """Regressions on standardised logarithms; the amount's level is set so that buyers bring in all what they did."""
    logs, logs_now = np.log1p(learned.rfm), np.log1p(now.rfm)
    churn = make_pipeline(StandardScaler(), LogisticRegression()).fit(logs, learned.churned)
    active = learned.churned == 0
    value = positive_values(learned.value[active])
    amount = make_pipeline(StandardScaler(), Ridge()).fit(logs[active], np.log(value))
    level = value.sum() / np.exp(amount.predict(logs[active])).sum()
    probability = churn.predict_proba(logs_now)[:, 1]
    return probability, (1 - probability) * level * np.exp(amount.predict(logs_now))


def lightgbm(learned: Customers, now: Customers, seed: int) -> Forecast:
    """A classifier of churn and a regression of value with LightGBM's own defaults."""
    churn = fit_default_trees(learned.rfm, learned.churned, "binary", seed)
    value = fit_default_trees(learned.rfm, learned.value, "regression", seed)
    return np.asarray(churn.predict(now.rfm)), np.asarray(value.predict(now.rfm))


def textbook(data: TrainingData) -> Forecast:
    """BG/NBD for the number of purchases, Gamma-Gamma fitted to repeat customers for what each is worth."""
    purchase_days, recency, age, mean_spend = (data.at(data.as_of_day).column(name) for name in HISTORY)
    history = purchase_days - 1, age - recency, age
    purchases, repeated = fit_purchases(*history, kind="bgnbd"), purchase_days > 1
    spend = fit_spend(purchase_days[repeated], mean_spend[repeated])
    count = purchases.expected_purchases(*history, data.horizon_days)
    active = purchases.active_probability(*history, data.horizon_days)
    return 1 - active, count * spend.expected_spend(purchase_days, mean_spend)


def _customers(data: TrainingData, day: int) -> Customers:
    rows, window = data.at(day), _window(data.horizon_days)
    names = ("recency_days", "days_since_first_purchase", "purchase_days_all", "spend_all")
    columns = (*names, f"purchase_days_{window}d", f"spend_{window}d")
    return Customers(np.column_stack([rows.column(name) for name in columns]), rows.churned, rows.value)


def _window(horizon_days: int) -> int:
    """The window of the catalog that is nearest to the horizon."""
    return min(WINDOWS, key=lambda days: abs(days - horizon_days))


def _kept(share: float, forecast: Forecast) -> Forecast:
    churn, spend = forecast
    return churn, spend * share


def _share(churned: Floats, group: Flags) -> float:
    """The share of a group that left, with half a customer of each kind added: an empty group says nothing with certainty."""
    return float((churned[group].sum() + 0.5) / (group.sum() + 1))


def _with_everything(data: TrainingData, name: str, seed: int) -> Predictions:
    return fit_rival(data, data.as_of_day, name, Recipe(), seed).predict(data.at(data.as_of_day).matrix)


def _predictions(churn: Floats, value: Floats) -> Predictions:
    """The two figures that are compared; of the others nothing is said."""
    nothing = np.full(len(churn), np.nan)
    return Predictions(inside(churn), value, nothing, nothing, nothing)
