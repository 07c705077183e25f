"""Who may do what in the console: four roles, each with all that those before it may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What kind of user somebody is, from who may do least to who may do most."""

    VIEWER = "viewer"
    AGENT = "agent"
    MANAGER = "manager"
    ADMIN = "admin"


class Right(StrEnum):
    """What a page or a button asks of whoever uses it."""

    READ = "read"
    SEE_PEOPLE = "see_people"
    ACT = "act"
    PLAN = "plan"
    AUDIT = "audit"
    ROLL_BACK = "roll_back"


LEAST: Mapping[Right, Role] = {
    Right.READ: Role.VIEWER,
    Right.SEE_PEOPLE: Role.AGENT,
    Right.ACT: Role.AGENT,
    Right.PLAN: Role.MANAGER,
    Right.AUDIT: Role.MANAGER,
    Right.ROLL_BACK: Role.ADMIN,
}
"""The first role that has each right."""

_ORDER = tuple(Role)


@dataclass(frozen=True)
class Visitor:
    """Who uses the console now; `alone` is the single user of a console on one's own machine, who may do everything.

    >>> Visitor("Ann", Role.AGENT).may(Right.ACT), Visitor("Ann", Role.AGENT).may(Right.PLAN)
    (True, False)
    """

    name: str
    role: Role
    alone: bool = False

    def may(self, right: Right) -> bool:
        """Whether the visitor has a right."""
        return _ORDER.index(self.role) >= _ORDER.index(LEAST[right])


ALONE = Visitor("local", Role.ADMIN, alone=True)
"""The visitor where nobody has been set up: whoever sits at the machine."""
