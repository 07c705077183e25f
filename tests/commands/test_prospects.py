"""`keepwell prospects` through the command line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result

from datasets.simulate import simulate

Keepwell = Callable[..., Result]
AS_OF = date(2025, 7, 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("company") / "shop"
    simulate(path, customers=900, months=24, seed=4, until=date(2026, 1, 1))
    return path


def listed(keepwell: Keepwell, data: Path, out: Path) -> pl.DataFrame:
    told = keepwell("prospects", data, "--horizon", "90d", "--as-of", AS_OF, "--out", out)
    assert told.exit_code == 0, told.output
    return pl.read_parquet(out)


def test_prospects_are_those_who_joined_and_never_bought(folder: Path, keepwell: Keepwell, tmp_path: Path) -> None:
    found = listed(keepwell, folder, tmp_path / "prospects.parquet")
    people, sales = (pl.read_parquet(folder / f"{name}.parquet") for name in ("customers", "transactions"))
    bought = sales.filter(pl.col("ordered_at") < AS_OF, pl.col("amount") > 0)["customer_id"]
    expected = people.filter(pl.col("joined_at") < AS_OF, ~pl.col("customer_id").is_in(bought.implode()))["customer_id"]
    assert sorted(found["customer_id"]) == sorted(expected)
    assert found.height > 5
    assert found["lifecycle"].unique().to_list() == ["prospect"]
    assert found["first_purchase_probability"].drop_nulls().is_between(0, 1).all()


def test_what_came_after_the_day_changes_nothing(folder: Path, keepwell: Keepwell, tmp_path: Path) -> None:
    cut = tmp_path / "cut"
    cut.mkdir()
    people, sales = (pl.read_parquet(folder / f"{name}.parquet") for name in ("customers", "transactions"))
    people.filter(pl.col("joined_at") < AS_OF).write_parquet(cut / "customers.parquet")
    sales.filter(pl.col("ordered_at") < AS_OF).write_parquet(cut / "transactions.parquet")
    (cut / "company.yaml").write_bytes((folder / "company.yaml").read_bytes())
    whole = listed(keepwell, folder, tmp_path / "a.parquet")
    assert whole.equals(listed(keepwell, cut, tmp_path / "b.parquet"))


def test_without_a_date_of_joining_it_is_refused(folder: Path, keepwell: Keepwell, tmp_path: Path) -> None:
    data = tmp_path / "plain"
    data.mkdir()
    (data / "transactions.parquet").write_bytes((folder / "transactions.parquet").read_bytes())
    refused = keepwell("prospects", data, "--horizon", "90d", "--as-of", AS_OF, "--out", tmp_path / "x.csv")
    assert refused.exit_code != 0
    assert "customers.joined_at: is missing, and prospects are told by it" in refused.stderr
    assert not (tmp_path / "x.csv").exists()
