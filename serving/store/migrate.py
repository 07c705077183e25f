"""Bring a store to this version's schema, with Alembic and without its files of configuration."""

from __future__ import annotations

from functools import partial
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from keepwell.errors import StoreError
from serving.store.engine import reading, writing
from serving.store.tables import metadata


def migrate(engine: Engine) -> None:
    """Take the steps that are missing, in one transaction; nothing when there are none.

    Raises StoreError when a newer version of Keepwell has already moved the store on.
    """
    _, script = _scripts()
    with reading(engine) as connection:
        if _is_current(connection, script):
            return
    with writing(engine) as connection:  # another process may have been first: ask again, now that nobody else writes
        if not _is_current(connection, script):
            head = script.get_current_head()
            assert head is not None, "the package ships its migrations"
            upgrade_to(connection, head)


def upgrade_to(connection: Connection, wanted: str) -> None:
    """Take the steps up to a revision, within the caller's transaction."""
    config, script = _scripts()
    steps = partial(_steps_to, script, wanted)
    with EnvironmentContext(config, script, fn=steps, destination_rev=wanted) as environment:
        environment.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
        environment.run_migrations()


def revision(connection: Connection) -> str | None:
    """The step at which the store is; None for an empty database."""
    return MigrationContext.configure(connection).get_current_revision()


def _scripts() -> tuple[Config, ScriptDirectory]:
    config = Config()
    config.set_main_option("script_location", "serving.store:migrations")
    return config, ScriptDirectory.from_config(config)


def _is_current(connection: Connection, script: ScriptDirectory) -> bool:
    found = revision(connection)
    known = {step.revision for step in script.walk_revisions()}
    if found is not None and found not in known:
        raise StoreError(
            f"the store has a newer schema ({found}) than this version of Keepwell knows",
            hint="install the version of Keepwell that wrote it, or name another store in KEEPWELL_STORE_URL",
        )
    return found == script.get_current_head()


def _steps_to(script: ScriptDirectory, wanted: str, current: str, _context: MigrationContext) -> list[Any]:
    # Alembic's own `upgrade` command asks this private method too; there is no public one.
    return list(script._upgrade_revs(wanted, current))
