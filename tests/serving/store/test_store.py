from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Dialect, Engine, NullPool, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError

from keepwell.errors import StoreError
from serving.store import CustomerFilter, Store
from serving.store.engine import _seeing_one_state, reading
from serving.store.schema import NAME_CHARACTERS
from serving.store.store import KEPT_LOADS
from serving.store.tables import metadata

LOADED_AT = datetime(2024, 3, 1, 8, 30, tzinfo=UTC)
REASON = {"target": "churn", "feature": "recency_days", "name": "Days since last purchase", "contribution": 0.7}


def scores(customers: int = 3, *, version: str = "1", horizon_days: int = 90, seed: int = 0) -> pl.DataFrame:
    """Score columns as docs/architecture.md lists them; value at risk falls with the number in the id."""
    draw = np.random.default_rng(seed)
    money = ("expected_value", "value_low", "value_high", "current_value", "potential_value", "lifetime_value")
    labels = ("status", "quadrant", "lifecycle", "loyalty", "relation", "service_level")
    return pl.DataFrame(
        {
            "customer_id": [f"c{i:04d}" for i in range(customers)],
            "churn_probability": draw.uniform(0.01, 0.99, customers),
            **{name: draw.gamma(2.0, 50.0, customers) for name in money},
            "value_at_risk": np.arange(customers, 0, -1, dtype=float),
            **{name: [f"{name}_{i % 2}" for i in range(customers)] for name in labels},
            "value_tier": ["VIP" if i == 0 else "small" for i in range(customers)],
            "credit_grade": pl.Series([None] * customers, dtype=pl.String),
            "next_category": pl.Series([None] * customers, dtype=pl.String),
            "reasons": [[REASON] if i == 0 else None for i in range(customers)],
        }
    ).with_columns(
        as_of=date(2024, 3, 1),
        horizon_days=pl.lit(horizon_days, pl.Int32),
        model_version=pl.lit(version),
        model_family=pl.lit("stack"),
        grade=pl.lit("B"),
        data_until=date(2024, 2, 29),
    )


def filled(store: Store, frame: pl.DataFrame | None = None, **parts: pl.DataFrame) -> None:
    store.load_scores(scores() if frame is None else frame, company="acme", loaded_at=LOADED_AT, **parts)


@pytest.fixture
def store(store_url: str) -> Store:
    store = Store(store_url)
    store.migrate()
    yield store
    store.close()


def test_migrations_build_exactly_the_declared_tables(store: Store) -> None:
    with reading(store._engine) as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata) == []


def test_migrating_twice_changes_nothing(store: Store) -> None:
    filled(store)
    store.migrate()
    assert store.current_load().customers == 3


def test_a_store_of_a_newer_version_is_refused(store: Store) -> None:
    from serving.store.engine import writing

    with writing(store._engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="newer schema"):
        store.migrate()


def test_an_empty_store_has_no_current_load(store: Store) -> None:
    assert store.current_load() is None


def test_a_store_that_was_never_migrated_says_what_fills_it(store_url: str) -> None:
    with closing(Store(store_url)) as store, pytest.raises(StoreError, match="keepwell score"):
        store.current_load()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_text("not a database at all, but long enough to be read as a header" * 20)
    with pytest.raises(StoreError, match="cannot be used"):
        Store(f"sqlite:///{tmp_path / 'store.db'}").migrate()


@pytest.mark.parametrize("url", ["nonsense", "nosuchdb://host/name", "postgresql+nodriver://me:secret@host/name"])
def test_a_url_that_cannot_be_used_is_refused_without_showing_a_password(url: str) -> None:
    with pytest.raises(StoreError, match="KEEPWELL_STORE_URL") as caught:
        Store(url)
    assert "secret" not in str(caught.value)


def test_a_load_comes_back_as_it_was_written(store: Store) -> None:
    filled(store)
    load = store.current_load("acme", 90)
    assert (load.as_of, load.data_until, load.loaded_at) == (date(2024, 3, 1), date(2024, 2, 29), LOADED_AT)
    assert load.currency is None
    written = scores().row(0, named=True)
    row = store.customer(load, "c0000")
    for name in ("churn_probability", "expected_value", "value_low", "lifetime_value", "value_tier", "status"):
        assert getattr(row, name) == written[name]
    assert (row.reasons[0].name, row.reasons[0].contribution) == (REASON["name"], REASON["contribution"])
    assert store.customer(load, "c0001").reasons is None


def test_the_currency_is_kept_with_the_load(store: Store) -> None:
    written = store.load_scores(scores(), company="acme", loaded_at=LOADED_AT, currency="EUR")
    assert store.current_load() == written
    assert written.currency == "EUR"


def test_a_name_is_cut_to_what_an_index_can_hold(store: Store) -> None:
    names = ["Ann", "名" * 300, None]
    filled(store, people=scores().select("customer_id", name=pl.Series(names)))
    load = store.current_load()
    assert [store.customer(load, f"c000{i}").name for i in range(3)] == ["Ann", "名" * NAME_CHARACTERS, None]


@pytest.mark.parametrize(
    ("words", "way_out"),
    [
        ("no such table: loads", "the store is empty"),
        ('relation "loads" does not exist\nLINE 2: FROM loads', "the store is empty"),
        ('connection failed: FATAL:  database "shop" does not exist', "create the database"),
        ('role "me" does not exist', "check KEEPWELL_STORE_URL"),
    ],
)
def test_the_way_out_fits_what_the_database_says(store: Store, words: str, way_out: str) -> None:
    with pytest.raises(StoreError, match="cannot be used") as caught, reading(store._engine):
        raise OperationalError("SELECT 1", None, Exception(words))
    assert way_out in caught.value.hint


@pytest.mark.parametrize(
    ("dialect", "level"), [(sqlite.dialect(), None), (postgresql.dialect(), "REPEATABLE READ")], ids=["sqlite", "postgresql"]
)
def test_one_state_is_asked_for_where_it_is_not_the_rule(dialect: Dialect, level: str | None) -> None:
    engine = Engine(NullPool(lambda: None), dialect, make_url("unused://"))
    assert _seeing_one_state(engine).get_execution_options().get("isolation_level") == level


def test_integer_ids_are_text_in_the_store(store: Store) -> None:
    filled(store, scores().with_columns(customer_id=pl.Series([7, 11, 5])))
    assert store.customer(store.current_load(), "11") is not None


@pytest.mark.parametrize("customer_id", ["a/b", "x?y&z=1#", "100%", "_", "😀", "O'Hara", "", "  "])
def test_any_text_is_an_id(store: Store, customer_id: str) -> None:
    filled(store, scores(2).with_columns(customer_id=pl.Series(["other", customer_id])))
    load = store.current_load()
    assert store.customer(load, customer_id).customer_id == customer_id


def test_feature_rows_keep_every_bit_and_missing_stays_missing(store: Store) -> None:
    features = pl.DataFrame(
        {"customer_id": ["c0001", "c0000"], "as_of": [date(2024, 3, 1)] * 2, "spend_90d": [0.1 + 0.2, 1e-300], "gap": [None, 2.0]}
    )
    filled(store, features=features)
    load = store.current_load()
    assert store.features(load, "c0001") == {"spend_90d": 0.1 + 0.2, "gap": None}
    assert store.features(load, "c0000") == {"spend_90d": 1e-300, "gap": 2.0}
    assert store.features(load, "c0002") is None


def test_the_timeline_is_newest_first(store: Store) -> None:
    days = [date(2024, 1, 5), date(2024, 2, 1), date(2024, 1, 5)]
    events = pl.DataFrame(
        {
            "customer_id": ["c0000"] * 3,
            "day": days,
            "kind": ["refund", "purchase", "purchase"],
            "count": [1, 2, 1],
            "amount": [-3.0, 20.5, 9.0],
            "detail": [None, "2 orders", None],
        }
    )
    filled(store, events=events)
    load = store.current_load()
    timeline = store.timeline(load, "c0000")
    assert [(event.day, event.kind) for event in timeline] == [(days[1], "purchase"), (days[0], "purchase"), (days[0], "refund")]
    assert store.timeline(load, "c0000", limit=1)[0].amount == 20.5
    assert store.timeline(load, "c0001") == ()


def test_a_new_load_replaces_the_old_one_and_old_ones_are_removed(store: Store) -> None:
    for version in range(KEPT_LOADS + 2):
        filled(store, scores(version=str(version)))
    assert store.current_load().model_version == str(KEPT_LOADS + 1)
    assert len(store.loads()) == KEPT_LOADS
    with reading(store._engine) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM scores").scalar() == 3 * KEPT_LOADS


def test_the_words_before_a_date_are_those_of_the_newest_load_of_an_earlier_one(store: Store) -> None:
    assert store.words_before("acme", 90, date(2024, 3, 1), ("value_tier",)) is None
    for day, words in (
        (date(2024, 2, 1), ["VIP", "small"]),
        (date(2024, 3, 1), ["small", "VIP"]),
        (date(2024, 1, 1), ["major"] * 2),
    ):
        filled(store, scores(2).with_columns(as_of=day, value_tier=pl.Series(words)))
    found = {day: store.words_before("acme", 90, day, ("value_tier",)) for day in (date(2024, 3, 1), date(2024, 3, 2))}
    assert sorted(found[date(2024, 3, 1)].rows()) == [("c0000", "VIP"), ("c0001", "small")]
    assert sorted(found[date(2024, 3, 2)].rows()) == [("c0000", "small"), ("c0001", "VIP")]
    assert store.words_before("acme", 30, date(2024, 3, 2), ("value_tier",)) is None
    assert store.words_before("other", 90, date(2024, 3, 2), ("value_tier",)) is None


def test_scoring_a_date_often_never_removes_where_customers_come_from(store: Store) -> None:
    filled(store, scores(2).with_columns(as_of=date(2024, 2, 1)))
    for version in range(KEPT_LOADS + 2):
        filled(store, scores(2, version=str(version)))
    assert store.words_before("acme", 90, date(2024, 3, 1), ("value_tier",)).height == 2
    assert len(store.loads()) == KEPT_LOADS + 1


def test_every_company_and_horizon_has_its_own_current_load(store: Store) -> None:
    filled(store, scores(2, horizon_days=30))
    filled(store, scores(4, horizon_days=90))
    store.load_scores(scores(5), company="other", loaded_at=LOADED_AT)
    assert [store.current_load("acme", days).customers for days in (30, 90)] == [2, 4]
    assert store.current_load("other").customers == 5
    assert store.current_load("acme", 7) is None


def test_a_load_that_fails_leaves_the_old_one_in_place(store: Store) -> None:
    filled(store)
    twice = pl.concat([scores(), scores(version="1")])
    with pytest.raises(StoreError, match="cannot be used"):
        filled(store, twice)
    assert store.current_load().customers == 3
    assert len(store.loads()) == 1


def test_scores_of_two_runs_are_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="2 different runs"):
        filled(store, pl.concat([scores(1), scores(1, version="2")]))


def test_no_scores_are_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="no scores to load"):
        filled(store, scores().clear())


def test_a_reader_never_sees_half_a_load_while_two_writers_load(store_url: str, store: Store) -> None:
    customers, failures, wrong = 2_000, [], []
    filled(store, scores(customers, version="0"))

    def write(first: int) -> None:
        try:
            own = Store(store_url)
            for number in range(3):
                filled(own, scores(customers, version=str(first + number)))
            own.close()
        except BaseException as error:
            failures.append(error)

    writers = [threading.Thread(target=write, args=(first,)) for first in (10, 20)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        load = store.current_load()
        page = store.customers(load, limit=1)
        if page.total != customers:
            wrong.append((load, page.total))
    assert failures == []
    # A reader that is far behind finds its load removed as a whole; it never finds a part of one.
    assert [found for found in wrong if found[1] != 0] == []
    assert len(store.loads()) == KEPT_LOADS
    assert all(store.customers(load).total == customers for load in store.loads())


def test_several_programs_may_migrate_at_once(store_url: str) -> None:
    failures: list[BaseException] = []

    def migrate() -> None:
        try:
            with closing(Store(store_url)) as own:
                own.migrate()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=migrate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_the_first_to_open_a_new_file_waits_for_another_who_is_writing_to_it(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.2, lambda: other.execute("COMMIT")).start()
        with closing(Store(f"sqlite:///{path}")) as store:
            store.migrate()
            assert store.current_load() is None


def test_a_new_file_that_stays_locked_is_told_in_words(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with (
            closing(Store(f"sqlite:///{path}", writer_waits_s=0.05)) as store,
            pytest.raises(StoreError, match="database is locked") as caught,
        ):
            store.migrate()
    assert "another program is writing" in caught.value.hint


def test_the_list_is_sorted_paged_and_counted(store: Store) -> None:
    filled(store, scores(25))
    load = store.current_load()
    page = store.customers(load, offset=10, limit=10)
    assert page.total == 25
    assert [row.customer_id for row in page.rows] == [f"c{i:04d}" for i in range(10, 20)]
    rising = store.customers(load, sort="churn_probability", descending=False, limit=25).rows
    assert [row.churn_probability for row in rising] == sorted(row.churn_probability for row in rising)


def test_missing_values_are_last_in_both_directions(store: Store) -> None:
    filled(store, scores().with_columns(value_at_risk=pl.Series([None, 1.0, 2.0])))
    load = store.current_load()
    for descending in (True, False):
        assert store.customers(load, descending=descending).rows[-1].customer_id == "c0000"


def test_sorting_by_an_unknown_column_is_refused(store: Store) -> None:
    filled(store)
    with pytest.raises(ValueError, match="cannot sort by 'load_id; DROP'"):
        store.customers(store.current_load(), sort="load_id; DROP")


def test_filters_are_joined_by_and(store: Store) -> None:
    filled(store, scores(10))
    load = store.current_load()
    assert store.customers(load, CustomerFilter(value_tier="VIP")).total == 1
    assert store.customers(load, CustomerFilter(status="status_1")).total == 5
    assert store.customers(load, CustomerFilter(value_tier="VIP", status="status_1")).total == 0


@pytest.mark.parametrize(("search", "found"), [("C000", 10), ("0003", 1), ("%", 0), ("_", 0), ("liu", 1), ("' OR 1=1", 0)])
def test_search_finds_parts_of_ids_and_names_and_takes_signs_literally(store: Store, search: str, found: int) -> None:
    people = pl.DataFrame({"customer_id": ["c0004"], "name": ["Liu Yang"], "owner": ["Ann"]})
    filled(store, scores(10), people=people)
    load = store.current_load()
    assert store.customers(load, CustomerFilter(search=search)).total == found
    assert store.customers(load, CustomerFilter(owner="Ann")).rows[0].name == "Liu Yang"


def test_the_summary_adds_up(store: Store) -> None:
    frame = scores(10)
    features = frame.select("customer_id", "as_of", complaints_open=pl.Series([2.0] + [0.0] * 9))
    filled(store, frame, features=features)
    load = store.current_load()
    summary = store.summary(load, at_risk_from=0.4)
    assert summary.customers == 10
    assert summary.customers_at_risk == (frame["churn_probability"] >= 0.4).sum()
    assert summary.value_at_risk == pytest.approx(frame["value_at_risk"].sum())
    assert summary.complaints_open == 2
    assert {tier.value_tier: tier.customers for tier in summary.tiers} == {"VIP": 1, "small": 9}
    assert store.customers(load, CustomerFilter(with_open_complaint=True)).total == 1
    assert store.choices(load, "value_tier", "status") == {"value_tier": ("VIP", "small"), "status": ("status_0", "status_1")}


def test_the_lost_are_a_figure_of_their_own(store: Store) -> None:
    frame = scores(12).with_columns(status=pl.Series(["lost", "active", None] * 4))
    filled(store, frame)
    load = store.current_load()
    summary = store.summary(load, at_risk_from=0.4)
    lost, others = frame.filter(pl.col("status") == "lost"), frame.filter(pl.col("status").ne_missing("lost"))
    assert (summary.customers_lost, summary.customers) == (4, 8)
    assert summary.value_lost == pytest.approx(lost["value_at_risk"].sum())
    assert summary.value_at_risk == pytest.approx(others["value_at_risk"].sum())
    assert summary.expected_value == pytest.approx(others["expected_value"].sum())
    assert summary.customers_at_risk == (others["churn_probability"] >= 0.4).sum()
    assert sum(tier.customers for tier in summary.tiers) == 8
    assert store.customers(load, CustomerFilter(but_status="lost")).total == 8


@given(st.integers(1, 40), st.integers(0, 45), st.integers(1, 45))
def test_the_total_is_right_on_every_page(crowd: Store, customers: int, offset: int, limit: int) -> None:
    load = next(load for load in crowd.loads() if load.customers == customers)
    page = crowd.customers(load, offset=offset, limit=limit)
    assert page.total == customers
    assert [row.customer_id for row in page.rows] == list(crowd.customer_ids(load))[offset : offset + limit]


@pytest.fixture(scope="module")
def crowd() -> Iterator[Store]:
    """Loads of 1 to 40 customers."""
    store = Store("sqlite://")
    store.migrate()
    for customers in range(1, 41):
        store.load_scores(scores(customers), company=f"acme-{customers}", loaded_at=LOADED_AT)
    yield store
    store.close()


def test_without_a_complaints_table_the_number_of_open_complaints_is_unknown(store: Store) -> None:
    filled(store)
    assert store.summary(store.current_load()).complaints_open is None


def plan_frame() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "customer_id": ["c0001", "c0000"],
            "action": ["call", "letter"],
            "channel": ["phone", "post"],
            "cost": [4.0, 1.5],
            "expected_net_value": [40.0, 10.0],
            "churn_probability": [0.5, 0.6],
            "value_at_risk": [2.0, 3.0],
            "reason": ["an open complaint", None],
        }
    )


def test_the_newest_plan_of_a_load_is_the_one_that_readers_see(store: Store) -> None:
    filled(store)
    load = store.current_load()
    assert store.plan(load) is None
    store.save_plan(load, plan_frame().head(1), made_at=LOADED_AT, budget=None, capacities={})
    store.save_plan(load, plan_frame(), made_at=LOADED_AT, budget=100.0, capacities={"phone": 5}, notes=["no consent table"])
    plan = store.plan(load)
    assert (plan.customers, plan.cost, plan.expected_net_value, plan.budget) == (2, 5.5, 50.0, 100.0)
    assert (plan.capacities, plan.notes) == ({"phone": 5}, ("no consent table",))
    assert [item.customer_id for item in store.plan_items(plan)] == ["c0001", "c0000"]
    assert store.plan_item(plan, "c0000").channel == "post"
    assert store.plan_item(plan, "c0002") is None
    assert [(action.action, action.customers) for action in store.planned_actions(plan)] == [("call", 1), ("letter", 1)]
    assert store.customers(load, CustomerFilter(action="call")).rows[0].customer_id == "c0001"
    assert [store.customer(load, name).action for name in ("c0000", "c0002")] == ["letter", None]


def test_controls_are_kept_with_a_plan_and_are_on_no_list(store: Store) -> None:
    filled(store)
    load = store.current_load()
    drawn = plan_frame().with_columns(arm=pl.Series(["treated", "control"]), propensity=pl.lit(0.9))
    store.save_plan(load, drawn, made_at=LOADED_AT, budget=None, capacities={})
    plan = store.plan(load)
    assert (plan.customers, plan.cost, plan.expected_net_value) == (1, 4.0, 40.0)
    assert [item.customer_id for item in store.plan_items(plan)] == ["c0001"]
    assert [(item.customer_id, item.arm) for item in store.plan_items(plan, controls=True)] == [
        ("c0001", "treated"),
        ("c0000", "control"),
    ]
    assert store.plan_item(plan, "c0000") is None
    assert [action.action for action in store.planned_actions(plan)] == ["call"]
    assert store.customers(load, CustomerFilter(action="letter")).rows == ()
    assert store.customer(load, "c0000").action is None


def test_a_plan_without_actions_is_a_plan(store: Store) -> None:
    filled(store)
    load = store.current_load()
    store.save_plan(load, plan_frame().clear(), made_at=LOADED_AT, budget=0.0, capacities={})
    plan = store.plan(load)
    assert (plan.customers, plan.cost) == (0, 0.0)
    assert store.plan_items(plan) == ()


def test_a_plan_outlives_its_load(store: Store) -> None:
    filled(store)
    first = store.current_load()
    store.save_plan(first, plan_frame(), made_at=LOADED_AT, budget=None, capacities={})
    for version in range(KEPT_LOADS):
        filled(store, scores(version=str(version)))
    assert first.id not in {load.id for load in store.loads()}
    assert store.plan(first).customers == 2


def test_many_ids_are_looked_up_at_once(store: Store) -> None:
    filled(store, scores(1_500))
    load = store.current_load()
    asked = [f"c{i:04d}" for i in range(1_400, 1_600)] + ["nobody"]
    assert sorted(store.customers_by_id(load, asked)) == asked[:100]
