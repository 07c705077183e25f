"""Bring a store to this version's schema, with Alembic and without its files of configuration."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, inspect, text

from keepwell.errors import StoreError
from serving.store.engine import reading, writing
from serving.store.tables import metadata

if TYPE_CHECKING:  # Alembic is for those who find a store of another schema: to import it takes a tenth of a second
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory


def migrate(engine: Engine) -> None:
    """Take the steps that are missing, in one transaction; nothing when there are none.

    Raises StoreError when a newer version of Keepwell has already moved the store on.
    """
    with reading(engine) as connection:
        if _is_current(connection):
            return
    with writing(engine) as connection:  # another process may have been first: ask again, now that nobody else writes
        if not _is_current(connection):
            upgrade_to(connection, revisions()[-1])


def upgrade_to(connection: Connection, wanted: str) -> None:
    """Take the steps up to a revision, within the caller's transaction."""
    from alembic.runtime.environment import EnvironmentContext  # noqa: PLC0415  # see above

    config, script = _scripts()
    steps = partial(_steps_to, script, wanted)
    with EnvironmentContext(config, script, fn=steps, destination_rev=wanted) as environment:
        environment.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
        environment.run_migrations()


def revision(connection: Connection) -> str | None:
    """The step at which the store is; None for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


@cache
def revisions() -> tuple[str, ...]:
    """Every step that this version knows, in order: the names of their files begin with them."""
    return tuple(sorted(file.name[:4] for file in (Path(__file__).parent / "migrations" / "versions").glob("[0-9]*.py")))


def _scripts() -> tuple[Config, ScriptDirectory]:
    from alembic.config import Config  # noqa: PLC0415  # see above
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "serving.store:migrations")
    return config, ScriptDirectory.from_config(config)


def _is_current(connection: Connection) -> bool:
    found = revision(connection)
    if found is not None and found not in revisions():
        raise StoreError(
            f"the store has a newer schema ({found}) than this version of Keepwell knows",
            hint="install the version of Keepwell that wrote it, or name another store in KEEPWELL_STORE_URL",
        )
    return found == revisions()[-1]


def _steps_to(script: ScriptDirectory, wanted: str, current: str, _context: MigrationContext) -> list[Any]:
    # Alembic's own `upgrade` command asks this private method too; there is no public one.
    return list(script._upgrade_revs(wanted, current))
