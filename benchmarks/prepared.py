"""A company that is read once and kept normalised, so that every run begins with tables in memory and not with reading."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

from benchmarks.company import UNTIL, write_benchmark
from features.asof import day_date
from features.company import Company
from features.reading.sources import read_company
from keepwell.files import written_whole

NORMALISED, REST = "normalised", "rest.json"
CENTS = 100


def dates_back(count: int, until: date = UNTIL) -> list[date]:
    """`count` dates in even steps through the year up to `until`, oldest first: as many rows a date, however many dates.

    >>> dates_back(2)
    [datetime.date(2025, 7, 3), datetime.date(2026, 1, 1)]
    """
    return [until - timedelta(days=365 * step // count) for step in reversed(range(count))]


def prepare(scratch: Path, transactions: int) -> Path:
    """The folder of a company of this size under `scratch`, with its normalised tables inside; made when it is not there."""
    folder = scratch / f"company-{transactions}"
    write_benchmark(folder, transactions)
    if not (folder / NORMALISED / REST).exists():
        _keep(read_company(folder), folder / NORMALISED)
    return folder


def _keep(company: Company, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in company.tables.items():
        table.write_parquet(folder / f"{name}.parquet")
    rest = {name: getattr(company, name) for name in ("key", "zone", "currency")}
    rest |= {name: dict(getattr(company, name)) for name in ("scales", "attributes")}
    with written_whole(folder / REST) as temporary:
        temporary.write_text(json.dumps(rest))


def load(folder: Path) -> Company:
    """The company as `read_company` gave it, each column in one piece; but for its notes."""
    rest = json.loads((folder / NORMALISED / REST).read_text())
    files = sorted((folder / NORMALISED).glob("*.parquet"))
    return Company(tables={file.stem: pl.read_parquet(file).rechunk() for file in files}, notes=(), **rest)


def purchases(folder: Path) -> pl.DataFrame:
    """The lines that are no refunds: customer_id, ordered_us, day, amount in currency, category as a number."""
    amount, category = pl.col("amount"), pl.col("category").cast(pl.Categorical).to_physical()
    lines = pl.scan_parquet(folder / NORMALISED / "transactions.parquet").filter(amount > 0)
    return lines.select("customer_id", "ordered_us", day="ordered_day", amount=amount / CENTS, category=category).collect()


def purchases_for_pandas(folder: Path) -> pd.DataFrame:
    """What the pandas loop takes: the same without the time of day, as a pandas frame."""
    lines = purchases(folder).drop("ordered_us")
    return pd.DataFrame({name: lines[name].to_numpy().copy() for name in lines.columns})


def purchases_for_lifetimes(folder: Path) -> Path:
    """The same with the time of each purchase, as a file that NumPy alone can read; made when it is not there."""
    file = folder / "purchases.npz"
    if not file.exists():
        lines = purchases(folder)
        ordered = lines["ordered_us"].cast(pl.Datetime("us")).to_numpy().astype("datetime64[ns]")
        with written_whole(file) as temporary:
            np.savez(temporary, customer_id=lines["customer_id"].to_numpy(), ordered=ordered, amount=lines["amount"].to_numpy())
    return file


def iso(day: int | date) -> str:
    """A day number or a day, as text."""
    return (day if isinstance(day, date) else day_date(int(day))).isoformat()
