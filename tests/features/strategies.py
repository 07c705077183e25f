"""Random small companies, made of what goes wrong in real logs.

Rows that became known late, newer versions of rows, several events at the same midnight, events exactly at `as_of`, refunds,
amounts of 0, missing ids and values, columns and tables that are not there. Each row is written once, by a `Chooser`: Hypothesis
chooses for the small companies that it shrinks (`stories`), a seeded generator for the large ones (`crowd`).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any, Protocol

import polars as pl
from hypothesis import strategies as st

from features.company import Company
from features.reading.columns import read_attribute
from features.reading.normalise import Reading, normalise
from features.reading.refusals import Place
from features.tables import TABLES

CUSTOMERS = ("00001", "7", "ä")
DECIMALS: Mapping[str, int] = MappingProxyType(
    {
        "transactions.amount": 2,
        "transactions.list_amount": 2,
        "transactions.cost": 3,
        "payments.amount": 2,
        "subscriptions.price": 3,
        "customers.wallet": 1,
    }
)
EVENT_TIMES = {
    "transactions": "ordered_at",
    "complaints": "opened_at",
    "payments": "due_at",
    "subscriptions": "started_at",
    "surveys": "answered_at",
    "contacts": "contacted_at",
}
LATER_FIELDS: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "transactions": {"delivered_at": ()},
        "complaints": {"first_response_at": (), "closed_at": ("satisfaction",)},
        "payments": {"paid_at": ()},
        "subscriptions": {"ended_at": ()},
    }
)
"""Times that are filled in later, and what becomes known with them."""

ATTRIBUTION_DAYS = 30
"""From when on the outcome of a contact is known that nobody dated."""

ATTRIBUTES = ("age", "vip", "born", "plan")

TIME, TEXT, NUMBER, CENTS, DAY = pl.Datetime("us"), pl.String(), pl.Float64(), pl.Int64(), pl.Date()
SCHEMAS: Mapping[str, Mapping[str, pl.DataType]] = {
    "transactions": {
        "customer_id": TEXT,
        "ordered_at": TIME,
        "amount": CENTS,
        "order_id": TEXT,
        "quantity": NUMBER,
        "product_id": TEXT,
        "category": TEXT,
        "list_amount": CENTS,
        "cost": CENTS,
        "channel": TEXT,
        "promised_at": TIME,
        "delivered_at": TIME,
        "known_at": TIME,
    },
    "complaints": {
        "customer_id": TEXT,
        "opened_at": TIME,
        "first_response_at": TIME,
        "closed_at": TIME,
        "complaint_id": TEXT,
        "kind": TEXT,
        "severity": NUMBER,
        "satisfaction": NUMBER,
        "known_at": TIME,
    },
    "payments": {"customer_id": TEXT, "due_at": TIME, "amount": CENTS, "paid_at": TIME, "known_at": TIME},
    "subscriptions": {
        "customer_id": TEXT,
        "started_at": TIME,
        "ended_at": TIME,
        "plan": TEXT,
        "price": CENTS,
        "known_at": TIME,
    },
    "surveys": {
        "customer_id": TEXT,
        "answered_at": TIME,
        **dict.fromkeys(("satisfaction", "expectation", "quality", "perceived_value", "loyalty", "recommend"), NUMBER),
        "known_at": TIME,
    },
    "contacts": {
        "customer_id": TEXT,
        "contacted_at": TIME,
        "action": TEXT,
        "arm": TEXT,
        "accepted": NUMBER,
        "converted": NUMBER,
        "known_at": TIME,
    },
    "customers": {
        "customer_id": TEXT,
        "joined_at": TIME,
        "wallet": CENTS,
        "known_at": TIME,
        "age": NUMBER,
        "vip": NUMBER,
        "born": DAY,
        "plan": TEXT,
    },
}
REQUIRED = ("customer_id", "ordered_at", "amount", "opened_at", "due_at", "started_at", "answered_at", "contacted_at")

AGE_EDGES = (-1, 0, 1, 2, 29, 30, 31, 59, 60, 61, 89, 90, 91, 180, 181, 360, 361, 365, 366, 394, 395, 396, 730, 731)
"""Days before `as_of`, at the edges of all windows; 0 and less are at or after it."""

CLOCK_EDGES = (timedelta(0), timedelta(hours=12), timedelta(hours=23, minutes=59, seconds=59, microseconds=999_999))
CENT_EDGES = (0, 1, 1_000, 2**20, 2**20 - 1)
DATES = (date(2024, 3, 1), date(2023, 1, 1), date(2025, 7, 31), date(1971, 2, 3))


class Chooser(Protocol):
    """Who makes the choices."""

    def one(self, options: Sequence[Any]) -> Any: ...

    def between(self, low: int, high: int) -> int: ...


@dataclass(frozen=True)
class ByHypothesis:
    draw: st.DrawFn

    def one(self, options: Sequence[Any]) -> Any:
        return self.draw(st.sampled_from(options))

    def between(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))


@dataclass(frozen=True)
class BySeed:
    rng: random.Random

    def one(self, options: Sequence[Any]) -> Any:
        return self.rng.choice(options)

    def between(self, low: int, high: int) -> int:
        return self.rng.randint(low, high)


@dataclass(frozen=True)
class Story:
    """A company as its user has it, and a date."""

    tables: Mapping[str, pl.DataFrame]
    as_of: date

    def company(self) -> Company:
        """The company, normalised. Attributes are dated where `customers` says when it was known, else static."""
        tables = {name: normalise(TABLES[name], frame, _reading(name)).frame for name, frame in self.tables.items()}
        customers = tables.get("customers", pl.DataFrame())
        kind = "dated" if "known_day" in customers.columns else "static"
        attributes = {name: kind for name in ATTRIBUTES if name in customers.columns}
        if attributes:
            read = (read_attribute(Place("customers", name), customers[name], typeless=False) for name in attributes)
            tables["customers"] = customers.with_columns(series for series in read if series is not None)
        return Company("test", "UTC", tables, DECIMALS, attributes, ())

    def truncated(self) -> Story:
        """What the user had at `as_of`: rows known before it, and nothing filled in that happened at or after it."""
        tables = dict(self.tables)
        for name in EVENT_TIMES.keys() & tables.keys():
            frame = tables[name].filter(pl.max_horizontal(_times_known(name, tables[name])) < self._midnight)
            for field, told_with in LATER_FIELDS.get(name, {}).items():
                if field in frame.columns:
                    kept = [column for column in told_with if column in frame.columns]
                    happened = pl.col(field) < self._midnight
                    frame = frame.with_columns(pl.when(happened).then(pl.col(column)) for column in (*kept, field))
            tables[name] = self._with_known_outcomes(frame) if name == "contacts" else frame
        return replace(self, tables=tables)

    def shuffled(self, seed: int) -> Story:
        """The same rows in another order."""
        tables = {name: frame.sample(fraction=1, shuffle=True, seed=seed) for name, frame in self.tables.items()}
        return replace(self, tables=tables)

    def with_later_rows(self, other: Story) -> Story:
        """This story with those rows of `other`, as far as the columns agree, that are known only at `as_of` or later."""
        tables = dict(self.tables)
        for name in EVENT_TIMES.keys() & tables.keys() & other.tables.keys():
            mine, theirs = tables[name], other.tables[name]
            later = theirs.filter(pl.max_horizontal(_times_known(name, theirs)) >= self._midnight)
            if set(mine.columns) <= set(later.columns):
                known = _times_known(name, mine)
                tables[name] = pl.concat([mine, later.select(mine.columns).filter(pl.max_horizontal(known) >= self._midnight)])
        return replace(self, tables=tables)

    def _with_known_outcomes(self, contacts: pl.DataFrame) -> pl.DataFrame:
        """Contacts without the outcomes that were not known yet: those that nobody dated are known after the attribution days."""
        known = pl.col("contacted_at").dt.date() + pl.duration(days=ATTRIBUTION_DAYS) < self.as_of
        if "known_at" in contacts.columns:
            known |= pl.col("known_at").is_not_null()
        outcomes = [name for name in ("accepted", "converted") if name in contacts.columns]
        return contacts.with_columns(pl.when(known).then(pl.col(name)) for name in outcomes)

    @property
    def _midnight(self) -> datetime:
        return datetime.combine(self.as_of, time.min)


def _reading(table: str) -> Reading:
    return Reading(decimals={key.split(".")[1]: n for key, n in DECIMALS.items() if key.startswith(f"{table}.")})


def _times_known(name: str, frame: pl.DataFrame) -> list[str]:
    return [column for column in (EVENT_TIMES[name], "known_at") if column in frame.columns]


def _time(choose: Chooser, as_of: date) -> datetime:
    age = choose.one(AGE_EDGES) if choose.between(0, 1) else choose.between(-40, 1_200)
    return datetime.combine(as_of, time.min) - timedelta(age) + choose.one(CLOCK_EDGES)


def _later(choose: Chooser, start: datetime, earliest_days: int = 0) -> datetime | None:
    """A time up to 60 days later (or some days earlier), often at the edges, sometimes never."""
    edges = (None, timedelta(0), timedelta(days=1), timedelta(days=30), ...)
    delay = choose.one(edges)
    if delay is ...:
        delay = timedelta(seconds=choose.between(earliest_days * 86_400, 60 * 86_400))
    return None if delay is None else start + delay


def _cents(choose: Chooser) -> int:
    kind = choose.between(0, 3)
    if kind == 0:
        return choose.one(CENT_EDGES)
    low, high = ((-50_000, 50_000), (0, 50_000), (2**34, 2**36))[kind - 1]
    return choose.between(low, high)


def _some_cents(choose: Chooser) -> int | None:
    return choose.one((None, choose.between(-500, 60_000), choose.one(CENT_EDGES)))


def _transaction(choose: Chooser, customer: str, as_of: date) -> tuple:
    ordered_at = _time(choose, as_of)
    return (
        customer,
        ordered_at,
        _cents(choose),
        choose.one((None, "o1", "o2", "o3", "o4")),
        choose.one((None, 1.0, 2.5, -1.0, 0.001, float(choose.between(0, 2_000_000)))),
        choose.one((None, "p1", "p2", "p3")),
        choose.one((None, "books", "music", "tools")),
        _some_cents(choose),
        _some_cents(choose),
        choose.one((None, "shop", "web")),
        _later(choose, ordered_at, earliest_days=-2),
        _later(choose, ordered_at),
        _later(choose, ordered_at),
    )


def _complaint(choose: Chooser, customer: str, as_of: date) -> tuple:
    opened_at = _time(choose, as_of)
    return (
        customer,
        opened_at,
        _later(choose, opened_at),
        _later(choose, opened_at),
        choose.one((None, "c1", "c2")),
        choose.one((None, "complaint", "complaint", "enquiry")),
        choose.one((None, 1.0, 3.0, 5.0, 2.3)),
        choose.one((None, 1.0, 3.0, 5.0, 4.7)),
        _later(choose, opened_at),
    )


def _payment(choose: Chooser, customer: str, as_of: date) -> tuple:
    due_at = _time(choose, as_of)
    return customer, due_at, _cents(choose), _later(choose, due_at, earliest_days=-20), _later(choose, due_at)


def _subscription(choose: Chooser, customer: str, as_of: date) -> tuple:
    started_at = _time(choose, as_of)
    ended_at = _later(choose, started_at, earliest_days=-2)
    return customer, started_at, ended_at, choose.one((None, "gold", "basic")), _some_cents(choose), _later(choose, started_at)


def _survey(choose: Chooser, customer: str, as_of: date) -> tuple:
    answered_at = _time(choose, as_of)
    answers = (choose.one((None, 1.0, 6.0, 7.0, 8.0, 9.0, 10.0, 5.5)) for _ in range(6))
    return customer, answered_at, *answers, _later(choose, answered_at)


def _contact(choose: Chooser, customer: str, as_of: date) -> tuple:
    contacted_at = _time(choose, as_of)
    return (
        customer,
        contacted_at,
        choose.one((None, "call", "e-mail")),
        choose.one((None, "treated", "treated", "control")),
        choose.one((None, 0.0, 1.0)),
        choose.one((None, 0.0, 1.0)),
        _later(choose, contacted_at),
    )


def _customer(choose: Chooser, customer: str, as_of: date) -> tuple:
    joined_at, known_at = (_time(choose, as_of) if choose.between(0, 2) else None for _ in range(2))
    born = None if not choose.between(0, 3) else as_of - timedelta(days=choose.between(-100, 30_000))
    return (
        customer,
        joined_at,
        choose.one((None, 0, 125, choose.between(1, 10**7))),
        known_at,
        choose.one((None, 0.0, 33.5, float(choose.between(18, 99)))),
        choose.one((None, 0.0, 1.0)),
        born,
        choose.one((None, "gold", "basic", "学生 (new)")),
    )


ROWS: Mapping[str, Callable[[Chooser, str, date], tuple]] = MappingProxyType(
    {
        "transactions": _transaction,
        "complaints": _complaint,
        "payments": _payment,
        "subscriptions": _subscription,
        "surveys": _survey,
        "contacts": _contact,
        "customers": _customer,
    }
)
"""A random row of each table."""


@st.composite
def stories(draw: st.DrawFn, as_of: date | None = None, late: bool | None = None) -> Story:
    """A company with up to a dozen rows a table. `late` says whether there is `known_at`; None: sometimes."""
    choose = ByHypothesis(draw)
    as_of = as_of or choose.one(DATES)
    tables = ["transactions", *(name for name in ROWS if name != "transactions" and choose.between(0, 2) == 0)]
    with_known_at = bool(choose.between(0, 1)) if late is None else late
    return Story({name: _some_rows(choose, name, as_of, with_known_at) for name in tables}, as_of)


def _some_rows(choose: Chooser, name: str, as_of: date, with_known_at: bool) -> pl.DataFrame:
    """A few rows of a table that may lack optional columns."""
    if name == "customers":
        who: Sequence[str] = CUSTOMERS[:2]
    else:
        who = [choose.one(CUSTOMERS) for _ in range(choose.between(0, 12 if name == "transactions" else 6))]
    frame = _table(name, [ROWS[name](choose, customer, as_of) for customer in who])
    optional = [column for column in frame.columns if column not in (*REQUIRED, "known_at")]
    lacking = [column for column in optional if choose.between(0, 3) == 0] if choose.between(0, 1) else []
    return frame.drop(lacking if with_known_at else [*lacking, "known_at"])


def _table(name: str, rows: Sequence[tuple]) -> pl.DataFrame:
    """The rows with all columns; amounts, given in minor units, in currency units."""
    frame = pl.DataFrame(rows, schema=SCHEMAS[name], orient="row")
    money = {key.split(".")[1]: n for key, n in DECIMALS.items() if key.startswith(f"{name}.")}
    return frame.with_columns(pl.col(column) / 10**n for column, n in money.items())


ROWS_EACH = {"transactions": 12, "complaints": 5, "payments": 4, "subscriptions": 4, "surveys": 3, "contacts": 5}
"""How many rows a customer has in a crowd, on average."""


def crowd(seed: int, customers: int = 60, *, late: bool = True) -> Story:
    """A random company of many customers, all columns and tables; for engines too slow for many small ones."""
    choose = BySeed(random.Random(seed))
    as_of = date(2024, 3, 1) + timedelta(days=choose.between(0, 364))
    ids = [str(number) for number in range(customers)]
    rows = {
        name: [ROWS[name](choose, choose.one(ids), as_of) for _ in range(each * customers)] for name, each in ROWS_EACH.items()
    }
    rows["customers"] = [_customer(choose, customer, as_of) for customer in ids]
    tables = {name: _table(name, table) for name, table in rows.items()}
    return Story(tables if late else {name: frame.drop("known_at") for name, frame in tables.items()}, as_of)
