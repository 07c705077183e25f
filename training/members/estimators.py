"""Any two scikit-learn estimators as a member of the ensemble. The home of skops, which stores them without pickles."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from skops.io import dumps, get_untrusted_types, loads

from keepwell.errors import ConfigError
from training.arrays import EDGE, Floats, logit
from training.explanation import Sum
from training.fitting import positive_values
from training.members.kinds import Links
from training.members.own import MemberRows, OwnMember
from training.season import log_level

MOST_FEATURES = 60

TRUSTED = [
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.tree._tree.Tree",
]
"""Types that may be made when a model is read, beside those of scikit-learn and NumPy that skops knows."""


@dataclass(frozen=True)
class EstimatorMember:
    """A classifier of churn and a regressor of log amounts over some of the features; base of what `estimator_member` makes.

    `columns` are the places of `reads` among the features, `reference` a typical customer, `level` what is added to log amounts
    so that they meet the mean. Contributions are what a forecast changes by as features turn, one after another, from the
    reference's to the customer's: the mean of both directions, which sums exactly.
    """

    churn: Any
    amount: Any
    level: float
    columns: tuple[int, ...]
    reference: tuple[float, ...]

    name: ClassVar[str]
    reads: ClassVar[tuple[str, ...]]
    makes: ClassVar[tuple[Callable[[int], Any], Callable[[int], Any]]]

    @classmethod
    def fit(cls, rows: MemberRows) -> Self:
        """As `OwnMember`. ConfigError for a feature that the data do not give."""
        absent = [name for name in cls.reads if name not in rows.names]
        if absent:
            raise ConfigError(f"the member {cls.name} reads {absent[0]}, which the data do not give", hint="leave it out")
        columns = tuple(rows.names.index(name) for name in cls.reads)
        X, active = rows.matrix[:, columns], rows.churned == 0
        churn, amount = (make(rows.seed) for make in cls.makes)
        churn.fit(X, rows.churned)
        offset = rows.amount_offset[active]
        amount.fit(X[active], np.log(positive_values(rows.value[active])) - offset)
        level = log_level(rows.value[active], np.asarray(amount.predict(X[active]), dtype=float) + offset)
        reference = [float(np.median(column[~np.isnan(column)])) if (~np.isnan(column)).any() else np.nan for column in X.T]
        return cls(churn, amount, float(level), columns, tuple(reference))

    def churn_logit(self, matrix: Floats) -> Floats:
        """As `Member`."""
        return self._churn(matrix[:, self.columns])

    def log_amount(self, matrix: Floats) -> Floats:
        """As `Member`."""
        return self._amount(matrix[:, self.columns])

    def links(self, matrix: Floats) -> Links:
        """As `Member`."""
        return self.churn_logit(matrix), self.log_amount(matrix)

    def churn_sum(self, matrix: Floats) -> Sum:
        """As `Member`: relative to the typical customer."""
        return self._turned(self._churn, matrix)

    def amount_sum(self, matrix: Floats) -> Sum:
        """As `Member`: relative to the typical customer."""
        return self._turned(self._amount, matrix)

    def to_dict(self) -> dict[str, Any]:
        """As `Member`: skops' format, as text. ConfigError for an estimator of other types than those."""
        kept = {"level": self.level, "columns": self.columns, "reference": self.reference}
        return {"churn": _as_text(self.churn, self.name), "amount": _as_text(self.amount, self.name), **kept}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote; only types that skops knows, and TRUSTED, are made."""
        churn, amount = (loads(base64.b64decode(values[part]), trusted=TRUSTED) for part in ("churn", "amount"))
        return cls(churn, amount, values["level"], tuple(values["columns"]), tuple(values["reference"]))

    def _churn(self, X: Floats) -> Floats:
        return logit(np.clip(self.churn.predict_proba(X)[:, 1], EDGE, 1 - EDGE))

    def _amount(self, X: Floats) -> Floats:
        return np.asarray(self.amount.predict(X), dtype=float) + self.level

    def _turned(self, forecast: Callable[[Floats], Floats], matrix: Floats) -> Sum:
        X, start = matrix[:, self.columns], np.array([self.reference])
        contributions, base = np.zeros(matrix.shape), float(forecast(start)[0])
        for order in (range(len(self.columns)), reversed(range(len(self.columns)))):
            mixed, before = np.tile(start, (len(X), 1)), np.full(len(X), base)
            for place in order:
                mixed[:, place] = X[:, place]
                after = forecast(mixed) if len(X) else before
                contributions[:, self.columns[place]] += (after - before) / 2
                before = after
        return contributions, base


def estimator_member(
    name: str, reads: tuple[str, ...], churn: Callable[[int], Any], amount: Callable[[int], Any]
) -> type[OwnMember]:
    """A member of one's own from two functions of a seed: one makes a classifier, one a regressor, both as scikit-learn's.

    They see the features `reads`, with NaN for missing. ConfigError for no features, or too many to explain.
    """
    if not 1 <= len(reads) <= MOST_FEATURES:
        raise ConfigError(f"the member {name} reads {len(reads)} features", hint=f"name 1 to {MOST_FEATURES} of them")
    made: type[OwnMember] = type(name, (EstimatorMember,), {"name": name, "reads": reads, "makes": (churn, amount)})
    return made


def _as_text(estimator: Any, name: str) -> str:  # noqa: ANN401  # any estimator
    content = dumps(estimator)
    if strange := sorted(set(get_untrusted_types(data=content)) - set(TRUSTED)):
        hint = "use estimators of scikit-learn, or write to_dict and from_dict of your own"
        raise ConfigError(f"the member {name} holds {', '.join(strange)}, which is not stored", hint=hint)
    return base64.b64encode(content).decode("ascii")
