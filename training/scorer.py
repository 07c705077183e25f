"""The one object that predicts: members, their blends, the spread of values, and what a reader must know about it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal

import numpy as np

from features.tables import ATTRIBUTION_DAYS
from keepwell.errors import ModelError
from training.arrays import LOGIT_EDGE, Floats, expected_value, in_parts, probability_of
from training.explanation import Explanation, Habits, Refunds, blended, explained
from training.formats import FORMAT, upgraded
from training.horizons import Further, further_column
from training.members.kinds import LifetimeMember, LinearMember, Member, TreeMember
from training.members.own import is_own, own_member
from training.members.rules import RuleMember
from training.members.stack import Blend, habit_of
from training.quantiles import Spread
from training.recipe import Recipe

FILE = "scorer.json"
DATES = ("trained_as_of", "labels_until", "data_until")

Churn = Literal["purchases", "contracts", "labels"]

MEMBERS = {member.name: member for member in (LinearMember, TreeMember, LifetimeMember, RuleMember)}


def kind_of(name: str) -> type[Any]:
    """The class of a member; ModelError for one of one's own that is not here."""
    return own_member(name) if is_own(name) else MEMBERS[name]


@dataclass(frozen=True)
class ModelInfo:
    """What a reader must know of a model; `version` is "" until it is registered, `decimals` is `Company.scales`.

    `churn` says what leaving is: no purchase, a contract that ends, or what labels say, whose horizon may be 0: not said.
    """

    company: str
    horizon_days: int
    trained_as_of: date
    labels_until: date
    data_until: date
    feature_names: tuple[str, ...]
    family: str
    grade: str
    backtest_dates: int
    version: str
    tables: tuple[str, ...]
    decimals: Mapping[str, int]
    edges: Mapping[str, tuple[float, ...]]
    zone: str = "UTC"
    attribution_days: int = ATTRIBUTION_DAYS
    churn: Churn = "purchases"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        days = {name: values[name].isoformat() for name in DATES}
        return {**values, **days, "decimals": dict(self.decimals), "edges": dict(self.edges)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ModelInfo:
        """Read what `to_dict` wrote."""
        days = {name: date.fromisoformat(values[name]) for name in DATES}
        tuples = {name: tuple(values[name]) for name in ("feature_names", "tables")}
        edges = {name: tuple(each) for name, each in values["edges"].items()}
        return cls(**{**values, **days, **tuples, "edges": edges})

    def checked(self, matrix: Floats) -> Floats:
        """The matrix (n, features) as the model reads it; ModelError for another number of features."""
        wanted = len(self.feature_names)
        if matrix.ndim != 2 or matrix.shape[1] != wanted:
            raise ModelError(
                f"the model needs a matrix of {wanted} features, not of shape {matrix.shape}",
                hint="build the features named in info.feature_names",
            )
        return np.ascontiguousarray(matrix, dtype=np.float64)


@dataclass(frozen=True)
class Predictions:
    """Arrays (n,): `churn_probability` in (0, 1), the others in currency; `value_low` <= `value_high`, nothing missing.

    `further_churn` holds churn probabilities by other horizons in days, ascending, and never rises with the horizon.
    """

    churn_probability: Floats
    expected_value: Floats
    value_if_active: Floats
    value_low: Floats
    value_high: Floats
    further_churn: Mapping[int, Floats] = field(default_factory=dict)

    def further_columns(self) -> dict[str, Floats]:
        """`further_churn` under the names that scores and answers give it."""
        return {further_column(days): churn for days, churn in self.further_churn.items()}


def in_a_row(parts: Sequence[Predictions]) -> Predictions:
    """The predictions of several parts, put together."""
    names = [field.name for field in fields(Predictions) if field.name != "further_churn"]
    further = {days: np.concatenate([part.further_churn[days] for part in parts]) for days in parts[0].further_churn}
    return Predictions(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names}, further_churn=further)


@dataclass(frozen=True)
class Scorer:
    """Predicts and explains; matrices are (n, features) in the order of `info.feature_names`, NaN = missing.

    `refund_rate` is the share of the last 90 days' spend that those who buy nothing are refunded; `further` tells of churn over
    other horizons than the model's own.
    """

    info: ModelInfo
    recipe: Recipe
    members: tuple[Member, ...]
    churn: Blend
    amount: Blend
    spread: Spread
    refund_rate: float
    further: Further | None = None

    def predict(self, matrix: Floats) -> Predictions:
        """Forecasts for the rows of a matrix; a row's are the same bits whatever rows are beside it."""
        return in_a_row(in_parts(self._predicted, self.info.checked(matrix)))

    def _predicted(self, rows: Floats) -> Predictions:
        log_odds, log_amount = self._links(rows)
        churn, amount = probability_of(log_odds), np.exp(log_amount)
        low, high = self.spread.quantiles(1 - churn, amount)
        expected = expected_value(log_odds, log_amount, self._refunds(rows))
        further = self.further.churn(log_odds, rows) if self.further else {}
        return Predictions(churn, expected, amount, low, high, further)

    @property
    def further_names(self) -> tuple[str, ...]:
        """The names under which predictions tell of further horizons."""
        return tuple(map(further_column, self.further.blends)) if self.further else ()

    def log_odds(self, matrix: Floats) -> Floats:
        """The log-odds of churn (n,), of which `churn_probability` is made."""
        logits = np.column_stack([member.churn_logit(matrix) for member in self.members])
        return self._log_odds(logits, matrix)

    def explain(self, matrix: Floats) -> Explanation:
        """Contributions of the features, exact: linear terms, TreeSHAP, and Shapley values of buy-till-you-die.

        The season and the calibration belong to the baseline.
        """
        parts = in_parts(self._explained, self.info.checked(matrix))
        churn, value = (np.concatenate([getattr(part, target) for part in parts]) for target in ("churn", "value"))
        return Explanation(churn, parts[0].churn_baseline, value, parts[0].value_baseline)

    def _explained(self, rows: Floats) -> Explanation:
        churn = blended(self.churn, [member.churn_sum(rows) for member in self.members], self._habits(rows))
        amount = blended(self.amount, [member.amount_sum(rows) for member in self.members])
        return explained(churn, amount, *self._links(rows), Refunds(self._refunds(rows), self._refund_column))

    def graded(self, grade: str, backtest_dates: int) -> Scorer:
        """The same scorer with the grade that its backtest gave."""
        return replace(self, info=replace(self.info, grade=grade, backtest_dates=backtest_dates))

    def versioned(self, version: str) -> Scorer:
        """The same scorer with the version that the registry gave."""
        return replace(self, info=replace(self.info, version=version))

    def save(self, folder: Path) -> None:
        """Write the scorer as JSON into `folder`, LightGBM's text within."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_text(json.dumps(self._to_dict()), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Scorer:
        """Read what `save` of this or an older version wrote; ModelError when it is absent, damaged or newer."""
        try:
            return cls._from_dict(upgraded(json.loads((folder / FILE).read_text(encoding="utf-8"))))
        except OSError as error:
            raise ModelError(f"no scorer in {folder}: {error}", hint="train a model, or restore the folder") from error
        except ModelError:
            raise
        except Exception as error:  # whatever is wrong with the file, its reader wants words and no trace
            told = f"{folder / FILE} is damaged ({type(error).__name__}: {error})"
            raise ModelError(told, hint="restore the file, go back to another version, or train again") from error

    @classmethod
    def _from_dict(cls, values: Mapping[str, Any]) -> Scorer:
        return cls(
            info=ModelInfo.from_dict(values["info"]),
            recipe=Recipe.from_dict(values["recipe"]),
            members=tuple(kind_of(name).from_dict(member) for name, member in values["members"]),
            churn=Blend.from_dict(values["churn"]),
            amount=Blend.from_dict(values["amount"]),
            spread=Spread.from_dict(values["spread"]),
            refund_rate=values["refund_rate"],
            further=Further.from_dict(values["further"]) if values["further"] else None,
        )

    def _to_dict(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "info": self.info.to_dict(),
            "recipe": self.recipe.as_dict(),
            "members": [(member.name, member.to_dict()) for member in self.members],
            "churn": asdict(self.churn),
            "amount": asdict(self.amount),
            "spread": self.spread.to_dict(),
            "refund_rate": self.refund_rate,
            "further": self.further.to_dict() if self.further else None,
        }

    def _links(self, matrix: Floats) -> tuple[Floats, Floats]:
        logits, amounts = (np.column_stack(each) for each in zip(*(member.links(matrix) for member in self.members), strict=True))
        return self._log_odds(logits, matrix), self.amount.combine(amounts)

    def _log_odds(self, logits: Floats, matrix: Floats) -> Floats:
        habits = self._habits(matrix)
        return np.clip(self.churn.combine(logits, habits and habits.values), -LOGIT_EDGE, LOGIT_EDGE)

    def _habits(self, matrix: Floats) -> Habits | None:
        """How the customers of a matrix buy; None where the model weighs its members alike."""
        if not self.churn.own:
            return None
        column = self.info.feature_names.index(BOUGHT)
        return Habits(habit_of(matrix[:, column]), column)

    @property
    def _refund_column(self) -> int | None:
        names = self.info.feature_names
        return names.index(REFUNDED) if REFUNDED in names else None

    def _refunds(self, matrix: Floats) -> Floats:
        """The value (n,), 0 or less, of a customer who buys nothing."""
        if self._refund_column is None:
            return np.zeros(len(matrix))
        return -self.refund_rate * np.nan_to_num(matrix[:, self._refund_column])


BOUGHT = "purchase_days_all"
"""The feature that tells how a customer buys."""

REFUNDED = "spend_90d"
