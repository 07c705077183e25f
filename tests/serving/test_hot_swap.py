"""A real service, in processes of its own, while its champion changes and its registry comes and goes."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from features.company import Company
from keepwell.settings import Settings
from serving.launch import serving
from tests.serving.conftest import HORIZON, register, scorer_for
from tests.serving.test_launch import free_port
from tests.serving.test_service import one
from training.registry import Registry

WITHIN_S = 10.0
CALLERS = 3


def call(port: int, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request(method, path, json.dumps(body) if body else None, {"content-type": "application/json"})
    answer = connection.getresponse()
    told = json.loads(answer.read())
    connection.close()
    return answer.status, told


def wait_for(fact: Callable[[], bool]) -> float:
    """Seconds until the fact holds."""
    began = time.monotonic()
    while not fact():
        assert time.monotonic() - began < 60
        time.sleep(0.05)
    return time.monotonic() - began


@contextmanager
def callers(port: int) -> Iterator[list[tuple[int, str, float]]]:
    """Threads that ask for a prediction again and again: (status, version, churn probability) of every answer."""
    over, seen = threading.Event(), []

    def ask() -> None:
        while not over.is_set():
            status, told = call(port, "POST", "/v1/predict", one())
            seen.append((status, told["model"]["version"], told["predictions"][0]["churn_probability"]))

    threads = [threading.Thread(target=ask) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        over.set()
        for thread in threads:
            thread.join()


GUARD = """
import socket, traceback
from pathlib import Path

def guard(name):
    original = getattr(socket.socket, name)
    def guarded(self, address, *more):
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost", "0.0.0.0"):
            with Path({told!r}).open("a") as told:
                told.write(f"{{name}} {{address}}\\n{{''.join(traceback.format_stack(limit=8))}}\\n")
        return original(self, address, *more)
    setattr(socket.socket, name, guarded)

for name in ("connect", "connect_ex", "sendto"):
    guard(name)

resolve = socket.getaddrinfo
def resolving(host, *more, **named):
    if host not in (None, "127.0.0.1", "::1", "localhost", "0.0.0.0", b"127.0.0.1"):
        with Path({told!r}).open("a") as told:
            told.write(f"getaddrinfo {{host}}\\n")
    return resolve(host, *more, **named)
socket.getaddrinfo = resolving
Path({told!r} + ".begun").touch()
"""


@pytest.fixture(scope="module")
def calls_outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Every process of the service writes here whom it tries to reach beyond this machine."""
    folder = tmp_path_factory.mktemp("guard")
    (folder / "sitecustomize.py").write_text(GUARD.format(told=str(folder / "calls")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        yield folder / "calls"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(home=str(tmp_path_factory.mktemp("swapping")))


@pytest.fixture(scope="module")
def versions(home: Settings, shop: Company) -> tuple[str, str]:
    """Two versions that give other figures; the first is the champion."""
    registry = Registry(home.resolved_tracking_uri, home.artifact_root)
    first, second = (register(registry, scorer_for(shop, alpha=alpha)) for alpha in (40.0, 160.0))
    registry.promote(shop.key, HORIZON, first)
    return first, second


def test_a_champion_changes_under_load_and_the_registry_comes_and_goes(
    home: Settings, versions: tuple[str, str], shop: Company, calls_outside: Path
) -> None:
    first, second = versions
    port, registry = free_port(), Registry(home.resolved_tracking_uri, home.artifact_root)

    def served() -> str:
        return str(call(port, "GET", "/readyz")[1]["model"]["version"])

    def trouble() -> str | None:
        return call(port, "GET", "/readyz")[1]["trouble"]

    with serving(home, port), callers(port) as seen:
        for change, expected in (
            (lambda: registry.promote(shop.key, HORIZON, second), second),
            (lambda: registry.swap_previous(shop.key, HORIZON, first), first),
        ):
            change()
            assert wait_for(lambda expected=expected: served() == expected) < WITHIN_S

        with away(home.home_path / "mlflow.db"):
            wait_for(lambda: trouble() is not None)
            assert served() == first
        wait_for(lambda: trouble() is None)
    assert {status for status, _, _ in seen} == {200}
    assert len({version for _, version, _ in seen}) == len({pair[1:] for pair in seen}) == 2, "an answer came from two versions"

    with away(home.home_path / "mlflow.db"), serving(home, port):
        assert served() == first, "a start without the registry begins with the champion of last time"
        assert "keepwell train" not in str(call(port, "POST", "/v1/predict", one()))
        wait_for(lambda: trouble() is not None)
        assert served() == first
    assert calls_outside.with_name("calls.begun").exists(), "the guard was there"
    assert not calls_outside.exists(), calls_outside.read_text()


@contextmanager
def away(file: Path) -> Iterator[None]:
    """Move a database away while the block runs."""
    moved = [(part, part.with_name(f"moved-{part.name}")) for part in file.parent.glob(f"{file.name}*")]
    for part, place in moved:
        part.rename(place)
    try:
        yield
    finally:
        for part, place in moved:
            place.rename(part)
