"""Random small companies for Hypothesis, made of what goes wrong in real logs.

Rows that became known late, newer versions of rows, several events at the same midnight, events exactly at `as_of`, refunds,
amounts of 0, missing ids and values, columns and tables that are not there.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import polars as pl
from hypothesis import strategies as st

from features.company import Company
from features.normalise import Reading, normalise
from features.tables import TABLES

CUSTOMERS = ("00001", "7", "ä")
DECIMALS = {"transactions.amount": 2}
EVENT_TIMES = {"transactions": "ordered_at", "complaints": "opened_at"}
LATER_FIELDS = {"complaints": ("first_response_at", "closed_at")}
SCHEMAS: Mapping[str, Mapping[str, pl.DataType]] = {
    "transactions": {
        "customer_id": pl.String(),
        "ordered_at": pl.Datetime("us"),
        "amount": pl.Int64(),
        "order_id": pl.String(),
        "product_id": pl.String(),
        "quantity": pl.Float64(),
        "category": pl.String(),
        "known_at": pl.Datetime("us"),
    },
    "complaints": {
        "customer_id": pl.String(),
        "opened_at": pl.Datetime("us"),
        "first_response_at": pl.Datetime("us"),
        "closed_at": pl.Datetime("us"),
        "complaint_id": pl.String(),
        "kind": pl.String(),
        "severity": pl.Float64(),
        "satisfaction": pl.Float64(),
        "known_at": pl.Datetime("us"),
    },
    "customers": {"customer_id": pl.String(), "joined_at": pl.Datetime("us"), "known_at": pl.Datetime("us")},
}
OPTIONAL = {
    "transactions": ("order_id", "product_id", "quantity", "category", "known_at"),
    "complaints": ("first_response_at", "closed_at", "complaint_id", "kind", "severity", "satisfaction", "known_at"),
    "customers": ("joined_at", "known_at"),
}


@dataclass(frozen=True)
class Story:
    """A company as its user has it, and a date."""

    tables: Mapping[str, pl.DataFrame]
    as_of: date

    def company(self) -> Company:
        """The company, normalised."""
        reading = Reading(decimals={"amount": DECIMALS["transactions.amount"]})
        tables = {name: normalise(TABLES[name], frame, reading).frame for name, frame in self.tables.items()}
        return Company("test", "UTC", tables, DECIMALS, {}, ())

    def truncated(self) -> Story:
        """What the user had at `as_of`: rows known before it, and nothing filled in that happened at or after it."""
        tables = dict(self.tables)
        for name in EVENT_TIMES.keys() & tables.keys():
            frame = tables[name].filter(pl.max_horizontal(_times_known(name, tables[name])) < self._midnight)
            fields = [field for field in LATER_FIELDS.get(name, ()) if field in frame.columns]
            tables[name] = frame.with_columns(pl.when(pl.col(field) < self._midnight).then(pl.col(field)) for field in fields)
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

    @property
    def _midnight(self) -> datetime:
        return datetime.combine(self.as_of, datetime.min.time())


def _times_known(name: str, frame: pl.DataFrame) -> list[str]:
    return [column for column in (EVENT_TIMES[name], "known_at") if column in frame.columns]


AGE_EDGES = (-1, 0, 1, 2, 29, 30, 31, 59, 60, 61, 89, 90, 91, 180, 181, 360, 361, 365, 366, 394, 395, 396, 730, 731)
"""Days before `as_of`, at the edges of all windows; 0 and less are at or after it."""

CLOCK_EDGES = (timedelta(0), timedelta(hours=12), timedelta(hours=23, minutes=59, seconds=59, microseconds=999_999))
CENT_EDGES = (0, 1, 1_000, 2**20, 2**20 - 1)

AGES = st.sampled_from(AGE_EDGES) | st.integers(-40, 1_200)
CLOCKS = st.sampled_from(CLOCK_EDGES)
DELAYS = st.none() | st.timedeltas(timedelta(0), timedelta(days=60)) | st.just(timedelta(days=1))
CENTS = st.sampled_from(CENT_EDGES) | st.integers(-50_000, 50_000) | st.integers(2**34, 2**36)
DATES = st.sampled_from((date(2024, 3, 1), date(2023, 1, 1), date(2025, 7, 31), date(1971, 2, 3)))


@st.composite
def _transaction(draw: st.DrawFn, as_of: date) -> tuple:
    ordered_at = datetime.combine(as_of, datetime.min.time()) - timedelta(draw(AGES)) + draw(CLOCKS)
    delay = draw(DELAYS)
    return (
        draw(st.sampled_from(CUSTOMERS)),
        ordered_at,
        draw(CENTS),
        draw(st.none() | st.sampled_from(("o1", "o2", "o3"))),
        draw(st.none() | st.sampled_from(("p1", "p2"))),
        draw(st.none() | st.sampled_from((1.0, 2.5, -1.0, 0.001)) | st.integers(0, 2_000_000).map(float)),
        draw(st.none() | st.sampled_from(("books", "music"))),
        None if delay is None else ordered_at + delay,
    )


@st.composite
def _complaint(draw: st.DrawFn, as_of: date) -> tuple:
    opened_at = datetime.combine(as_of, datetime.min.time()) - timedelta(draw(AGES)) + draw(CLOCKS)
    response, closing, delay = draw(DELAYS), draw(DELAYS), draw(DELAYS)
    return (
        draw(st.sampled_from(CUSTOMERS)),
        opened_at,
        None if response is None else opened_at + response,
        None if closing is None else opened_at + closing,
        draw(st.none() | st.sampled_from(("c1", "c2"))),
        draw(st.sampled_from((None, "complaint", "complaint", "enquiry"))),
        draw(st.none() | st.integers(1, 5).map(float) | st.just(2.3)),
        draw(st.none() | st.integers(1, 5).map(float) | st.just(4.7)),
        None if delay is None else opened_at + delay,
    )


@st.composite
def _customers(draw: st.DrawFn, as_of: date) -> list[tuple]:
    midnight = datetime.combine(as_of, datetime.min.time())
    times = st.none() | AGES.map(lambda age: midnight - timedelta(age))
    return [(customer, draw(times), draw(times)) for customer in CUSTOMERS[:2]]


@st.composite
def stories(draw: st.DrawFn, as_of: date | None = None, late: bool | None = None) -> Story:
    """A company with up to a dozen rows a table. `late` says whether there is `known_at`; None: sometimes."""
    as_of = as_of or draw(DATES)
    rows: dict[str, Sequence[tuple]] = {"transactions": draw(st.lists(_transaction(as_of), max_size=12))}
    if draw(st.booleans()):
        rows["complaints"] = draw(st.lists(_complaint(as_of), max_size=8))
    if draw(st.booleans()):
        rows["customers"] = draw(_customers(as_of))
    with_known_at = draw(st.booleans()) if late is None else late
    return Story({name: _frame(draw, name, table, with_known_at) for name, table in rows.items()}, as_of)


def _frame(draw: st.DrawFn, name: str, rows: Sequence[tuple], with_known_at: bool) -> pl.DataFrame:
    """The rows as a table that lacks some optional columns."""
    dropped = set() if draw(st.booleans()) else draw(st.sets(st.sampled_from(OPTIONAL[name])))
    return _table(name, rows).drop((dropped - {"known_at"}) | (set() if with_known_at else {"known_at"}), strict=False)


def _table(name: str, rows: Sequence[tuple]) -> pl.DataFrame:
    """The rows with all columns; amounts, given in cents, in currency units."""
    frame = pl.DataFrame(rows, schema=SCHEMAS[name], orient="row")
    return frame.with_columns(pl.col("amount") / 100) if name == "transactions" else frame


def crowd(seed: int, customers: int = 60, *, late: bool = True) -> Story:
    """A random company of many customers, all columns and tables; for engines too slow for many small ones."""
    rng = random.Random(seed)
    as_of = date(2024, 3, 1) + timedelta(days=rng.randrange(365))
    rows = {
        "transactions": [_random_transaction(rng, customers, as_of) for _ in range(12 * customers)],
        "complaints": [_random_complaint(rng, customers, as_of) for _ in range(5 * customers)],
        "customers": [
            (str(customer), *(rng.choice((None, _random_time(rng, as_of))) for _ in ("joined_at", "known_at")))
            for customer in range(customers)
        ],
    }
    tables = {name: _table(name, table) for name, table in rows.items()}
    return Story(tables if late else {name: frame.drop("known_at", strict=False) for name, frame in tables.items()}, as_of)


def _random_time(rng: random.Random, as_of: date) -> datetime:
    age = rng.choice((rng.choice(AGE_EDGES), rng.randrange(-40, 1_200)))
    return datetime.combine(as_of, datetime.min.time()) - timedelta(age) + rng.choice(CLOCK_EDGES)


def _random_delay(rng: random.Random) -> timedelta | None:
    return rng.choice((None, timedelta(0), timedelta(days=1), timedelta(seconds=rng.randrange(5_184_000))))


def _later(time: datetime, delay: timedelta | None) -> datetime | None:
    return None if delay is None else time + delay


def _random_transaction(rng: random.Random, customers: int, as_of: date) -> tuple:
    ordered_at = _random_time(rng, as_of)
    return (
        str(rng.randrange(customers)),
        ordered_at,
        rng.choice((rng.choice(CENT_EDGES), rng.randrange(-50_000, 50_000), rng.randrange(50_000), rng.randrange(2**36))),
        rng.choice((None, f"o{rng.randrange(5)}")),
        rng.choice((None, "p1", "p2")),
        rng.choice((None, 1.0, 2.5, 0.001, float(rng.randrange(2_000_000)))),
        rng.choice((None, "books", "music", "tools")),
        _later(ordered_at, _random_delay(rng)),
    )


def _random_complaint(rng: random.Random, customers: int, as_of: date) -> tuple:
    opened_at = _random_time(rng, as_of)
    return (
        str(rng.randrange(customers)),
        opened_at,
        _later(opened_at, _random_delay(rng)),
        _later(opened_at, _random_delay(rng)),
        rng.choice((None, "c1", "c2")),
        rng.choice((None, "complaint", "complaint", "enquiry")),
        rng.choice((None, 1.0, 3.0, 5.0, 2.3)),
        rng.choice((None, 1.0, 3.0, 5.0, 4.7)),
        _later(opened_at, _random_delay(rng)),
    )
