"""The words in which features are defined: as data, once, for both executors.

    table  -> View       one row per thing that is counted (a purchase day, a complaint ...)
    View   -> Aggregate  what is taken from it per customer, over which ages
    Aggregates -> Feature  a row-wise formula, with its catalog entry beside it

Formulas take an `Operations` first, then their columns. The columns are expressions (`features.frames`) or arrays
(`features.arrays`); both have the usual operators, `Operations` adds what operators cannot say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, Protocol

from features.asof import ALWAYS_DAY, NEVER_DAY, NEVER_US, Column

Formula = Callable[..., Column]


class Operations(Protocol):
    """What a formula may do beside the operators. A missing value stays missing in all of them, unless they say otherwise."""

    @property
    def as_of_day(self) -> int:
        """The day before which everything was known. Formulas of view columns must not ask for it, conditions may."""

    def divide(self, numerator: Column, denominator: Column) -> Column:
        """The quotient as a float; missing where the denominator is 0 or missing."""

    def over(self, column: Column, number: int) -> Column:
        """The column over a whole number, rounded once."""

    def where(self, condition: Column, value: Column, otherwise: Column = None) -> Column:
        """`value` where the condition holds, `otherwise` (None: missing) where it does not or is missing."""

    def is_missing(self, column: Column) -> Column:
        """Whether there is no value; never missing itself."""

    def whole(self, column: Column) -> Column:
        """The largest integer that is not above; the column must have no missing value."""

    def root(self, column: Column) -> Column:
        """The square root."""

    def once(self, column: Column) -> Column:
        """The column itself, computed once: for a step that a formula uses many times, as SQL engines write it out each time."""

    def all_below(self, column: Column, bound: float) -> bool:
        """Whether all values are known to be below: True allows a shorter way to the same numbers, False says nothing."""

    def money(self, minor_units: Column, amounts: str) -> Column:
        """Minor units of the column `amounts` ("transactions.amount") as currency units."""


@dataclass(frozen=True)
class Computed:
    """A column that is made row by row from others: `formula(operations, *inputs)`."""

    formula: Formula
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class Total:
    """A column that is made by grouping: `distinct` counts the different values, all missing ones as one."""

    how: Literal["sum", "min", "distinct"]
    column: str


@dataclass(frozen=True)
class View:
    """One row per thing that is counted. Made in this order: rows kept, columns made, grouped, looked back, columns made.

    What looks back needs rows of different days within its group, or the order of rows would matter. Every view ends with the
    columns `customer_id` and `day`: a row counts at `as_of` when its day is before.
    """

    name: str
    table: str
    columns: Mapping[str, Computed]
    """What is made from each row of the table."""
    keep: Computed | None = None
    """Which rows of the table; None: all."""
    keys: tuple[str, ...] = ()
    """Which columns, beside the customer, make rows one; none: rows stay as they are."""
    totals: Mapping[str, Total] = field(default_factory=dict)
    previous: Mapping[str, str] = field(default_factory=dict)
    """New column -> the column whose value in the row before (of the same `within`, by day) it takes."""
    following: Mapping[str, str] = field(default_factory=dict)
    """The same of the row after; it may lie at or after `as_of`, so nothing but a condition that knows `as_of` may ask for it."""
    running: Mapping[str, str] = field(default_factory=dict)
    """New column -> the column of integers whose sum over this row and those before (of the same `within`, by day) it holds."""
    within: tuple[str, ...] = ("customer_id",)
    later: Mapping[str, Computed] = field(default_factory=dict)
    """What is made after grouping and looking back; may build on what stands above it."""
    conditions: Mapping[str, Computed] = field(default_factory=dict)
    """Names for conditions on rows; these may depend on `as_of`."""
    all_versions: bool = False
    """Whether rows stay although a newer version replaced them."""
    texts: frozenset[str] = frozenset()
    """Which columns of the table hold text, beside those that `features.tables` declares."""

    def needed(self, wanted: Iterable[str]) -> View:
        """The same view with only those columns that `wanted` columns and conditions, `day` and `keys` build on."""
        names = {"day", *self.keys, *self.within, *wanted}
        names |= {name for wish in wanted if wish in self.conditions for name in self.conditions[wish].inputs}
        later = {}
        for name, computed in reversed(list(self.later.items())):
            if name in names:
                later[name] = computed
                names |= set(computed.inputs)
        previous = {name: source for name, source in self.previous.items() if name in names}
        following = {name: source for name, source in self.following.items() if name in names}
        running = {name: source for name, source in self.running.items() if name in names}
        names |= {*previous.values(), *following.values(), *running.values()}
        totals = {name: total for name, total in self.totals.items() if name in names}
        names |= {total.column for total in totals.values()}
        columns = {name: computed for name, computed in self.columns.items() if name in names}
        later = dict(reversed(later.items()))
        kept = replace(self, columns=columns, totals=totals, later=later)
        return replace(kept, previous=previous, following=following, running=running)

    def sources(self) -> set[str]:
        """The columns of the table that this view reads, beside `customer_id`."""
        made = [*self.columns.values(), *([self.keep] if self.keep else [])]
        return {name for computed in made for name in computed.inputs}


@dataclass(frozen=True)
class Window:
    """The ages in days that count: `newest < age <= oldest`; an event of yesterday has age 1. No `oldest`: all time.

    >>> Window(oldest=30).label, Window().label, Window(30, 60).label
    ('30d', 'all', '30d_to_60d')
    """

    newest: int = 0
    oldest: int | None = None

    @property
    def label(self) -> str:
        """How names of features say it."""
        if self.oldest is None:
            return "all"
        return f"{self.oldest}d" if self.newest == 0 else f"{self.newest}d_to_{self.oldest}d"

    @property
    def titles(self) -> tuple[str, str]:
        """How titles say a window that ends at `as_of`, in English and Chinese."""
        return ("all time", "累计") if self.oldest is None else (f"last {self.oldest} days", f"近{self.oldest}天")


ALL_TIME = Window()
WINDOW_DAYS = (30, 90, 180, 365)
WINDOWS = (*(Window(oldest=days) for days in WINDOW_DAYS), ALL_TIME)
QUARTER, YEAR = Window(oldest=90), Window(oldest=365)
SHARE_WINDOWS = (QUARTER, YEAR, ALL_TIME)
"""Shares and means need more rows than most months have."""

Summary = Literal["count", "sum", "min", "max"]
"""How many rows become one value."""


@dataclass(frozen=True)
class Aggregate:
    """What is taken of a view per customer: a count or a sum is 0 where nothing counts, a minimum or maximum is missing.

    `column` is a column of the view or `age` (days from the row to `as_of`, at least 1); `where` a condition of the view.
    """

    view: str
    how: Summary
    column: str = ""
    window: Window = ALL_TIME
    where: str = ""

    @cached_property
    def name(self) -> str:
        """A name of its own, for the column that holds it."""
        return "__".join((self.view, self.how, self.column, self.selection))

    @cached_property
    def selection(self) -> str:
        """A name for the rows of the view that it takes in."""
        return f"{self.window.label}__{self.where}"


@dataclass(frozen=True)
class Entry:
    """What a reader must know of a feature. `low` and `high` bound its values (None: unbounded)."""

    name: str
    title: str
    title_zh: str
    meaning: str
    unit: str
    low: float | None
    high: float | None
    missing: str
    """What a missing value means; empty: never missing while the table is there."""
    table: str
    actionable: bool
    """Whether the company can change it by what it does now."""
    builder: str

    @property
    def range(self) -> str:
        """The bounds of its values in words.

        >>> Entry("share", "", "", "", "", 0, 1, "", "", False, "").range
        '0 to 1'
        """
        match self.low, self.high:
            case None, None:
                return "any"
            case low, None:
                return f"{low:g} or more"
            case None, high:
                return f"{high:g} or less"
            case low, high:
                return f"{low:g} to {high:g}"


@dataclass(frozen=True)
class Feature:
    """One column of the panel: `formula(operations, *inputs)`, in Float64."""

    entry: Entry
    formula: Formula
    inputs: tuple[Aggregate, ...]
    needs: tuple[str, ...] = ()
    """Optional columns ("transactions.quantity") without which it has no meaning."""

    @property
    def name(self) -> str:
        """The name of the column."""
        return self.entry.name

    @property
    def aggregates(self) -> set[Aggregate]:
        """All aggregates that it builds on."""
        return set(self.inputs)


def feature(
    name: str,
    formula: Formula,
    inputs: tuple[Aggregate, ...],
    titles: tuple[str, str],
    meaning: str,
    *,
    unit: str,
    table: str,
    builder: str,
    window: Window | None = None,
    low: float | None = 0,
    high: float | None = None,
    missing: str = "",
    actionable: bool = False,
    needs: tuple[str, ...] = (),
) -> Feature:
    """A feature with its entry; `titles` are English and Chinese. One of a window has the window in its name and titles."""
    title, title_zh = titles
    if window:
        name, (en, zh) = f"{name}_{window.label}", window.titles
        title, title_zh = f"{title}, {en}", f"{zh}{title_zh}"
    entry = Entry(name, title, title_zh, meaning, unit, low, high, missing, table, actionable, builder)
    return Feature(entry, formula, inputs, needs)


def absent(column: str) -> int | None:
    """What every row holds of a column that its table does not have: it was always known, times never were, the rest is missing.

    >>> absent("known_day") == ALWAYS_DAY, absent("closed_day") == NEVER_DAY, absent("quantity")
    (True, True, None)
    """
    if column == "known_day":
        return ALWAYS_DAY
    if column.endswith("_day"):
        return NEVER_DAY
    return NEVER_US if column.endswith("_us") else None
