"""Tables of Polars in the partitions of Spark, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import polars as pl
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    BooleanType,
    DataType,
    DateType,
    DoubleType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
)

Batches: TypeAlias = Iterable[pa.RecordBatch]

SPARK_TYPES: Mapping[Any, DataType] = {
    pl.String: StringType(),
    pl.Int64: LongType(),
    pl.Int32: IntegerType(),
    pl.Float64: DoubleType(),
    pl.Boolean: BooleanType(),
    pl.Date: DateType(),
}


def mapped(rows: DataFrame, work: Callable[[Batches], Iterable[pl.DataFrame]], schema: StructType) -> DataFrame:
    """What `work` makes of the rows of each partition; columns of the schema that it does not give are missing."""
    arrow = to_arrow_schema(schema)

    def made(batches: Batches) -> Iterator[pa.RecordBatch]:
        for frame in work(batches):
            yield from _as_arrow(frame, arrow).to_batches()

    return rows.mapInArrow(made, schema)


def _as_arrow(frame: pl.DataFrame, schema: pa.Schema) -> pa.Table:
    """The frame in the types that Spark knows."""
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    there = set(table.column_names)
    nothing = {field.name: pa.nulls(len(table), field.type) for field in schema if field.name not in there}
    columns = [nothing[field.name] if field.name in nothing else table[field.name].cast(field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def each_with_rows(work: Callable[[pl.DataFrame], pl.DataFrame], frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """What `work` makes of the frames that have rows."""
    return (work(frame) for frame in frames if frame.height)


def schema_of(types: Mapping[str, Any]) -> StructType:
    """Columns of Polars as columns of Spark."""
    return StructType([StructField(name, spark_type(dtype)) for name, dtype in types.items()])


def spark_type(dtype: Any) -> DataType:  # noqa: ANN401  # a type of Polars
    """A type of Polars as one of Spark."""
    if isinstance(dtype, pl.List):
        return ArrayType(spark_type(dtype.inner))
    if isinstance(dtype, pl.Struct):
        return schema_of({field.name: field.dtype for field in dtype.fields})
    return BinaryType() if dtype == pl.Binary else SPARK_TYPES[dtype]


def id_of(rows: DataFrame) -> Any:  # noqa: ANN401  # a type of Polars
    """The type of Polars that customers' ids have."""
    return pl.String if isinstance(rows.schema["customer_id"].dataType, StringType) else pl.Int64
