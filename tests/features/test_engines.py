"""One definition, any engine: whatever the tables live in, the panel is the same, column by column."""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings

from commands import terminal
from features.arrays import feature_matrix
from features.catalog import panel_names
from features.company import Company
from features.engines import ENGINES, ENTRANCES, build_frames, start, to_polars, write_panel_of, written_folder
from features.frames import PanelFrames
from features.panel import build_panel
from features.reading.assemble import assemble
from features.reading.config import CompanyConfig, TableConfig
from features.recipe import recipe
from keepwell.errors import ConfigError
from tests.features.strategies import Story, crowd, stories
from tests.features.test_laws import NAMES, arrays_of, assert_same, few_names, law

ROOT = Path(__file__).parents[2]

HAS_JAVA = bool(shutil.which("java") or os.environ.get("JAVA_HOME"))
needs_spark = pytest.mark.skipif(not HAS_JAVA and "CI" not in os.environ, reason="no Java on this machine")

QUICK = ("polars", "pandas", "duckdb")
ALL = (*QUICK, pytest.param("spark", marks=needs_spark))
KINDS = {"polars": pl.LazyFrame, "pandas": pd.DataFrame, "duckdb": duckdb.DuckDBPyRelation}


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A small Spark on this machine; the engine's tables go to the session that is running."""
    from features.spark import local_session

    place = tmp_path_factory.mktemp("spark")
    small = {"spark.master": "local[2]", "spark.sql.shuffle.partitions": "3", "spark.driver.memory": "1g"}
    folders = {"spark.local.dir": str(place / "scratch"), "spark.sql.warehouse.dir": str(place / "warehouse")}
    session = local_session(**small, **folders)
    yield session
    session.stop()


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> str:
    """The name of an engine that is ready."""
    if request.param == "spark":
        request.getfixturevalue("spark")
    return request.param


on_every_engine = pytest.mark.parametrize("engine", ALL, indirect=True)


def on(engine: str, company: Company) -> dict[str, Any]:
    return {name: ENTRANCES[engine](frame) for name, frame in company.tables.items()}


def assert_agrees(engine: str, company: Company, dates: Sequence[date], names: Sequence[str]) -> None:
    tables = on(engine, company)
    made = build_frames(tables, company.scales, dates, names)
    assert type(made) is type(tables["transactions"])
    ours = to_polars(made)
    assert ours.columns == ["customer_id", "as_of", *names]
    assert_same(ours, build_panel(company, dates, names), names, across_engines=True)


def two_dates(story: Story) -> list[date]:
    return [story.as_of, story.as_of - timedelta(days=45)]


@pytest.mark.parametrize("late", [False, True])
@on_every_engine
def test_every_engine_gives_the_same_whole_catalog(engine: str, late: bool) -> None:
    story = crowd(seed=0, late=late)
    company = story.company()
    names = tuple(dict.fromkeys([*NAMES, *panel_names(company, [story.as_of])]))
    assert_agrees(engine, company, two_dates(story), names)


@pytest.mark.parametrize("late", [False, True])
def test_arrays_give_a_few_customers_the_same_whole_catalog(late: bool) -> None:
    story = crowd(seed=0, late=late)
    company = story.company()
    trained = build_panel(company, [story.as_of], NAMES)
    few = trained["customer_id"].to_list()[10:15]
    tables = {name: frame.filter(pl.col("customer_id").is_in(few)) for name, frame in company.tables.items()}
    ids, matrix = feature_matrix(arrays_of(tables), company.scales, story.as_of, NAMES)
    assert ids.tolist() == few
    rows = trained.filter(pl.col("customer_id").is_in(few)).select(NAMES).fill_null(float("nan"))
    np.testing.assert_array_equal(matrix, rows.to_numpy())


@on_every_engine
def test_a_table_or_column_that_is_not_there_is_missing_on_every_engine(engine: str) -> None:
    story = crowd(seed=1)
    company = story.company()
    bare = company.tables["transactions"].select(
        "customer_id", "ordered_day", "ordered_us", "amount", "known_day", "superseded_day"
    )
    complaints = company.tables["complaints"].drop("severity", "closed_day", "closed_us")
    surveys = company.tables["surveys"].head(0)
    less = replace(company, tables={"transactions": bare, "complaints": complaints, "surveys": surveys})
    assert_agrees(engine, less, [story.as_of], NAMES)


@on_every_engine
def test_numbers_stay_numbers_as_ids_on_every_engine(engine: str) -> None:
    story = crowd(seed=2, customers=20, late=False)
    company = story.company()
    numbered = {name: frame.with_columns(pl.col("customer_id").cast(pl.Int64)) for name, frame in company.tables.items()}
    names = ["recency_days", "spend_90d", "complaints_open"]
    assert_agrees(engine, replace(company, tables=numbered), two_dates(story), names)


@pytest.mark.parametrize("engine", QUICK)
@settings(law, max_examples=8)
@given(story=stories(), names=few_names)
def test_quick_engines_agree_on_any_small_company(engine: str, story: Story, names: list[str]) -> None:
    company = story.company()
    made = build_frames(on(engine, company), company.scales, two_dates(story), names)
    assert isinstance(made, KINDS[engine])
    assert_same(to_polars(made), build_panel(company, two_dates(story), names), names, across_engines=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 6))
@on_every_engine
def test_every_engine_gives_the_same_whole_catalog_of_other_companies(engine: str, seed: int) -> None:
    story = crowd(seed)
    assert_agrees(engine, story.company(), two_dates(story), NAMES)


@pytest.mark.slow
def test_many_dates_do_not_nest_too_deep_for_duckdb() -> None:
    story = crowd(seed=0, customers=10)
    assert_agrees("duckdb", story.company(), [story.as_of - timedelta(days=30 * month) for month in range(6)], NAMES)


def test_eager_polars_gives_eager_polars() -> None:
    story = crowd(seed=0, customers=5)
    company = story.company()
    made = build_frames(company.tables, company.scales, [story.as_of], ["recency_days"])
    assert isinstance(made, pl.DataFrame)


@pytest.mark.parametrize("engine", QUICK)
def test_no_dates_unknown_names_and_no_transactions_are_refused(engine: str) -> None:
    story = crowd(seed=0, customers=2)
    company = story.company()
    with pytest.raises(ConfigError, match="no dates"):
        build_frames(on(engine, company), company.scales, [], NAMES)
    with pytest.raises(ConfigError, match="unknown feature 'luck'"):
        build_frames(on(engine, company), company.scales, [story.as_of], ["luck"])
    with pytest.raises(ConfigError, match="features need transactions"):
        build_frames({}, company.scales, [story.as_of], NAMES)


@pytest.mark.parametrize("engine", ["numpy", *ALL], indirect=True)
def test_a_written_panel_is_that_of_build_panel(engine: str, tmp_path: Path) -> None:
    story = crowd(seed=3, customers=30)
    company, out = story.company(), tmp_path / "panel [1].parquet"  # no pattern
    names = ["recency_days", "spend_90d", "complaints_open"]
    for _ in range(2):  # the second time it replaces what is there
        rows = write_panel_of(company, out, engine, dates=two_dates(story), names=names)
    written = pl.from_arrow(pq.read_table(out)).sort("as_of", "customer_id")
    expected = build_panel(company, two_dates(story), names)
    assert rows == expected.height
    assert written.schema == expected.schema
    assert_same(written, expected, names)
    assert list(tmp_path.iterdir()) == [out]


def test_what_spark_writes_is_a_folder_of_parquet_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"a folder of Parquet files, not 'panel\.csv'"):
        start("spark", tmp_path / "panel.csv")


def test_a_spark_that_is_not_installed_is_told_with_the_way_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.errors", None)
    monkeypatch.delitem(sys.modules, "features.spark", raising=False)
    monkeypatch.delattr("features.spark", raising=False)
    with pytest.raises(ConfigError, match=r'Spark is not installed[\s\S]*pip install "keepwell\[spark\]"'):
        start("spark", tmp_path / "panel.parquet")


def test_a_folder_that_was_not_finished_replaces_none(tmp_path: Path) -> None:
    (tmp_path / "panel.parquet").mkdir()
    with pytest.raises(FileExistsError, match="part"), written_folder(tmp_path / "panel.parquet") as folder:
        deque((folder / "part").mkdir(parents=True) for _ in range(2))
    assert [path.name for path in tmp_path.rglob("*")] == ["panel.parquet"]


def test_the_engines_are_all_tested() -> None:
    assert ("numpy", *QUICK, "spark") == ENGINES


def test_the_command_line_knows_the_engines_without_importing_them() -> None:
    assert terminal.ENGINES == ENGINES


@needs_spark
@pytest.mark.usefixtures("spark")
def test_rows_move_once_on_spark_and_by_customer() -> None:
    story = crowd(seed=0, customers=5)
    company = story.company()
    made = build_frames(on("spark", company), company.scales, two_dates(story), NAMES)
    made.collect()
    plan = made._jdf.queryExecution().executedPlan().toString().split("Initial Plan")[0]
    assert plan.count("Exchange hashpartitioning(customer_id") == plan.count("Exchange ") == 1


def read_by_spark(session: Any, tables: Mapping[str, pl.DataFrame], folder: Path) -> dict[str, Any]:
    for name, frame in tables.items():
        frame.write_parquet(folder / f"{name}.parquet")  # what has no zone stays local time there
    return {name: session.read.parquet(str(folder / f"{name}.parquet")) for name in tables}


@needs_spark
def test_each_partition_of_spark_reads_the_users_own_tables(spark: Any, tmp_path: Path) -> None:
    story = crowd(seed=4, customers=40)
    from features.spark import spark_panel_of_raw

    config = CompanyConfig(zone="Europe/Berlin", tables={"transactions": TableConfig(columns={"customer_id": "Kunde"})})
    tables = dict(story.tables, transactions=story.tables["transactions"].rename({"customer_id": "Kunde"}))
    company = assemble(tables, key="whole", config=config)
    made = spark_panel_of_raw(read_by_spark(spark, tables, tmp_path), config, two_dates(story), NAMES)
    assert_same(to_polars(made), build_panel(company, two_dates(story), NAMES), NAMES, across_engines=True)


@needs_spark
def test_what_a_partition_would_have_to_guess_is_refused(spark: Any, tmp_path: Path) -> None:
    from features.spark import spark_panel_of_raw

    story = crowd(seed=4, customers=3)
    day, bought = [story.as_of], story.tables["transactions"]
    worded = {"transactions": bought.with_columns(pl.col("ordered_at").dt.strftime("%d.%m.%Y"))}
    in_words = read_by_spark(spark, worded, tmp_path)
    with pytest.raises(ConfigError, match=r"transactions\.ordered_at is string, and no time"):
        spark_panel_of_raw(in_words, CompanyConfig(), day, ["recency_days"])
    told = CompanyConfig(tables={"transactions": TableConfig(time_format="%d.%m.%Y")})
    company = assemble(story.tables, key="whole")
    assert_same(
        to_polars(spark_panel_of_raw(in_words, told, day, ["recency_days"])),
        build_panel(company, day, ["recency_days"]),
        ["recency_days"],
    )
    (tmp_path / "mixed").mkdir()
    mixed = dict(story.tables, transactions=bought.with_columns(pl.col("customer_id").cast(pl.Int64)))
    with pytest.raises(ConfigError, match="customer_id has several types"):
        spark_panel_of_raw(read_by_spark(spark, mixed, tmp_path / "mixed"), CompanyConfig(), day, ["recency_days"])


@needs_spark
def test_refunds_may_stand_apart_on_spark_and_what_is_no_table_is_refused(spark: Any, tmp_path: Path) -> None:
    from features.spark import spark_panel_of_raw

    story = crowd(seed=4, customers=30)
    day, lines = [story.as_of], story.tables["transactions"].drop("known_at", strict=False)
    is_refund = pl.col("amount") < 0
    apart = {"transactions": lines.filter(~is_refund), "refunds": lines.filter(is_refund).with_columns(-pl.col("amount"))}
    names = ["net_spend_all", "refunds_all"]
    frames = read_by_spark(spark, apart, tmp_path)
    expected = build_panel(assemble(apart, key="whole"), day, names)
    assert expected["refunds_all"].sum() > 0
    assert_same(to_polars(spark_panel_of_raw(frames, CompanyConfig(), day, names)), expected, names)
    with pytest.raises(ConfigError, match="'orders' is no table of ours"):
        spark_panel_of_raw({"orders": frames["transactions"]}, CompanyConfig(), day, names)
    with pytest.raises(ConfigError, match="features need transactions"):
        spark_panel_of_raw({"refunds": frames["refunds"]}, CompanyConfig(), day, names)


@needs_spark
def test_rows_without_a_customer_are_left_out_before_they_fill_a_partition(spark: Any, tmp_path: Path) -> None:
    from features.spark import spark_panel_of_raw

    day, settings = [date(2024, 3, 1)], TableConfig(skip_rows_without=("customer_id",))
    lines = pl.DataFrame({"customer_id": ["a", None, " "], "ordered_at": [datetime(2024, 1, 1)] * 3, "amount": [1.0, 2.0, 4.0]})
    frames = read_by_spark(spark, {"transactions": lines}, tmp_path)
    spark.conf.set("spark.sql.adaptive.coalescePartitions.enabled", "false")  # each id in a partition of its own
    try:
        made = to_polars(spark_panel_of_raw(frames, CompanyConfig(tables={"transactions": settings}), day, ["spend_all"]))
    finally:
        spark.conf.unset("spark.sql.adaptive.coalescePartitions.enabled")
    assert made.select("customer_id", "spend_all").rows() == [("a", 1.0)]


@needs_spark
def test_who_is_left_out_is_known_on_spark_by_whole_numbers_with_a_point(spark: Any, tmp_path: Path) -> None:
    from features.spark import spark_panel_of_raw

    lines = pl.DataFrame({"customer_id": [7.0, 8.0], "ordered_at": [datetime(2024, 1, 1)] * 2, "amount": [1.0, 2.0]})
    frames = read_by_spark(spark, {"transactions": lines}, tmp_path)
    many = ("7", *map(str, range(100_000, 150_000)))  # more than a condition could name one by one
    made = spark_panel_of_raw(frames, CompanyConfig(), [date(2024, 3, 1)], ["spend_all"], left_out_customers=many)
    assert to_polars(made).select("customer_id", "spend_all").rows() == [(8, 2.0)]


@needs_spark
def test_rows_without_a_customer_are_refused_on_spark_whoever_is_left_out(spark: Any, tmp_path: Path) -> None:
    from features.spark import spark_panel_of_raw

    lines = pl.DataFrame({"customer_id": ["a", None], "ordered_at": [datetime(2024, 1, 1)] * 2, "amount": [1.0, 2.0]})
    frames = read_by_spark(spark, {"transactions": lines}, tmp_path)
    made = spark_panel_of_raw(frames, CompanyConfig(), [date(2024, 3, 1)], ["spend_all"], left_out_customers=("b",))
    with pytest.raises(Exception, match=r"transactions\.customer_id"):
        made.collect()


@needs_spark
def test_a_wrong_value_fails_the_job_of_spark_with_the_rule_that_it_breaks(spark: Any, tmp_path: Path) -> None:
    from features.spark import spark_panel_of_raw

    story = crowd(seed=4, customers=3)
    wrong = {"transactions": story.tables["transactions"].with_columns(quantity=pl.lit(1e10))}
    with pytest.raises(Exception, match=r"transactions\.quantity: must lie in"):
        spark_panel_of_raw(read_by_spark(spark, wrong, tmp_path), CompanyConfig(), [story.as_of], ["recency_days"]).collect()


@needs_spark
def test_the_example_writes_the_panel_by_date(spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    story = crowd(seed=5, customers=20)
    for name in ("transactions", "complaints"):
        story.tables[name].write_parquet(tmp_path / f"{name}.parquet")
    places = [f"{name}={tmp_path / f'{name}.parquet'}" for name in ("transactions", "complaints")]
    dates = [option for day in two_dates(story) for option in ("--as-of", str(day))]
    names = ["recency_days", "spend_90d", "complaints_open"]
    monkeypatch.setattr(sys, "argv", ["it", *places, *dates, "--out", str(tmp_path / "out"), "--columns", ",".join(names)])
    runpy.run_path(str(ROOT / "examples/features_on_spark.py"), run_name="__main__")
    written = pl.read_parquet(tmp_path / "out/**/*.parquet", hive_partitioning=True, try_parse_hive_dates=True)
    company = assemble({name: story.tables[name] for name in ("transactions", "complaints")}, key="whole")
    expected = build_panel(company, two_dates(story), names)
    assert_same(written.select(expected.columns).sort("as_of", "customer_id"), expected, names)


@needs_spark
@pytest.mark.slow
@pytest.mark.usefixtures("spark")
def test_the_expressions_of_frames_run_on_spark_as_well() -> None:
    story, names = crowd(seed=6, customers=20), ["recency_days", "spend_90d", "spend_sd_all", "complaints_open"]
    company = story.company()
    tables = {name: nw.from_native(frame) for name, frame in on("spark", company).items()}
    made = PanelFrames(tables, company.scales, recipe(names)).at(story.as_of)
    assert_same(to_polars(made.to_native()), build_panel(company, [story.as_of], names), names, across_engines=True)


@needs_spark
def test_a_spark_without_java_is_told_with_the_way_out() -> None:
    script = "from features.spark import local_session; local_session()"
    environment = {**os.environ, "JAVA_HOME": "/nowhere"}
    told = subprocess.run([sys.executable, "-c", script], env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "ConfigError: Spark does not start" in told.stderr
    assert "-> install Java 17" in told.stderr
