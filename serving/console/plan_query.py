"""What the plan page was asked for: which part of its list, and under which limits a plan is to be tried."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from keepwell.errors import RequestError
from serving.console.query import LAST_PAGE
from serving.plan_draft import Wanted
from serving.store.plan_work import STANDINGS, ItemFilter
from serving.store.records import Plan

NOBODY = "-"
"""The choice of the filter `person` for what is meant for nobody yet; names of people begin with no dash."""

PAGE_SIZE = 50
CAPACITY = "most_"
"""What the parameters of capacities begin with; the channel follows."""

_MOST_MONEY, _MOST_CONTACTS = 1e15, 10**9


@dataclass(frozen=True)
class PlanQuery:
    """Which items to list: of a channel, an action, a person (NOBODY: meant for nobody), in one standing; "" lets all through."""

    channel: str = ""
    action: str = ""
    person: str = ""
    standing: str = ""
    page: int = 1

    @classmethod
    def read(cls, parameters: Mapping[str, str]) -> PlanQuery:
        """Read the parameters of a URL. RequestError for a standing or a page that does not exist.

        >>> PlanQuery.read({"channel": "call", "page": "2"}).parameters
        {'channel': 'call', 'page': '2'}
        """
        standing = parameters.get("standing", "")
        if standing and standing not in STANDINGS:
            hint = f"use one of {', '.join(STANDINGS)}"
            raise RequestError(f"standing cannot be {standing[:50]!r}", hint=hint, field="standing")
        page = parameters.get("page") or "1"
        if not (page.isascii() and page.isdecimal() and len(page) <= len(str(LAST_PAGE)) and 1 <= int(page) <= LAST_PAGE):
            raise RequestError(f"page cannot be {page[:50]!r}", hint=f"use a number from 1 to {LAST_PAGE:,}", field="page")
        channel, action, person = (parameters.get(name, "") for name in ("channel", "action", "person"))
        return cls(channel, action, person, standing, int(page))

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters that `read` turns into this query; what is at its default is left out."""
        values = {name: getattr(self, name) for name in ("channel", "action", "person", "standing")}
        return {name: value for name, value in {**values, "page": str(self.page) if self.page > 1 else ""}.items() if value}

    @property
    def chosen(self) -> ItemFilter:
        """What the store is to let through."""
        person = None if not self.person else "" if self.person == NOBODY else self.person
        return ItemFilter(self.channel or None, self.action or None, person, self.standing or None)

    @property
    def offset(self) -> int:
        """How many items come before the page."""
        return (self.page - 1) * PAGE_SIZE

    def at_page(self, page: int) -> PlanQuery:
        """The same list at another page."""
        return replace(self, page=page)


def wanted_in(parameters: Mapping[str, str], channels: tuple[str, ...]) -> Wanted | None:
    """The limits that the form of the page asks for; None where it was not sent. RequestError for what is no amount."""
    if "budget" not in parameters:
        return None
    budget = _amount(parameters["budget"], "budget", _MOST_MONEY)
    asked = ((channel, _amount(parameters.get(CAPACITY + channel, ""), channel, _MOST_CONTACTS)) for channel in channels)
    return Wanted(budget, tuple((channel, int(most)) for channel, most in asked if most is not None))


def wanted_by(plan: Plan, channels: tuple[str, ...]) -> Wanted:
    """The limits that a plan was made under, as far as this policy knows its channels."""
    return Wanted(plan.budget, tuple((name, int(plan.capacities[name])) for name in channels if name in plan.capacities))


def parameters_of(wanted: Wanted) -> dict[str, str]:
    """The parameters that `wanted_in` turns into these limits.

    >>> parameters_of(Wanted(500.0, (("call", 20),)))
    {'budget': '500', 'most_call': '20'}
    """
    budget = "" if wanted.budget is None else f"{wanted.budget:.15g}"
    return {"budget": budget, **{CAPACITY + channel: str(most) for channel, most in wanted.capacities}}


def _amount(text: str, name: str, most: float) -> float | None:
    """A figure of 0 or more; None for an empty field."""
    bare = text.strip().replace(",", "")
    if not bare:
        return None
    try:
        value = float(bare)
    except ValueError:
        value = math.nan
    if not 0 <= value <= most:
        raise RequestError(f"{name} cannot be {text[:50]!r}", hint="use a number of 0 or more, or leave it empty", field=name)
    return value
