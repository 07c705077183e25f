"""Every feature is what plain SQL says it is (`tests.features.oracle`)."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import numpy as np
import polars as pl
import pytest

from features.asof import day_number
from features.catalog import CATALOG
from features.company import Company
from features.panel import build_panel
from tests.features.oracle import ORACLES
from tests.features.strategies import crowd

RELATIONS = "".join(oracle.relations for oracle in ORACLES)
ORACLE = {name: query for oracle in ORACLES for name, query in oracle.queries.items()}


def oracle_panel(company: Company, as_of: date) -> pl.DataFrame:
    """What `build_panel` should give for one date, by SQL alone."""
    base = duckdb.connect(config={"threads": 1})
    for name, frame in company.tables.items():
        told = frame if "known_day" in frame.columns else frame.with_columns(known_day=pl.lit(-1_000_000))
        base.register(name, told.to_arrow())
    base.execute(RELATIONS.replace("$day", str(day_number(as_of))))
    customers = base.sql("SELECT DISTINCT customer_id FROM purchases ORDER BY ALL").pl()
    for relation in sorted({relation for relation, _ in ORACLE.values()}):
        wanted = {name: sql for name, (source, sql) in ORACLE.items() if source == relation}
        columns = ", ".join(f"({sql.replace('$day', str(day_number(as_of)))})::DOUBLE AS {name}" for name, sql in wanted.items())
        found = base.sql(f"SELECT customer_id, {columns} FROM {relation} GROUP BY customer_id").pl()
        counts = [name for name, sql in wanted.items() if sql.startswith("coalesce(") and sql.endswith(", 0)")]
        customers = customers.join(found, on="customer_id", how="left").with_columns(pl.col(counts).fill_null(0.0))
    return customers.sort("customer_id")


def assert_equals_oracle(company: Company, as_of: date) -> None:
    expected, made = oracle_panel(company, as_of), build_panel(company, [as_of], list(CATALOG))
    assert made["customer_id"].to_list() == expected["customer_id"].to_list()
    for name in CATALOG:
        ours, theirs = (frame[name].fill_null(np.nan).to_numpy() for frame in (made, expected))
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-7 if "_sd_" in name else 1e-12, err_msg=name)


def test_every_feature_has_an_oracle() -> None:
    assert set(ORACLE) == set(CATALOG)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_features_are_what_plain_sql_says(seed: int, late: bool) -> None:
    story = crowd(seed, late=late)
    assert_equals_oracle(story.company(), story.as_of)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3, 23))
def test_features_are_what_plain_sql_says_at_other_dates_of_other_companies(seed: int) -> None:
    story = crowd(seed)
    for months_before in range(6):
        assert_equals_oracle(story.company(), story.as_of - timedelta(days=31 * months_before))
