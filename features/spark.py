"""The panel on Spark: Spark moves the rows, the NumPy executor makes the features. The home of PySpark.

Rows of all tables travel together: one frame, with a struct column for each table, of which a row fills one. It is moved once,
by customer, so that all that is known of a customer lies in one partition; there the panel of these customers is made, Arrow in
and Arrow out. A plan of Spark's own expressions, as `features.frames` builds it, gives the same rows, but for the whole catalog
takes Spark longer to analyse and compile than this takes to run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import reduce
from typing import TypeAlias

import polars as pl
import pyarrow as pa
from pyspark.errors import PySparkRuntimeError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import broadcast, struct, trim
from pyspark.sql.types import (
    DataType,
    DateType,
    DoubleType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampNTZType,
    TimestampType,
)

from features.company import Company
from features.own import module_names, modules_of
from features.panel import panel_blocks
from features.reading.assemble import assemble
from features.reading.config import CompanyConfig, TableConfig
from features.reading.matching import match_columns
from features.recipe import recipe
from features.tables import INPUTS, Kind
from keepwell.errors import ConfigError

CompanyOf: TypeAlias = Callable[[Mapping[str, pl.DataFrame]], Company]
"""Makes a company of the tables of one partition."""

LOCAL_SETTINGS: Mapping[str, str] = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "4g",  # in local mode the driver is the whole of Spark
    "spark.log.level": "FATAL",  # what fails is raised, and told in our words
    "spark.sql.execution.arrow.maxRecordsPerBatch": "100000",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",  # shop=001 is a text, here as everywhere
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
"""What a session on this machine is started with."""


def local_session(**settings: str) -> SparkSession:
    """The session that is running, else a new one on all cores of this machine; `settings` are added to LOCAL_SETTINGS.

    Raises ConfigError where Java is missing or too old.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # else Spark starts the first python3 of the PATH
    builder = SparkSession.builder.master("local[*]").appName("keepwell").config(map={**LOCAL_SETTINGS, **settings})
    try:
        return SparkSession.getActiveSession() or builder.getOrCreate()
    except PySparkRuntimeError as error:
        raise ConfigError(f"Spark does not start: {error}", hint="install Java 17 (a JRE will do) and set JAVA_HOME") from error


def to_spark(frame: pl.DataFrame) -> DataFrame:
    """A table of ours on Spark, in the session that is running or a new one on this machine."""
    return local_session().createDataFrame(frame.to_arrow())


def spark_panel(
    frames: Mapping[str, DataFrame], scales: Mapping[str, int], dates: Sequence[date], names: Sequence[str]
) -> DataFrame:
    """`features.engines.build_frames` for normalised tables on Spark: nothing is computed before the result is used.

    As many partitions as `spark.sql.shuffle.partitions` says, or fewer where Spark's adaptive execution finds them small.
    """
    builders = modules_of(names)

    def company_of(tables: Mapping[str, pl.DataFrame]) -> Company:
        for module in builders:
            module_names(module)
        return Company("", "UTC", tables, scales, {}, (), builders=builders)

    return _panel(together(frames, dict.fromkeys(frames, "customer_id")), company_of, dates, names)


def spark_panel_of_raw(
    frames: Mapping[str, DataFrame],
    config: CompanyConfig,
    dates: Sequence[date],
    names: Sequence[str],
    *,
    left_out_customers: Collection[str] = (),
) -> DataFrame:
    """The panel of tables as the user has them, by `company.yaml`: each partition checks and converts the rows of its customers.

    `left_out_customers` are the ids in the file that company.yaml names. Raises as `raw_together` does; a wrong value fails the
    job with a DataError.
    """
    rows = raw_together(frames, config, left_out_customers=left_out_customers)

    def company_of(tables: Mapping[str, pl.DataFrame]) -> Company:
        return assemble(tables, key="", config=config, of_some=True)

    return _panel(rows, company_of, dates, names)


def raw_together(
    frames: Mapping[str, DataFrame], config: CompanyConfig, *, left_out_customers: Collection[str] = ()
) -> DataFrame:
    """The rows of all tables as the user has them: `customer_id`, and a struct for each table, missing in the rows of the others.

    What else is guessed from all values of a column must be told, since a partition sees only its own: times are timestamps or
    dates, or have a `time_format`, and ids have one type in all tables. Text attributes stay text.
    Raises ConfigError for these, for tables that are none of ours, and where company.yaml leaves out customers whose ids are not
    given; DataError for a column that is missing.
    """
    if strange := sorted(set(frames) - set(INPUTS)):
        raise ConfigError(f"{strange[0]!r} is no table of ours", hint=f"there are {', '.join(INPUTS)}")
    if "transactions" not in frames:
        raise ConfigError("features need transactions, and they are not there", hint="give them under the name transactions")
    if config.leave_out_customers and not left_out_customers:
        hint = f"read them with features.reading.left_out.read_customer_ids and pass them: {config.leave_out_customers}"
        raise ConfigError("company.yaml leaves out customers, and their ids are not given", hint=hint)
    ids = {table: _customer_column(table, frame, config) for table, frame in frames.items()}
    kinds = {frame.schema[ids[table]].dataType for table, frame in frames.items()}
    if len(kinds) > 1:
        hint = "cast them to one type, text if in doubt"
        raise ConfigError(f"customer_id has several types: {', '.join(sorted(map(str, kinds)))}", hint=hint)
    named = {table: _with_customer(frame, ids[table], config.tables.get(table)) for table, frame in frames.items()}
    if left_out_customers:
        unwanted = broadcast(to_spark(pl.DataFrame({"left_out": list(left_out_customers)}, schema={"left_out": pl.String})))
        named = {table: _without(unwanted, frame, ids[table]) for table, frame in named.items()}
    return together(named, ids)


def _without(unwanted: DataFrame, frame: DataFrame, customer_id: str) -> DataFrame:
    """The rows of no unwanted customer, by the id as it comes out: 7.0 is 7. A row without an id stays, to be refused.

    A join, as the list may be long: a condition that names each id takes Spark's compiler minutes, and then its memory.
    """
    as_it_comes_out = frame[customer_id].cast(id_type(frame.schema[customer_id].dataType)).cast("string")
    return frame.join(unwanted, as_it_comes_out == unwanted["left_out"], "left_anti")


def _with_customer(frame: DataFrame, customer_id: str, settings: TableConfig | None) -> DataFrame:
    """Without rows that have no customer, where company.yaml leaves them out: else one partition would get them all."""
    if settings is None or "customer_id" not in settings.skip_rows_without:
        return frame
    return frame.filter(trim(frame[customer_id].cast("string")) != "")


def _customer_column(table: str, frame: DataFrame, config: CompanyConfig) -> str:
    """The user's column of customer ids; ConfigError where one of times would have to be guessed."""
    settings = config.tables.get(table, TableConfig())
    ours = match_columns(INPUTS[table], frame.columns, settings.columns).ours
    for column in INPUTS[table].columns:
        if column.kind in (Kind.TIME, Kind.DATE) and column.name in ours and not settings.time_format:
            found = frame.schema[ours[column.name]].dataType
            if not isinstance(found, TimestampType | TimestampNTZType | DateType):
                hint = "cast it to a timestamp, or say tables: ... time_format: in company.yaml"
                raise ConfigError(f"{table}.{column.name} is {found.simpleString()}, and no time", hint=hint)
    return ours["customer_id"]


def together(frames: Mapping[str, DataFrame], ids: Mapping[str, str]) -> DataFrame:
    """The rows of all tables: `customer_id`, and a struct for each table, missing in the rows of the others."""
    parts = [frame.select(frame[ids[table]].alias("customer_id"), struct("*").alias(table)) for table, frame in frames.items()]
    return reduce(lambda above, below: above.unionByName(below, allowMissingColumns=True), parts)


def apart(batches: Iterable[pa.RecordBatch]) -> dict[str, pl.DataFrame]:
    """The tables of `together`, from the rows of one partition; none where there are no rows."""
    rows = frame_of(batches)
    return {table: rows.filter(pl.col(table).is_not_null()).select(pl.col(table).struct.unnest()) for table in rows.columns[1:]}


def frame_of(batches: Iterable[pa.RecordBatch]) -> pl.DataFrame:
    """The rows of one partition; a frame without columns where there are none."""
    frames = [pl.DataFrame(pl.from_arrow(batch)) for batch in batches]
    return pl.concat(frames) if frames else pl.DataFrame()


def id_type(customer_id: DataType) -> DataType:
    """The type of ids that comes out where `customer_id` goes in: text stays text, and integers are the widest."""
    return StringType() if isinstance(customer_id, StringType) else LongType()


def with_wide_ids(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with ids of the type that `id_type` gives."""
    ids = rows["customer_id"]
    return rows if ids.dtype == pl.String else rows.with_columns(ids.cast(pl.Int64))


def _panel(rows: DataFrame, company_of: CompanyOf, dates: Sequence[date], names: Sequence[str]) -> DataFrame:
    """The panel of the rows of `together`, a partition of customers at a time."""
    recipe(names)  # an unknown name is refused here, not by a worker

    def panel_of_partition(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        tables = apart(batches)
        if tables and len(tables["transactions"]):
            for block in panel_blocks(company_of(tables), dates, names):
                yield from with_wide_ids(block).to_arrow(compat_level=pl.CompatLevel.oldest()).to_batches()

    keys = [StructField("customer_id", id_type(rows.schema["customer_id"].dataType)), StructField("as_of", DateType())]
    schema = StructType([*keys, *(StructField(name, DoubleType()) for name in names)])
    return rows.repartition("customer_id").mapInArrow(panel_of_partition, schema)
