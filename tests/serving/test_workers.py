"""The keeper of the workers: it replaces who dies, ends with who cannot run, and leaves no orphan."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORKER = """
import argparse, os, socket, sys, time
from pathlib import Path
parser = argparse.ArgumentParser()
for name in ("fd", "worker-id", "backlog", "timeout-keep-alive"):
    parser.add_argument(f"--{name}", type=int)
parser.add_argument("service")
asked = parser.parse_args()
listening = socket.socket(fileno=asked.fd)
listening.listen(asked.backlog)
with open("begun", "a") as begun:
    begun.write(f"{asked.worker_id} {os.getpid()}\\n")
if Path("fails").exists():
    sys.exit(7)
while True:
    connection, _ = listening.accept()
    connection.sendall(str(os.getpid()).encode())
    connection.close()
"""
"""It stands in for BentoML's, under its name, and answers a connection with its process id."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="orphans are ended by Linux alone")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder whose worker goes first on the import path of the keeper."""
    module = tmp_path / "_bentoml_impl" / "worker"
    module.mkdir(parents=True)
    for package in (module.parent, module):
        (package / "__init__.py").touch()
    (module / "service.py").write_text(WORKER)
    return tmp_path


@contextmanager
def kept(home: Path, number: int) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A keeper of so many workers, and its port; both are gone when the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [sys.executable, "-m", "serving.workers", "127.0.0.1", str(port), str(number)]
    with subprocess.Popen(words, cwd=home, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL) as keeper:
        try:
            yield keeper, port
        finally:
            keeper.terminate()


def begun(home: Path, number: int) -> list[int]:
    """The process ids of the first workers, once there are so many."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        lines = (home / "begun").read_text().splitlines() if (home / "begun").exists() else []
        if len(lines) >= number:
            return [int(line.split()[1]) for line in lines]
        time.sleep(0.02)
    raise AssertionError(f"{number} workers did not begin")


def runs(pid: int) -> bool:
    """Whether a process runs, and is not only remembered by its parent."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def require_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 60
    while any(map(runs, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(map(runs, pids))


def answer(port: int) -> int:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        return int(connection.recv(100))


def test_a_worker_that_is_killed_is_followed_by_another_and_nobody_is_refused_meanwhile(home: Path) -> None:
    with kept(home, 1) as (_, port):
        (first,) = begun(home, 1)
        assert answer(port) == first
        os.kill(first, signal.SIGKILL)
        require_gone([first])
        assert answer(port) == begun(home, 2)[1] != first


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_a_keeper_that_is_told_to_end_ends_its_workers(home: Path, end: signal.Signals) -> None:
    with kept(home, 2) as (keeper, _):
        workers = begun(home, 2)
        keeper.send_signal(end)
        assert keeper.wait(120) == 0
        require_gone(workers)


def test_a_keeper_that_is_killed_leaves_no_orphan_on_its_port(home: Path) -> None:
    with kept(home, 2) as (keeper, port):
        workers = begun(home, 2)
        keeper.kill()
        require_gone(workers)
        with pytest.raises(ConnectionRefusedError):
            answer(port)


def test_a_worker_that_cannot_run_ends_the_start_with_its_code(home: Path) -> None:
    (home / "fails").touch()
    with kept(home, 2) as (keeper, _):
        assert keeper.wait(120) == 7
        require_gone(begun(home, 1))  # the other may be ended before it begins
