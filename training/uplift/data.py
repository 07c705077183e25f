"""An experiment as arrays: who was drawn for which arm, with which chance, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from keepwell.errors import DataError, HistoryError
from training.arrays import Flags, Floats, Ints

CONTROL = 0
"""The position of the control among the arms."""

LEAST_IN_ARM = 30
"""Customers in an arm, below which a standard error is no measure of what is not known."""

ODD_SHARE = 5.0
"""Standard errors by which the arms may be away from what the propensities say."""

ROW_FIELDS = ("arm", "propensity", "outcome", "matrix", "customer", "worth")


@dataclass(frozen=True)
class Experiment:
    """Customers (n,) drawn at random for one of the arms, of which the first is the control.

    `arm` (n,) are positions in `arms`, `propensity` (n, arms) the chance of each arm, `outcome` (n,) what came, the higher the
    better. `matrix` (n, features) is what was known before, NaN = missing. `customer` (n,) is a code: rows of one customer are
    not independent. One unit of the outcome is worth `worth` (n,) in money; a row in an arm costs `costs` (arms,), the first 0.
    """

    name: str
    arms: tuple[str, ...]
    names: tuple[str, ...]
    arm: Ints
    propensity: Floats
    outcome: Floats
    matrix: Floats
    customer: Ints
    worth: Floats
    costs: Floats

    def __len__(self) -> int:
        return len(self.arm)

    def rows(self, keep: Flags | Ints) -> Experiment:
        """The rows at `keep`: flags (n,) or places."""
        return replace(self, **{name: getattr(self, name)[keep] for name in ROW_FIELDS})

    @property
    def counts(self) -> Ints:
        """How many rows each arm has, (arms,)."""
        return np.bincount(self.arm, minlength=len(self.arms))

    @property
    def own_propensity(self) -> Floats:
        """The chance (n,) of the arm that each row was drawn for."""
        return np.take_along_axis(self.propensity, self.arm[:, None], axis=1)[:, 0]

    @property
    def is_even(self) -> bool:
        """Whether all rows had the same chances."""
        return bool((self.propensity == self.propensity[:1]).all())

    @property
    def net(self) -> Floats:
        """What each row (n,) brought, less what its arm cost, in money."""
        return self.worth * self.outcome - self.costs[self.arm]


def observed_propensity(arm: Ints, arms: int) -> Floats:
    """The chances (n, arms) where nobody wrote them down: the shares of the arms.

    >>> observed_propensity(np.array([0, 1, 1, 1]), 2)[0]
    array([0.25, 0.75])
    """
    return np.tile(np.bincount(arm, minlength=arms) / max(len(arm), 1), (len(arm), 1))


def checked(experiment: Experiment) -> Experiment:
    """The experiment, if something can be learned from it.

    Raises HistoryError for an arm with fewer than LEAST_IN_ARM rows, DataError for propensities outside 0 and 1, or that the
    arms contradict, and for an outcome that is missing or infinite.
    """
    _require_arms(experiment.name, experiment.arms, experiment.counts)
    _require_propensities(experiment)
    known = np.isfinite(experiment.outcome)
    if not known.all():
        hint = "leave out the rows whose outcome is not known yet, or write 0 where nothing came"
        raise DataError(experiment.name, "outcome", "must be a finite number", hint=hint, rows=int((~known).sum()))
    return experiment


def _require_arms(name: str, arms: Sequence[str], counts: Ints) -> None:
    for place, (arm, count) in enumerate(zip(arms, counts, strict=True)):
        if count < LEAST_IN_ARM:
            what = "the control" if place == CONTROL else "an arm"
            told = f"{name}: {count or 'no'} row{'' if count == 1 else 's'} of {arm!r}, {what}; {LEAST_IN_ARM} are needed"
            raise HistoryError(told, hint="an effect is a difference of two arms: bring more outcomes of this one")


def _require_propensities(experiment: Experiment) -> None:
    own = experiment.own_propensity
    wrong = ~((own > 0) & (own < 1))
    if wrong.any():
        hint = "a propensity is the chance of being treated, above 0 and below 1; rows not drawn are no part of it"
        rule = "must lie between 0 and 1"
        raise DataError(experiment.name, "propensity", rule, hint=hint, rows=int(wrong.sum()), example=float(own[wrong][0]))
    chance = experiment.propensity
    expected, spread = chance.sum(axis=0), np.sqrt((chance * (1 - chance)).sum(axis=0))
    for arm, count, mean, sd in zip(experiment.arms, experiment.counts, expected, spread, strict=True):
        if abs(count - mean) > ODD_SHARE * sd + 1e-6 * mean:
            rule = f"promises {mean:,.0f} rows of {arm!r}, but there are {count:,}"
            hint = "give the chance of being treated, for controls too; rows not drawn at random are no part of it"
            raise DataError(experiment.name, "propensity", rule, hint=hint)
