"""Tables out of databases: one SELECT, which is read and can change nothing. The home of SQLAlchemy in features."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from sqlalchemy import URL, Connection, create_engine, make_url, text
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from features.reading.config import TableConfig
from features.reading.copying import can_copy, copied
from keepwell.errors import ConfigError, DataError

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_AT_ONCE = 50_000
"""Rows that are Python objects at one time; they weigh ten times what they weigh as columns."""

SECONDS_TO_CONNECT = 15
READ_ONLY: Mapping[str, str] = {
    "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
}
DRIVERS: Mapping[str, str] = {"postgresql": 'pip install "psycopg[binary]"', "mysql": "pip install pymysql"}
CHECK_THE_QUERY = "check url:, query: and parameters: in company.yaml, and that the database can be reached"
FREE_THE_FILE = "end the program that writes to it, or give a copy; and check that this version of DuckDB reads it"
PLAIN_TYPES = (str, int, float, bool, bytes, datetime, date, time, timedelta, type(None))

SECRET = re.compile("pass|pwd|secret|token|key", re.IGNORECASE)
"""Names of options of a URL whose values nobody may see."""

NO_QUERY = r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/"
"""Parts of SQL in which a word or a semicolon means nothing: texts, quoted names, comments."""


def read_query(table: str, folder: Path, settings: TableConfig) -> pl.DataFrame:
    """The rows of the table's query; a SQLite or DuckDB file lies relative to `folder`.

    Raises ConfigError for a URL or a query that cannot be used, DataError when the database refuses.
    """
    url, query = _url(table, folder, str(settings.url)), _one_select(table, str(settings.query))
    try:
        read = _from_duckdb if url.get_backend_name() == "duckdb" else _from_sqlalchemy
        return read(table, url, query, settings.parameters)
    except (ImportError, NoSuchModuleError) as error:
        hint = DRIVERS.get(url.get_backend_name(), f"install the driver of {url.drivername}")
        raise ConfigError(f"tables.{table}.url: {error}", hint=hint) from error
    except (SQLAlchemyError, pl.exceptions.PolarsError, OSError, TypeError, ValueError, OverflowError) as error:
        raise _refused(table, url, error.__cause__ or error) from error


def _url(table: str, folder: Path, given: str) -> URL:
    """The checked URL, with the full path of a file; its text hides the password."""
    try:
        url = make_url(given)
        backend = url.get_backend_name()
    except (SQLAlchemyError, ValueError) as error:
        raise ConfigError(
            f"tables.{table}.url is no SQLAlchemy URL", hint="write it as postgresql+psycopg://user@host/database"
        ) from error
    if backend not in ("sqlite", "duckdb"):
        return url
    file = folder / (url.database or "")
    if not file.is_file():
        raise DataError(table, None, f"the database {file} does not exist", hint="check url: in company.yaml")
    return url.set(database=str(file.resolve()))


def _one_select(table: str, query: str) -> str:
    """The query without a semicolon at its end; ConfigError when it is not one SELECT."""
    bare = re.sub(NO_QUERY, " ", query, flags=re.DOTALL).strip().rstrip("; \n\t")
    if not re.match(r"(select|with)\b", bare, re.IGNORECASE) or ";" in bare:
        raise ConfigError(
            f"tables.{table}.query must be one SELECT", hint="begin it with SELECT or WITH; nothing is ever written"
        )
    return query.strip().rstrip("; \n\t")


def _from_sqlalchemy(table: str, url: URL, query: str, parameters: Mapping[str, Any]) -> pl.DataFrame:
    """Read in a session that may not write, where the database knows such a thing; nothing is ever committed."""
    if url.get_backend_name() == "sqlite":
        url = url.set(database=Path(str(url.database)).as_uri(), query={"mode": "ro", "uri": "true"})
    patience = {"connect_timeout": SECONDS_TO_CONNECT} if "psycopg" in url.drivername else {}
    engine = create_engine(url, poolclass=NullPool, connect_args=patience)
    with engine.connect() as connection:
        if connection.dialect.name in READ_ONLY:
            connection.execute(text(READ_ONLY[connection.dialect.name]))
            connection.commit()  # the setting alone; every later transaction of the session is read-only
        try:
            names, rows = (copied if can_copy(connection) else _fetched)(connection, query, parameters)
        except connection.dialect.loaded_dbapi.Error as error:
            raise _refused(table, url, error) from error
    return _named(table, names, rows)


def _fetched(connection: Connection, query: str, parameters: Mapping[str, Any]) -> tuple[list[str], pl.DataFrame]:
    """(names as the query gives them, rows), block by block; the frame's columns are "0", "1" ... in that order."""
    result = connection.execute(text(query), dict(parameters))
    names, cursor, blocks = list(result.keys()), result.cursor, []
    while rows := cursor.fetchmany(ROWS_AT_ONCE):  # the driver's tuples: SQLAlchemy's rows would take many times as long
        blocks.append(pl.DataFrame([_column(str(n), values) for n, values in enumerate(zip(*rows, strict=True))]))
    empty = pl.DataFrame(schema={str(n): pl.Null for n in range(len(names))})
    return names, pl.concat(blocks, how="vertical_relaxed") if blocks else empty


def _named(table: str, names: list[str], rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` under `names`; DataError where the query gives one name to two columns."""
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise DataError(table, repeated, "is the name of two columns of the query", hint="give one another name: AS ...")
    return rows.rename(dict(zip(rows.columns, names, strict=True)))


def _column(name: str, values: tuple[Any, ...]) -> pl.Series:
    """Values of one column as the driver gives them; those of types that Polars does not know as text."""
    kinds = set(map(type, values))
    if Decimal in kinds:  # as numbers: a Decimal that is no number would stop Polars
        values = tuple(float(value) if isinstance(value, Decimal) else value for value in values)
        kinds = kinds - {Decimal} | {float}
    times = kinds & {datetime, date, time, timedelta}
    if kinds <= set(PLAIN_TYPES) and (not times or kinds - {datetime, date, type(None)} == set()):
        return pl.Series(name, values, strict=False)
    return pl.Series(name, [None if value is None else str(value) for value in values], dtype=pl.String)


def _from_duckdb(table: str, url: URL, query: str, parameters: Mapping[str, Any]) -> pl.DataFrame:
    """Read from the file of the URL and from no other: the database is opened read-only, and may open nothing else."""
    import duckdb  # noqa: PLC0415  # a tenth of a second that only its users should pay

    statement = text(query).compile(dialect=DefaultDialect(paramstyle="numeric_dollar"))
    given = statement.construct_params(dict(parameters))
    closed: dict[str, str | bool | int | float | list[str]] = {
        "enable_external_access": False,
        "autoinstall_known_extensions": False,
    }
    try:
        with duckdb.connect(str(url.database), read_only=True, config=closed) as connection:
            found = connection.sql(str(statement), params=[given[name] for name in statement.positiontup or ()])
            columns = found.to_arrow_table().columns
            names = list(found.columns)
    except duckdb.Error as error:
        busy = isinstance(error, duckdb.IOException | duckdb.ConnectionException)
        raise _refused(table, url, error, hint=FREE_THE_FILE if busy else CHECK_THE_QUERY) from error
    return _named(table, names, pl.DataFrame([_from_arrow(table, names, n, column) for n, column in enumerate(columns)]))


def _from_arrow(table: str, names: list[str], place: int, column: pa.ChunkedArray) -> pl.Series:
    try:
        return pl.Series(str(place), column)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        hint = "cast it in the query, or leave it out"
        raise DataError(table, names[place], f"has the type {column.type}, which cannot be read", hint=hint) from error


def _refused(table: str, url: URL, error: BaseException, hint: str = CHECK_THE_QUERY) -> DataError:
    """What the database said, in one line and without passwords, which may stand among the URL's options as well."""
    reason = " ".join(str(error).split())
    options = (value for name, values in url.normalized_query.items() if SECRET.search(name) for value in values)
    for secret in filter(None, (url.password, *options)):
        reason = reason.replace(str(secret), "***")
    return DataError(table, None, f"cannot be read from {url.set(query={})}: {reason[:200]}", hint=hint)
