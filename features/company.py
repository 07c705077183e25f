"""A company: its normalised tables, its zone, its key, and what was noticed while reading."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

import polars as pl

from features.asof import NEVER_DAY, day_date, day_number, known_before
from features.campaign import DEFAULT_CAMPAIGN, Campaign
from features.sampling import Sample
from features.tables import ATTRIBUTION_DAYS, EVENT_TABLES, TABLES
from keepwell.errors import HistoryError


class NoteKind(StrEnum):
    """What a note tells."""

    MAPPED = "mapped"  # company.yaml said so
    GUESSED = "guessed"  # nobody said so: look at it
    IGNORED = "ignored"  # present, not used
    REPORTED = "reported"  # worth knowing, nothing wrong
    WARNING = "warning"  # probably wrong


@dataclass(frozen=True)
class Note:
    """One thing noticed while reading; `rows` is how many rows it concerns (None: not a matter of rows).

    >>> print(Note(NoteKind.GUESSED, "transactions", "amount", "read from 'Revenue'"))
    guessed  transactions.amount: read from 'Revenue'
    >>> print(Note(NoteKind.REPORTED, "transactions", "amount", "rounded to 6 decimals", 1))
    reported transactions.amount: rounded to 6 decimals (1 row)
    """

    kind: NoteKind
    table: str
    column: str | None
    message: str
    rows: int | None = None

    def __str__(self) -> str:
        place = self.table if self.column is None else f"{self.table}.{self.column}"
        count = "" if self.rows is None else f" ({self.rows:,} row{'' if self.rows == 1 else 's'})"
        return f"{self.kind:<8} {place}: {self.message}{count}"


FIXED_AHEAD = ("payments",)
"""Event tables whose dates are agreed in advance: an invoice that falls due says nothing of how far the data reach."""


@dataclass(frozen=True)
class Company:
    """What was read of one company, normalised as docs/architecture.md says. Tables are never changed after reading."""

    key: str
    zone: str
    tables: Mapping[str, pl.DataFrame]
    scales: Mapping[str, int]
    attributes: Mapping[str, str]
    notes: tuple[Note, ...]
    currency: str | None = None
    attribution_days: int = ATTRIBUTION_DAYS
    campaign: Campaign = DEFAULT_CAMPAIGN
    """By which figures of profit count."""
    builders: tuple[str, ...] = ()
    """The modules of features of one's own that its company.yaml names."""
    sampled: Sample | None = None
    """What sample of its customers this is; None: it is everybody."""

    @property
    def event_tables(self) -> dict[str, pl.DataFrame]:
        """The tables of events that exist, by name."""
        return {name: self.tables[name] for name in EVENT_TABLES if name in self.tables}

    def known_rows(self, table: str, as_of_day: int, *columns: str) -> pl.DataFrame:
        """The rows of a table that count at `as_of_day`: all, where nobody says when they were known. The table must be there.

        With `columns`, only these: in a large table the others need not be copied.
        """
        frame = self.tables[table]
        rows = frame.lazy()
        if "known_day" in frame.columns:
            superseded = pl.col("superseded_day") if "superseded_day" in frame.columns else NEVER_DAY
            rows = rows.filter(known_before(as_of_day, pl.col("known_day"), superseded))
        return rows.select(columns or pl.all()).collect()

    def data_until(self, as_of: date) -> date:
        """The day of the last event known before `as_of`, those of FIXED_AHEAD left out; HistoryError when there is none."""
        tables = [name for name in self.event_tables if name not in FIXED_AHEAD]
        days = [self._last_day(name, day_number(as_of)) for name in tables]
        known = [day for day in days if day is not None]
        if not known:
            raise HistoryError(f"nothing is known before {as_of}", hint="choose a later --as-of, or bring older events")
        return day_date(max(known))

    def _last_day(self, table: str, as_of_day: int) -> int | None:
        day = str(TABLES[table].event_time).removesuffix("_at") + "_day"
        last = self.known_rows(table, as_of_day, day)[day].max()
        return None if last is None else int(last)  # type: ignore[arg-type]  # an int32 column's maximum is an integer

    def events_after(self, as_of: date) -> dict[str, int]:
        """How many events of each table are not known before `as_of` and so do not count."""
        day = day_number(as_of)
        return {name: int((frame["known_day"] >= day).sum()) for name, frame in self.event_tables.items()}

    def fingerprint(self) -> str:
        """SHA-256 of the normalised content: the same for the same rows in any order, different when any value differs."""
        digest = hashlib.sha256(self.zone.encode())
        for name in sorted(self.tables):
            frame = self.tables[name]
            digest.update(f"\n{name} {frame.height}".encode())
            for series in frame.select(sorted(frame.columns)).sort(sorted(frame.columns), nulls_last=True):
                scale = self.scales.get(f"{name}.{series.name}")
                digest.update(f"\n{series.name} {series.dtype} {scale}\n".encode())
                _digest_values(digest, series)
        return digest.hexdigest()


def company_key(folder: Path) -> str:
    """A key made from a resolved path: readable, and different for different folders.

    >>> company_key(Path("/data/My Shop"))
    'data-my-shop-bf648d60'
    """
    readable = re.sub(r"[^a-z0-9]+", "-", "-".join(folder.parts[-2:]).lower()).strip("-")[:40] or "company"
    return f"{readable}-{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"


def _digest_values(digest: hashlib._Hash, series: pl.Series) -> None:
    """Feed the values: nulls as a mask, texts as lengths and bytes, the rest as little-endian numbers."""
    digest.update(series.is_null().to_numpy().tobytes())
    if series.dtype == pl.String:
        text = series.fill_null("")
        digest.update(text.str.len_bytes().to_numpy().tobytes())
        digest.update(str(text.str.join("")[0]).encode())
    else:
        digest.update(series.to_physical().fill_null(0).to_numpy().tobytes())
