"""One company, trained and scored once through the command line, for all tests of the commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli import main
from datasets.simulate import simulate

UNTIL = date(2026, 1, 1)
Keepwell = Callable[..., Result]


@dataclass(frozen=True)
class Shop:
    """A simulated company with its champion and scores."""

    data: Path
    home: Path
    scores: Path


def run(home: Path, *words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], env={"KEEPWELL_HOME": str(home)})


@pytest.fixture
def keepwell(tmp_path: Path) -> Keepwell:
    """Run `keepwell` with an empty home; nothing is left over from other tests."""
    return lambda *words: run(tmp_path / "home", *words)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    place = tmp_path_factory.mktemp("shop")
    made = Shop(place / "data", place / "home", place / "scores.parquet")
    simulate(made.data, customers=600, months=18, seed=5, until=UNTIL)
    trained = run(made.home, "train", made.data, "--horizon", "90d", "--as-of", UNTIL, "--trials", 1)
    assert trained.exit_code == 0, trained.output
    scored = run(made.home, "score", made.data, "--as-of", UNTIL, "--out", made.scores)
    assert scored.exit_code == 0, scored.output
    return made
