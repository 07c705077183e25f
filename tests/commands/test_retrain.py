"""retrain, as a scheduler runs it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from click.testing import Result

from datasets.contracts import simulate_flat
from features.reading.sources import read_key
from keepwell.errors import DataError
from training.gate import Verdict
from training.registry import Registry

if TYPE_CHECKING:
    from tests.commands.conftest import Shop

Keepwell = Callable[..., Result]


@pytest.fixture
def registry(shop: Shop, tmp_path: Path) -> Registry:
    """The home of `keepwell` gets the shop's champion."""
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(shop.home / "mlflow.db", home)
    return Registry(f"sqlite:///{home / 'mlflow.db'}", home / "artifacts")


def words(shop: Shop, out: Path) -> tuple[object, ...]:
    return ("retrain", shop.data, "--horizon", "90d", "--as-of", "2026-01-01", "--trials", 1, "--out", out)


def test_the_gate_decides_and_the_champion_scores(keepwell: Keepwell, shop: Shop, registry: Registry, tmp_path: Path) -> None:
    done = keepwell(*words(shop, tmp_path / "scores.parquet"), "--json")
    assert done.exit_code == 0, done.output
    told, key = json.loads(done.stdout), read_key(shop.data)
    assert told["candidate"] == "2"
    assert told["scored_by"] == registry.version(key, 90, "champion") == ("2" if told["promoted"] else "1")
    assert set(pl.read_parquet(tmp_path / "scores.parquet")["model_version"]) == {told["scored_by"]}


def test_a_new_champion_that_cannot_score_gives_its_place_back(
    keepwell: Keepwell, shop: Shop, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object, **_options: object) -> None:
        raise DataError("transactions", "amount", "cannot be scored", hint="look at it")

    key, out = read_key(shop.data), tmp_path / "scores.parquet"
    monkeypatch.setattr("training.run.compared_with_champion", lambda *_: Verdict(True, "better"))
    monkeypatch.setattr("commands.pipeline.score", broken)
    done = keepwell(*words(shop, out))
    assert done.exit_code != 0
    assert "so the one before is champion again" in done.output
    assert not out.exists()
    assert [registry.version(key, 90, alias) for alias in ("champion", "previous")] == ["1", "2"]


def test_a_flat_table_is_trained_again_and_scored_without_a_horizon(keepwell: Keepwell, tmp_path: Path) -> None:
    simulate_flat(tmp_path / "bank", customers=200, seed=5, as_of=date(2026, 1, 1))
    done = keepwell("retrain", tmp_path / "bank", "--trials", 0, "--out", tmp_path / "scores.parquet", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["promoted"], told["scored_by"], told["horizon_days"], told["customers"]) == (True, "1", 0, 200)


@pytest.mark.slow
def test_a_column_that_gives_labels_away_is_kept_where_it_is_named(keepwell: Keepwell, tmp_path: Path) -> None:
    bank = tmp_path / "bank"
    simulate_flat(bank, customers=200, seed=5, as_of=date(2026, 1, 1))
    labels = {row["customer_id"]: row["churned"] for row in pl.read_parquet(bank / "labels.parquet").rows(named=True)}
    people = pl.read_parquet(bank / "customers.parquet")
    told = people["customer_id"].replace_strict(labels, default=None).cast(pl.Float64).alias("closed")
    people.with_columns(told).write_parquet(bank / "customers.parquet")
    asked = ("retrain", bank, "--trials", 0, "--out", tmp_path / "scores.parquet")
    assert "say --keep-column closed" in keepwell(*asked).stderr
    kept = keepwell(*asked, "--keep-column", "closed")
    assert kept.exit_code == 0, kept.output
    assert "left out" not in kept.stderr


def test_a_column_is_kept_only_where_labels_were_given(keepwell: Keepwell, shop: Shop, tmp_path: Path) -> None:
    refused = keepwell(*words(shop, tmp_path / "scores.parquet"), "--keep-column", "city")
    assert refused.exit_code == 2
    assert "--keep-column is for tables of customers whose labels were given" in refused.output


def test_a_company_with_purchases_is_not_trained_without_a_horizon(keepwell: Keepwell, shop: Shop, tmp_path: Path) -> None:
    done = keepwell("retrain", shop.data, "--out", tmp_path / "scores.parquet")
    assert done.exit_code == 2
    assert "give --horizon" in done.output


@pytest.mark.slow
def test_a_candidate_of_a_sample_scores_everybody(keepwell: Keepwell, shop: Shop, tmp_path: Path) -> None:
    out = tmp_path / "scores.parquet"
    done = keepwell(*words(shop, out), "--sample", 400, "--json")
    assert done.exit_code == 0, done.output
    assert "learning from a sample of" in done.stderr
    assert json.loads(done.stdout)["customers"] == pl.read_parquet(out).height == pl.read_parquet(shop.scores).height
