"""Members of one's own: learners that join the ensemble where the evidence speaks for them.

One is a class that keeps `OwnMember`, offered by an installed package under the entry point group `keepwell.members`, or taken in
by `take_in_member`. It is fitted and tried wherever ours are; until forecasts out of time speak for it, its weight is 0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Protocol, Self

import numpy as np

from keepwell.errors import ConfigError, KeepwellError, ModelError
from keepwell.extensions import PREFIX, checked_name, loaded, offered
from training.arrays import Floats
from training.members.kinds import Member

GROUP = "keepwell.members"
TRIED_ROWS = 50
SUM_TOLERANCE = 1e-6
"""How far contributions may be from the forecast that they explain, in log-odds or logarithms."""


@dataclass(frozen=True)
class MemberRows:
    """What a member learns from: `matrix` (n, features) with NaN for missing, in the order of `names`.

    `churned` (0.0 or 1.0) and `value` (n,) are what came; `churn_offset` and `amount_offset` (n,) what the season of a row's date
    added to the log-odds of churn and to the log amount: a member forecasts without it.
    """

    names: tuple[str, ...]
    matrix: Floats
    churned: Floats
    value: Floats
    churn_offset: Floats
    amount_offset: Floats
    seed: int


class OwnMember(Member, Protocol):
    """What is asked of a member of one's own, beside what `Member` asks. Its `name` begins with own_."""

    name: ClassVar[str]

    @classmethod
    def fit(cls, rows: MemberRows) -> Self:
        """Learn from labelled rows; the same rows and seed give the same member."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote."""


_MEMBERS: dict[str, type[OwnMember]] = {}


def take_in_member(kind: type[OwnMember]) -> None:
    """Let trainings of this process fit a member of one's own. ConfigError where it lacks something."""
    lacking = [name for name in dir(OwnMember) if not name.startswith("_") and not hasattr(kind, name)]
    if lacking or not hasattr(kind, "name"):
        told = ", ".join(lacking) or "name"
        raise ConfigError(f"{kind!r} is no member: it lacks {told}", hint="docs/extending.md says what a member can")
    _MEMBERS[checked_name(kind.name, "member")] = kind


def own_members() -> Mapping[str, type[OwnMember]]:
    """The members of one's own, by name, in order of names."""
    _take_in_installed()
    return dict(sorted(_MEMBERS.items()))


@lru_cache(maxsize=1)
def _take_in_installed() -> None:
    for point in offered(GROUP).values():
        take_in_member(loaded(point))


def own_member(name: str) -> type[OwnMember]:
    """The member of this name; ModelError where no package offers it: a model that has it cannot be used here."""
    found = own_members().get(name)
    if found is None:
        hint = f"install the package that offers it as {GROUP}, or use a version of the model without it"
        raise ModelError(f"the model has the member {name}, which is not here", hint=hint)
    return found


def is_own(name: str) -> bool:
    """Whether a member is one's own.

    >>> is_own("own_logistic"), is_own("trees")
    (True, False)
    """
    return name.startswith(PREFIX)


def fit_own_members(rows: MemberRows) -> tuple[Member, ...]:
    """All members of one's own, fitted and tried. ConfigError says which of them does not do what it must."""
    return tuple(_fitted(kind, rows) for kind in own_members().values())


def _fitted(kind: type[OwnMember], rows: MemberRows) -> Member:
    try:
        member = kind.fit(rows)
        _try(member, kind.from_dict(json.loads(json.dumps(member.to_dict()))), rows.matrix[:TRIED_ROWS])
    except KeepwellError:
        raise
    except Exception as error:  # whatever a stranger's learner raises, its user wants words
        told = f"the member {kind.name} fails ({type(error).__name__}: {error})"
        raise ConfigError(told, hint="mend it, or uninstall its package") from error
    return member


def _try(member: Member, again: Member, matrix: Floats) -> None:
    """ConfigError unless forecasts are finite, explained to the last bit that matters, and the same after JSON."""
    for what, forecast, explained, reread in (
        ("churn_logit", member.churn_logit(matrix), member.churn_sum(matrix), again.churn_logit(matrix)),
        ("log_amount", member.log_amount(matrix), member.amount_sum(matrix), again.log_amount(matrix)),
    ):
        contributions, base = explained
        if forecast.shape != (len(matrix),) or not np.isfinite(forecast).all():
            _refuse(member, f"{what} must give one finite number a row")
        if contributions.shape != matrix.shape or np.abs(contributions.sum(axis=1) + base - forecast).max() > SUM_TOLERANCE:
            _refuse(member, f"the contributions to {what} do not sum to it")
        if not np.array_equal(forecast, reread):
            _refuse(member, f"{what} is another after to_dict and from_dict")


def _refuse(member: Member, told: str) -> None:
    raise ConfigError(f"the member {member.name}: {told}", hint="docs/extending.md says what a member must keep")
