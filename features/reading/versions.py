"""When each row and its outcome became known, and when a newer version of the row took its place."""

from __future__ import annotations

import polars as pl

from features.asof import NEVER_DAY, NEVER_US
from features.company import FIXED_AHEAD, Note, NoteKind
from features.tables import Kind, Table


def with_known_days(table: Table, frame: pl.DataFrame) -> tuple[pl.DataFrame, list[Note]]:
    """Add `known_day` and `superseded_day` to a normalised event table; `known_us`, if there, is used up.

    `known_day` is the later of the event's day and the day of known_at; without known_at a row is known when it happens.
    `superseded_day` is the first day on which a newer version of the row's key was known, else NEVER_DAY. Newer is by known_at,
    where given: a row with one is newer than a row without that happened on its day, for it may be written as a day, at midnight.
    An order line replaces older ones only where its known_at is given, and those of one key and one known_at are one
    version together, as an order may list a product twice; of other rows only one counts, chosen by content, so that the order of
    rows never matters. Keys are those of one customer; rows without a key are no versions.
    """
    stem = str(table.event_time).removesuffix("_at")
    early = _early_notes(table, frame, f"{stem}_day")
    dated = _with_known_day(frame, f"{stem}_day", f"{stem}_us")
    key = ["customer_id", *table.version_key]
    versioned = table.version_key and set(key) <= set(frame.columns)
    if versioned and ("known_us" in frame.columns or not table.versions_by_known_at):
        dated = dated.with_columns(_superseded_day(table, dated, key))
    else:
        dated = dated.with_columns(superseded_day=pl.lit(NEVER_DAY, dtype=pl.Int32))
    return dated.drop("known_us", "told_day"), [*early, *_notes(table, dated, f"{stem}_day")]


def with_outcome_day(table: Table, frame: pl.DataFrame, attribution_days: int) -> tuple[pl.DataFrame, list[Note]]:
    """Add `outcome_day` to a normalised table that has outcomes: the day on which those of a row became known.

    That is the day of `known_at`, but not before the event; where it is not given, `attribution_days` after the event. A row
    without any outcome has NEVER_DAY. Call it before `with_known_days`, which uses up what it looks at.
    """
    outcomes = [name for name in table.outcomes if name in frame.columns]
    if not outcomes:
        return frame, []
    event_day = pl.col(f"{str(table.event_time).removesuffix('_at')}_day")
    told_day = _told_day(frame, event_day)
    day = pl.when(told_day < NEVER_DAY).then(told_day).otherwise(event_day + attribution_days)
    has_outcome = pl.any_horizontal(pl.col(outcomes).is_not_null())
    dated = frame.with_columns(outcome_day=pl.when(has_outcome).then(day).otherwise(NEVER_DAY).cast(pl.Int32))
    rows = frame.select(untold=has_outcome & (told_day == NEVER_DAY), at_once=has_outcome & (told_day == event_day)).sum()
    whens = (f"{attribution_days} days after the event, as no known_at says when", "from the day of the event, as known_at says")
    told = [(f"{' and '.join(outcomes)} count {when}", n) for when, n in zip(whens, rows.row(0), strict=True) if n]
    return dated, [Note(NoteKind.REPORTED, table.name, None, message, n) for message, n in told]


def _told_day(frame: pl.DataFrame, event_day: pl.Expr) -> pl.Expr:
    """The day of `known_at`, but not before the event; NEVER_DAY where it is not given."""
    if "known_us" not in frame.columns:
        return pl.lit(NEVER_DAY, dtype=pl.Int32)
    told = pl.col("known_us") != NEVER_US
    return pl.when(told).then(pl.max_horizontal(event_day, "known_day")).otherwise(NEVER_DAY)


def _with_known_day(frame: pl.DataFrame, event_day: str, event_us: str) -> pl.DataFrame:
    """Adds `known_day`, its instant `known_us`, and `told_day`: the day of known_at as it was given, null where it was not."""
    if "known_us" not in frame.columns:
        nobody = pl.lit(None, pl.Int32)
        return frame.with_columns(known_day=pl.col(event_day), known_us=pl.col(event_us), told_day=nobody)
    told = pl.col("known_us") != NEVER_US
    return frame.with_columns(
        told_day=pl.when(told).then("known_day"),
        known_day=pl.when(told).then(pl.max_horizontal("known_day", event_day)).otherwise(event_day),
        known_us=pl.when(told).then("known_us").otherwise(event_us),
    )


def _newest_last(table: Table, frame: pl.DataFrame, event_day: str) -> pl.Expr:
    """What grows from older to newer version of a key: the instant, then what has come about since, then any fixed order."""
    told = pl.col("told_day")
    instant = [told.fill_null(pl.col(event_day)).alias("day"), told.is_not_null().alias("is_told"), pl.col("known_us")]
    if table.versions_by_known_at:
        return pl.struct(instant).rank("dense")
    instants = [f"{column.name.removesuffix('_at')}_us" for column in table.columns if column.kind is Kind.TIME]
    come_about = [pl.col(name).replace(NEVER_US, -NEVER_US) for name in instants if name in frame.columns and name != "known_us"]
    rest = [name for name in sorted(frame.columns) if name not in (*instants, "known_us", "told_day")]
    return pl.struct(*instant, pl.max_horizontal(come_about).alias("latest"), *rest).rank("ordinal")


def _superseded_day(table: Table, frame: pl.DataFrame, key: list[str]) -> pl.Series:
    """For each row the first day on which a newer version of its key was known, of the rows that correct others.

    Only keys that repeat are looked at.
    """
    event_day = f"{str(table.event_time).removesuffix('_at')}_day"
    never = pl.repeat(NEVER_DAY, frame.height, dtype=pl.Int32, eager=True)
    repeated = frame.select(key).is_duplicated() & frame.select(pl.all_horizontal(pl.col(key).is_not_null())).to_series()
    corrects = pl.col("told_day").is_not_null() if table.versions_by_known_at else pl.lit(value=True)
    rows = frame.filter(repeated).select(
        *key,
        replacing_day=pl.when(corrects).then("known_day").otherwise(NEVER_DAY),
        version=_newest_last(table, frame, event_day),
    )
    replaced = (
        rows.group_by(*key, "version")
        .agg(pl.col("replacing_day").min())
        .sort("version", descending=True)
        .with_columns(superseded_day=pl.col("replacing_day").cum_min().shift(1).over(key))
    )
    days = rows.join(replaced, on=[*key, "version"], how="left", maintain_order="left")["superseded_day"]
    return never.scatter(repeated.arg_true(), days.fill_null(NEVER_DAY)).rename("superseded_day")


def _early_notes(table: Table, frame: pl.DataFrame, event_day: str) -> list[Note]:
    """Rows that claim to have been known before they happened; of dates that are agreed in advance, that is as it should be."""
    if "known_us" not in frame.columns or table.name in FIXED_AHEAD:
        return []
    early = int((frame["known_day"] < frame[event_day]).sum())
    message = f"lies before {table.event_time}; the row counts from the later of the two"
    return [Note(NoteKind.WARNING, table.name, "known_at", message, early)] if early else []


def _notes(table: Table, frame: pl.DataFrame, event_day: str) -> list[Note]:
    late = int((frame["known_day"] > frame[event_day]).sum())
    replaced = int((frame["superseded_day"] != NEVER_DAY).sum())
    told = [
        (late, "known on a later day than it happened"),
        (replaced, "an older version, replaced by a newer one"),
    ]
    return [Note(NoteKind.REPORTED, table.name, None, message, rows) for rows, message in told if rows]
