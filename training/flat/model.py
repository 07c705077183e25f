"""A model of a flat table: several learners on one link, blended, calibrated, and explained as one sum.

trees    LightGBM, several fits whose mean counts
linear   one curve per feature on a logarithmic scale
steps    one column alone: the simple rule that is to be beaten
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from keepwell.errors import ModelError
from training.arrays import LOGIT_EDGE, Floats, probability_of
from training.explanation import Explanation, Sum, blended
from training.flat.recipe import FlatRecipe
from training.members.linear import LinearModel
from training.members.rules import Steps
from training.members.stack import Blend
from training.members.trees import TreeModel
from training.quantiles import Spread
from training.scorer import ModelInfo, Predictions

FILE = "flat.json"
FORMAT = 1


class Learner(Protocol):
    """What a model asks of a fitted learner; matrices are (n, features) with NaN for missing."""

    def predict(self, matrix: Floats) -> Floats:
        """The forecast (n,) on the scale of the link."""


LEARNERS: Mapping[str, Any] = {"trees": TreeModel, "linear": LinearModel, "steps": Steps}


@dataclass(frozen=True)
class FlatModel:
    """One forecast on the scale of its link: a weighted sum of learners; several fits of trees share the weight of one."""

    learners: tuple[Learner, ...]
    blend: Blend

    def predict(self, matrix: Floats) -> Floats:
        """The forecast (n,)."""
        return self.blend.combine(np.column_stack([learner.predict(matrix) for learner in self.learners]))

    def contributions(self, matrix: Floats) -> Sum:
        """The forecast as a sum over features (n, features) and a baseline, exactly."""
        return blended(self.blend, [_sum(learner, matrix) for learner in self.learners])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        names = {kind: name for name, kind in LEARNERS.items()}
        return {"learners": [(names[type(each)], _plain(each)) for each in self.learners], "blend": asdict(self.blend)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FlatModel:
        """Read what `to_dict` wrote."""
        learners = tuple(LEARNERS[name].from_dict(each) for name, each in values["learners"])
        return cls(learners, Blend.from_dict(values["blend"]))


@dataclass(frozen=True)
class Worth:
    """What customers bring besides the amount if they stay: how it spreads, and the share of it that leavers still bring."""

    spread: Spread
    leaver_share: float

    def log_factor(self, log_odds: Floats) -> Floats:
        """The logarithm of the share (n,) of the amount that is expected, given the log-odds of leaving."""
        return np.log(1 - probability_of(log_odds) * (1 - self.leaver_share))


def forecast(log_odds: Floats, log_amount: Floats | None, worth: Worth | None) -> Predictions:
    """Predictions from the forecasts of churn and amount (n,); all money is NaN where there are no values to tell of."""
    churn = probability_of(log_odds)
    if log_amount is None or worth is None:
        nothing = np.full(len(churn), np.nan)
        return Predictions(churn, nothing, nothing, nothing, nothing)
    amount = np.exp(log_amount)
    low, high = worth.spread.quantiles(1 - churn, amount)
    return Predictions(churn, amount * np.exp(worth.log_factor(log_odds)), amount, low, high)


@dataclass(frozen=True)
class FlatScorer:
    """Predicts and explains from a snapshot of customers, as `training.scorer.Scorer` does from their history.

    Without `amount` and `worth`, no label had a value: then all money is NaN.
    """

    info: ModelInfo
    recipe: FlatRecipe
    churn: FlatModel
    amount: FlatModel | None
    worth: Worth | None

    @property
    def further_names(self) -> tuple[str, ...]:
        """Labels tell of no further horizon."""
        return ()

    def predict(self, matrix: Floats) -> Predictions:
        """Forecasts for the rows of a matrix (n, features), NaN = missing."""
        rows = self.info.checked(matrix)
        log_amount = self.amount.predict(rows) if self.amount else None
        return forecast(self.churn.predict(rows), log_amount, self.worth)

    def explain(self, matrix: Floats) -> Explanation:
        """Contributions of the features, exact: TreeSHAP and linear terms. Those of the value are NaN without `worth`.

        The expected value is the amount times a factor of the churn probability, so that its logarithm is a sum of both; the
        factor's part is shared as the contributions to churn are.
        """
        rows = self.info.checked(matrix)
        churn, base = self.churn.contributions(rows)
        whole = churn.sum(axis=1)
        log_odds = np.clip(whole + base, -LOGIT_EDGE, LOGIT_EDGE)
        churn = churn * _ratio(log_odds - base, whole)[:, None]
        if self.amount is None or self.worth is None:
            return Explanation(churn, base, np.full(churn.shape, np.nan), np.nan)
        amount, amount_base = self.amount.contributions(rows)
        stays, stays_base = self.worth.log_factor(log_odds), float(self.worth.log_factor(np.array([base]))[0])
        value = amount + churn * _ratio(stays - stays_base, log_odds - base)[:, None]
        return Explanation(churn, base, value, amount_base + stays_base)

    def graded(self, grade: str, backtest_dates: int) -> FlatScorer:
        """The same scorer with the grade that cross-validation gave."""
        return replace(self, info=replace(self.info, grade=grade, backtest_dates=backtest_dates))

    def versioned(self, version: str) -> FlatScorer:
        """The same scorer with the version that the registry gave."""
        return replace(self, info=replace(self.info, version=version))

    def save(self, folder: Path) -> None:
        """Write the scorer as JSON into `folder`, LightGBM's text within."""
        values = {
            "format": FORMAT,
            "info": self.info.to_dict(),
            "recipe": self.recipe.as_dict(),
            "churn": self.churn.to_dict(),
            "amount": self.amount and self.amount.to_dict(),
            "worth": self.worth and {"spread": self.worth.spread.to_dict(), "leaver_share": self.worth.leaver_share},
        }
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_text(json.dumps(values), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> FlatScorer:
        """Read what `save` wrote; ModelError when it is absent or of another format."""
        try:
            values = json.loads((folder / FILE).read_text(encoding="utf-8"))
        except (OSError, json.JSONDecodeError) as error:
            raise ModelError(f"no scorer in {folder}: {error}", hint="train a model, or restore the folder") from error
        if values.get("format") != FORMAT:
            raise ModelError(f"the scorer has format {values.get('format')}, not {FORMAT}", hint="train again with this version")
        worth = values["worth"]
        return cls(
            info=ModelInfo.from_dict(values["info"]),
            recipe=FlatRecipe.from_dict(values["recipe"]),
            churn=FlatModel.from_dict(values["churn"]),
            amount=values["amount"] and FlatModel.from_dict(values["amount"]),
            worth=worth and Worth(Spread.from_dict(worth["spread"]), worth["leaver_share"]),
        )


def _sum(learner: Any, matrix: Floats) -> Sum:  # noqa: ANN401  # one of LEARNERS
    if isinstance(learner, TreeModel):
        return learner.contributions(matrix)
    contributions, base = learner.centred_contributions(matrix)
    return contributions, float(base)


def _plain(learner: Any) -> dict[str, Any]:  # noqa: ANN401  # one of LEARNERS
    values: dict[str, Any] = asdict(learner) if isinstance(learner, Steps) else learner.to_dict()
    return values


def _ratio(part: Floats, whole: Floats) -> Floats:
    """The quotient part / whole (n,); 0 where the whole is nothing, since then the part is nothing, too."""
    small = np.abs(whole) < 1e-12
    return np.where(small, 0.0, part / np.where(small, 1.0, whole))
