"""What the tables themselves tell: how many rows came of late, how long nothing came, which words are new, what has vanished."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from features.asof import day_number
from features.company import FIXED_AHEAD, Company
from features.tables import EVENT_TABLES, TABLES, Kind
from training.monitor.volumes import WINDOW_DAYS, silence, silence_troubles, volume_troubles, window_counts

VANISHED_SHARE = 0.02
"""Rows known at training may be corrected; more than this share of them gone is a loss."""

NEW_WORD_SHARE, LEAST_NEW_ROWS = 0.05, 20
MOST_WORDS = 200
"""A text with more different values is no category but a name or an id."""

YEAR_DAYS = 365


@dataclass(frozen=True)
class TableState:
    """A table at a date. `rows` came in the newest 28 days, `rows_before` in the 28 before them; None: too short a history.

    `silent_days` is the time since the last event (yesterday's is 0), `longest_gap_days` the longest such time of the year
    before; None where there is no event, or only one. `rows_vanished` is how many rows known at training are gone (below 0: as
    many came later). `troubles` says in words what is wrong.
    """

    name: str
    rows: int | None
    rows_before: int | None
    silent_days: int | None
    longest_gap_days: int | None
    rows_vanished: int | None
    troubles: tuple[str, ...]


@dataclass(frozen=True)
class NewWords:
    """Values of a text column that training did not know, and the share of the newest rows that hold one."""

    column: str
    share: float
    rows: int
    values: tuple[str, ...]

    @property
    def is_trouble(self) -> bool:
        """Whether they are more than a few."""
        return self.share > NEW_WORD_SHARE and self.rows >= LEAST_NEW_ROWS


def table_states(company: Company, as_of: date, rows_then: Mapping[str, int], trained_as_of: date) -> list[TableState]:
    """The state of every event table that is there or was there at training."""
    as_of_day, trained_day = day_number(as_of), day_number(trained_as_of)
    gone = [
        TableState(name, None, None, None, None, rows, (f"the table is gone: {rows:,} rows at training",))
        for name, rows in rows_then.items()
        if name in EVENT_TABLES and name not in company.tables
    ]
    return gone + [_state(company, name, as_of_day, trained_day, rows_then.get(name)) for name in company.event_tables]


def rows_before(company: Company, as_of_day: int) -> dict[str, int]:
    """How many rows of each table are known before a day."""
    return {name: company.known_rows(name, as_of_day, "customer_id").height for name in company.tables}


def new_words(company: Company, as_of: date, known: Mapping[str, tuple[str, ...]]) -> list[NewWords]:
    """Values of the newest rows (WINDOW_DAYS) that training did not know, the largest share first; only columns that have any."""
    found = []
    for column, values in _texts(company, day_number(as_of), WINDOW_DAYS):
        if column in known:
            unknown = values.filter(~values.is_in(list(known[column])))
            words = unknown.value_counts(sort=True).get_column(unknown.name).head(5).to_list()
            found.append(NewWords(column, len(unknown) / max(1, len(values)), len(unknown), tuple(words)))
    return sorted((each for each in found if each.rows), key=lambda each: -each.share)


def categories_before(company: Company, as_of_day: int) -> dict[str, tuple[str, ...]]:
    """Column, as `transactions.channel`, -> its values in the year before a day; those with too many of them are left out."""
    words = {column: values.unique().sort().to_list() for column, values in _texts(company, as_of_day, YEAR_DAYS)}
    return {column: tuple(values) for column, values in words.items() if 0 < len(values) <= MOST_WORDS}


def _texts(company: Company, as_of_day: int, days: int) -> Iterator[tuple[str, pl.Series]]:
    """The known values of every column of words, of the rows known before a day and not older than `days`."""
    for name, table in company.tables.items():
        declared = [column.name for column in TABLES[name].columns if column.kind is Kind.TEXT]
        attributes = list(company.attributes) if name == "customers" else []
        for column in dict.fromkeys((*declared, *attributes)):
            if column in table.columns and table.schema[column] == pl.String and column not in PERSONAL:
                yield f"{name}.{column}", _recent(company, name, as_of_day, days, column)[column].drop_nulls()


PERSONAL = ("name", "owner")


def _recent(company: Company, name: str, as_of_day: int, days: int, *columns: str) -> pl.DataFrame:
    event = TABLES[name].event_time
    if event is None:
        return company.known_rows(name, as_of_day, *columns)
    day = event.removesuffix("_at") + "_day"
    rows = company.known_rows(name, as_of_day, *dict.fromkeys((*columns, day)))
    return rows.filter(pl.col(day).is_between(as_of_day - days, as_of_day, closed="left"))


def _state(company: Company, name: str, as_of_day: int, trained_day: int, rows_then: int | None) -> TableState:
    day = str(TABLES[name].event_time).removesuffix("_at") + "_day"
    days = company.known_rows(name, as_of_day, day)[day].to_numpy().astype(np.int64)
    days = days[days < as_of_day]  # an invoice is known before it falls due
    windows, (silent, longest) = window_counts(days, as_of_day), silence(days, as_of_day)
    still_there = company.known_rows(name, trained_day, "customer_id").height
    vanished = None if rows_then is None else rows_then - still_there
    troubles = [
        *volume_troubles(windows, since_training=-(-(as_of_day - trained_day) // WINDOW_DAYS)),
        *(silence_troubles(silent, longest) if name not in FIXED_AHEAD else ()),
        *_vanishing_troubles(vanished, rows_then),
    ]
    newest, before = (int(windows[place]) if len(windows) > 1 else None for place in (0, 1))
    return TableState(name, newest, before, silent, longest, vanished, tuple(troubles))


def _vanishing_troubles(vanished: int | None, rows_then: int | None) -> Iterator[str]:
    if vanished is not None and rows_then is not None and vanished > VANISHED_SHARE * rows_then:
        yield f"{vanished:,} of the {rows_then:,} rows known at training are gone"
