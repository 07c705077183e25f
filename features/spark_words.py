"""What Spark says when it fails, in words of ours: no stack of Java reaches a user. A home of PySpark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from py4j.protocol import Py4JError  # type: ignore[import-untyped]  # it has no types
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import DataType, StructType

from keepwell import errors
from keepwell.errors import ConfigError, DataError, KeepwellError

FAILURE = (PySparkException, Py4JError)
"""What Spark raises when a job or a table fails."""

TOLD = re.compile(r"keepwell\.errors\.(?P<kind>\w+): (?P<message>.*)\n\s*-> (?P<hint>.*)")
"""How an error of ours reads among what Spark says of a failed job."""

TWO_SCHEMAS = re.compile(r'schema:\n"(STRUCT<.*>)"')
"""How Spark shows what two files hold that cannot be one table."""

REASON = re.compile(r"^[^\n]*?(\[[A-Z_.]+\] [^\n]*)", re.MULTILINE)
"""The line of Spark's own errors that says what is wrong."""


def read_parquet(session: SparkSession, table: str, place: str) -> DataFrame:
    """The Parquet files of a table, wherever Spark reaches them: a column that only some of them have is missing in the others.

    DataError where a column has several types, where Spark knows no such type, and where there is nothing to read.
    """
    try:
        return session.read.option("mergeSchema", True).parquet(place)  # else Spark takes the columns of one file for all
    except FAILURE as error:
        raise _unreadable(table, str(error)) from error


@contextmanager
def in_our_words() -> Iterator[None]:
    """What Spark raises inside the block, as an error of ours."""
    try:
        yield
    except FAILURE as error:
        raise in_words(str(error)) from error


def in_words(said: str) -> KeepwellError:
    r"""What Spark said, in the words of ours that are in it, else its reason.

    >>> in_words("... keepwell.errors.DataError: t.amount: must be a number\n  -> write plain numbers\n ...").exit_code
    3
    >>> in_words("An error occurred.\n: org.apache.spark.SparkException: [NO_ROOM] The disk is full.\n\tat org.apache").message
    'Spark failed: [NO_ROOM] The disk is full.'
    """
    told = TOLD.search(said)
    if told is None:
        return ConfigError(f"Spark failed: {_reason(said)}", hint="`keepwell --traceback ...` shows all that it says")
    error = KeepwellError(told["message"], hint=told["hint"])
    error.exit_code = getattr(errors, told["kind"]).exit_code
    return error


def _unreadable(table: str, said: str) -> DataError:
    """A DataError in place of what Spark says of files that it cannot read as one table."""
    schemas = TWO_SCHEMAS.findall(said)
    if len(schemas) == 2:
        first, second = map(_types, schemas)
        for name, found in first.items():
            if (other := second.get(name, found)) != found:
                rule = f"cannot be one column: {found.simpleString()} in some files, {other.simpleString()} in others"
                return DataError(
                    table, name, rule, hint="write it with one type in all files; on one machine it is read as it is"
                )
    hint = "check the path; write plain Parquet, with times in microseconds"
    return DataError(table, None, f"cannot be read by Spark: {_reason(said)}", hint=hint)


def _types(schema: str) -> dict[str, DataType]:
    """The types of the columns of a schema as Spark shows it."""
    return {field.name: field.dataType for field in cast("StructType", DataType.fromDDL(schema))}


def _reason(said: str) -> str:
    reason = REASON.search(said)
    return reason[1] if reason else said.strip().split("\n")[0]
