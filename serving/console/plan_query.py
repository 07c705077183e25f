"""What the plan page was asked for: which part of its list, and under which limits a plan is to be tried."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from decisions.plans.limits import hours_limit
from decisions.policy import Policy
from keepwell.errors import RequestError
from serving.console.query import LAST_PAGE
from serving.plans.draft import Wanted
from serving.store.plan_work import STANDINGS, ItemFilter
from serving.store.records import Plan

NOBODY = "-"
"""The choice of the filter `person` for what is meant for nobody yet; names of people begin with no dash."""

PAGE_SIZE = 50
CAPACITY, HOURS = "most_", "hours_"
"""What the parameters of contacts and of agents' hours begin with; the channel follows."""

_MOST_MONEY, _MOST_CONTACTS, _MOST_HOURS = 1e15, 10**9, 10**7
_LONGEST_WRITTEN = 50


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


def timed_channels(policy: Policy) -> tuple[str, ...]:
    """The channels whose actions take hours of somebody's time, in the order of the policy."""
    return tuple(name for name in policy.channels if any(each.channel == name and each.hours > 0 for each in policy.actions))


def wanted_in(parameters: Mapping[str, str], policy: Policy) -> Wanted | None:
    """The limits that the form of the page asks for; None where it was not sent. RequestError for what is no amount."""
    if "budget" not in parameters:
        return None
    budget = _amount(parameters, "budget", _MOST_MONEY)
    contacts = ((channel, _amount(parameters, CAPACITY + channel, _MOST_CONTACTS)) for channel in policy.channels)
    hours = ((channel, _amount(parameters, HOURS + channel, _MOST_HOURS)) for channel in timed_channels(policy))
    return Wanted(
        budget,
        tuple((channel, int(most)) for channel, most in contacts if most is not None),
        tuple((channel, most) for channel, most in hours if most is not None),
    )


def written_in(parameters: Mapping[str, str]) -> dict[str, str]:
    """What was written in the fields of the form, whatever it is."""
    begin = ("budget", CAPACITY, HOURS)
    return {name: text[:_LONGEST_WRITTEN] for name, text in parameters.items() if name.startswith(begin)}


def wanted_by(plan: Plan, policy: Policy) -> Wanted:
    """The limits that a plan was made under, as far as this policy knows its channels."""
    limits = plan.capacities
    contacts = tuple((name, int(limits[name])) for name in policy.channels if name in limits)
    hours = ((name, hours_limit(name)) for name in timed_channels(policy))
    return Wanted(plan.budget, contacts, tuple((name, float(limits[limit])) for name, limit in hours if limit in limits))


def parameters_of(wanted: Wanted) -> dict[str, str]:
    """The parameters that `wanted_in` turns into these limits.

    >>> parameters_of(Wanted(500.0, (("call", 20),), (("call", 7.5),)))
    {'budget': '500', 'most_call': '20', 'hours_call': '7.5'}
    """
    budget = "" if wanted.budget is None else f"{wanted.budget:.15g}"
    contacts = {CAPACITY + channel: str(most) for channel, most in wanted.capacities}
    return {"budget": budget, **contacts, **{HOURS + channel: f"{most:.15g}" for channel, most in wanted.hours}}


def _amount(parameters: Mapping[str, str], name: str, most: float) -> float | None:
    """A figure of 0 or more; None for an empty field."""
    text = parameters.get(name, "")
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
