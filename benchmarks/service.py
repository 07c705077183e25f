"""How fast the service answers, beside a bare FastAPI with the same handler.

    python -m benchmarks.service [--quick] [--scratch FOLDER]

Both run on loopback, one worker each, and are asked in turns over one connection that is kept, so that ratios hold on any
machine.
The company is simulated, and its model trained, once per scratch folder; later runs find them there.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from statistics import median
from typing import Any

from keepwell.settings import Settings
from serving.launch import serving

PORT, BARE_PORT = 3481, 3482
ROUNDS = 5
AS_OF, LATER = "2025-07-01", "2026-01-01"


@dataclass(frozen=True)
class Work:
    """One kind of request, and how often it is made in a round."""

    path: str
    body: bytes
    times: int


@dataclass(frozen=True)
class Found:
    """Milliseconds of one round, or the medians of several."""

    p50: float
    p99: float
    per_second: float


def prepare(scratch: Path) -> Settings:
    """A home with a trained champion and scores in the store."""
    home, shop = scratch / "home", scratch / "shop"
    settings = Settings(home=str(home))
    if not shop.exists():
        _keepwell(settings, "simulate", shop, "--customers", 3000, "--months", 30)
    if not (scratch / "scores.parquet").exists():
        _keepwell(settings, "train", shop, "--horizon", "90d", "--as-of", AS_OF, "--trials", 5)
        _keepwell(settings, "score", shop, "--as-of", LATER, "--out", scratch / "scores.parquet")
    return settings


def _keepwell(settings: Settings, *words: object) -> None:
    env = {**os.environ, **settings.to_environment()}
    subprocess.run([sys.executable, "-m", "cli", *map(str, words)], env=env, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def bare(settings: Settings) -> Iterator[None]:
    """The bare FastAPI while the block runs."""
    command = [sys.executable, "-m", "uvicorn", "--factory", "benchmarks.bare_service:application", "--port", str(BARE_PORT)]
    speed = ["--loop", "uvloop", "--http", "httptools", "--log-level", "warning"]
    child = subprocess.Popen([*command, *speed], env={**os.environ, **settings.to_environment()})
    try:
        _await(BARE_PORT, "/docs")
        yield
    finally:
        child.terminate()
        child.wait()


def _await(port: int, path: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        connection = HTTPConnection("127.0.0.1", port)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except (OSError, HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.2)
    raise TimeoutError(f"nothing answers on port {port}")


def works(times: int) -> dict[str, Work]:
    """Requests by name, made of the examples that the service publishes."""
    connection = HTTPConnection("127.0.0.1", PORT)
    connection.request("GET", "/docs.json")
    paths = json.loads(connection.getresponse().read())["paths"]

    def example(path: str, title: str) -> dict[str, Any]:
        return dict(paths[path]["post"]["requestBody"]["content"]["application/json"]["examples"][title]["value"])

    row, history = example("/v1/predict_rows", "a feature row"), example("/v1/predict", "a raw history")
    many = {**row, "customer_ids": [*range(100)], "features": {name: values * 100 for name, values in row["features"].items()}}
    stored = {"customer_ids": [f"C{number:06}" for number in (7, 8, 9)]}
    return {
        "1 feature row": Work("/v1/predict_rows", _bytes(row), times),
        "100 feature rows": Work("/v1/predict_rows", _bytes(many), times // 3),
        "1 raw history of 200 events": Work("/v1/predict", _bytes(_longer(history)), times // 2),
        "explain 1 feature row": Work("/v1/explain", _bytes(row), times // 3),
        "scores of 3 ids": Work("/v1/scores", _bytes(stored), times),
    }


def _longer(history: Mapping[str, Any]) -> dict[str, Any]:
    """The same customer with 150 purchases, 25 complaints and 25 payments."""
    (customer,), as_of = history["customers"], date.fromisoformat(history["as_of"])
    times = {"transactions": ("ordered_at", 150), "complaints": ("opened_at", 25), "payments": ("due_at", 25)}

    def rows(name: str, column: str, count: int) -> list[dict[str, Any]]:
        days = ((as_of - timedelta(days=3 + 4 * place)).isoformat() for place in range(count))
        return [{**customer[name][0], **({"paid_at": None} if name == "payments" else {}), column: day} for day in days]

    return {**history, "customers": [{**customer, **{name: rows(name, *each) for name, each in times.items()}}]}


def _bytes(body: object) -> bytes:
    return json.dumps(body).encode()


def ask(port: int, work: Work) -> Found:
    """One round of one kind of request, after a few that do not count."""
    connection, seconds = HTTPConnection("127.0.0.1", port), []
    for turn in range(work.times + 10):
        began = time.perf_counter()
        connection.request("POST", work.path, work.body, {"content-type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{work.path} answered {answer.status}: {text[:300]!r}")
        seconds += [time.perf_counter() - began] if turn >= 10 else []
    seconds.sort()
    return Found(1000 * median(seconds), 1000 * seconds[int(0.99 * len(seconds))], len(seconds) / sum(seconds))


def middle(rounds: list[Found]) -> Found:
    """The medians of several rounds."""
    return Found(*(median(getattr(one, name) for one in rounds) for name in Found.__dataclass_fields__))


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.service", description="How fast the service answers.")
    parser.add_argument("--quick", action="store_true", help="a few requests: does it work?")
    parser.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()) / "keepwell-benchmarks" / "service")
    asked = parser.parse_args()
    settings = replace(prepare(asked.scratch), log_format="text")
    with serving(settings, PORT), bare(settings):
        kinds = works(30 if asked.quick else 600)
        found: dict[str, list[Found]] = {}
        for _ in range(ROUNDS):
            for name, work in kinds.items():
                found.setdefault(name, []).append(ask(PORT, work))
                if work.path == "/v1/predict_rows":
                    found.setdefault(f"{name}, bare FastAPI", []).append(ask(BARE_PORT, work))
    print("| request | p50 ms | p99 ms | a second |\n|---|---|---|---|")
    for name, rounds in found.items():
        one = middle(rounds)
        print(f"| {name} | {one.p50:.2f} | {one.p99:.2f} | {one.per_second:,.0f} |")


if __name__ == "__main__":
    main()
