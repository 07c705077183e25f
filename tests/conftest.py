"""What holds for all tests."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.postgres import running_server, url_of

settings.register_profile("keepwell", deadline=None)  # a busy machine must not break a law; speed is measured in benchmarks/
settings.load_profile("keepwell")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Path]:
    """The folder of the socket of a PostgreSQL server; skips where none, or no driver, is installed."""
    pytest.importorskip("psycopg")
    with running_server() as folder:
        yield folder


@pytest.fixture
def postgres_url(postgres_server: Path) -> str:
    """The SQLAlchemy URL of an empty PostgreSQL database."""
    return url_of(postgres_server, _created(postgres_server, "DATABASE"))


@pytest.fixture
def postgres_schema_url(postgres_server: Path) -> str:
    """The SQLAlchemy URL of an empty schema, which is all that a connection sees: made in no time, unlike a database."""
    return f"{url_of(postgres_server)}&options=-csearch_path%3D{_created(postgres_server, 'SCHEMA')}"


def _created(server: Path, kind: str) -> str:
    """The name of a new database or schema."""
    name = f"test_{uuid.uuid4().hex}"
    engine = create_engine(url_of(server), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE {kind} {name}"))
    return name
