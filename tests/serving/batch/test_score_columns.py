"""What is told of the score columns holds of scores: types, words, bounds, and where nothing may be missing."""

from __future__ import annotations

import polars as pl
import pytest

from decisions.labels import SCHEMES
from serving.batch.score_columns import FURTHER, NO_PURCHASES, NO_VALUE, SCORE_COLUMNS, ScoreColumn

BY_NAME = {column.name: column for column in SCORE_COLUMNS}


def test_scores_have_these_columns_and_those_of_further_horizons(scored: pl.DataFrame) -> None:
    further = [name for name in scored.columns if name not in BY_NAME]
    assert further
    assert all(name.startswith("churn_probability_") and scored[name].dtype == FURTHER.dtype for name in further)
    assert [name for name in scored.columns if name in BY_NAME] == list(BY_NAME)


@pytest.mark.parametrize("column", SCORE_COLUMNS, ids=lambda column: column.name)
def test_a_column_is_of_its_type_and_missing_only_where_it_says(scored: pl.DataFrame, column: ScoreColumn) -> None:
    values = scored[column.name]
    assert column.dtype in (None, values.dtype)
    if column.missing in ("", NO_PURCHASES, NO_VALUE, "a flat table"):  # these are scores of purchases
        assert values.null_count() == 0


@pytest.mark.parametrize("name", [name for name in SCHEMES if name in BY_NAME])
def test_a_word_is_one_of_those_that_are_listed(scored: pl.DataFrame, name: str) -> None:
    assert set(scored[name].drop_nulls()) <= set(BY_NAME[name].range.split(", "))


def test_figures_lie_within_the_ranges_that_are_told(scored: pl.DataFrame) -> None:
    chances = [name for name in scored.columns if name.startswith("churn_probability")]
    assert all(scored[name].is_between(0, 1).all() for name in chances)
    assert (scored["value_low"] <= scored["value_high"]).all()
    assert (scored["potential_value"] >= 0).all()
    assert scored["rfm_cell"].drop_nulls().str.contains("^[1-5]{3}$").all()
    assert set(scored["grade"]) <= set(BY_NAME["grade"].range.split(", "))
