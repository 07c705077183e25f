"""One customer with 200 events, as the endpoint gets them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl

from benchmarks.company import UNTIL
from features.arrays import feature_matrix
from features.panel import feature_names
from features.reading.assemble import assemble
from serving.endpoints.requests import feature_rows
from serving.endpoints.schemas import Customer

ROWS: Mapping[str, int] = {"transactions": 130, "complaints": 20, "payments": 20, "surveys": 10, "contacts": 20}
ATTRIBUTES = ("city", "plan", "age")


def work(folder: Path) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Two ways to one customer's features: from a request, as the endpoint does it, and from normalised tables.

    The customer has the first rows of every table, whoever they belong to.
    """
    tables = {name: _first_rows(folder, name) for name in ("customers", *ROWS)}
    company = assemble({name: table.with_columns(customer_id=pl.lit(0)) for name, table in tables.items()}, key="one")
    histories = {name: {column: table[column].to_numpy() for column in table.columns} for name, table in company.tables.items()}
    customer, names = Customer.model_validate_json(request(tables)), feature_names(company)
    info: Any = SimpleNamespace(feature_names=names, decimals=company.scales, zone=company.zone, attribution_days=30)
    return lambda: feature_rows([customer], info, UNTIL), lambda: feature_matrix(histories, company.scales, UNTIL, names)


def request(tables: Mapping[str, pl.DataFrame]) -> str:
    """The rows as the JSON of one customer; times as text, attributes apart."""
    me = tables["customers"].with_columns(pl.col(pl.Datetime).dt.to_string("iso:strict"))
    given = {"customer_id": 0, **me.drop(ATTRIBUTES).row(0, named=True), "attributes": me.select(ATTRIBUTES).row(0, named=True)}
    for name in ROWS:
        given[name] = tables[name].with_columns(pl.col(pl.Datetime, pl.Date).dt.to_string("iso:strict")).to_dicts()
    return json.dumps(given)


def _first_rows(folder: Path, table: str) -> pl.DataFrame:
    place = folder / table if (folder / table).is_dir() else folder / f"{table}.parquet"
    return pl.scan_parquet(place).head(ROWS.get(table, 1)).drop("customer_id").collect()
