"""monitor, as a scheduler types it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from features.reading.sources import read_company
from serving.batch.scoring import scoring_panel
from serving.champion import Champion
from serving.prediction_log import PredictionLog
from tests.commands.conftest import UNTIL, run
from training.registry import Registry

if TYPE_CHECKING:
    from tests.commands.conftest import Shop


def test_a_company_that_goes_on_is_fine_and_leaves_with_0(shop: Shop, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    looked = run(shop.home, "monitor", shop.data, "--as-of", "2026-01-01", "--report", page)
    assert looked.exit_code == 0, looked.output
    assert "fine: nothing that asks for action" in looked.output
    assert "no scores are older than the horizon of 90 days" in looked.output
    assert page.read_text().startswith("<!doctype html>")
    assert "Estimated performance" in page.read_text()


def test_drift_leaves_with_10_and_is_told_to_programs(shop: Shop, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(shop.data, data)
    table = pl.read_parquet(data / "transactions.parquet")
    table.with_columns(amount=pl.col("amount") * 5).write_parquet(data / "transactions.parquet")
    looked = run(shop.home, "monitor", data, "--as-of", "2026-01-01", "--json")
    assert looked.exit_code == 10, looked.output
    told = json.loads(looked.stdout)
    assert (told["status"], told["exit_code"]) == ("drift", 10)
    assert any("spend" in said for said in told["warnings"])


@pytest.mark.parametrize("source", ["file", "store"])
def test_scores_whose_horizon_is_over_are_held_against_what_came(shop: Shop, tmp_path: Path, source: str) -> None:
    home, early = tmp_path / "home", tmp_path / "early.parquet"
    home.mkdir()
    shutil.copy(shop.home / "mlflow.db", home)
    scored = run(home, "score", shop.data, "--as-of", "2025-09-01", "--out", early, "--allow-hindsight")
    assert scored.exit_code == 0, scored.output
    if source == "file":
        (home / "store.db").unlink()
    words = ("--scores", early) if source == "file" else ()
    looked = run(home, "monitor", shop.data, "--as-of", "2026-01-01", "--json", *words)
    (kept,) = json.loads(looked.stdout)["promises"]
    assert (kept["as_of"], kept["source"], kept["customers"]) == ("2025-09-01", source, pl.read_parquet(early).height)
    assert 0.5 < kept["auc"]["value"] <= 1


def test_scores_that_promised_nonsense_leave_with_11(shop: Shop, tmp_path: Path) -> None:
    early = tmp_path / "early.parquet"
    scores = pl.read_parquet(shop.scores).with_columns(as_of=pl.date(2025, 9, 1), churn_probability=pl.lit(0.01))
    scores.write_parquet(early)
    looked = run(shop.home, "monitor", shop.data, "--as-of", "2026-01-01", "--scores", early)
    assert looked.exit_code == 11, looked.output
    assert "churned, promised 1.0%" in looked.output


def test_a_date_before_the_training_is_refused(shop: Shop) -> None:
    refused = run(shop.home, "monitor", shop.data, "--as-of", "2025-06-01")
    assert refused.exit_code == 6
    assert "the champion was trained as of 2026-01-01, which is after 2025-06-01" in refused.output


def test_without_a_champion_there_is_nothing_to_watch(shop: Shop, tmp_path: Path) -> None:
    refused = run(tmp_path / "home", "monitor", shop.data, "--as-of", "2026-01-01")
    assert refused.exit_code == 6
    assert "there is no champion" in refused.output


def kept_predictions(shop: Shop, folder: Path, *, older_days: float) -> Path:
    """What a service kept that was asked about the shop's customers, as if they had been silent for longer."""
    registry = Registry(f"sqlite:///{shop.home / 'mlflow.db'}", shop.home / "artifacts")
    (key,) = registry.champions()
    scorer = registry.champion(*key)
    panel = scoring_panel(read_company(shop.data), scorer.info, UNTIL).with_columns(pl.col("recency_days") + older_days)
    matrix = panel.select(pl.col(scorer.info.feature_names).fill_null(float("nan"))).to_numpy()
    log = PredictionLog(folder, 1.0, 10**9)
    Champion(*key, scorer.info.version, scorer, log).predict(np.ascontiguousarray(matrix), UNTIL)
    log.close()
    return folder


def test_what_a_service_was_asked_is_held_against_the_training(shop: Shop, tmp_path: Path) -> None:
    usual = kept_predictions(shop, tmp_path / "usual", older_days=0)
    looked = run(shop.home, "monitor", shop.data, "--as-of", UNTIL, "--predictions", usual)
    assert looked.exit_code == 0, looked.output
    odd = kept_predictions(shop, tmp_path / "odd", older_days=300)
    looked = run(shop.home, "monitor", shop.data, "--as-of", UNTIL, "--predictions", odd)
    assert looked.exit_code == 10, looked.output
    assert "asked of the service: Days since last purchase (recency_days)" in looked.output


def test_a_service_that_was_asked_little_is_not_judged(shop: Shop, tmp_path: Path) -> None:
    looked = run(shop.home, "monitor", shop.data, "--as-of", UNTIL, "--predictions", tmp_path)
    assert (looked.exit_code, "0 rows of this version: too few" in looked.output) == (0, True)
    (tmp_path / "odd.parquet").write_text("no table")
    looked = run(shop.home, "monitor", shop.data, "--as-of", UNTIL, "--predictions", tmp_path)
    assert (looked.exit_code, "odd.parquet is no sample" in looked.output) == (3, True)
