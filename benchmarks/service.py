"""How fast the service answers, beside FastAPI with the same handler and layers, and beside `mlflow models serve`.

    python -m benchmarks.service [--quick] [--scratch FOLDER]

All run on loopback with one worker, ask for the same key (MLflow has none) and are loaded in turns by `benchmarks.load`, so
ratios hold on any machine; of each figure the median of the rounds counts. The company is simulated, and its model trained, once
per scratch folder; later runs find them there.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from statistics import median
from typing import Any

from keepwell.settings import Settings
from serving.front.access import hash_of, new_key
from serving.launch import serving
from serving.store import Store
from serving.store.keys import ApiKey

PORT, BARE_PORT, MLFLOW_PORT, TWO_PORT = 3491, 3492, 3493, 3494
ROUNDS, SECONDS, MANY = 5, 3.0, 32
AS_OF, LATER = "2025-07-01", "2026-01-01"
ONE_ROW, ROWS = "1 feature row", "100 feature rows"


@dataclass(frozen=True)
class Work:
    """One kind of load: whom it asks what, over how many connections."""

    port: int
    request: Mapping[str, Any]
    connections: int = 1


@dataclass(frozen=True)
class Found:
    """Milliseconds and requests a second of one round, or the medians of several."""

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
    return replace(settings, require_keys="true", log_format="text")


def _keepwell(settings: Settings, *words: object) -> None:
    env = {**os.environ, **settings.to_environment()}
    subprocess.run([sys.executable, "-m", "cli", *map(str, words)], env=env, check=True, stdout=subprocess.DEVNULL)


def a_key(settings: Settings) -> str:
    """A new key that may ask what is asked here."""
    store, (id_, key) = Store(settings.resolved_store_url), new_key()
    now = datetime.now(UTC)
    store.keys.add(ApiKey(id_, "benchmark", hash_of(key), ("predict", "read"), None, now), by="benchmark")
    store.close()
    return key


@contextmanager
def running(words: Sequence[str], env: Mapping[str, str], port: int, path: str) -> Iterator[None]:
    """A server while the block runs, from its first answer on."""
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    child = subprocess.Popen([sys.executable, "-m", *words], env={**os.environ, **env}, start_new_session=True, **quiet)
    try:
        _await(port, path)
        yield
    finally:
        os.killpg(child.pid, signal.SIGTERM)  # MLflow's server is a child of its own
        child.wait()


@contextmanager
def all_running(settings: Settings) -> Iterator[None]:
    """The service with one worker and with two, FastAPI, and MLflow's server."""
    speed = ["--loop", "uvloop", "--http", "httptools", "--log-level", "warning"]
    fastapi = ["uvicorn", "--factory", "benchmarks.bare_service:application", "--port", str(BARE_PORT), *speed]
    (model,) = Path(settings.home).glob("artifacts/*/models/*/artifacts/MLmodel")
    mlflow = ["mlflow", "models", "serve", "-m", str(model.parent), "--env-manager", "local", "--port", str(MLFLOW_PORT)]
    here = {**settings.to_environment(), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    with (
        tempfile.TemporaryDirectory() as figures,
        serving(settings, PORT),
        serving(settings, TWO_PORT, workers=2),
        running(fastapi, {**here, "PROMETHEUS_MULTIPROC_DIR": figures}, BARE_PORT, "/docs"),
        running([*mlflow, "--workers", "1"], here, MLFLOW_PORT, "/ping"),
    ):
        time.sleep(8)  # until each worker has looked for a newer champion
        yield


def _await(port: int, path: str) -> None:
    """Wait until something answers on a port, be it that a key is needed."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        connection = HTTPConnection("127.0.0.1", port)
        try:
            connection.request("GET", path)
            connection.getresponse().read()
        except (OSError, HTTPException):
            time.sleep(0.2)
        else:
            return
        finally:
            connection.close()
    raise TimeoutError(f"nothing answers on port {port}")


def works(key: str) -> dict[str, Work]:
    """Loads by name, made of the examples that the service publishes."""
    headers = {"authorization": f"Bearer {key}"}
    connection = HTTPConnection("127.0.0.1", PORT)
    connection.request("GET", "/docs.json", headers=headers)
    paths = json.loads(connection.getresponse().read())["paths"]

    def example(path: str, title: str) -> dict[str, Any]:
        return dict(paths[path]["post"]["requestBody"]["content"]["application/json"]["examples"][title]["value"])

    def asking(path: str, body: object, port: int = PORT, connections: int = 1) -> Work:
        return Work(port, {"path": path, "body": body, "headers": headers}, connections)

    row, history = example("/v1/predict_rows", "a feature row"), example("/v1/predict", "a raw history")
    many = {**row, "customer_ids": [*range(100)], "features": {name: values * 100 for name, values in row["features"].items()}}
    (values,) = zip(*row["features"].values(), strict=True)
    split = {"dataframe_split": {"columns": [*row["features"]], "data": [values]}}
    return {
        ONE_ROW: asking("/v1/predict_rows", row),
        f"{ONE_ROW}, FastAPI": asking("/v1/predict_rows", row, BARE_PORT),
        f"{ONE_ROW}, mlflow models serve": asking("/invocations", split, MLFLOW_PORT),
        ROWS: asking("/v1/predict_rows", many),
        f"{ROWS}, FastAPI": asking("/v1/predict_rows", many, BARE_PORT),
        "raw history of 200 events": asking("/v1/predict", _longer(history)),
        "explain 1 feature row": asking("/v1/explain", row),
        "scores of 3 ids": asking("/v1/scores", {"customer_ids": [f"C{number:06}" for number in (7, 8, 9)]}),
        f"{ONE_ROW}, {MANY} connections": asking("/v1/predict_rows", row, connections=MANY),
        f"{ONE_ROW}, {MANY} connections, 2 workers": asking("/v1/predict_rows", row, TWO_PORT, MANY),
    }


def _longer(history: Mapping[str, Any]) -> dict[str, Any]:
    """The same customer with 150 purchases, 25 complaints and 25 payments."""
    (customer,), as_of = history["customers"], date.fromisoformat(history["as_of"])
    times = {"transactions": ("ordered_at", 150), "complaints": ("opened_at", 25), "payments": ("due_at", 25)}

    def rows(name: str, column: str, count: int) -> list[dict[str, Any]]:
        days = ((as_of - timedelta(days=3 + 4 * place)).isoformat() for place in range(count))
        return [{**customer[name][0], **({"paid_at": None} if name == "payments" else {}), column: day} for day in days]

    return {**history, "customers": [{**customer, **{name: rows(name, *each) for name, each in times.items()}}]}


def load(work: Work, seconds: float) -> Found:
    """One round of one kind of load."""
    asked = [str(work.port), "--connections", str(work.connections), "--seconds", str(seconds)]
    words, request = [sys.executable, "-m", "benchmarks.load", *asked], json.dumps(work.request).encode()
    told = json.loads(subprocess.run(words, input=request, stdout=subprocess.PIPE, check=True).stdout)
    if told["statuses"].keys() != {"200"}:
        raise RuntimeError(f"{work.request['path']} on port {work.port} answered {told['statuses']}")
    return Found(told["p50"], told["p99"], told["per_second"])


def middle(rounds: Sequence[Found]) -> Found:
    """The medians of several rounds."""
    return Found(*(median(getattr(one, name) for one in rounds) for name in Found.__dataclass_fields__))


def starts(settings: Settings, scratch: Path) -> Iterator[tuple[str, float]]:
    """Seconds of a start with a champion and of one on an empty home, until each answers."""
    for name, home in (("start with a champion", settings), ("start without one", Settings(home=str(scratch / "empty")))):
        began = time.perf_counter()
        with serving(home, PORT):
            yield name, time.perf_counter() - began


def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.service", description="How fast the service answers.")
    parser.add_argument("--quick", action="store_true", help="a moment of each load: does it work?")
    parser.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()) / "keepwell-benchmarks" / "service")
    asked = parser.parse_args()
    settings, found = prepare(asked.scratch), dict[str, list[Found]]()
    for name, seconds in starts(settings, asked.scratch):
        print(f"{name}: {seconds:.1f} s")
    with all_running(settings):
        kinds = works(a_key(settings))
        for _ in range(1 if asked.quick else ROUNDS):
            for name, work in kinds.items():
                found.setdefault(name, []).append(load(work, 0.3 if asked.quick else SECONDS))
    print("\n| request | p50 ms | p99 ms | a second |\n|---|---|---|---|")
    for name, rounds in found.items():
        one = middle(rounds)
        print(f"| {name} | {one.p50:.2f} | {one.p99:.2f} | {one.per_second:,.0f} |")


if __name__ == "__main__":
    main()
