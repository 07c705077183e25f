"""What the list of customers was asked for: read from the URL, checked, and written back into links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from keepwell.errors import RequestError

FILTERS = ("value_tier", "status", "quadrant", "action")
"""The filters of the list; each is a field of the store's CustomerFilter."""

ALL_BUT_LOST = "all_but_lost"
"""The choice of the filter `status` that leaves out those who are lost already."""

SORTS = ("value_at_risk", "churn_probability", "expected_value", "lifetime_value", "name")
"""What the list can be sorted by; the first is the default."""

PAGE_SIZE = 50
LAST_PAGE = 1_000_000  # keeps offset arithmetic far from what a database's integers hold


@dataclass(frozen=True)
class CustomerQuery:
    """A search, filters (column to wanted value), an order and a page from 1; the defaults ask for most value at risk first."""

    search: str = ""
    filters: tuple[tuple[str, str], ...] = ()
    sort: str = SORTS[0]
    descending: bool = True
    page: int = 1

    @classmethod
    def read(cls, parameters: Mapping[str, str]) -> CustomerQuery:
        """Read the parameters of a URL; other ones than ours and empty ones are ignored.

        Raises RequestError for a sort, order or page that does not exist.

        >>> CustomerQuery.read({"q": "li", "value_tier": "VIP", "status": ""})
        CustomerQuery(search='li', filters=(('value_tier', 'VIP'),), sort='value_at_risk', descending=True, page=1)
        """
        sort = _one_of(parameters, "sort", SORTS)
        order = _one_of(parameters, "order", ("asc", "desc") if sort == "name" else ("desc", "asc"))
        return cls(
            search=parameters.get("q", "").strip(),
            filters=tuple((name, parameters[name]) for name in FILTERS if parameters.get(name)),
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
        if self.page > 1:
            values["page"] = str(self.page)
        return {name: value for name, value in values.items() if value}

    @property
    def offset(self) -> int:
        """How many rows come before the page."""
        return (self.page - 1) * PAGE_SIZE

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


def _page(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(LAST_PAGE)) and 1 <= int(text) <= LAST_PAGE):
        raise RequestError(f"page cannot be {text!r}", hint=f"use a whole number from 1 to {LAST_PAGE:,}", field="page")
    return int(text)
