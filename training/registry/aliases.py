"""Changes of a model's aliases: one at a time, and whole even where the process is killed half-way.

MLflow sets one alias after the other. So a change is noted on the model before it is begun, and struck out when it is
done; the next change first carries out what it finds noted.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from keepwell.errors import ModelError

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
PENDING = "keepwell.pending_aliases"

PATIENCE_SECONDS = 30.0
"""A change takes milliseconds: who waits longer waits for something that hangs."""


@contextmanager
def one_at_a_time(lock: Path) -> Iterator[None]:
    """Run the block while no other process of this home runs one; a process that dies lets go of the lock by itself.

    The lock is that of an empty SQLite file at `lock`, which every system and file system that holds MLflow's database knows.
    Raises ModelError when another block does not end.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(lock, timeout=PATIENCE_SECONDS, isolation_level=None)
    try:
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            hint = f"try again; if nothing else runs, remove {lock}"
            raise ModelError(f"another process is changing the champions ({error})", hint=hint) from error
        yield
    finally:
        connection.close()


def aliases_of(client: Any, name: str) -> dict[str, str]:  # noqa: ANN401  # an MlflowClient
    """Alias -> version of a model, after what a killed process had begun is carried out."""
    model = client.get_registered_model(name)
    if pending := model.tags.get(PENDING):
        _carry_out(client, name, json.loads(pending))
        model = client.get_registered_model(name)
    return {alias: str(version) for alias, version in model.aliases.items()}


def change_aliases(client: Any, name: str, wanted: Mapping[str, str | None]) -> None:  # noqa: ANN401  # an MlflowClient
    """Give each alias to its version, or (None) to none: all of them, or at the next change."""
    client.set_registered_model_tag(name, PENDING, json.dumps(dict(wanted)))
    _carry_out(client, name, wanted)


def _carry_out(client: Any, name: str, wanted: Mapping[str, str | None]) -> None:  # noqa: ANN401  # an MlflowClient
    for alias, version in wanted.items():
        if version is None:
            client.delete_registered_model_alias(name, alias)
        else:
            client.set_registered_model_alias(name, alias, version)
    client.delete_registered_model_tag(name, PENDING)
