"""The list of customers: one page of it, its filters, and the lines that Today shows as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from serving.console import charts
from serving.console import format as show
from serving.console.actions import action_title
from serving.console.export import MOST_IN_WORKBOOK
from serving.console.frame import Frame
from serving.console.query import (
    ALL_BUT_LOST,
    COLUMNS,
    FILTERS,
    MENUS,
    MORE_MENUS,
    RANGES,
    SORTS,
    START,
    TYPED,
    USUAL_COLUMNS,
    CustomerQuery,
)
from serving.console.reasons import short_reasons
from serving.console.text import label, meaning, t
from serving.console.urls import Urls
from serving.store.records import CustomerPage, ScoreRow
from serving.store.views import SavedView

FeatureRows = Mapping[str, Mapping[str, float | None]]
"""Customer id to their features by name; who has none kept is not in it."""

_OWN_WORDS = {"owner", "account_id", "next_category"}
"""The columns whose words are those of the company's own data."""

MOST_OFFERED = 1_000
"""How many owners are offered while one is typed; others can be typed as well."""

VIEW_REFUSALS = ("name", "many")

_LEAST_SHOWN = 0.005  # what is less looks like 0 with the two decimals of an amount


@dataclass(frozen=True)
class Tag:
    """A value of a closed set: the word shown, what it means, and `value` for its colour."""

    value: str
    name: str
    means: str


@dataclass(frozen=True)
class Interval:
    """How far a value may be from what is expected, in words, and what these words mean."""

    words: str
    means: str


@dataclass(frozen=True)
class Cell:
    """A cell that holds a text alone, and what this text means; `number` stands to the right."""

    text: str
    means: str = ""
    number: bool = False


@dataclass(frozen=True)
class CustomerLine:
    """One customer in a list. `customer_id` is repeated below the name only where there is a name (`title` is then the name).

    `interval` is None where it is not known; `no_reasons` says why `reasons` is empty, where it is; `more` has the cells of
    the further columns that were asked for.
    """

    link: str
    title: str
    customer_id: str
    churn: str
    churn_bar: charts.Span
    expected: str
    interval: Interval | None
    at_risk: str
    tier: Tag
    status: Tag
    lifecycle: Tag
    reasons: tuple[str, ...]
    no_reasons: str
    action: str
    more: Mapping[str, Cell]


@dataclass(frozen=True)
class Heading:
    """A column that can be sorted by; `order` is ascending, descending or none, as screen readers say it."""

    name: str
    means: str
    link: str
    order: str


@dataclass(frozen=True)
class Choice:
    """One entry of a filter's menu, or of the choice of columns."""

    value: str
    name: str
    chosen: bool


@dataclass(frozen=True)
class Menu:
    """A filter: its parameter in the URL, its label and its entries, the first of which lets all through."""

    parameter: str
    name: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class ViewLink:
    """A view that the visitor has saved; `current`: it is the one that is shown."""

    name: str
    link: str
    current: bool


@dataclass(frozen=True)
class CustomersPage:
    """One page of the list. `previous`, `next`, `restart` and `workbook` are links, empty where there is nowhere to go.

    `written` has what stands in the fields of the filters that are typed, `owners` the names that are offered for one of them;
    `more_open`: one of those folded away is in use.
    `columns` are those shown, `column_choices` all there are; `query` is the list as an address, to be saved as a view, and
    `view_refused` says why one was not saved, whose name is `view_name`.
    """

    frame: Frame
    search: str
    menus: tuple[Menu, ...]
    more_menus: tuple[Menu, ...]
    written: Mapping[str, str]
    owners: tuple[str, ...]
    more_open: bool
    column_choices: tuple[Choice, ...]
    columns: tuple[str, ...]
    views: tuple[ViewLink, ...]
    view_name: str
    view_refused: str
    query: str
    kept: tuple[tuple[str, str], ...]
    headings: Mapping[str, Heading]
    lines: tuple[CustomerLine, ...]
    range_text: str
    previous: str
    next: str
    restart: str
    export: str
    workbook: str


def customers_page(
    frame: Frame,
    query: CustomerQuery,
    page: CustomerPage,
    *,
    features: FeatureRows,
    choices: Mapping[str, Mapping[str, str]],
    views: Sequence[SavedView],
    urls: Urls,
    view_name: str = "",
    view_refused: str = "",
) -> CustomersPage:
    """Put the page together; `choices` holds what each filter offers, value to shown name."""
    last = query.offset + len(page.rows)
    chosen = dict(query.filters)
    parameters = query.at_page(1).parameters
    form_fields = {"q", *FILTERS, *RANGES, "columns", "page"}
    return CustomersPage(
        frame=frame,
        search=query.search,
        menus=tuple(_menu(name, choices.get(name, {}), chosen.get(name, "")) for name in MENUS),
        more_menus=tuple(_menu(name, choices.get(name, {}), chosen.get(name, "")) for name in MORE_MENUS),
        written={name: chosen.get(name, "") for name in (*TYPED, *RANGES)},
        owners=tuple(choices.get("owner", {}))[:MOST_OFFERED],
        more_open=bool(chosen.keys() - set(MENUS)),
        column_choices=tuple(Choice(name, t(f"column.{name}"), name in query.columns) for name in COLUMNS),
        columns=query.columns,
        views=tuple(_view(view, parameters, urls) for view in views),
        view_name=view_name,
        view_refused=t(f"views.refused.{view_refused}") if view_refused in VIEW_REFUSALS else "",
        query=urlencode(parameters),
        kept=tuple(pair for pair in query.parameters.items() if pair[0] not in form_fields),
        headings={sort: _heading(sort, query, urls) for sort in SORTS},
        lines=customer_lines(page.rows, features, urls, query.columns),
        range_text=_range_text(query.offset + 1, last, page.total) if page.rows else t("customers.none"),
        previous=urls.customers(query.at_page(query.page - 1).parameters) if query.page > 1 else "",
        next=urls.customers(query.at_page(query.page + 1).parameters) if last < page.total else "",
        restart=urls.customers() if query != START else "",
        export=urls.customers_csv(parameters),
        workbook=urls.customers_xlsx(parameters) if page.total <= MOST_IN_WORKBOOK else "",
    )


def customer_lines(
    rows: Sequence[ScoreRow], features: FeatureRows, urls: Urls, columns: Sequence[str] = USUAL_COLUMNS
) -> tuple[CustomerLine, ...]:
    """The lines of `rows`, in their order, with amounts in the decimals that suit them together."""
    decimals = show.money_decimals(amount for row in rows for amount in (row.expected_value, row.value_at_risk))
    further = [name for name in columns if name not in USUAL_COLUMNS]
    return tuple(_line(row, features.get(row.customer_id, {}), urls, decimals, further) for row in rows)


def tag(group: str, value: str | None) -> Tag:
    """The tag of a value; a missing one is a dash."""
    if value is None:
        return Tag("", show.MISSING, t("not_known"))
    return Tag(value, label(group, value), meaning(group, value))


def interval(low: float | None, high: float | None, decimals: int) -> Interval | None:
    """The interval between the values that 1 of 10 and 9 of 10 such customers stay below; None where it is not known.

    One that ends at 0 is told in words: two zeros beside a positive expected value would look like a mistake.
    """
    if low is None or high is None:
        return None
    if abs(high) < _LEAST_SHOWN:
        return Interval(t("interval.nothing"), t("interval.nothing.means"))
    if high < 1:
        decimals = show.money_decimals([low, high])
    return Interval(t("interval", low=show.money(low, decimals), high=show.money(high, decimals)), t("interval.means"))


def _line(row: ScoreRow, features: Mapping[str, float | None], urls: Urls, decimals: int, further: Sequence[str]) -> CustomerLine:
    return CustomerLine(
        link=urls.customer(row.customer_id),
        title=row.name or row.customer_id,
        customer_id=row.customer_id if row.name else "",
        churn=show.percent(row.churn_probability),
        churn_bar=charts.share_bar(row.churn_probability),
        expected=show.money(row.expected_value, decimals),
        interval=interval(row.value_low, row.value_high, decimals),
        at_risk=show.money(row.value_at_risk, decimals),
        tier=tag("value_tier", row.value_tier),
        status=tag("status", row.status),
        lifecycle=tag("lifecycle", row.lifecycle),
        reasons=short_reasons(row.reasons or (), features),
        no_reasons=t("customers.not_explained" if row.reasons is None else "customers.no_reasons"),
        action=action_title(row.action, row.action_title) if row.action else "",
        more={name: _cell(name, getattr(row, name), decimals) for name in further},
    )


def _cell(column: str, value: str | float | None, decimals: int) -> Cell:
    if value is None:
        return Cell(show.MISSING, t("not_known"))
    if isinstance(value, str):
        return Cell(value) if column in _OWN_WORDS else Cell(label(column, value), meaning(column, value))
    return Cell(show.number(value) if column == "complaints_open" else show.money(value, decimals), number=True)


def _view(view: SavedView, parameters: Mapping[str, str], urls: Urls) -> ViewLink:
    kept = dict(parse_qsl(view.query))
    return ViewLink(view.name, urls.customers(kept), kept == parameters)


def _heading(sort: str, query: CustomerQuery, urls: Urls) -> Heading:
    order = "none" if sort != query.sort else "descending" if query.descending else "ascending"
    return Heading(t(f"column.{sort}"), t(f"column.{sort}.means"), urls.customers(query.sorted_by(sort).parameters), order)


def _menu(name: str, names: Mapping[str, str], chosen: str) -> Menu:
    # A value that a saved link asks for stays in the menu, also where nobody has it any more.
    first = {"": t("filter.all"), **({ALL_BUT_LOST: t("filter.all_but_lost")} if name == "status" else {})}
    names = {**first, **names}
    offered = {**names, **({chosen: names.get(chosen, label(name, chosen))} if chosen else {})}
    return Menu(name, t(f"filter.{name}"), tuple(Choice(value, shown, value == chosen) for value, shown in offered.items()))


def _range_text(first: int, last: int, total: int) -> str:
    return t("customers.range", first=show.number(first), last=show.number(last), total=show.number(total))
