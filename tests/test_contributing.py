"""CONTRIBUTING is followed to the letter: what it says to write is written, in a copy, and does what it says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FEATURE, ORACLE, LAW = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
TESTS = [f"tests/features/{name}.py" for name in ("test_oracle", "test_catalog", "builders/test_payments", "test_facts")]


def test_what_it_names_is_there() -> None:
    named = re.findall(r"`((?:features|training|serving|scripts|tests|docs|keepwell)/[\w/]+(?:\.\w+)?)`", PAGE)
    assert len(named) > 10
    assert [name for name in named if not (ROOT / name).exists() and not (ROOT / f"{name}.py").exists()] == []
    assert f"`{THE_TEST.removeprefix('def ').partition('(')[0]}`" in PAGE


def test_its_chores_are_those_of_the_makefile() -> None:
    targets = {word for line in re.findall(r"^ +make((?: [a-z-]+)*)", PAGE, re.MULTILINE) for word in line.split()}
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    assert targets <= set(phony[1].split())


THE_TEST = "def test_what_fell_due_is_paid_or_overdue_and_what_is_overdue_is_late("
NEXT = "oldest_overdue_payment_days"


def insert(path: Path, text: str, *, before: str) -> None:
    """Put lines before the one place of others."""
    whole = path.read_text(encoding="utf-8")
    assert whole.count(before) == 1, f"{path.name} has no one place {before!r}"
    path.write_text(whole.replace(before, text + before), encoding="utf-8")


def append_to_test(path: Path, text: str, *, name: str) -> None:
    """Put lines at the end of a test."""
    before, found, after = path.read_text(encoding="utf-8").partition(name)
    assert found
    body, gap, rest = after.partition("\n\n\n")
    path.write_text(f"{before}{found}{body}\n{text.rstrip()}{gap}{rest}", encoding="utf-8")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What the features and their tests need of the repository."""
    for name in ("keepwell", "features", "decisions", "serving", "training", "datasets", "docs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "images"))
    shutil.copytree(ROOT / "tests" / "features", tmp_path / "tests" / "features", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "tests/conftest.py", "tests/postgres.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def run(copy: Path) -> str:
    words = ["-m", "pytest", "-q", "-x", "-m", "not slow", "-p", "no:xdist", *TESTS]
    return subprocess.run([sys.executable, *words], cwd=copy, capture_output=True, text=True, check=False).stdout


@pytest.mark.slow
def test_the_change_that_it_walks_through_ends_with_green_tests(copy: Path) -> None:
    insert(copy / "features" / "builders" / "payments.py", FEATURE, before=f'    _overdue(\n        "{NEXT}"')
    told = run(copy)
    assert "FAILED tests/features/test_oracle.py::test_every_feature_has_an_oracle" in told

    insert(copy / "tests" / "features" / "oracle" / "payments.py", ORACLE, before=f'        "{NEXT}"')
    append_to_test(copy / "tests" / "features" / "builders" / "test_payments.py", LAW, name=THE_TEST)
    insert(copy / "features" / "facts.py", '"largest_overdue_payment", ', before=f'"{NEXT}"')
    insert(copy / "docs" / "architecture.md", "`largest_overdue_payment`, ", before=f"`{NEXT}`")
    told = run(copy)
    assert "failed" not in told, told
    assert re.search(r"\d+ passed", told), told
