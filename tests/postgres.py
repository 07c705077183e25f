"""A PostgreSQL server for the tests: started once, if one is installed, in a folder of its own and on a socket alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

USER, PASSWORD = "keeper", "word-of-the-tests"
PLACES = (*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/local/pgsql/bin"), Path("/usr/pgsql/bin"))


@contextmanager
def running_server() -> Iterator[Path]:
    """The folder of a running server's socket; the test is skipped, with the reason, where none can be started."""
    _programs()
    account = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="keepwell-pg-"))  # short: the path of a socket has room for 107 letters
    if account:
        shutil.chown(folder, account)
    (folder / "password").write_text(PASSWORD)
    (folder / "password").chmod(0o644)
    try:
        _run(folder, "initdb", "-U", USER, "--auth=scram-sha-256", f"--pwfile={folder / 'password'}", "-E", "UTF8", "--no-sync")
        _start(folder)
        try:
            yield folder
        finally:
            _run(folder, "pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def stopped_server(folder: Path) -> Iterator[None]:
    """Stop the server of `folder` while the block runs, as for an update: whoever is connected is cut off."""
    _run(folder, "pg_ctl", "-w", "-m", "fast", "stop")
    try:
        yield
    finally:
        _start(folder)


def _start(folder: Path) -> None:
    _run(folder, "pg_ctl", "-w", "-o", f"-c listen_addresses='' -k {folder} -c fsync=off", "start")


def _run(folder: Path, program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's own programs on the data of `folder`."""
    account = _unprivileged()
    with (folder / "log").open("a") as log:  # no pipe: the server would hold it open
        subprocess.run(
            [_programs() / program, "-D", folder / "data", *arguments],
            user=account,
            extra_groups=[] if account else None,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            check=True,
        )


def url_of(folder: Path, database: str = "postgres", password: str = PASSWORD) -> str:
    """The SQLAlchemy URL of a database of the server whose socket lies in `folder`."""
    return f"postgresql+psycopg://{USER}:{password}@/{database}?host={folder}"


def _programs() -> Path:
    """Where initdb and pg_ctl lie; both of one version, since PATH may name others."""
    on_path = [Path(found).resolve().parent for found in (shutil.which("pg_ctl"),) if found]
    for place in (*PLACES, *on_path):
        if all((place / program).exists() for program in ("initdb", "pg_ctl", "postgres")):
            return place
    return pytest.skip("no PostgreSQL server is installed (initdb, pg_ctl, postgres)")


def _unprivileged() -> str | None:
    """The account to run as when this is root, which PostgreSQL refuses; None when it is not."""
    return "nobody" if os.geteuid() == 0 else None
