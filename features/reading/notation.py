"""What company.yaml says of a table's values: words of the user's, numbers as they write them, refunds, rows to skip."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import polars as pl

from features.company import Note, NoteKind
from features.reading.config import TableConfig
from features.reading.config_values import spellings
from features.reading.numerals import MISSING_WORDS, TEXTUAL, NumberFormat, number_format, plain_numbers, read_floats
from features.reading.refusals import DAYS_THAT_PRINT, Place, refuse, units_a_day
from features.tables import Kind, Table
from keepwell.errors import DataError

IS_REFUND = "keepwell: is a refund"
"""A column that `prepared` adds and `translated` uses up; no export has such a name."""

AS_SAID = "as company.yaml says"
MIDNIGHT = r"[ T]00:00:00(\.0+)?$"


def prepared(table: str, source: pl.LazyFrame, settings: TableConfig) -> pl.LazyFrame:
    """`source` with the constants of company.yaml, and with a flag for refunds where it says how to know them."""
    present = source.collect_schema()
    for name in settings.negative_where:
        if name not in present:
            hint = "correct negative_where: in company.yaml"
            raise DataError(table, name, "is not there, but company.yaml names it under negative_where", hint=hint)
    flags = [_as_words(pl.col(name), present[name]).is_in(words) for name, words in settings.negative_where.items()]
    refund = [pl.any_horizontal(flags).fill_null(value=False).alias(IS_REFUND)] if flags else []
    return source.with_columns(*refund, **{name: pl.lit(value) for name, value in settings.constants.items()})


def translated(table: Table, raw: pl.DataFrame, settings: TableConfig) -> tuple[pl.DataFrame, list[Note]]:
    """(`raw` as Keepwell reads it, notes): its columns have our names; those of other names are attributes.

    Raises DataError for a column that company.yaml speaks of and that is not there, and for numbers in another notation.
    """
    for name in (*settings.values, *settings.divide_by, *settings.skip_rows_without):
        if name not in raw.columns:
            there = [column for column in raw.columns if column in table.names]
            hint = f"there are {', '.join(there)}; correct company.yaml"
            raise DataError(table.name, name, "is not there, but company.yaml says how to read it", hint=hint)
    notes = [
        Note(NoteKind.MAPPED, table.name, name, f"is {value!r} in every row, {AS_SAID}")
        for name, value in settings.constants.items()
    ]
    columns = {name: raw[name] for name in raw.columns}
    for name, words in settings.values.items():
        columns[name], told = _with_our_words(Place(table.name, name), columns[name], words)
        notes += told
    if settings.numbers:
        columns |= _with_plain_numbers(table, columns, settings.numbers)
        notes.append(Note(NoteKind.MAPPED, table.name, None, f"numbers are written as {settings.numbers}, {AS_SAID}"))
    for name, divisor in settings.divide_by.items():
        columns[name] = read_floats(Place(table.name, name), columns[name]) / divisor
        notes.append(Note(NoteKind.MAPPED, table.name, name, f"is divided by {divisor:g}, {AS_SAID}"))
    frame, told = _with_refunds(table.name, pl.DataFrame(columns))
    return _without_gaps(table, frame, settings.skip_rows_without, [*notes, *told])


def _with_our_words(place: Place, raw: pl.Series, words: Mapping[str, str | None]) -> tuple[pl.Series, list[Note]]:
    """`raw` with the user's words replaced by ours (None: missing), in any case of letters; other values stay."""
    _refuse_wordless(place, raw.dtype, words)
    given = raw.to_frame("x").select(_as_words(pl.col("x"), raw.dtype).fill_null("")).to_series()
    found = given.is_in(list(words))
    unused = sorted(set(words) - set(given.unique()) - set(spellings(True)) - set(spellings(False)))
    notes = [Note(NoteKind.MAPPED, *place, f"values are translated, {AS_SAID}", int(found.sum()))]
    notes += [Note(NoteKind.REPORTED, *place, f"company.yaml translates {word!r}, which does not occur") for word in unused]
    if all(ours is None for ours in words.values()):
        return raw.zip_with(~found, pl.repeat(None, len(raw), dtype=raw.dtype, eager=True)), notes
    ours = given.replace_strict(list(words), list(words.values()), default=None, return_dtype=pl.String)
    return ours.zip_with(found, raw.cast(pl.String)), notes


def _refuse_wordless(place: Place, dtype: pl.DataType, words: Mapping[str, str | None]) -> None:
    """Raise DataError for values that have no words, and for times that would become something else than missing."""
    hint = "correct values: in company.yaml, or write the column as text"
    times = dtype in (pl.Date, pl.Datetime)
    if not (dtype in (*TEXTUAL, pl.Boolean) or dtype.is_numeric() or times):
        raise DataError(*place, f"holds {dtype}, whose values company.yaml cannot name", hint=hint)
    if times and any(words.values()):
        raise DataError(*place, "holds times, of which company.yaml can only say that they are missing (null)", hint=hint)


def _as_words(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Values as company.yaml names them: lower-case texts without spaces around, 7 for 7.0, a day for its midnight."""
    if dtype.is_float() or dtype.is_decimal():
        whole = value.cast(pl.Float64) == value.cast(pl.Float64).round()
        return pl.when(whole).then(value.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(value.cast(pl.String))
    if dtype.is_temporal():
        steps = DAYS_THAT_PRINT * units_a_day(dtype)
        printable = pl.when(value.to_physical().is_between(-steps, steps)).then(value)
        return printable.cast(pl.String).str.replace(MIDNIGHT, "")
    return value.cast(pl.String).str.strip_chars().str.to_lowercase()


def _with_plain_numbers(table: Table, columns: Mapping[str, pl.Series], example: str) -> dict[str, pl.Series]:
    """The columns of text that hold numbers, rewritten; attributes only where all their values are numbers."""
    written, rewritten = number_format(example), {}
    for name, raw in columns.items():
        attribute = name not in table.names
        numeric = attribute or table.column(name).kind in (Kind.MONEY, Kind.NUMBER)
        if numeric and raw.dtype in TEXTUAL:
            plain, unread = _plain(raw, written)
            if not attribute:
                hint = "correct these values, or numbers: in company.yaml"
                refuse(Place(table.name, name), raw, unread, f"must be a number written as {example}", hint)
            if not unread.any():
                rewritten[name] = plain
    return rewritten


def _plain(raw: pl.Series, written: NumberFormat) -> tuple[pl.Series, pl.Series]:
    """(plain numbers as text, which values are neither numbers nor missing)."""
    texts = raw.cast(pl.String).str.strip_chars()
    plain = plain_numbers(texts, written)
    return plain, plain.is_null() & texts.is_not_null() & ~texts.str.to_lowercase().is_in(MISSING_WORDS)


def _with_refunds(table: str, frame: pl.DataFrame) -> tuple[pl.DataFrame, list[Note]]:
    """`amount` negative in the rows that are flagged as refunds; the flag is used up."""
    if IS_REFUND not in frame.columns:
        return frame, []
    is_refund = frame[IS_REFUND]
    amounts = read_floats(Place(table, "amount"), frame["amount"])
    signed = (-amounts.abs()).zip_with(is_refund, amounts)
    note = Note(NoteKind.MAPPED, table, "amount", f"is negative for refunds, {AS_SAID}", int(is_refund.sum()))
    return frame.drop(IS_REFUND).with_columns(amount=signed), [note]


def _without_gaps(
    table: Table, frame: pl.DataFrame, names: Collection[str], notes: list[Note]
) -> tuple[pl.DataFrame, list[Note]]:
    """`frame` without the rows in which one of `names` is missing, and `notes` with their numbers."""
    for name in names:
        column = frame[name]
        empty = column.is_null() | (
            column.cast(pl.String).str.strip_chars() == "" if column.dtype in TEXTUAL else pl.Series([False])
        )
        if empty.any():
            frame = frame.filter(~empty)
            notes.append(Note(NoteKind.MAPPED, table.name, name, f"rows without it are left out, {AS_SAID}", int(empty.sum())))
    return frame, notes
