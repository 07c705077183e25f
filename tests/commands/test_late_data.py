"""Yesterday's tables and what has come since give the rows that all of it gives from scratch."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.commands.conftest import Keepwell, Shop

AS_OF = date(2026, 1, 1)
YESTERDAY = datetime(2025, 12, 31)
EVENTS = {"transactions": "ordered_at", "complaints": "opened_at", "payments": "due_at", "contacts": "contacted_at"}


def tables_of(folder: Path) -> dict[str, pl.DataFrame]:
    """The shop's events; every tenth became known a week late, and every ninth complaint was corrected two days later."""
    tables = {name: pl.read_parquet(folder / f"{name}.parquet") for name in EVENTS if (folder / f"{name}.parquet").is_file()}
    told = {name: _told_late(frame, EVENTS[name]) for name, frame in tables.items()}
    complaints = told["complaints"]
    corrected = complaints.gather_every(9).with_columns(
        pl.col("known_at") + timedelta(days=2), severity=pl.lit(5).cast(complaints.schema["severity"])
    )
    return {**told, "complaints": pl.concat([complaints, corrected])}


def _told_late(frame: pl.DataFrame, event_time: str) -> pl.DataFrame:
    late = pl.int_range(pl.len()) % 10 == 0
    return frame.with_columns(pl.when(late).then(pl.col(event_time) + timedelta(days=7)).otherwise(event_time).alias("known_at"))


def company(shop: Path, folder: Path, tables: Mapping[str, Mapping[str, pl.DataFrame]]) -> Path:
    """A company folder whose tables are folders of these files."""
    folder.mkdir()
    for name in ("company.yaml", "customers.parquet"):
        shutil.copy(shop / name, folder / name)
    for name, files in tables.items():
        (folder / name).mkdir()
        for file, frame in files.items():
            frame.write_parquet(folder / name / f"{file}.parquet")
    return folder


def by_arrival(tables: Mapping[str, pl.DataFrame], *, order: tuple[str, ...]) -> dict[str, dict[str, pl.DataFrame]]:
    """Each table as files by what was known when, written in the given order of names."""
    known = {
        "yesterday": pl.col("known_at") < YESTERDAY,
        "since": (pl.col("known_at") >= YESTERDAY) & (pl.col("known_at") < datetime.combine(AS_OF, datetime.min.time())),
        "later": pl.col("known_at") >= datetime.combine(AS_OF, datetime.min.time()),
    }
    return {
        name: {f"{place}-{part}": frame.filter(known[part]) for place, part in enumerate(order)} for name, frame in tables.items()
    }


@pytest.mark.parametrize("order", [("yesterday", "since"), ("since", "yesterday"), ("yesterday", "since", "later")])
def test_yesterdays_tables_with_new_events_give_the_rows_of_all_from_scratch(
    keepwell: Keepwell, shop: Shop, tmp_path: Path, order: tuple[str, ...]
) -> None:
    tables = tables_of(shop.data)
    whole = company(shop.data, tmp_path / "whole", {name: {"all": frame} for name, frame in tables.items()})
    grown = company(shop.data, tmp_path / "grown", by_arrival(tables, order=order))
    for folder in (whole, grown):
        made = keepwell("features", folder, "--as-of", AS_OF, "--out", f"{folder}.parquet")
        assert made.exit_code == 0, made.output
    assert Path(f"{grown}.parquet").read_bytes() == Path(f"{whole}.parquet").read_bytes()


def test_what_came_since_does_matter(keepwell: Keepwell, shop: Shop, tmp_path: Path) -> None:
    tables = by_arrival(tables_of(shop.data), order=("yesterday", "since"))
    old = company(shop.data, tmp_path / "old", {name: {"0": files["0-yesterday"]} for name, files in tables.items()})
    new = company(shop.data, tmp_path / "new", tables)
    for folder in (old, new):
        assert keepwell("features", folder, "--as-of", AS_OF, "--out", f"{folder}.parquet").exit_code == 0
    assert Path(f"{old}.parquet").read_bytes() != Path(f"{new}.parquet").read_bytes()
