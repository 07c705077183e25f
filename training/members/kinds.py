"""The members of the ensemble. Each forecasts log-odds of churn and the logarithm of what an active customer brings.

    LinearMember      one curve per feature on a logarithmic scale
    TreeMember        boosted trees
    LifetimeMember    buy-till-you-die: BG/NBD or MBG/NBD, and Gamma-Gamma

A member explains both forecasts as a sum over the features and a baseline, exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from training.arrays import Floats, logit
from training.explanation import Sum, shapley
from training.members.btyd import PurchaseModel, SpendModel
from training.members.linear import LinearModel, predictions
from training.members.trees import TreeModel

LEAST_ACTIVE = 1e-9


Links = tuple[Floats, Floats]
"""Log-odds of churn and log amounts, both (n,)."""


class Member(Protocol):
    """What the ensemble asks of a member; matrices are (n, features) with NaN for missing."""

    name: ClassVar[str]

    def churn_logit(self, matrix: Floats) -> Floats:
        """Log-odds of churn (n,)."""

    def log_amount(self, matrix: Floats) -> Floats:
        """The logarithm of the value in the horizon of a customer who buys in it (n,)."""

    def links(self, matrix: Floats) -> Links:
        """Both of them; what they share is done once."""

    def churn_sum(self, matrix: Floats) -> Sum:
        """`churn_logit` as a sum over features."""

    def amount_sum(self, matrix: Floats) -> Sum:
        """`log_amount` as a sum over features."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""


@dataclass(frozen=True)
class LinearMember:
    """Two sums of curves."""

    churn: LinearModel
    amount: LinearModel
    name: ClassVar[str] = "linear"

    def churn_logit(self, matrix: Floats) -> Floats:
        """As `Member`."""
        return self.churn.predict(matrix)

    def log_amount(self, matrix: Floats) -> Floats:
        """As `Member`."""
        return self.amount.predict(matrix)

    def links(self, matrix: Floats) -> Links:
        """As `Member`."""
        log_odds, log_amount = predictions((self.churn, self.amount), matrix)
        return log_odds, log_amount

    def churn_sum(self, matrix: Floats) -> Sum:
        """As `Member`: relative to the mean customer of the training rows."""
        return self.churn.centred_contributions(matrix)

    def amount_sum(self, matrix: Floats) -> Sum:
        """As `Member`: relative to the mean customer of the training rows."""
        return self.amount.centred_contributions(matrix)

    def to_dict(self) -> dict[str, Any]:
        """As `Member`."""
        return {"churn": self.churn.to_dict(), "amount": self.amount.to_dict()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> LinearMember:
        """Read what `to_dict` wrote."""
        return cls(LinearModel.from_dict(values["churn"]), LinearModel.from_dict(values["amount"]))


@dataclass(frozen=True)
class TreeMember:
    """Two boosters."""

    churn: TreeModel
    amount: TreeModel
    name: ClassVar[str] = "trees"

    def churn_logit(self, matrix: Floats) -> Floats:
        """As `Member`."""
        return self.churn.predict(matrix)

    def log_amount(self, matrix: Floats) -> Floats:
        """As `Member`."""
        return self.amount.predict(matrix)

    def links(self, matrix: Floats) -> Links:
        """As `Member`."""
        return self.churn_logit(matrix), self.log_amount(matrix)

    def churn_sum(self, matrix: Floats) -> Sum:
        """As `Member`: TreeSHAP."""
        return self.churn.contributions(matrix)

    def amount_sum(self, matrix: Floats) -> Sum:
        """As `Member`: TreeSHAP."""
        return self.amount.contributions(matrix)

    def to_dict(self) -> dict[str, Any]:
        """As `Member`: LightGBM's text."""
        return {"churn": self.churn.to_dict(), "amount": self.amount.to_dict()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TreeMember:
        """Read what `to_dict` wrote."""
        return cls(TreeModel.from_dict(values["churn"]), TreeModel.from_dict(values["amount"]))


HISTORY = ("purchase_days_all", "recency_days", "days_since_first_purchase", "spend_mean_all")
"""The features that a buy-till-you-die model reads."""


@dataclass(frozen=True)
class LifetimeMember:
    """Buy-till-you-die; `columns` are the places of HISTORY among the features, `reference` a typical customer."""

    purchases: PurchaseModel
    spend: SpendModel
    horizon_days: int
    columns: tuple[int, ...]
    reference: tuple[float, ...]
    name: ClassVar[str] = "lifetime"

    def churn_logit(self, matrix: Floats) -> Floats:
        """As `Member`."""
        return self._churn(*matrix[:, self.columns].T)

    def log_amount(self, matrix: Floats) -> Floats:
        """As `Member`."""
        return self._amount(*matrix[:, self.columns].T)

    def links(self, matrix: Floats) -> Links:
        """As `Member`."""
        return self.churn_logit(matrix), self.log_amount(matrix)

    def churn_sum(self, matrix: Floats) -> Sum:
        """As `Member`: Shapley values relative to the reference customer."""
        return self._attributed(self._churn, matrix)

    def amount_sum(self, matrix: Floats) -> Sum:
        """As `Member`: Shapley values relative to the reference customer."""
        return self._attributed(self._amount, matrix)

    def _churn(self, purchase_days: Floats, recency: Floats, age: Floats, _mean_spend: Floats) -> Floats:
        history = _history(purchase_days, recency, age)
        return -logit(self.purchases.active_probability(*history, self.horizon_days))

    def _amount(self, purchase_days: Floats, recency: Floats, age: Floats, mean_spend: Floats) -> Floats:
        history = _history(purchase_days, recency, age)
        active = np.maximum(self.purchases.active_probability(*history, self.horizon_days), LEAST_ACTIVE)
        # Whoever is active buys at least once.
        count = np.maximum(self.purchases.expected_purchases(*history, self.horizon_days) / active, 1.0)
        return np.log(count * self.spend.expected_spend(purchase_days, mean_spend))

    def _attributed(self, forecast: Callable[..., Floats], matrix: Floats) -> Sum:
        values, base = shapley(forecast, matrix[:, self.columns], np.array(self.reference))
        contributions = np.zeros(matrix.shape)
        contributions[:, self.columns] = values
        return contributions, base

    def to_dict(self) -> dict[str, Any]:
        """As `Member`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> LifetimeMember:
        """Read what `to_dict` wrote."""
        return cls(
            purchases=PurchaseModel(**values["purchases"]),
            spend=SpendModel(**values["spend"]),
            horizon_days=values["horizon_days"],
            columns=tuple(values["columns"]),
            reference=tuple(values["reference"]),
        )


def _history(purchase_days: Floats, recency: Floats, age: Floats) -> tuple[Floats, Floats, Floats]:
    """Repeat purchases, day of the last one and age; a mixed customer of an explanation may have bought last before coming."""
    return np.maximum(purchase_days - 1, 0), np.maximum(age - recency, 0), age
