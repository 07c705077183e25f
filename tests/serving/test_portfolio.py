from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.reviews.changes import LOST, WON, WON_BACK
from serving.portfolio import GONE, VALUE_SHARES, Portfolio, load_before, portfolio, value_edges
from serving.store import Load, Store
from serving.store.columns import feature_columns, score_columns
from tests.serving.console.portfolio_shop import THEN, fill_twice
from tests.serving.console.shop import NOW, new_store, score_rows


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return new_store(tmp_path_factory.mktemp("portfolio"))


@pytest.fixture(scope="module")
def load(store: Store) -> Load:
    return fill_twice(store)


@pytest.fixture(scope="module")
def found(store: Store, load: Load) -> Portfolio:
    return portfolio(store, load)


def test_every_customer_is_in_one_tier_one_stage_and_with_one_owner(found: Portfolio, load: Load) -> None:
    for groups in (found.tiers, found.lifecycle, found.owners):
        assert sum(group.customers for group in groups) == load.customers
    assert found.owners[-1].name is None


def test_the_sums_of_tiers_are_those_of_the_store(found: Portfolio, store: Store, load: Load) -> None:
    values = score_columns(store, load, ("expected_value", "value_at_risk"))
    for name in ("expected_value", "value_at_risk"):
        assert sum(getattr(group, name) for group in found.tiers) == pytest.approx(values[name].sum())


def test_changes_tell_who_came_went_was_lost_and_came_back(found: Portfolio) -> None:
    assert found.since is not None
    assert found.since.as_of == THEN
    told = {change.change: change.customers for change in found.since.changes}
    assert told == {WON: 2, LOST: 1, WON_BACK: 1, GONE: 1, "upgraded": 1, "downgraded": 0}


def test_moves_hold_every_customer_of_either_scoring_once(found: Portfolio, load: Load) -> None:
    assert found.since is not None
    for flows in (found.since.tiers, found.since.lifecycle):
        assert sum(flow.customers for flow in flows if flow.now is not None) == load.customers
        assert sum(flow.customers for flow in flows if flow.was is not None) == load.customers - 1
    (risen,) = [flow for flow in found.since.tiers if flow.was == "small" and flow.now == "VIP"]
    assert risen.customers == 1


def test_the_map_holds_whoever_is_not_lost_and_has_a_value(found: Portfolio, store: Store, load: Load) -> None:
    rows = score_columns(store, load, ("status", "expected_value", "value_at_risk"))
    rows = rows.filter(pl.col("status") != "lost").drop_nulls("expected_value")
    assert sum(cell.customers for cell in found.cells) == rows.height
    assert sum(cell.value_at_risk for cell in found.cells) == pytest.approx(rows["value_at_risk"].sum())
    assert {cell.churn for cell in found.cells} == {(0.0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1.0)}


def test_cohorts_hold_whoever_has_a_first_purchase_newest_first(found: Portfolio, load: Load) -> None:
    assert sum(cohort.customers for cohort in found.cohorts) == load.customers - 1
    months = [cohort.month for cohort in found.cohorts]
    assert months == sorted(months, reverse=True)
    assert all(cohort.active <= cohort.kept <= cohort.customers for cohort in found.cohorts)


def test_the_curve_rises_from_nothing_to_all_and_never_above_the_diagonal(found: Portfolio) -> None:
    customers, value = (np.array(shares) for shares in found.lorenz)
    assert (customers[0], value[0], customers[-1], value[-1]) == (0, 0, 1, pytest.approx(1))
    assert (np.diff(value) >= 0).all()
    assert (value <= customers + 1e-9).all()


def test_the_first_scoring_has_nothing_before_it(store: Store, load: Load) -> None:
    before = load_before(store, load)
    assert before is not None
    assert portfolio(store, before).since is None


def test_features_that_a_load_lacks_are_left_out(store: Store, load: Load) -> None:
    kept = feature_columns(store, load, ("recency_days", "no_such_feature"))
    assert kept.columns == ["customer_id", "recency_days"]
    assert kept.height == load.customers
    assert feature_columns(store, load, ("no_such_feature",)).is_empty()


def test_scores_without_money_have_a_portfolio_too(tmp_path: Path) -> None:
    bare = new_store(tmp_path)

    nothing = {name: pl.lit(None, pl.Float64) for name in ("expected_value", "value_at_risk", "current_value", "lifetime_value")}
    found = portfolio(bare, bare.load_scores(score_rows(20).with_columns(**nothing), company="bare", loaded_at=NOW))
    assert (found.lorenz, found.cells, found.cohorts, found.owners) == (((), ()), (), (), ())
    assert found.customers == 20


@given(st.lists(st.floats(-1e6, 1e9), min_size=1))
def test_edges_of_value_rise_and_are_positive(values: list[float]) -> None:
    edges = value_edges(np.array(values))
    assert edges == sorted(set(edges))
    assert len(edges) <= len(VALUE_SHARES)
    assert all(edge > 0 for edge in edges)
