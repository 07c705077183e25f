"""Tables as the user has them into tables as features take them: checked, in days, minor units and plain types."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import polars as pl

from features.asof import ALWAYS_DAY, NEVER_DAY
from features.company import Note, NoteKind
from features.reading.columns import read_flags, read_ids, read_money, read_summed_numbers, read_texts
from features.reading.refusals import Place, refuse
from features.reading.times import read_dates, read_times
from features.reading.versions import with_known_days, with_outcome_day
from features.tables import ATTRIBUTION_DAYS, Column, Kind, Table
from keepwell.errors import DataError

THOUSANDS = r"^\s*[+-]?[1-9]\d{0,2}\.\d{3}\s*$"
GROUPED_RULE = 'every point has three digits behind it; if it separates thousands, say numbers: "1.234,56" in company.yaml'


class Normalised(NamedTuple):
    """A normalised table, the decimals of its money columns, and what was noticed."""

    frame: pl.DataFrame
    decimals: dict[str, int]
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class Reading:
    """How the values of a table are to be read.

    `time_format` is one for all columns, or one for each that needs one; naive times are local to `written_in`, else to `zone`.
    `decimals` fixes the minor units of money columns (as a model's, at the endpoint); where it is silent the data decide.
    `attribution_days` after a contact its outcome is known, where nobody said when.
    """

    zone: str = "UTC"
    time_format: str | Mapping[str, str] | None = None
    written_in: str | None = None
    decimals: Mapping[str, int] = field(default_factory=dict)
    attribution_days: int = ATTRIBUTION_DAYS

    def time_format_of(self, column: str) -> str | None:
        """The format of the times in `column`; None: find it."""
        return self.time_format.get(column) if isinstance(self.time_format, Mapping) else self.time_format


def normalise(table: Table, raw: pl.DataFrame, reading: Reading) -> Normalised:
    """Check and convert `raw`, whose columns have our names; columns that are none of ours are left as they are, at the end.

    Raises DataError for the first rule that is broken. `raw` is not changed.
    """
    return normalise_columns(table, raw.to_dict(), reading)


def normalise_columns(table: Table, raw: dict[str, pl.Series], reading: Reading) -> Normalised:
    """The same of columns that nobody else holds: each is taken out of `raw` when its turn comes, so no table is there twice."""
    identical = _identical_notes(table, raw) if table.event_time else []
    given = [column for column in table.columns if column.name in raw]
    # In one piece each: a table whose columns are cut in different places would be copied as a whole later.
    parts = {column.name: _converted(table, column, raw.pop(column.name).rechunk(), reading) for column in given}
    _refuse_missing(table, parts)
    made = [series for part in parts.values() for series in part.columns]
    extra = list(raw.values())
    _refuse_clash(table, {series.name for series in extra})
    frame = pl.DataFrame([*made, *extra])
    _refuse_repeated(table, frame)
    notes = [note for part in parts.values() for note in part.notes]
    if table.event_time:
        frame, outcome_notes = with_outcome_day(table, frame, reading.attribution_days)
        frame, late_notes = with_known_days(table, frame)
        notes += [*identical, *outcome_notes, *late_notes]
    elif "known_day" in frame.columns:
        frame = frame.with_columns(pl.col("known_day").replace(NEVER_DAY, ALWAYS_DAY))
    decimals = {name: part.decimals for name, part in parts.items() if part.decimals is not None}
    return Normalised(frame, decimals, tuple(notes))


class _Part(NamedTuple):
    """What one column of the user becomes."""

    columns: list[pl.Series]
    decimals: int | None = None
    notes: tuple[Note, ...] = ()


def _converted(table: Table, column: Column, raw: pl.Series, reading: Reading) -> _Part:
    place = Place(table.name, column.name)
    match column.kind:
        case Kind.TIME:
            return _times(place, raw, reading)
        case Kind.MONEY:
            return _money(place, raw, column, reading)
        case Kind.ID:
            values = read_ids(place, raw)
        case Kind.TEXT:
            values = read_texts(place, raw, column.choices)
        case Kind.DATE:
            values = read_dates(place, raw, reading.time_format_of(column.name))
        case Kind.NUMBER:
            values = read_summed_numbers(place, raw, column)
        case Kind.FLAG:
            values = read_flags(place, raw)
    return _Part([values.rename(column.name)])


def _times(place: Place, raw: pl.Series, reading: Reading) -> _Part:
    times = read_times(place, raw, reading.zone, reading.time_format_of(place.column), reading.written_in)
    stem = place.column.removesuffix("_at")
    guessed = Note(NoteKind.GUESSED, *place, f"times are read as {times.guessed_format}")
    columns = [times.day.rename(f"{stem}_day"), times.us.rename(f"{stem}_us")]
    return _Part(columns, notes=(guessed,) if times.guessed_format else ())


def _money(place: Place, raw: pl.Series, column: Column, reading: Reading) -> _Part:
    money = read_money(place, raw, column, reading.decimals.get(column.name))
    notes = [Note(NoteKind.REPORTED, *place, f"rounded to {money.decimals} decimals", money.rounded)] if money.rounded else []
    notes += [Note(NoteKind.WARNING, *place, GROUPED_RULE)] if _maybe_grouped(raw) else []
    return _Part([money.minor.rename(column.name)], money.decimals, tuple(notes))


def _maybe_grouped(raw: pl.Series) -> bool:
    """Whether points may separate thousands: all that follow them are three digits, which hardly any prices have."""
    if raw.dtype != pl.String:
        return False
    pointed = raw.filter(raw.str.contains(".", literal=True))
    return len(pointed) > 0 and bool(pointed.str.contains(THOUSANDS).all())


def _refuse_missing(table: Table, parts: Mapping[str, _Part]) -> None:
    for name in table.required:
        if name not in parts:
            raise DataError(table.name, name, "is required, and missing", hint="add it, or map it in company.yaml")
        first = parts[name].columns[0]
        missing = first == NEVER_DAY if table.column(name).kind is Kind.TIME else first.is_null()
        if missing.any():
            hint = f"fill these rows in, or leave them out: skip_rows_without: [{name}] in company.yaml"
            first_row = f"row {missing.arg_true()[0] + 1}"  # the missing value itself would say nothing
            raise DataError(table.name, name, "must not be empty", hint=hint, rows=int(missing.sum()), example=first_row)


def names_of_times(table: Table) -> set[str]:
    """The columns that are made of all the times that a table may have."""
    times = [column.name.removesuffix("_at") for column in table.columns if column.kind is Kind.TIME]
    return {f"{stem}_{part}" for stem in times for part in ("day", "us")}


def _refuse_clash(table: Table, names: Collection[str]) -> None:
    for name in sorted(names_of_times(table) & set(names)):
        raise DataError(
            table.name, name, "has the name of a column that Keepwell makes itself", hint="rename or remove your column"
        )


def _refuse_repeated(table: Table, frame: pl.DataFrame) -> None:
    key = [name if name in frame.columns else f"{name}_day" for name in table.unique]
    if key:
        repeated = frame.select(key).is_duplicated()
        rule = f"must have one row for each {' and '.join(table.unique)}"
        refuse(Place(table.name, table.unique[0]), frame["customer_id"], repeated, rule, "keep the newest row of each")


def _identical_notes(table: Table, raw: Mapping[str, pl.Series]) -> list[Note]:
    rows = pl.DataFrame(list(raw.values()))
    same = rows.height - rows.hash_rows().n_unique()  # 64-bit hashes: three times as fast, and only a report
    message = "identical to another row in every column that is read; each of them counts"
    return [Note(NoteKind.REPORTED, table.name, None, message, same)] if same else []
