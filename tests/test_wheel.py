"""The wheel works where the sources are not: all that is needed is inside, from the policy to the console's pages."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
import venv
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from serving.launch import LOOPBACK

ROOT = Path(__file__).parents[1]
INSIDE = ("keepwell", "features", "training", "decisions", "serving", "datasets", "commands")
pytestmark = pytest.mark.slow

Keepwell = Callable[..., str]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of what the wheel is made of, so that neither this checkout nor what it was built of before matters."""
    place = tmp_path_factory.mktemp("wheel")
    source = place / "source"
    for name in INSIDE:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("cli.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    pip("wheel", str(source), "--no-deps", "--no-build-isolation", "--wheel-dir", str(place))
    (made,) = place.glob("*.whl")
    return made


def pip(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *words], check=True)


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel in it; its dependencies are those of this one, which saves a download."""
    place = tmp_path_factory.mktemp("elsewhere") / "venv"
    venv.create(place, with_pip=False)
    (packages,) = place.glob("lib/python3.*/site-packages")
    packages.joinpath("dependencies.pth").write_text(sysconfig.get_path("purelib"))
    pip("--python", str(place / "bin" / "python"), "install", "--no-deps", "--no-index", str(wheel))
    return place


@pytest.fixture(scope="module")
def work(elsewhere: Path) -> Path:
    """An empty folder, far from the sources."""
    folder = elsewhere.parent / "work"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def environment(work: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH" and not name.startswith("KEEPWELL_")}
    return {**kept, "KEEPWELL_HOME": str(work / "home")}


@pytest.fixture(scope="module")
def keepwell(elsewhere: Path, work: Path, environment: dict[str, str]) -> Keepwell:
    """Run the installed command; its standard output."""

    def run(*words: object) -> str:
        command = [str(elsewhere / "bin" / "keepwell"), *map(str, words)]
        done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="module")
def shop(keepwell: Keepwell, work: Path) -> Path:
    """A company, trained and scored by the installed command; `scores.parquet` lies beside its folder."""
    keepwell("simulate", "shop", "--customers", 200, "--months", 8, "--seed", 1)
    as_of = pl.read_parquet(work / "shop" / "transactions.parquet")["ordered_at"].max().date()  # type: ignore[union-attr]
    keepwell("train", "shop", "--horizon", "90d", "--as-of", as_of, "--trials", 0)
    keepwell("score", "shop", "--as-of", as_of, "--out", "scores.parquet")
    return work / "shop"


def test_every_file_of_the_packages_is_in_the_wheel(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    files = subprocess.run(["git", "ls-files", *INSIDE, "cli.py"], cwd=ROOT, check=True, capture_output=True, text=True)
    assert set(files.stdout.splitlines()) - held == set()


def test_the_wheel_holds_no_tests_and_no_benchmarks(wheel: Path) -> None:
    places = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {place for place in places if not place.endswith(".dist-info")} == {*INSIDE, "cli.py"}


def test_the_command_is_that_of_the_wheel(keepwell: Keepwell, elsewhere: Path, work: Path, environment: dict[str, str]) -> None:
    assert keepwell("--version").startswith("keepwell, version ")
    asked = [str(elsewhere / "bin" / "python"), "-c", "import cli, serving; print(cli.__file__, serving.__file__)"]
    told = subprocess.run(asked, cwd=work, env=environment, check=True, capture_output=True, text=True).stdout.split()
    assert all(str(elsewhere) in place for place in told)


def test_a_company_is_scored(shop: Path) -> None:
    scores = pl.read_parquet(shop.parent / "scores.parquet")
    assert scores.height > 100
    assert scores["churn_probability"].is_between(0, 1).all()


def test_actions_are_planned_by_the_policy_inside(keepwell: Keepwell, shop: Path) -> None:
    keepwell("plan", "scores.parquet", "--budget", 500, "--out", "plan.csv")
    plan, scores = pl.read_csv(shop.parent / "plan.csv"), pl.read_parquet(shop.parent / "scores.parquet")
    assert plan.height > 0
    assert set(plan["customer_id"]) <= set(scores["customer_id"])


@pytest.fixture(scope="module")
def address(shop: Path, elsewhere: Path, environment: dict[str, str]) -> Iterator[str]:
    """Where the installed command serves."""
    port = free_port()
    command = [str(elsewhere / "bin" / "keepwell"), "serve", "--port", str(port)]
    with (
        (shop.parent / "serve.log").open("w") as log,
        subprocess.Popen(command, cwd=shop.parent, env=environment, stderr=log) as child,
    ):
        try:
            yield awaited(f"http://{LOOPBACK}:{port}", child)
        finally:
            child.terminate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def awaited(address: str, child: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and child.poll() is None:
        try:
            asked(f"{address}/docs.json")
        except urllib.error.URLError:
            time.sleep(0.2)
        else:
            return address
    pytest.fail("the service does not come up")


def asked(url: str, body: dict[str, object] | None = None) -> bytes:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return bytes(answer.read())


def test_scores_are_served(address: str, shop: Path) -> None:
    first = str(pl.read_parquet(shop.parent / "scores.parquet")["customer_id"][0])
    told = json.loads(asked(f"{address}/v1/scores", {"customer_ids": [first]}))
    assert [row["customer_id"] for row in told["scores"]] == [first]


@pytest.mark.parametrize("path", ["/console/", "/console/customers", "/console/static/console.css", "/console/static/icon.svg"])
def test_the_pages_of_the_console_are_served_with_what_they_need(address: str, path: str) -> None:
    assert len(asked(f"{address}{path}")) > 100
