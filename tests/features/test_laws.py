"""The six laws of features (docs/architecture.md), on random companies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.arrays import feature_matrix
from features.catalog import FEATURES, panel_names
from features.engines import build_frames
from features.panel import build_panel
from tests.features.strategies import Story, crowd, stories

NAMES = tuple(FEATURES)
few_names = st.lists(st.sampled_from(NAMES), min_size=1, max_size=8, unique=True)
law = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])

EXACT = tuple(
    name for name in NAMES if not any(part in name for part in ("_mean", "_sd", "ratio", "_to_", "share", "trend", "_per_"))
)
"""Counts, times and sums: the same to the last bit on every engine."""


def panel(story: Story, names: Sequence[str]) -> pl.DataFrame:
    return build_panel(story.company(), [story.as_of], names)


def arrays_of(tables: Mapping[str, pl.DataFrame]) -> dict[str, dict[str, np.ndarray]]:
    return {table: {name: column.to_numpy() for name, column in frame.to_dict().items()} for table, frame in tables.items()}


def assert_same(left: pl.DataFrame, right: pl.DataFrame, names: Sequence[str], *, across_engines: bool = False) -> None:
    """The same rows and values; missing is missing. Across engines, what is no count, time or sum may differ by 1e-9."""
    assert left.select("customer_id", "as_of").equals(right.select("customer_id", "as_of"))
    for name in names:
        ours, theirs = (frame[name].fill_null(float("nan")).to_numpy() for frame in (left, right))
        tolerance = 1e-9 if across_engines and name not in EXACT else 0
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, err_msg=name)


@law
@given(story=stories(), other=stories(), names=few_names)
def test_later_events_change_nothing(story: Story, other: Story, names: list[str]) -> None:
    assert_same(panel(story, names), panel(story.with_later_rows(other), names), names)


@law
@given(story=stories(), names=few_names, seed=st.integers(0, 9))
def test_row_order_changes_nothing(story: Story, names: list[str], seed: int) -> None:
    assert_same(panel(story, names), panel(story.shuffled(seed), names), names)


@law
@given(story=stories(), names=few_names)
def test_inputs_are_not_modified(story: Story, names: list[str]) -> None:
    company = story.company()
    pandas = {name: frame.to_pandas() for name, frame in company.tables.items()}
    arrays = arrays_of(company.tables)
    before = {name: frame.clone() for name, frame in company.tables.items()}
    before_arrays = {name: {column: values.copy() for column, values in table.items()} for name, table in arrays.items()}
    build_panel(company, [story.as_of], names)
    build_frames(pandas, company.scales, [story.as_of], names)
    feature_matrix(arrays, company.scales, story.as_of, names)
    for name, frame in before.items():
        assert company.tables[name].equals(frame)
        assert pandas[name].equals(frame.to_pandas())
        for column, values in before_arrays[name].items():
            np.testing.assert_array_equal(arrays[name][column], values)


@law
@given(story=stories(), names=few_names)
def test_the_log_truncated_at_as_of_gives_the_rows_of_the_full_log(story: Story, names: list[str]) -> None:
    assert_same(panel(story, names), panel(story.truncated(), names), names)


@pytest.mark.parametrize("seed", range(3))
def test_the_truncated_log_gives_the_whole_catalog_of_the_full_log(seed: int) -> None:
    story = crowd(seed)
    assert_same(panel(story, NAMES), panel(story.truncated(), NAMES), NAMES)


def assert_endpoint_equals_training(story: Story, names: Sequence[str]) -> None:
    company = story.company()
    trained = build_panel(company, [story.as_of], names)
    ids, matrix = feature_matrix(arrays_of(company.tables), company.scales, story.as_of, names)
    served = pl.DataFrame(matrix, schema=list(names)).insert_column(0, pl.Series("customer_id", ids.tolist(), dtype=pl.String))
    served = served.with_columns(as_of=pl.lit(story.as_of))
    assert_same(served, trained, names)


@law
@given(story=stories(), names=few_names)
def test_the_endpoints_rows_are_the_trainings_rows(story: Story, names: list[str]) -> None:
    assert_endpoint_equals_training(story, names)


@pytest.mark.parametrize("seed", range(3))
def test_the_endpoints_rows_are_the_trainings_rows_in_the_whole_catalog(seed: int) -> None:
    assert_endpoint_equals_training(crowd(seed, late=seed > 0), NAMES)


@law
@given(story=stories(), names=few_names)
def test_a_customer_alone_has_the_row_that_they_have_among_others(story: Story, names: list[str]) -> None:
    company = story.company()
    ids, together = feature_matrix(arrays_of(company.tables), company.scales, story.as_of, names)
    for customer, row in zip(ids, together, strict=True):
        alone = {name: frame.filter(pl.col("customer_id") == customer) for name, frame in company.tables.items()}
        alone_ids, matrix = feature_matrix(arrays_of(alone), company.scales, story.as_of, names)
        assert alone_ids.tolist() == [customer]
        np.testing.assert_array_equal(matrix[0], row)


@law
@given(story=stories(), names=few_names)
def test_a_column_does_not_depend_on_its_neighbours_nor_a_date_on_other_dates(story: Story, names: list[str]) -> None:
    company, dates = story.company(), [story.as_of, story.as_of - timedelta(days=31)]
    together = build_panel(company, dates, names)
    alone = pl.concat([build_panel(company, [day], names[:1]) for day in sorted(dates)])
    assert_same(together, alone, names[:1])


@settings(law, max_examples=10)
@given(story=stories())
def test_missing_is_null_and_never_nan_and_all_features_are_float64(story: Story) -> None:
    company = story.company()
    made = build_panel(company, [story.as_of])
    assert made.columns == ["customer_id", "as_of", *panel_names(company, [story.as_of])]
    assert set(made.dtypes[2:]) == {pl.Float64}
    assert not any(made[name].is_nan().any() for name in made.columns[2:])
