"""Outcomes from a file: one row for each thing that happened, or one for each contact with what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from decisions.labels import Step
from features.reading.columns import read_flags, read_ids, read_numbers, read_texts
from features.reading.files import open_table, refuse_ragged_lines
from features.reading.refusals import Place, refuse, unreadable
from features.reading.times import read_dates
from features.tables import Column, Kind
from keepwell.errors import DataError
from serving.store.records import Outcome

TABLE = "outcomes"
DAYS = ("on", "happened_on", "contacted_at")
"""The names under which the day may stand."""
OF_A_PLAN = "runner_up"
"""A column that the file of a plan has: there, `reason` says why the action was chosen."""
COST = Column("cost", Kind.MONEY, "what it cost", low=0)


def read_outcomes(path: Path) -> tuple[list[Outcome], tuple[str, ...]]:
    """The outcomes in a CSV or Parquet file, and the columns that were not read.

    With a column `step`, a row is one thing that happened; rows without a step are left out, so that the file of a plan can be
    filled in. Without it a row is one contact: `accepted` and `converted` tell what came, and `reason` why it was declined.
    Raises DataError for a file that cannot be read, a column that is missing, and a value that is none of its kind.
    """
    frame = _collected(path)
    columns = _read_columns(frame)
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    made = _steps(rows) if "step" in columns else _contacts(rows)
    return list(made), tuple(name for name in frame.columns if name not in _read_names(frame))


def _collected(path: Path) -> pl.DataFrame:
    opened = open_table(TABLE, path)
    try:
        frame = opened.frame.collect()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        refuse_ragged_lines(TABLE, opened.texts)
        raise unreadable(TABLE, error) from error
    if "customer_id" not in frame.columns:
        raise DataError(TABLE, "customer_id", "is missing", hint=f"the file has the columns {', '.join(frame.columns)}")
    return frame


def _read_names(frame: pl.DataFrame) -> set[str]:
    """The columns of the file that are read."""
    names = {
        "customer_id",
        "action",
        "step",
        "key",
        "cost",
        "note",
        "accepted",
        "converted",
        _day_column(frame),
        _reason_column(frame),
    }
    return names - ({"accepted", "converted"} if "step" in frame.columns else set())


def _day_column(frame: pl.DataFrame) -> str:
    found = next((name for name in DAYS if name in frame.columns), None)
    if found is None:
        raise DataError(TABLE, "on", "is missing", hint="add a column `on` with the day on which it happened")
    return found


def _reason_column(frame: pl.DataFrame) -> str:
    return "decline_reason" if {"decline_reason", OF_A_PLAN} & {*frame.columns} else "reason"


def _read_columns(frame: pl.DataFrame) -> dict[str, list[Any]]:
    """The columns as plain values under the names of `Outcome`; an empty cell is None."""
    names, read = _read_names(frame), {}
    texts = {"customer_id": "customer_id", **{name: name for name in ("action", "step", "key", "note")}}
    for name, column in {**texts, "reason": _reason_column(frame)}.items():
        if column in frame.columns:
            place = Place(TABLE, column)
            values = read_ids(place, frame[column]) if name == "customer_id" else read_texts(place, frame[column])
            read[name] = values.cast(pl.String).str.strip_chars().replace("", None)
    for name in ("accepted", "converted"):
        if name in names and name in frame.columns:
            read[name] = read_flags(Place(TABLE, name), frame[name])
    if "cost" in frame.columns:
        read["cost"] = read_numbers(Place(TABLE, "cost"), frame["cost"], COST)
    place = Place(TABLE, _day_column(frame))
    read["happened_on"] = read_dates(place, frame[place.column])
    _require_filled(frame, read)
    return {name: values.to_list() for name, values in read.items()}


def _require_filled(frame: pl.DataFrame, read: dict[str, pl.Series]) -> None:
    """Raise DataError for rows that say something, but not of whom or when."""
    counts = read["step"].is_not_null() if "step" in read else pl.repeat(True, frame.height, dtype=pl.Boolean, eager=True)
    for name, hint in (("customer_id", "say who it was"), ("happened_on", "write the day on which it happened")):
        column = _day_column(frame) if name == "happened_on" else name
        refuse(Place(TABLE, column), frame["customer_id"], read[name].is_null() & counts, "must not be empty", hint)


def _steps(rows: list[dict[str, Any]]) -> Iterator[Outcome]:
    """One outcome for each row that has a step."""
    return (Outcome(**row) for row in rows if row["step"] is not None)


def _contacts(rows: list[dict[str, Any]]) -> Iterator[Outcome]:
    """The steps of each contact; the cost is of the contact itself."""
    for row in rows:
        accepted, reason = row.get("accepted"), row.get("reason")
        told = {name: row.get(name) for name in ("action", "note")}
        yield _one(row, Step.CONTACTED, **told, cost=row.get("cost"))
        if accepted:
            yield _one(row, Step.ACCEPTED, **told)
        elif reason is not None:
            yield _one(row, Step.DECLINED, **told, reason=reason)
        if row.get("converted"):
            yield _one(row, Step.CONVERTED, **told)


def _one(row: dict[str, Any], step: Step, **told: Any) -> Outcome:  # noqa: ANN401  # the fields of Outcome
    day: date = row["happened_on"]
    key = row.get("key")
    return Outcome(row["customer_id"], str(step), day, key=None if key is None else f"{key}/{step}", **told)
