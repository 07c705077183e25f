"""`keepwell score` through the command line: the same bytes for the same data, and reasons for as many as are asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from click.testing import CliRunner, Result

from cli import main
from datasets.simulate import simulate

if TYPE_CHECKING:
    from tests.commands.conftest import Shop

AS_OF = date(2026, 1, 1)
Keepwell = Callable[..., Result]


def run(home: Path, *words: object) -> None:
    result = CliRunner().invoke(main, [str(word) for word in words], env={"KEEPWELL_HOME": str(home)})
    assert result.exit_code == 0, result.output


def test_two_trainings_of_one_company_give_the_same_scores_but_for_the_version(tmp_path: Path) -> None:
    data = tmp_path / "data"
    simulate(data, customers=150, months=8, seed=3, until=AS_OF)
    for home in ("one", "two"):
        run(tmp_path / home, "train", data, "--horizon", "30d", "--as-of", AS_OF, "--trials", 0)
        run(tmp_path / home, "score", data, "--as-of", AS_OF, "--out", tmp_path / f"{home}.parquet")
        pl.read_parquet(tmp_path / f"{home}.parquet").drop("model_version").write_parquet(tmp_path / f"{home}.bytes")
    assert (tmp_path / "one.bytes").read_bytes() == (tmp_path / "two.bytes").read_bytes()


def test_scores_are_valid_where_the_registry_dies_before_their_record(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dead(*_: object) -> None:
        raise ConnectionError("the server at mlflow:5000 has gone\nand more")

    monkeypatch.setattr("training.scored.log_scoring", dead)
    words = ("score", shop.data, "--as-of", AS_OF, "--out", tmp_path / "scores.parquet")
    result = CliRunner().invoke(main, [str(word) for word in words], env={"KEEPWELL_HOME": str(shop.home)})
    assert result.exit_code == 0
    assert "warning: the scores are written and valid, but MLflow has no record" in result.stderr
    assert "the server at mlflow:5000 has gone\n" in result.stderr
    assert pl.read_parquet(tmp_path / "scores.parquet").height == pl.read_parquet(shop.scores).height


def test_a_registry_that_does_not_answer_is_told_of_in_words(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    words = ("score", shop.data, "--as-of", AS_OF, "--out", tmp_path / "scores.parquet")
    where = {"KEEPWELL_HOME": str(tmp_path / "home"), "KEEPWELL_TRACKING_URI": "http://127.0.0.1:9"}
    result = CliRunner().invoke(main, [str(word) for word in words], env=where)
    assert result.exit_code == 6
    assert "Error: MLflow: API request to http://127.0.0.1:9" in result.stderr
    assert "check that KEEPWELL_TRACKING_URI names a server that answers" in result.stderr
    assert not (tmp_path / "scores.parquet").exists()


def test_reasons_are_made_for_as_many_as_are_asked_for(shop: Shop, tmp_path: Path) -> None:
    without = tmp_path / "0.parquet"
    for asked in (0, 3, 100_000):
        out = tmp_path / f"{asked}.parquet"
        run(shop.home, "score", shop.data, "--as-of", AS_OF, "--out", out, "--explain", asked)
        scores = pl.read_parquet(out)
        assert scores["reasons"].is_not_null().sum() == min(asked, scores.height)
        assert scores.drop("reasons").equals(pl.read_parquet(without).drop("reasons"))
