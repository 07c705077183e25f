from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from keepwell.errors import ConfigError
from keepwell.settings import Settings
from serving import prediction_log
from serving.champion import Champion
from serving.launch import serving
from serving.prediction_log import FORECASTS, PredictionLog
from tests.serving.test_launch import free_port
from training.scorer import Scorer

DAY = date(2025, 1, 1)


@pytest.fixture
def everything(tmp_path: Path) -> PredictionLog:
    """A log that keeps all."""
    return PredictionLog(tmp_path / "predictions", 1.0, 10**7)


def rows_of(scorer: Scorer, count: int) -> np.ndarray:
    rows = np.random.default_rng(1).uniform(0, 90, (count, len(scorer.info.feature_names)))
    rows[:, 3] = np.nan
    return rows


def test_what_is_kept_is_what_was_asked_and_answered_and_nothing_of_whom(everything: PredictionLog, scorer: Scorer) -> None:
    matrix = rows_of(scorer, 7)
    found = Champion("acme", 30, "1", scorer, everything).predict(matrix, DAY)
    everything.close()
    kept = pl.read_parquet(everything.folder / "*.parquet")
    assert kept.columns == ["company", "horizon_days", "model_version", "as_of", *scorer.info.feature_names, *FORECASTS]
    assert kept.select("model_version", "as_of").unique().rows() == [("1", DAY)]
    np.testing.assert_array_equal(kept.select(scorer.info.feature_names).fill_null(np.nan).to_numpy(), matrix)
    np.testing.assert_array_equal(kept["churn_probability"], found.churn_probability)


def test_a_share_of_the_rows_is_kept(tmp_path: Path, scorer: Scorer) -> None:
    log = PredictionLog(tmp_path, 0.25, 10**8)
    matrix = rows_of(scorer, 4_000)
    log.note(scorer.info, DAY, matrix, scorer.predict(matrix))
    log.close()
    assert 850 < pl.read_parquet(tmp_path / "*.parquet").height < 1_150


def test_the_log_never_outgrows_its_bound_and_the_newest_stays(
    tmp_path: Path, scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prediction_log, "ROWS_A_FILE", 50)
    matrix = rows_of(scorer, 50)
    found = scorer.predict(matrix)
    probe = PredictionLog(tmp_path / "probe", 1.0, 10**9)
    probe.note(scorer.info, DAY, matrix, found)
    probe.close()
    size = next((tmp_path / "probe").glob("*.parquet")).stat().st_size
    log = PredictionLog(tmp_path / "log", 1.0, 3 * size + size // 2)
    for day in range(1, 11):
        log.note(scorer.info, date(2025, 1, day), matrix, found)
    log.close()
    kept = sorted((tmp_path / "log").iterdir())
    assert 1 <= len(kept) <= 3
    assert pl.read_parquet(tmp_path / "log" / "*.parquet")["as_of"].max() == date(2025, 1, 10)


def test_two_versions_that_read_other_features_are_kept_apart(everything: PredictionLog, scorer: Scorer) -> None:
    from tests.serving.conftest import renamed

    other = renamed(scorer, version="2", feature_names=tuple(reversed(scorer.info.feature_names)))
    matrix = rows_of(scorer, 3)
    found = scorer.predict(matrix)
    for info in (scorer.info, other.info):
        everything.note(info, DAY, matrix, found)
    everything.close()
    assert sorted(pl.read_parquet(file)["model_version"][0] for file in everything.folder.iterdir()) == ["1", "2"]


def test_a_disk_that_is_gone_stops_no_prediction(tmp_path: Path, scorer: Scorer) -> None:
    (tmp_path / "file").write_text("")
    log = PredictionLog(tmp_path / "file" / "predictions", 1.0, 10**6)
    assert Champion("acme", 30, "1", scorer, log).predict(rows_of(scorer, 2), DAY).churn_probability.shape == (2,)
    log.close()


def test_a_disk_that_cannot_keep_up_makes_no_request_wait(
    tmp_path: Path, scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prediction_log, "MOST_PENDING", 2)
    monkeypatch.setattr(PredictionLog, "_write", lambda _: None)
    log = PredictionLog(tmp_path, 1.0, 10**6)
    matrix = rows_of(scorer, 1)
    found = scorer.predict(matrix)
    for _ in range(10):
        log.note(scorer.info, DAY, matrix, found)
    assert log._pending.qsize() == 2


def test_nothing_is_kept_unless_a_share_is_set() -> None:
    from serving.state import _prediction_log

    assert _prediction_log(Settings()) is None


@pytest.mark.parametrize("settings", [Settings(prediction_log_share="2"), Settings(prediction_log_share="some")])
def test_a_share_that_is_none_is_refused(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="KEEPWELL_PREDICTION_LOG_SHARE"):
        _ = settings.logged_share


def test_a_service_with_a_wrong_share_does_not_start(tmp_path: Path) -> None:
    wrong = Settings(home=str(tmp_path), prediction_log_share="half")
    with pytest.raises(ConfigError, match="is 'half'"), serving(wrong, free_port()):
        pass
