"""What looks like a leak: columns that seem to know who left, because they were filled in after the fact.

Asked at past dates whose horizon is over: do all customers with a kind of event leave, do all with some attribute leave, or stay,
and does one column alone foretell who leaves? Customers are compared with others who had been silent for as long, so that the
late complaints of those who left long ago raise no alarm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import reduce
from operator import add

import numpy as np
import polars as pl

from features.asof import ALWAYS_DAY, day_date, day_number
from features.builders.attributes import ATTRIBUTE_COLUMNS
from features.catalog import feature_names, find
from features.checks.check import day_after_last_transaction, first_purchase_day
from features.checks.horizons import USUAL_HORIZONS, whole_horizons
from features.checks.odd_times import Suspicion
from features.company import Company
from features.flat import flat_day
from features.panel import build_panel
from features.tables import TABLES, Kind
from keepwell.errors import HistoryError
from training.arrays import Flags, Floats
from training.flat.leaks import label_leaks
from training.leaks.copies import FIRST_PURCHASE, copied_figure, log_figures
from training.leaks.groups import Group, coded, held_out_auc, telling_groups
from training.silence import Purchases, Quiet, places, purchases, quiet
from training.splits import panel_days, sampled_customers

USUAL_HORIZON_DAYS = 90
MOST_CUSTOMERS = 100_000
"""Customers that are looked at: many more than a leak needs to show."""

MOST_FEATURE_ROWS = 20_000
"""Of these, customers whose features are looked at."""

NEARLY_PERFECT = 0.95
FAR_ABOVE = 0.1
"""An attribute that is so much better than every feature made of purchases knows what purchases cannot tell."""

SURE = 3.0
"""Standard errors that a figure must lie above its bound."""

LEAST_OF_EACH = 20
"""Leavers and stayers without whom no column is held against them."""


@dataclass(frozen=True)
class _Asked:
    """Customers (n,) at a past date: who has left since, and the chance of it for who was silent as long.

    `near` are those of whom a forecast is asked: they bought lately, so that recency alone does not tell all.
    """

    customer_id: pl.Series
    left: Flags
    expected: Floats
    near: Flags
    when: str

    def part(self, keep: Flags) -> _Asked:
        """Those customers alone."""
        ids = self.customer_id.filter(pl.Series(keep))
        return _Asked(ids, self.left[keep], self.expected[keep], self.near[keep], self.when)

    def values(self, table: pl.DataFrame, name: str) -> pl.Series:
        """A column of a table that has one row a customer, in the order of these (n,)."""
        mine = self.customer_id.rename("customer_id").to_frame()
        return mine.join(table.select("customer_id", name), on="customer_id", how="left", maintain_order="left")[name]


def leaks(company: Company, horizon_days: int | None = None) -> tuple[Suspicion, ...] | None:
    """What looks like a leak in `company`, for a horizon (None: 90 days, or the longest usual one that has passed).

    Empty where nothing does, None where too little has passed to tell. The same data give the same answer.
    """
    if "transactions" not in company.tables:
        return tuple(leak.suspicion for leak in label_leaks(company)) if flat_day(company) else None
    try:
        until = day_number(day_after_last_transaction(company) or date.max)
        first = first_purchase_day(company, day_date(until))
    except HistoryError:
        return None
    days = horizon_days or _usual_horizon(until - first)
    dates = panel_days(first, until, days)
    return tuple(_of_purchases(_sample(company), until, dates, days)) if dates else None


def _sample(company: Company) -> Company:
    """The company of MOST_CUSTOMERS at most, the same ones every time."""
    ids = company.tables["transactions"]["customer_id"].unique().sort()
    if len(ids) <= MOST_CUSTOMERS:
        return company
    return _of_customers(company, ids.filter(pl.Series(sampled_customers(np.arange(len(ids)), MOST_CUSTOMERS))))


def _of_customers(company: Company, ids: pl.Series) -> Company:
    """The company as if it had these customers alone."""
    kept = ids.rename("customer_id").to_frame()
    tables = {
        name: frame.join(kept, on="customer_id", how="semi", maintain_order="left") for name, frame in company.tables.items()
    }
    return replace(company, tables=tables)


def _usual_horizon(history_days: int) -> int:
    passed = [days for days in USUAL_HORIZONS if days <= USUAL_HORIZON_DAYS and whole_horizons(history_days, days)]
    return max(passed, default=USUAL_HORIZON_DAYS)


def _of_purchases(company: Company, until: int, dates: Sequence[int], days: int) -> Iterator[Suspicion]:
    """Everything that can be asked where purchases tell who left; `dates` are day numbers whose horizon of `days` is over."""
    bought = purchases(company, until)
    span = until - int(bought.first.min()) + 1
    silences = {}
    for day in dates:
        moment = bought.at(day)
        silences[day] = quiet(moment, moment.known & (moment.last > ALWAYS_DAY), day, days, span)
    yield from _of_events(company, bought, reduce(add, silences.values()), until, days)
    newest = max(dates)
    asked = _asked_of_purchases(bought, silences[newest], newest, days)
    asked = asked.part(sampled_customers(np.arange(len(asked.left)), MOST_FEATURE_ROWS))
    best, found = _of_features(company, asked, newest)
    yield from found
    copies = {one.place: one for one in _copies(company, asked, until)}
    yield from copies.values()
    yield from (one for one in _of_attributes(company, asked, newest, best) if one.place not in copies)


def _asked_of_purchases(bought: Purchases, silence: Quiet, day: int, days: int) -> _Asked:
    moment = bought.at(day)
    known = moment.known & (moment.last > ALWAYS_DAY)
    silent = (day - moment.last.astype(np.int64))[known]
    return _Asked(
        customer_id=bought.customer_id.filter(pl.Series(known)),
        left=moment.next[known] >= day + days,
        expected=1 - silence.chance_of_return(silent),
        near=silent <= days,
        when=f"in the {days} days from {day_date(day)}",
    )


def _of_events(company: Company, bought: Purchases, usual: Quiet, until: int, days: int) -> Iterator[Suspicion]:
    """Kinds of event, as a category of complaints, after which nobody buys, or everybody does: from when the event was known."""
    for name in company.event_tables:
        known = company.known_rows(name, until).filter(pl.col("known_day") + 1 + days <= until)
        for column in (one.name for one in TABLES[name].columns if one.kind is Kind.TEXT and one.name in known.columns):
            # The first of its kind for each customer: the last one would be chosen by what came after it.
            firsts = known.filter(pl.col(column).is_not_null()).group_by("customer_id", column).agg(pl.col("known_day").min())
            place = places(firsts["customer_id"], bought.customer_id)
            firsts = firsts.with_columns(place).drop_nulls("place").sort("place", column)
            day = firsts["known_day"].to_numpy().astype(np.int64) + 1
            last, following = bought.around(firsts["place"].to_numpy(), day)
            customers = last > ALWAYS_DAY
            left = (following >= day + days)[customers]
            expected = 1 - usual.chance_of_return((day - last)[customers])
            for group in telling_groups(*coded(firsts[column].filter(pl.Series(customers))), left, expected):
                yield Suspicion("event", f"{name}.{column}", _event_words(group, days), EVENT_WAY_OUT)


def _of_features(company: Company, asked: _Asked, day: int) -> tuple[float, list[Suspicion]]:
    """(AUC of the best feature that is above suspicion, features that alone foretell nearly all)."""
    near = asked.part(asked.near)
    if not _can_tell(near.left):
        return 0.5, []
    names = feature_names(company)
    panel = build_panel(_of_customers(company, near.customer_id), [day_date(day)], names)
    best, found = 0.5, []
    for name in names:
        area, error = _alone(near, near.values(panel, name))
        if area >= NEARLY_PERFECT and area - SURE * error > NEARLY_PERFECT - FAR_ABOVE:
            table = find(name).entry.table
            way_out = f"see when the rows of {table} are written: known_at says so where it is later than they happened"
            found.append(Suspicion("feature", name, f"made of {table}, {_alone_words(area, near.when)}", way_out))
        else:
            best = max(best, area)
    return best, found


def _of_attributes(company: Company, asked: _Asked, day: int, best: float) -> Iterator[Suspicion]:
    """Attributes that tell alone who left, or that (almost) only leavers, or stayers, have. `best`: the best feature's AUC."""
    if "customers" not in company.tables:
        return
    table = company.known_rows("customers", day)
    near = asked.part(asked.near)
    listed = (name for name in ATTRIBUTE_COLUMNS if name in table.columns)  # may be filled in late as well
    for name in dict.fromkeys((*company.attributes, *listed)):
        place, way_out = f"customers.{name}", _attribute_way_out(company.attributes.get(name))
        decimals = company.scales.get(place)
        values = near.values(table, name) / (10**decimals) if decimals else near.values(table, name)
        area, error = _alone(near, values)
        bound = min(NEARLY_PERFECT, best + FAR_ABOVE)
        if area >= bound and area - SURE * error > bound - FAR_ABOVE:
            yield Suspicion("attribute", place, _alone_words(area, near.when, best), way_out)
            continue
        for group in telling_groups(*coded(values), near.left, near.expected):
            yield Suspicion("attribute", place, _group_words(group, near.when), way_out)


def _copies(company: Company, asked: _Asked, until: int) -> Iterator[Suspicion]:
    """Attributes that are figures of the log up to its end. The day of the first purchase is no secret at any date."""
    if not company.attributes:
        return
    figures, table = log_figures(company, until), company.known_rows("customers", until)
    by_name = {name: asked.values(figures, name) for name in figures.columns if name != "customer_id"}
    for name, kind in company.attributes.items():
        copied = copied_figure(asked.values(table, name), by_name)
        if copied and copied[0] != FIRST_PURCHASE:
            message = (
                f"tells {copied[0]} up to the end of the data, for {copied[1]:.0%} of the customers: it was made from the log"
            )
            yield Suspicion("attribute", f"customers.{name}", message, _attribute_way_out(kind))


def _alone(near: _Asked, values: pl.Series) -> tuple[float, float]:
    """(AUC, its standard error) of one column for customers of whom a forecast is asked."""
    if not _can_tell(near.left):
        return 0.5, 0.5
    return held_out_auc(coded(values)[0], near.left, sampled_customers(np.arange(len(near.left)), len(near.left) // 2))


def _can_tell(left: Flags) -> bool:
    return bool(min(left.sum(), (~left).sum()) >= LEAST_OF_EACH)


EVENT_WAY_OUT = "if it is filled in when a customer has left already, say so by known_at, or leave the column out"


def _event_words(group: Group, days: int) -> str:
    back = group.customers - group.left
    expected = group.customers - group.expected
    return (
        f"of {group.customers:,} customers with {group.value!r}, {back or 'none'} bought again within {days} days, where "
        f"{expected:,.0f} of customers as silent as they were would have"
    )


def _group_words(group: Group, when: str) -> str:
    what = "is missing" if group.value is None else f"is {group.value!r}"
    return (
        f"of {group.customers:,} customers for whom it {what}, {group.left or 'none'} left {when}, where {group.expected:,.0f} "
        f"of customers as silent as they were would have"
    )


def _alone_words(area: float, when: str, best: float | None = None) -> str:
    beside = f"; the best feature has {best:.2f}" if best is not None else ""
    return f"alone tells who left {when} (AUC {area:.2f}{beside})"


def _attribute_way_out(kind: str | None) -> str:
    """What to do, by what the attribute is said to be."""
    if kind == "dated":
        return "its known_at should say when it was written, not when the customer joined: correct it, or remove the column"
    if kind == "static":
        return "it is declared static, yet seems to be written after customers left: take it out of static:, or remove it"
    return "a snapshot, taken after they left, may know it: give known_at, or remove it; never declare it static"
