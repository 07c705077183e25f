from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest

from keepwell.settings import Settings
from serving.champion import Champion
from serving.state import State
from serving.store import Load
from training.scorer import Scorer


@pytest.fixture
def state(settings: Settings, scorer: Scorer) -> State:
    state = State(settings, lambda: datetime(2026, 4, 1, tzinfo=UTC))
    state.holder.champion = Champion(scorer.info.company, scorer.info.horizon_days, "7", scorer)
    return state


@pytest.fixture
def load(scorer: Scorer) -> Load:
    day, info = scorer.info.trained_as_of, scorer.info
    at = datetime(2026, 4, 1, tzinfo=UTC)
    return Load(1, info.company, info.horizon_days, day, day, at, "7", "stack", "B", 3, info.feature_names, "EUR")


def rows_of(panel: pl.DataFrame, load: Load) -> list[dict[str, float | None]]:
    return panel.select(load.feature_names).head(3).to_dicts()


def test_the_champion_says_of_stored_rows_what_it_said_in_the_batch(state: State, load: Load, panel: pl.DataFrame) -> None:
    rows = rows_of(panel, load)
    told = state.foresee(load, rows)
    matrix = panel.select(load.feature_names).head(3).cast(pl.Float64).fill_null(math.nan).to_numpy()
    expected = state.holder.champion.scorer.predict(matrix)
    assert told.version == "7"
    assert [each.churn_probability for each in told.rows] == pytest.approx(expected.churn_probability.tolist())
    assert [each.expected_value for each in told.rows] == pytest.approx(expected.expected_value.tolist())


def test_a_champion_of_another_horizon_or_with_other_features_says_nothing(state: State, load: Load, panel: pl.DataFrame) -> None:
    rows = rows_of(panel, load)
    assert state.foresee(replace(load, horizon_days=load.horizon_days + 1), rows) is None
    assert state.foresee(replace(load, company="another"), rows) is None
    assert state.foresee(load, [{}]) is None


def test_without_a_champion_nothing_is_said(state: State, load: Load, panel: pl.DataFrame) -> None:
    state.holder.champion = None
    assert state.foresee(load, rows_of(panel, load)) is None
