"""`keepwell load`: scores that were made elsewhere become those of the console, and a wrong file changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
from click.testing import Result

from datasets.simulate import simulate
from serving.store import Store
from tests.serving.batch.test_score_files import spread

Keepwell = Callable[..., Result]


def scored(folder: Path) -> pl.DataFrame:
    """Scores of a few customers, with what every run of scores has."""
    ids = pl.read_parquet(folder / "customers.parquet")["customer_id"].cast(pl.String).head(30)
    rows = pl.DataFrame({"customer_id": ids}).with_row_index("row")
    words = {"model_version": pl.lit("7"), "model_family": pl.lit("ensemble"), "grade": pl.lit("B")}
    return rows.select(
        "customer_id",
        as_of=pl.date(2026, 1, 1),
        data_until=pl.date(2025, 12, 31),
        horizon_days=pl.lit(90, pl.Int32),
        churn_probability=(pl.col("row") + 1) / 40,
        expected_value=pl.lit(12.5),
        value_at_risk=pl.lit(3.5),
        value_tier=pl.when(pl.col("row") < 3).then(pl.lit("VIP")).otherwise(pl.lit("small")),
        status=pl.lit("active"),
        reasons=pl.lit(None, pl.List(pl.Struct({"target": pl.String}))),
        **words,
    )


def test_a_folder_of_scores_becomes_what_the_store_shows_with_names_of_the_company(keepwell: Keepwell, tmp_path: Path) -> None:
    simulate(tmp_path / "shop", customers=60, months=6, seed=2)
    folder = spread(scored(tmp_path / "shop"), tmp_path / "scores")
    result = keepwell("load", folder, "--data", tmp_path / "shop")
    assert result.exit_code == 0, result.output
    assert "30 customers as of 2026-01-01, scored by version 7" in result.output
    store = Store(f"sqlite:///{tmp_path / 'home' / 'store.db'}")
    current = store.current_load()
    assert current is not None
    assert (current.customers, current.horizon_days, current.grade) == (30, 90, "B")
    wrong = keepwell("load", tmp_path / "shop" / "customers.parquet", "--data", tmp_path / "shop")
    assert wrong.exit_code == 3
    assert "scores.as_of: is missing" in wrong.output
    assert store.current_load() == current


def test_scores_of_another_company_and_of_those_left_out_change_nothing(keepwell: Keepwell, tmp_path: Path) -> None:
    simulate(tmp_path / "shop", customers=60, months=6, seed=2)
    scores, rows = tmp_path / "scores.parquet", scored(tmp_path / "shop")
    rows.with_columns(pl.format("other-{}", "customer_id").alias("customer_id")).write_parquet(scores)
    other = keepwell("load", scores, "--data", tmp_path / "shop")
    assert other.exit_code == 3
    assert "none is in the tables of" in other.output
    rows.write_parquet(scores)
    config = (tmp_path / "shop" / "company.yaml").read_text()
    (tmp_path / "shop" / "company.yaml").write_text(f"{config}leave_out_customers: gone.txt\n")
    rows.select("customer_id").head(2).write_csv(tmp_path / "shop" / "gone.txt")
    left_out = keepwell("load", scores, "--data", tmp_path / "shop")
    assert left_out.exit_code == 3
    assert "scores.customer_id: is left out by leave_out_customers: (2 rows)" in left_out.output
    assert Store(f"sqlite:///{tmp_path / 'home' / 'store.db'}").current_load() is None


def test_customers_whom_no_table_knows_are_told_of(keepwell: Keepwell, tmp_path: Path) -> None:
    simulate(tmp_path / "shop", customers=60, months=6, seed=2)
    known = scored(tmp_path / "shop")
    strange = known.head(3).with_columns(pl.format("other-{}", "customer_id").alias("customer_id"))
    pl.concat([known, strange]).write_parquet(tmp_path / "scores.parquet")
    result = keepwell("load", tmp_path / "scores.parquet", "--data", tmp_path / "shop")
    assert result.exit_code == 0, result.output
    assert "3 of 33 customers are in no table" in result.stderr
