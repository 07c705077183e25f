"""The command that moves a store into another database: copy-store."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from keepwell.errors import ConfigError
from keepwell.progress import Steps
from keepwell.settings import Settings

SQLITE = b"SQLite format 3\0"
"""How every SQLite file begins."""


@click.command("copy-store")
@click.argument("source", metavar="SOURCE")
@click.pass_obj
def copy_store(settings: Settings, source: str) -> None:
    """Copy the store SOURCE, a SQLite file or a URL, into the empty database that KEEPWELL_STORE_URL names.

    Everything comes along: scores, plans, outcomes, keys, people, the audit. End services and schedules first, since what they
    write meanwhile stays behind. SOURCE is left as it is.

    Example: keepwell copy-store keepwell-home/store.db
    """
    from serving.store import Store

    if (place := _url(source)) == settings.resolved_store_url:
        raise ConfigError(
            "SOURCE is the store that KEEPWELL_STORE_URL names",
            hint="name the new database: export KEEPWELL_STORE_URL=postgresql+psycopg://keepwell@db.example/keepwell",
        )
    with closing(Store(place)) as old, closing(Store(settings.resolved_store_url)) as new:
        rows = new.copy_from(old, Steps())
    click.echo(f"{sum(rows.values()):,} rows of {len(rows)} tables are in the store of KEEPWELL_STORE_URL; SOURCE is as it was")


def _url(source: str) -> str:
    """The SQLAlchemy URL of a store; of a SQLite file, which must be there, made from its path."""
    if "://" in source:
        return source
    hint = "name the SQLite file of a store, as keepwell-home/store.db, or its URL"
    if not (path := Path(source)).is_file():
        raise ConfigError(f"there is no file {source}", hint=hint)
    with path.open("rb") as file:  # to open what is none would make a store of it
        if file.read(len(SQLITE)) != SQLITE:
            raise ConfigError(f"{source} is no SQLite file", hint=hint)
    return f"sqlite:///{Path(source).resolve()}"
