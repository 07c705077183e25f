"""What the list of customers was asked for: read from the URL, checked, and written back into links."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from keepwell.errors import RequestError

MENUS = ("value_tier", "status", "quadrant", "action")
"""The filters that are chosen from a menu and always in sight."""

MORE_MENUS = ("lifecycle", "relation", "kind", "complaint")
"""The menus that are folded away until somebody wants them."""

TYPED = ("owner", "account")
"""The filters of so many different words that one is typed."""

FILTERS = (*MENUS, *MORE_MENUS, *TYPED)
"""The filters that take one word."""

RANGES: Mapping[str, tuple[float | None, float | None]] = {
    **dict.fromkeys(("churn_from", "churn_to"), (0, 100)),
    **dict.fromkeys(("value_from", "value_to"), (None, None)),
}
"""The filters that take a number, with the least and the most that it may be: churn in percent, value in currency units."""

ALL_BUT_LOST = "all_but_lost"
"""The choice of the filter `status` that leaves out those who are lost already."""

OPEN, OVERDUE = "open", "overdue"
"""The choices of the filter `complaint`: customers with an open one, and those whose oldest one is past its time."""

SORTS = (
    *("value_at_risk", "churn_probability", "expected_value", "lifetime_value", "current_value", "potential_value"),
    "name",
)
"""What the list can be sorted by; the first is the default."""

USUAL_COLUMNS = ("churn_probability", "expected_value", "value_at_risk", "value_tier", "status", "reasons", "action")
"""The columns beside the customer's name that are shown unless somebody chooses others."""

COLUMNS = (
    *USUAL_COLUMNS,
    *("lifetime_value", "current_value", "potential_value", "complaints_open", "owner", "kind", "account_id", "relation"),
    *("quadrant", "loyalty", "service_level", "next_category", "abc_class", "rfm_segment"),
)
"""All columns that can be shown, in their order."""

PAGE_SIZE = 50
LAST_PAGE = 1_000_000  # keeps offset arithmetic far from what a database's integers hold


@dataclass(frozen=True)
class CustomerQuery:
    """A search, filters (name of FILTERS or RANGES to what was written), an order, columns and a page from 1.

    The defaults ask for everybody, most value at risk first.
    """

    search: str = ""
    filters: tuple[tuple[str, str], ...] = ()
    columns: tuple[str, ...] = USUAL_COLUMNS
    sort: str = SORTS[0]
    descending: bool = True
    page: int = 1

    @classmethod
    def read(cls, parameters: Mapping[str, str]) -> CustomerQuery:
        """Read the parameters of a URL; other ones than ours and empty ones are ignored.

        Raises RequestError for a sort, order, column or page that does not exist, and for a range without a number.

        >>> CustomerQuery.read({"q": "li", "value_tier": "VIP", "status": ""}).filters
        (('value_tier', 'VIP'),)
        """
        sort = _one_of(parameters, "sort", SORTS)
        order = _one_of(parameters, "order", ("asc", "desc") if sort == "name" else ("desc", "asc"))
        return cls(
            search=parameters.get("q", "").strip(),
            filters=tuple((name, parameters[name]) for name in (*FILTERS, *RANGES) if _wanted(parameters, name)),
            columns=_columns(parameters.get("columns", "")),
            sort=sort,
            descending=order == "desc",
            page=_page(parameters.get("page") or "1"),
        )

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters that `read` turns into this query; what is at its default is left out.

        >>> CustomerQuery(search="li", page=3).parameters
        {'q': 'li', 'page': '3'}
        """
        values = {"q": self.search, **dict(self.filters)}
        if self.sort != SORTS[0]:
            values["sort"] = self.sort
        if self.descending != starts_descending(self.sort):
            values["order"] = "desc" if self.descending else "asc"
        if self.columns != USUAL_COLUMNS:
            values["columns"] = ",".join(self.columns)
        if self.page > 1:
            values["page"] = str(self.page)
        return {name: value for name, value in values.items() if value}

    @property
    def offset(self) -> int:
        """How many rows come before the page."""
        return (self.page - 1) * PAGE_SIZE

    def number(self, name: str) -> float | None:
        """What a filter of RANGES asks for; None where it asks for nothing.

        >>> CustomerQuery.read({"churn_from": "62.5"}).number("churn_from")
        62.5
        """
        written = dict(self.filters).get(name)
        return None if written is None else float(written)

    def at_page(self, page: int) -> CustomerQuery:
        """The same list at another page."""
        return replace(self, page=page)

    def sorted_by(self, sort: str) -> CustomerQuery:
        """The first page in the order of `sort`; asking again for the same order turns it round."""
        descending = not self.descending if sort == self.sort else starts_descending(sort)
        return replace(self, sort=sort, descending=descending, page=1)


START = CustomerQuery(filters=(("status", ALL_BUT_LOST),))
"""What links to the list ask for: those for whom something can still be done. An address without a filter asks for everybody."""


def starts_descending(sort: str) -> bool:
    """Figures start with the largest, names with A."""
    return sort != "name"


def _one_of(parameters: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    value = parameters.get(name) or allowed[0]
    if value not in allowed:
        raise RequestError(f"{name} cannot be {value!r}", hint=f"use one of {', '.join(sorted(allowed))}", field=name)
    return value


def _wanted(parameters: Mapping[str, str], name: str) -> bool:
    """Whether a filter is asked for; RequestError for one of RANGES that is no number within its bounds."""
    text = parameters.get(name)
    if not text:
        return False
    if name in RANGES and not _within(text, *RANGES[name]):
        least, most = RANGES[name]
        hint = "use a number" if least is None else f"use a number from {least} to {most}"
        raise RequestError(f"{name} cannot be {text[:50]!r}", hint=hint, field=name)
    return True


def _within(text: str, least: float | None, most: float | None) -> bool:
    try:
        value = float(text) if text.isascii() else math.nan
    except ValueError:
        return False
    return math.isfinite(value) and (least is None or value >= least) and (most is None or value <= most)


def _columns(text: str) -> tuple[str, ...]:
    """The columns that are named, in the order of COLUMNS; the usual ones where none is."""
    named = set(filter(None, text.split(",")))
    if unknown := sorted(named - set(COLUMNS)):
        raise RequestError(f"there is no column {unknown[0][:50]!r}", hint=f"use {', '.join(COLUMNS)}", field="columns")
    return tuple(name for name in COLUMNS if name in named) or USUAL_COLUMNS


def _page(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(LAST_PAGE)) and 1 <= int(text) <= LAST_PAGE):
        raise RequestError(f"page cannot be {text!r}", hint=f"use a whole number from 1 to {LAST_PAGE:,}", field="page")
    return int(text)
