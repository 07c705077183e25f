"""Scores made on Spark are those of the local path, to the last bit."""

from __future__ import annotations

import os
import runpy
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from datasets.simulate import simulate
from decisions.policy import Policy
from features.reading.assemble import assemble
from features.reading.config import CompanyConfig
from keepwell.errors import ConfigError, DataError, ModelError
from serving.batch.scoring import score_company
from serving.plans.policy import read_policy
from tests.features.test_own import forget
from tests.serving.conftest import AS_OF, scorer_for
from training.registry import ModelFolder
from training.scorer import Scorer

ROOT = Path(__file__).parents[3]
HAS_JAVA = bool(shutil.which("java") or os.environ.get("JAVA_HOME"))
pytestmark = pytest.mark.skipif(not HAS_JAVA and "CI" not in os.environ, reason="no Java on this machine")

POLICY = read_policy()
EARLIER = AS_OF - timedelta(days=60)


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from features.spark import local_session

    place = tmp_path_factory.mktemp("spark")
    small = {"spark.master": "local[2]", "spark.sql.shuffle.partitions": "3", "spark.driver.memory": "1g"}
    apart = {"spark.sql.adaptive.coalescePartitions.enabled": "false"}  # customers do lie in several partitions
    folders = {"spark.local.dir": str(place / "scratch"), "spark.sql.warehouse.dir": str(place / "warehouse")}
    session = local_session(**small, **apart, **folders)
    yield session
    session.stop()


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pl.DataFrame]:
    """The raw tables of a small shop."""
    folder = tmp_path_factory.mktemp("raw") / "shop"
    simulate(folder, customers=150, months=12, seed=5, until=AS_OF)
    return {path.stem: pl.read_parquet(path) for path in folder.glob("*.parquet")}


def model_of(tables: Mapping[str, pl.DataFrame]) -> Scorer:
    return scorer_for(assemble(tables, key="shop"))


@pytest.fixture(scope="module")
def model(tables: dict[str, pl.DataFrame]) -> Scorer:
    return model_of(tables)


def on_spark(
    spark: Any,
    folder: Path,
    tables: Mapping[str, pl.DataFrame],
    scorer: Scorer,
    *,
    policy: Policy = POLICY,
    previous: pl.DataFrame | None = None,
    config: CompanyConfig = CompanyConfig(),
    **options: Any,
) -> pl.DataFrame:
    """The scores that Spark makes of the tables, as one frame sorted by id."""
    from serving.spark.scoring import spark_scores

    for name, frame in tables.items():
        frame.write_parquet(folder / f"{name}.parquet")
    frames = {name: spark.read.parquet(str(folder / f"{name}.parquet")) for name in tables}
    before = None
    if previous is not None:
        previous.write_parquet(folder / "before.parquet")
        before = spark.read.parquet(str(folder / "before.parquet"))
    with spark_scores(frames, config, scorer, AS_OF, policy, previous=before, **options) as scores:
        return pl.DataFrame(pl.from_arrow(scores.toArrow())).sort("customer_id")


def assert_same_scores(made: pl.DataFrame, whole: pl.DataFrame) -> None:
    assert made.columns == whole.columns
    reasons = made["reasons"].cast(whole.schema["reasons"])
    assert_frame_equal(made.with_columns(reasons), whole, check_exact=True)


def test_every_column_is_that_of_the_local_path(
    spark: Any, tables: dict[str, pl.DataFrame], model: Scorer, tmp_path: Path
) -> None:
    company = assemble(tables, key="shop")
    before = score_company(company, model, EARLIER, POLICY, allow_hindsight=True)
    whole = score_company(company, model, AS_OF, POLICY, previous=before, most_explained=20)
    assert whole["reasons"].null_count() == whole.height - 20
    assert whole["moves"].null_count() < whole.height
    assert_same_scores(on_spark(spark, tmp_path, tables, model, previous=before, most_explained=20), whole)


def odd(tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The shop with odd ids, one customer of thousands of orders, one of finer amounts, and one who only ever complained."""
    ids = tables["transactions"]["customer_id"].unique().sort().cast(pl.String)
    names = {ids[0]: "🌶️ chili", ids[1]: "Ünal, A.", ids[2]: "0012"}
    renamed = {name: frame.with_columns(pl.col("customer_id").cast(pl.String).replace(names)) for name, frame in tables.items()}
    orders, complaints = renamed["transactions"], renamed["complaints"]
    one = orders.filter(pl.col("customer_id") == "0012").head(1)
    many = pl.concat([one] * 3_000).with_columns(order_id=pl.format("many-{}", pl.int_range(3_000)))
    fine = orders.with_columns(amount=pl.when(pl.col("customer_id") == "Ünal, A.").then(0.125).otherwise("amount"))
    last = complaints.tail(1).with_columns(
        customer_id=pl.lit("only complained"),
        opened_at=pl.lit(datetime(2024, 12, 31, 12)).cast(complaints.schema["opened_at"]),
    )
    return {**renamed, "transactions": pl.concat([fine, many]), "complaints": pl.concat([complaints, last])}


@pytest.mark.slow
def test_odd_ids_a_huge_customer_finer_amounts_and_a_complaint_alone_change_nothing(
    spark: Any, tables: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    strange = odd(tables)
    model = model_of({name: frame.with_columns(pl.col("customer_id").cast(pl.String)) for name, frame in tables.items()})
    whole = score_company(assemble(strange, key="shop"), model, AS_OF, POLICY)
    assert whole["data_until"][0] == date(2024, 12, 31)
    assert "only complained" not in whole["customer_id"]
    assert_same_scores(on_spark(spark, tmp_path, strange, model), whole)


def test_what_spark_may_not_score_is_refused_before_the_job(
    spark: Any, tables: dict[str, pl.DataFrame], model: Scorer, tmp_path: Path
) -> None:
    of_contracts = replace(model, info=replace(model.info, churn="contracts"))
    with pytest.raises(ModelError, match="on Spark only purchases are scored"):
        on_spark(spark, tmp_path, tables, of_contracts)
    with pytest.raises(ModelError, match="belongs to company 'shop'"):
        on_spark(spark, tmp_path, tables, model, config=CompanyConfig(company="other"))
    with pytest.raises(ConfigError, match="their ids are not given"):
        on_spark(spark, tmp_path, tables, model, config=CompanyConfig(leave_out_customers="gone.csv"))
    later = {name: frame for name, frame in tables.items() if name == "transactions"}
    with pytest.raises(ModelError, match="have no table"):
        on_spark(spark, tmp_path, later, model)


def in_days_and_times(tables: Mapping[str, pl.DataFrame], folder: Path) -> Path:
    """Complaints in two files: one of times, one of days."""
    complaints = tables["complaints"].with_columns(pl.col("opened_at").cast(pl.Datetime("us")))
    (folder / "complaints").mkdir()
    complaints.head(3).write_parquet(folder / "complaints/new.parquet")
    complaints.slice(3).with_columns(pl.col("opened_at").cast(pl.Date)).write_parquet(folder / "complaints/old.parquet")
    return folder / "complaints"


def test_files_that_cannot_be_one_column_are_refused_with_the_table_and_the_column(
    spark: Any, tables: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    from features.spark_words import read_parquet

    place = str(in_days_and_times(tables, tmp_path))
    with pytest.raises(DataError, match=r"complaints\.opened_at: cannot be one column: (date|timestamp).* in some files"):
        read_parquet(spark, "complaints", place)
    with pytest.raises(DataError, match=r"complaints: cannot be read by Spark: \[PATH_NOT_FOUND\][^\n]*\n  -> check the path"):
        read_parquet(spark, "complaints", str(tmp_path / "nowhere"))


def test_a_column_that_only_some_files_have_is_read_by_spark_whichever_file_comes_first(spark: Any, tmp_path: Path) -> None:
    from features.spark_words import read_parquet

    for first, second in (("a", "b"), ("b", "a")):
        folder = tmp_path / f"{first}-{second}"
        folder.mkdir()
        pl.DataFrame({"id": ["x"]}).write_parquet(folder / f"{first}.parquet")
        pl.DataFrame({"id": ["y"], "more": [1]}).write_parquet(folder / f"{second}.parquet")
        rows = pl.DataFrame(pl.from_arrow(read_parquet(spark, "contacts", str(folder)).toArrow()))
        assert rows.sort("id").rows() == [("x", None), ("y", 1)]


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [pl.Int32, pl.Int64])
def test_ids_that_are_integers_change_nothing(
    spark: Any, tables: dict[str, pl.DataFrame], tmp_path: Path, dtype: type[pl.DataType]
) -> None:
    places = tables["customers"]["customer_id"].sort()
    numbers = {name: frame.with_columns(places.search_sorted(frame["customer_id"]).cast(dtype)) for name, frame in tables.items()}
    company = assemble(numbers, key="shop")
    model = scorer_for(company)
    made = on_spark(spark, tmp_path, numbers, model)
    assert made.schema["customer_id"] == pl.Int64
    whole = score_company(company, model, AS_OF, POLICY)
    assert_same_scores(made.with_columns(pl.col("customer_id").cast(whole.schema["customer_id"])), whole)


@pytest.fixture
def nothing_of_ones_own() -> Iterator[None]:
    """No other test knows features that this one takes in."""
    forget()
    yield
    forget()


@pytest.mark.slow
@pytest.mark.usefixtures("nothing_of_ones_own")
def test_a_feature_of_ones_own_is_made_by_the_workers_too(
    spark: Any, tables: dict[str, pl.DataFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "examples/own_shop"))
    packed = shutil.make_archive(str(tmp_path / "own_shop"), "zip", ROOT / "examples/own_shop", "own_shop")
    spark.sparkContext.addPyFile(packed)  # as --py-files does
    config = CompanyConfig(company="shop", features=("own_shop.features",))
    company = assemble(tables, key="shop", config=config)
    model = scorer_for(company)
    assert any(name.startswith("own_") for name in model.info.feature_names)
    whole = score_company(company, model, AS_OF, POLICY)
    assert_same_scores(on_spark(spark, tmp_path, tables, model, config=config), whole)


@pytest.mark.slow
@pytest.mark.usefixtures("spark")
def test_the_example_writes_the_scores_by_tier(
    tables: dict[str, pl.DataFrame], model: Scorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ModelFolder(tmp_path / "models").keep(model)
    for name, frame in tables.items():
        frame.write_parquet(tmp_path / f"{name}.parquet")
    places = [f"{name}={tmp_path / f'{name}.parquet'}" for name in tables]
    asked = ["--models", str(tmp_path / "models"), "--as-of", str(AS_OF), "--out", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", ["it", *places, *asked, "--partition", "value_tier"])
    runpy.run_path(str(ROOT / "examples/score_on_spark.py"), run_name="__main__")
    whole = score_company(assemble(tables, key="shop"), model, AS_OF, POLICY)
    made = pl.read_parquet(tmp_path / "out/**/*.parquet", hive_partitioning=True).select(whole.columns).sort("customer_id")
    assert_same_scores(made.with_columns(pl.col("value_tier").cast(whole.schema["value_tier"])), whole)
    monkeypatch.setattr(sys, "argv", ["it", f"transactions={tmp_path / 'nowhere'}", *asked])
    with pytest.raises(SystemExit, match="Error: transactions: cannot be read by Spark"):
        runpy.run_path(str(ROOT / "examples/score_on_spark.py"), run_name="__main__")
