"""Connections to the store: SQLite set up for many readers beside one writer, and errors in words a user can act on."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from keepwell.errors import StoreError

WRITER_WAITS_S = 300
"""How long a writer waits for the one before it; readers of SQLite in WAL mode never wait."""

CLEARING_WAITS_MS = 30_000
"""How long the clearing of a SQLite file waits for whoever reads its old pages."""

_LOOKS_AGAIN_S = 0.01

_GIVES_UP = {
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
}
"""When a PostgreSQL server is held for lost, in seconds (`tcp_user_timeout`: ms). By itself it waits for a quarter of an hour."""

_VALUES = re.compile(r"\n(DETAIL|CONTEXT):.*", re.DOTALL)
"""The part of what PostgreSQL says that shows the values of a row."""

_WAIT = "keepwell_writer_waits_s"
"""The option of an engine that holds how long its writers wait."""

_FILE = "keepwell_file"
"""Where a connection to SQLite keeps which file it has open."""

_ADVISORY_KEY = 7_226_351_004  # one number for all Keepwell writers of a PostgreSQL database

_HINTS = {
    "no such table|relation .* does not exist": "the store is empty: `keepwell score DATA --as-of DATE --out FILE` fills it",
    "database .* does not exist": "create the database, or name another one in KEEPWELL_STORE_URL",
    "locked|lock timeout": "another program is writing to it: try again when it is done",
    "disk": "free some disk space, then run the command again; what was there before is untouched",
    "not a database": "KEEPWELL_STORE_URL names a file that is something else: name another one",
    "readonly": "give this user the right to write to the file and its folder",
    "unable to open": "check that the folder exists and that this user may write to it",
}
"""What to do by what the database says: patterns of its words in small letters."""


def open_engine(url: str, *, writer_waits_s: float | None = None) -> Engine:
    """An engine for any SQLAlchemy URL; the folder of a SQLite file is made when first connected to.

    A writer waits for `writer_waits_s` for the one before it; WRITER_WAITS_S where that is not said. Raises StoreError when the
    URL cannot be understood or its driver is not installed.
    """
    try:
        parsed = make_url(url)
        # Faults are logged with what caused them, and the values of a statement may name customers.
        engine = create_engine(
            parsed, hide_parameters=True, execution_options={_WAIT: writer_waits_s}, **_network_options(parsed)
        )
    except (ArgumentError, SQLAlchemyError, ImportError) as error:
        raise StoreError(
            f"the store's URL {_without_password(url)!r} cannot be used: {error}",
            hint="set KEEPWELL_STORE_URL to a URL such as sqlite:////data/keepwell/store.db",
        ) from error
    if parsed.get_backend_name() == "sqlite":
        _set_up_sqlite(engine)
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection whose queries all see one state of the store. Raises StoreError."""
    with _speaking_plainly(engine), _seeing_one_state(engine).connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """The one writing transaction: all of it is kept or nothing; the next writer waits. Raises StoreError."""
    with _speaking_plainly(engine), engine.execution_options(writes=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {_wait_ms(engine)}")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_KEY})")
        yield connection


def cleared(engine: Engine) -> bool:
    """Leave nothing of removed rows in the pages of a SQLite file and its log; False while others are at work in it.

    Other databases clear away removed rows by themselves: True. Raises StoreError.
    """
    if engine.dialect.name != "sqlite":
        return True
    with _speaking_plainly(engine), closing(engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
        waits = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        try:
            cursor.execute(f"PRAGMA busy_timeout={CLEARING_WAITS_MS}")
            cursor.execute("VACUUM")  # writes the file anew: pages that were let go of long ago hold rows as well
            busy = int(cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            busy = 1
        finally:
            cursor.execute(f"PRAGMA busy_timeout={waits}")
    return busy == 0


def _network_options(url: URL) -> dict[str, Any]:
    """For PostgreSQL: kept connections are tried before use, as the server may have come again, and a lost one is given up soon.

    What the URL itself says of that goes first.
    """
    if (url.get_backend_name(), url.get_driver_name()) != ("postgresql", "psycopg"):
        return {}
    return {"pool_pre_ping": True, "connect_args": {name: value for name, value in _GIVES_UP.items() if name not in url.query}}


def _wait_ms(engine: Engine) -> int:
    seconds = engine.get_execution_options().get(_WAIT)
    return int((WRITER_WAITS_S if seconds is None else seconds) * 1000)


def _seeing_one_state(engine: Engine) -> Engine:
    """PostgreSQL shows each query the newest state unless told otherwise; a transaction of SQLite keeps to one by itself."""
    return engine.execution_options(isolation_level="REPEATABLE READ") if engine.dialect.name == "postgresql" else engine


def _set_up_sqlite(engine: Engine) -> None:
    """WAL, foreign keys, and transactions that Python's driver does not begin or end behind our back."""

    @event.listens_for(engine, "do_connect")
    def make_folder(_dialect: object, _record: object, arguments: list[str], _options: dict[str, object]) -> None:
        if arguments and not arguments[0].startswith((":memory:", "file:")):
            Path(arguments[0]).parent.mkdir(parents=True, exist_ok=True)

    @event.listens_for(engine, "connect")
    def set_pragmas(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        for pragma in (f"busy_timeout={_wait_ms(engine)}", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()
        _turn_to_wal(connection, until=time.monotonic() + _wait_ms(engine) / 1000)
        record.info[_FILE] = _file_at(engine.url)

    @event.listens_for(engine, "checkout")
    def stay_with_the_file(_connection: object, record: ConnectionPoolEntry, _proxy: object) -> None:
        # One that was removed or replaced, as by a backup, lives on for who has it open: what they write would be lost unseen.
        if record.info[_FILE] != _file_at(engine.url):
            raise DisconnectionError("the file of the store is another one: a new connection is made")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes its place in the queue at once; upgrading a reader later could fail instead of wait.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _file_at(url: URL) -> tuple[int, int] | None:
    """Which file lies at the place of a SQLite store: its device and number; None where there is none, as for one in memory."""
    try:
        found = Path(url.database or "").stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _turn_to_wal(connection: sqlite3.Connection, until: float) -> None:
    """Turn a file to WAL. SQLite's own waiting leaves out this step, which fails at once where two take it together."""
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(_LOOKS_AGAIN_S)
        else:
            return


@contextmanager
def _speaking_plainly(engine: Engine) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        cause = _VALUES.sub("", str(getattr(error, "orig", None) or error).strip())
        fitting = (hint for sign, hint in _HINTS.items() if re.search(sign, cause.lower()))
        hint = next(fitting, "check KEEPWELL_STORE_URL and the database")
        place = engine.url.render_as_string(hide_password=True)
        raise StoreError(f"the store {place} cannot be used: {cause}", hint=hint) from error


def _without_password(url: str) -> str:
    """The URL as text that may be shown: everything between `//` and `@` is left out."""
    head, sign, tail = url.rpartition("@")
    return f"{head.partition('//')[0]}//...{sign}{tail}" if sign else url
