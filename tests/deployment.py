"""All that deploy/ puts together, on this machine: PostgreSQL, MLflow's server, two replicas, nginx, and callers who count."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from keepwell.settings import Settings
from tests.serving.test_launch import free_port

ROOT = Path(__file__).parents[1]
NGINX = shutil.which("nginx") or next((str(place) for place in (Path("/usr/sbin/nginx"),) if place.exists()), None)
ANYBODY = ssl._create_unverified_context()
DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
LONGEST_S = 300.0
CALLERS = 3


def wait_for(fact: Callable[[], bool]) -> float:
    """Seconds until the fact holds."""
    began = time.monotonic()
    while not fact():
        assert time.monotonic() - began < LONGEST_S
        time.sleep(0.05)
    return time.monotonic() - began


@contextmanager
def process(words: list[str], folder: Path, environment: Mapping[str, str], ready: str) -> Iterator[None]:
    """A program that answers at the URL `ready` while the block runs; its words go to a file in `folder`."""
    with (folder / "log").open("ab") as log, started(words, folder, environment, log) as child:
        wait_for(lambda: answers(ready) or child.poll() is not None)
        assert child.poll() is None, (folder / "log").read_text()
        yield


@contextmanager
def started(words: list[str], folder: Path, environment: Mapping[str, str], log: Any) -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen(words, cwd=folder, env={**os.environ, **environment}, stdout=log, stderr=log)
    try:
        yield child
    finally:
        end(child.pid)
        child.wait()


def end(pid: int) -> None:
    """End a process as the system does that has run out of memory: at once, with all that it has started."""
    try:
        parent = psutil.Process(pid)
        family = [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for each in family:
        try:
            each.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs([each for each in family if each.pid != pid])


def answers(url: str) -> bool:
    """Whether anybody answers, with whatever status."""
    try:
        DIRECTLY.open(url, timeout=2).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@contextmanager
def mlflow_server(folder: Path, database: str, port: int) -> Iterator[str]:
    """MLflow's server with its figures in PostgreSQL, handing out the files of a folder; its URL."""
    url = f"http://127.0.0.1:{port}"
    words = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    words += ["--backend-store-uri", database, "--artifacts-destination", str(folder / "artifacts")]
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with process(words, folder, quiet, f"{url}/health"):
        yield url


@contextmanager
def replica(settings: Settings, port: int) -> Iterator[None]:
    """`keepwell serve` on a home of its own."""
    settings.home_path.mkdir(parents=True, exist_ok=True)
    words = [sys.executable, "-m", "cli", "serve", "--port", str(port)]
    environment = {**settings.to_environment(), "PYTHONPATH": str(ROOT)}
    with process(words, settings.home_path, environment, f"http://127.0.0.1:{port}/livez"):
        yield


def balancer_config(folder: Path, port: int, replicas: tuple[int, int]) -> str:
    """deploy/nginx.conf for this machine: other addresses and folders, and no looking up of names, which old nginx cannot."""
    config = (ROOT / "deploy" / "nginx.conf").read_text()
    here = {
        "    resolver 127.0.0.11 valid=5s ipv6=off;\n": "",
        "serve-1:3000 resolve": f"127.0.0.1:{replicas[0]}",
        "serve-2:3000 resolve": f"127.0.0.1:{replicas[1]}",
        "listen 8443": f"listen 127.0.0.1:{port}",
        "/tmp/": f"{folder}/",
        "/etc/keepwell-tls": str(folder),
    }
    for there, changed in here.items():
        assert there in config, there
        config = config.replace(there, changed)
    return config


@contextmanager
def balancer(folder: Path, port: int, replicas: tuple[int, int]) -> Iterator[None]:
    """nginx with deploy/nginx.conf; the test is skipped, with the reason, where there is none."""
    openssl = shutil.which("openssl")
    if NGINX is None or openssl is None:
        pytest.skip("nginx or openssl is not installed")
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    subprocess.run([openssl, *words, "-keyout", "tls.key", "-out", "tls.crt"], cwd=folder, check=True, capture_output=True)
    (folder / "nginx.conf").write_text(balancer_config(folder, port, replicas))
    user = "user root; " if os.geteuid() == 0 else ""  # else its workers may not enter the folder
    run = [NGINX, "-e", str(folder / "error.log"), "-g", f"{user}daemon off;", "-c", str(folder / "nginx.conf")]
    with (folder / "log").open("ab") as log, started(run, folder, {}, log) as child:
        wait_for(lambda: _call(port, "GET", "/livez", None, None) is not None or child.poll() is not None)
        assert child.poll() is None, (folder / "log").read_text()
        yield


class Part:
    """One of the things that run together: it can be killed, and begun again."""

    def __init__(self, begin: Callable[[], AbstractContextManager[Any]]) -> None:
        self._begin, self._running = begin, ExitStack()
        self.start()

    def start(self) -> None:
        """Begin, and wait until it answers."""
        self._running.enter_context(self._begin())

    def kill(self) -> None:
        """End it at once; what is not running stays so."""
        self._running.close()

    @contextmanager
    def away(self) -> Iterator[None]:
        """It is gone while the block runs."""
        self.kill()
        yield
        self.start()


@dataclass(frozen=True)
class Answer:
    """What came back: when, in seconds of the clock that only goes forward; how long it took; 0 where nothing came."""

    at: float
    took_s: float
    status: int
    told: Any

    @property
    def version(self) -> str:
        return str(self.told["model"]["version"])


class Front:
    """The service as its callers see it: one address, whoever answers behind it."""

    def __init__(self, port: int, key: str) -> None:
        self.port, self.key = port, key

    def ask(self, path: str, body: Any) -> Answer:
        began = time.monotonic()
        found = _call(self.port, "POST", path, body, self.key)
        return Answer(began, time.monotonic() - began, *(found or (0, None)))

    @contextmanager
    def asked(self, path: str, body: Any, *, callers: int = CALLERS, pause_s: float = 0.01) -> Iterator[list[Answer]]:
        """Ask again and again from several threads while the block runs: every answer, as they come."""
        over, seen = threading.Event(), []

        def call() -> None:
            while not over.wait(pause_s):
                seen.append(self.ask(path, body))

        threads = [threading.Thread(target=call) for _ in range(callers)]
        for thread in threads:
            thread.start()
        try:
            yield seen
        finally:
            over.set()
            for thread in threads:
                thread.join()


def _call(port: int, method: str, path: str, body: Any, key: str | None) -> tuple[int, Any] | None:
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=ANYBODY)
    try:
        connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def readiness(port: int) -> dict[str, Any]:
    """What `/readyz` of one replica says; nothing where it does not answer."""
    try:
        with DIRECTLY.open(f"http://127.0.0.1:{port}/readyz", timeout=30) as answer:
            return dict(json.load(answer))
    except OSError:
        return {}


def free_ports(number: int) -> list[int]:
    ports: set[int] = set()
    while len(ports) < number:
        ports.add(free_port())
    return list(ports)
