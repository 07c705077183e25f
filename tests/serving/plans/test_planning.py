"""From scores and a company to what a plan reads, and to what the console shows of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features.company import Company
from features.reading.assemble import assemble
from keepwell.errors import ConfigError, DataError
from serving.batch.scoring import SCORE_TYPES
from serving.plans.planning import plan_columns, plan_scores, plan_table, read_scores, save_plan, unwilling_customers
from serving.plans.policy import read_policy
from serving.store import Store

AS_OF = date(2026, 1, 1)
POLICY = read_policy()


def scores(*customers: str, **columns: list[object]) -> pl.DataFrame:
    """Scores of customers of whom half will leave, with other columns where they are given."""
    rows = len(customers)
    values: dict[str, object] = {
        "customer_id": list(customers),
        "as_of": [AS_OF] * rows,
        "horizon_days": [90] * rows,
        "churn_probability": [0.5] * rows,
        "expected_value": [50.0] * rows,
        "value_at_risk": [50.0] * rows,
        "status": ["lapsing"] * rows,
        "value_tier": ["ordinary"] * rows,
        "model_version": ["1"] * rows,
    }
    values |= columns
    return pl.DataFrame(values, schema_overrides={name: kind for name, kind in SCORE_TYPES.items() if name in values and kind})


def shop(**tables: dict[str, list[object]]) -> Company:
    """Two customers: one who bought first a year and a day ago less a week, and one who did so yesterday."""
    days = [date(2025, 1, 7), date(2025, 12, 31)]
    bought = {"customer_id": ["a", "b"], "ordered_at": days, "amount": [10.0, 20.0]}
    return assemble({name: pl.DataFrame(table) for name, table in ({"transactions": bought} | tables).items()}, key="shop")


def test_days_to_the_anniversary_are_those_to_the_same_day_of_the_next_year() -> None:
    columns = plan_columns(scores("a", "b"), POLICY, shop())
    assert columns["days_to_anniversary"].tolist() == [6, 364]


def test_contacts_of_any_kind_count_against_the_caps_but_not_those_of_the_day_itself_or_of_controls() -> None:
    days = [AS_OF - timedelta(days=each) for each in (1, 30, 31, 0, 5)]
    contacts = {
        "customer_id": ["a"] * 5,
        "contacted_at": days,
        "action": ["reminder_email", "cross_sell", "x", "x", "x"],
        "arm": ["treated", "treated", "treated", "treated", "control"],
    }
    columns = plan_columns(scores("a", "b"), POLICY, shop(contacts=contacts))
    assert columns["contacts_within_30_days"].tolist() == [2, 0]
    assert columns["days_since_action_reminder_email"][0] == 1


def test_a_column_that_keepwell_does_not_have_is_refused_and_one_that_is_only_absent_is_not() -> None:
    def asking(condition: str) -> object:
        action = POLICY.actions[0].model_copy(update={"when": condition})
        return POLICY.model_copy(update={"actions": (action,)})

    with pytest.raises(ConfigError, match=r"actions.0 \(service_recovery\): there is no column 'recency'"):
        plan_columns(scores("a"), asking("recency > 3"))
    for known in ("recency_days > 3", "attr_size > 3", "churn_probability_30d > 0.1", "wallet > 100", "days_to_birthday < 3"):
        assert "customer_id" in plan_columns(scores("a"), asking(known))
    assert "mood" in plan_columns(scores("a", mood=[1.0]), asking("mood > 0"))


def test_the_console_shows_those_who_are_treated_and_not_the_controls(tmp_path: Path) -> None:
    ids = [f"C{place}" for place in range(300)]
    frame = scores(*ids, value_at_risk=(50 + np.arange(300.0)).tolist())
    made = plan_scores(frame, POLICY)
    table = plan_table(made)
    assert 0 < table.filter(pl.col("arm") == "control").height < 90
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    store.migrate()
    told = {"data_until": AS_OF, "model_family": "ensemble", "grade": "B"}
    empty = {name: pl.lit(None, kind) for name, kind in SCORE_TYPES.items() if name not in frame.columns}
    whole = frame.with_columns(**empty).with_columns(**{name: pl.lit(value) for name, value in told.items()})
    load = store.load_scores(whole, company="shop", currency=None, loaded_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert save_plan(store, "shop", frame, made, made_at=datetime(2026, 1, 1, tzinfo=UTC), budget=None, capacities={})
    plan = store.plan(load)
    shown = store.plan_items(plan)
    assert plan.customers == len(shown)
    kept = {item.customer_id: (item.arm, item.propensity) for item in store.plan_items(plan, controls=True)}
    assert kept == {row[0]: row[1:] for row in table.select("customer_id", "arm", "propensity").iter_rows()}
    assert {item.customer_id for item in shown} == set(table.filter(pl.col("arm") == "treated")["customer_id"])


def test_scores_without_money_are_refused_with_what_to_bring(tmp_path: Path) -> None:
    scores("a", "b", expected_value=[None, None]).write_parquet(tmp_path / "scores.parquet")
    with pytest.raises(DataError, match=r"scores.expected_value: must not be empty(.|\n)*a plan weighs money"):
        read_scores(tmp_path / "scores.parquet")


def test_who_wants_no_contact_is_in_no_plan_and_the_plan_says_how_many_there_are() -> None:
    frame = scores("a", "b", "c", value_at_risk=[500.0] * 3)
    assert set(plan_scores(frame, POLICY).columns["customer_id"]) == {"a", "b", "c"}
    made = plan_scores(frame, POLICY, unwilling=frozenset({"a", "b", "stranger"}))
    assert set(made.columns["customer_id"]) == {"c"}
    assert made.notes[-1] == "2 customers want no contact, and are left alone (keepwell outcome)"
    assert "want no contact" not in " ".join(plan_scores(frame, POLICY, unwilling={"stranger"}).notes)


def test_without_a_store_nobody_is_known_to_be_unwilling_and_none_is_made(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    assert unwilling_customers(store, scores("a"), "shop") == frozenset()
    assert not (tmp_path / "store.db").exists()
