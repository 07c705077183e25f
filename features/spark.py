"""The panel on Spark: Spark moves the rows, the NumPy executor makes the features. The home of PySpark.

Rows of all tables travel together: one frame, with a struct column for each table, of which a row fills one. It is moved once,
by customer, so that all that is known of a customer lies in one partition; there the panel of these customers is made, Arrow in
and Arrow out. A plan of Spark's own expressions has the same meaning (`features.frames` builds it from the same definitions),
but for the whole catalog takes Spark far longer to analyse than this takes to run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import reduce

import polars as pl
import pyarrow as pa
from pyspark.errors import PySparkRuntimeError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import col, struct
from pyspark.sql.types import DataType, DateType, DoubleType, StructField, StructType

from features.company import Company
from features.panel import panel_blocks
from features.recipe import recipe
from keepwell.errors import ConfigError

LOCAL_SETTINGS: Mapping[str, str] = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "4g",  # in local mode the driver is the whole of Spark
    "spark.log.level": "ERROR",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "100000",
    "spark.sql.session.timeZone": "UTC",
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
    recipe(names)  # an unknown name is refused here, not by a worker
    together = _together(frames).repartition("customer_id")
    schema = _panel_schema(frames["transactions"].schema["customer_id"].dataType, names)
    return together.mapInArrow(_worker(dict(scales), list(dates), tuple(names)), schema)


def _together(frames: Mapping[str, DataFrame]) -> DataFrame:
    """The rows of all tables: `customer_id`, and a struct for each table, missing in the rows of the others."""
    parts = [
        frame.select("customer_id", struct(*(col(f"`{name}`") for name in frame.columns if name != "customer_id")).alias(table))
        for table, frame in frames.items()
    ]
    return reduce(lambda above, below: above.unionByName(below, allowMissingColumns=True), parts)


def _panel_schema(customer_id: DataType, names: Sequence[str]) -> StructType:
    keys = [StructField("customer_id", customer_id), StructField("as_of", DateType())]
    return StructType([*keys, *(StructField(name, DoubleType()) for name in names)])


def _worker(
    scales: Mapping[str, int], dates: Sequence[date], names: Sequence[str]
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """What runs on each partition: all rows of some customers in, the rows of their panel out."""

    def panel_of_partition(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        tables = _apart(batches)
        if tables:
            yield from _arrow(panel_blocks(Company("", "UTC", tables, scales, {}, ()), dates, names))

    return panel_of_partition


def _apart(batches: Iterable[pa.RecordBatch]) -> dict[str, pl.DataFrame]:
    """The tables of `_together`, from the rows of one partition; none where there are no rows."""
    together = [pl.DataFrame(pl.from_arrow(batch)) for batch in batches]
    if not together:
        return {}
    rows = pl.concat(together)
    return {
        table: rows.filter(pl.col(table).is_not_null()).select("customer_id", pl.col(table).struct.unnest())
        for table in rows.columns[1:]
    }


def _arrow(blocks: Iterable[pl.DataFrame]) -> Iterator[pa.RecordBatch]:
    """The blocks in Arrow types that Spark knows."""
    for block in blocks:
        table = block.to_arrow(compat_level=pl.CompatLevel.oldest())
        text = pa.string() if block.schema["customer_id"] == pl.String else table.schema.field("customer_id").type
        yield from table.set_column(0, "customer_id", table["customer_id"].cast(text)).to_batches()
