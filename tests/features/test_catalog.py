"""The catalog is complete and true."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings

from features.arrays import ArrayOperations
from features.catalog import CATALOG, FEATURES, feature_names
from features.company import Company
from features.definitions import View
from features.panel import build_panel
from features.recipe import BASE, recipe
from features.tables import TABLES
from features.views import VIEWS
from keepwell.errors import ConfigError
from tests.features.strategies import DECIMALS, Story, crowd, stories

CHINESE = re.compile(r"[\u4e00-\u9fff]")
WINDOWS = ("30d", "90d", "180d", "365d", "all")
BY_WINDOW = {
    "rfm": (
        *("purchase_days", "orders", "spend", "net_spend", "spend_mean", "spend_max", "spend_sd"),
        *("quantity", "quantity_mean", "quantity_max", "quantity_sd"),
    ),
    "complaints": ("complaints", "enquiries"),
    "basket": ("refunds", "late_deliveries", "categories", "products"),
    "payments": ("payments_due", "late_payments"),
    "contacts": ("contacts", "contact_acceptances", "contact_conversions"),
}


@pytest.mark.parametrize("name", CATALOG)
def test_every_entry_says_what_a_reader_must_know(name: str) -> None:
    entry = CATALOG[name]
    assert entry.name == name
    assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
    assert entry.meaning.endswith(".")
    assert all((entry.title, entry.unit, entry.builder))
    assert CHINESE.search(entry.title_zh)
    assert not CHINESE.search(entry.title + entry.meaning)
    assert entry.table in TABLES
    assert entry.low is None or entry.high is None or entry.low < entry.high


def test_titles_are_different_in_both_languages() -> None:
    for titles in ([entry.title for entry in CATALOG.values()], [entry.title_zh for entry in CATALOG.values()]):
        assert len(set(titles)) == len(titles)


def test_every_windowed_column_exists_in_every_window() -> None:
    for builder, stems in BY_WINDOW.items():
        for stem in stems:
            assert {CATALOG[f"{stem}_{window}"].builder for window in WINDOWS} == {builder}


def test_the_contracts_table_of_columns_and_the_catalog_agree() -> None:
    page = Path(__file__).parents[2] / "docs" / "architecture.md"
    builders = "|".join({entry.builder for entry in CATALOG.values()})
    rows = [line for line in page.read_text(encoding="utf-8").splitlines() if re.match(rf"\| ({builders}) \|", line)]
    documented = set(re.findall(r"`([A-Za-z0-9_]+)`", " ".join(rows)))
    stems = {re.sub(r"_(\d+d|all)(?=_|$)", "_W", name) for name in CATALOG}
    assert documented == stems


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(story=stories())
def test_values_lie_in_their_range_and_are_missing_only_where_the_catalog_says_so(story: Story) -> None:
    assert_in_range(story)


@pytest.mark.parametrize("seed", range(4))
def test_values_of_larger_companies_lie_in_their_range(seed: int) -> None:
    assert_in_range(crowd(seed, late=seed % 2 == 0))


def assert_in_range(story: Story) -> None:
    company = story.company()
    made = build_panel(company, [story.as_of])
    for name in feature_names(company):
        entry, values = CATALOG[name], made[name]
        assert entry.missing or values.null_count() == 0, name
        assert values.is_finite().all(), name
        assert entry.low is None or (values.drop_nulls() >= entry.low).all(), name
        assert entry.high is None or (values.drop_nulls() <= entry.high).all(), name


@pytest.mark.parametrize("view", [view for view in VIEWS.values() if view.following], ids=lambda view: view.name)
def test_what_comes_after_a_row_is_seen_by_conditions_alone_and_no_sooner_than_it_happens(view: View) -> None:
    made = [*view.columns.values(), *view.later.values()]
    read = {name for computed in made for name in computed.inputs} | {
        *view.previous.values(),
        *view.running.values(),
        *view.within,
    }
    taken = {one.column for feature in FEATURES.values() for one in feature.aggregates if one.view == view.name}
    assert not set(view.following) & (read | taken)
    as_of_day = 100
    later_rows = {name: np.array([as_of_day, as_of_day + 1, np.nan]) for name in view.following}  # on the day, after it, never
    for condition in view.conditions.values():
        if set(condition.inputs) & set(view.following):
            holds = ArrayOperations({}, as_of_day).evaluate(condition, later_rows)
            assert len(set(holds.tolist())) == 1, "a condition must not tell later rows from none"


def test_table_names_allow_what_builds_on_them() -> None:
    assert feature_names([name for name in TABLES if name != "labels"]) == tuple(CATALOG)
    assert {CATALOG[name].table for name in feature_names({"transactions"})} == {"transactions"}


@pytest.mark.parametrize(
    ("table", "column", "lost"),
    [
        ("transactions", "quantity", "quantity_sd_90d"),
        ("transactions", "category", "days_since_newest_category"),
        ("complaints", "satisfaction", "complaints_recovered"),
        ("complaints", "closed_at", "resolve_hours_mean"),
        ("complaints", "complaint_id", "complaints_reopened"),
        ("payments", "paid_at", "late_payments_90d"),
        ("subscriptions", "ended_at", "contracts_ended_90d"),
        ("subscriptions", "price", "contract_price"),
        ("surveys", "expectation", "survey_quality_gap_last"),
        ("contacts", "accepted", "contact_response_share_all"),
        ("customers", "joined_at", "days_since_joined"),
    ],
)
def test_a_company_without_an_optional_column_has_no_feature_of_it(table: str, column: str, lost: str) -> None:
    whole = crowd(0, customers=3)
    part = Story({**whole.tables, table: whole.tables[table].drop(column)}, whole.as_of)
    assert lost in feature_names(whole.company())
    assert lost not in feature_names(part.company())
    assert "recency_days" in feature_names(part.company())


def test_features_of_a_table_that_is_not_there_are_missing() -> None:
    story = crowd(0, customers=3)
    alone = Story({"transactions": story.tables["transactions"]}, story.as_of).company()
    made = build_panel(alone, [story.as_of], ["complaints_30d", "days_since_joined", "complaints_per_order", "recency_days"])
    assert made.null_count().row(0)[2:] == (made.height, made.height, made.height, 0)


def test_features_of_a_table_without_rows_are_counts_of_0_and_missing_times() -> None:
    story = crowd(0, customers=3)
    empty = Story({**story.tables, "complaints": story.tables["complaints"].clear()}, story.as_of).company()
    made = build_panel(empty, [story.as_of], ["complaints_30d", "days_since_complaint"])
    assert made["complaints_30d"].to_list() == [0.0] * made.height
    assert made["days_since_complaint"].null_count() == made.height


def test_an_unknown_feature_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="unknown feature 'recency'"):
        recipe(["recency_days", "recency"])


def test_every_definition_names_things_that_exist() -> None:
    for feature in FEATURES.values():
        views = recipe([feature.name]).views
        for one in feature.aggregates:
            view = views[one.view]
            assert one.column in {"", "age", *view.columns, *view.totals, *view.later, *view.previous, *view.running}
            assert not one.where or one.where in view.conditions
        for need in feature.needs:
            table, column = need.split(".")
            assert column in TABLES[table].names


def test_a_recipe_takes_no_more_than_its_features_need() -> None:
    made = recipe(["recency_days", "spend_30d"])
    assert list(made.views) == [BASE.view]
    assert set(made.views[BASE.view].columns) == {"day", "amount"}
    assert not made.views[BASE.view].later


def test_a_company_with_no_purchase_has_no_rows() -> None:
    schema = {
        "customer_id": pl.String,
        "ordered_day": pl.Int32,
        "amount": pl.Int64,
        "known_day": pl.Int32,
        "superseded_day": pl.Int32,
    }
    company = Company("empty", "UTC", {"transactions": pl.DataFrame(schema=schema)}, DECIMALS, {}, ())
    made = build_panel(company, [crowd(0, customers=1).as_of], ["recency_days"])
    assert made.shape == (0, 3)


def test_windows_are_nested() -> None:
    story = crowd(1)
    made = build_panel(story.company(), [story.as_of])
    counts = ("purchase_days", "orders", "spend", "complaints", "enquiries", *BY_WINDOW["basket"], "payments_due", "contacts")
    for stem in counts:
        for shorter, longer in pairwise(WINDOWS):
            assert (made[f"{stem}_{shorter}"] <= made[f"{stem}_{longer}"]).all()
