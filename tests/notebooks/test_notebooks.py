"""Every notebook runs from top to bottom, as a stranger would run it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SHOWS = {
    "bring_your_own_model": "own_boosting",
    "features_in_time": "it looks ahead",
    "from_tables_to_a_plan": "is the champion",
    "know_your_customers": "Gini coefficient",
    "tiers_and_plan": "shadow_price",
    "train_and_promote": "## What it is",
    "uplift_of_a_campaign": "truly brings",
}
"""What each notebook has printed when it has come to its point."""


@pytest.mark.slow
@pytest.mark.parametrize("notebook", sorted((ROOT / "notebooks").glob("*.py")), ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_what_it_found(notebook: Path, tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, str(notebook)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert SHOWS[notebook.stem] in ran.stdout
