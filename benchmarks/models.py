"""How fast models are trained, score and give reasons, beside LightGBM alone with the same trees.

    python -m benchmarks.models [models] [training] [--quick] [--scratch FOLDER] [--publish]

Without parts named it measures both, in about half an hour on two cores. Ours and the library's take turns in one process, on the
same rows, with the same number of threads. The rest is as in `benchmarks.speed`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.measure import PYTHON, Measured, keepwell, told
from benchmarks.model_jobs import AS_OF, HORIZON_DAYS, JOBS
from benchmarks.running import run
from datasets.simulate import simulate


@dataclass(frozen=True)
class Sizes:
    """How much work there is: customers whose rows models are fitted to, rows for each job, customers of the whole training."""

    customers: int
    rows: Mapping[str, int]
    repeats: int
    training_customers: int
    trials: int


FULL = Sizes(20_000, {"fit": 0, "predict": 1_000_000, "explain": 20_000}, 2, 200_000, 30)
QUICK = Sizes(500, {"fit": 0, "predict": 5_000, "explain": 50}, 1, 500, 2)


def models(scratch: Path, sizes: Sizes) -> dict[str, dict[str, Any]]:
    """Each job beside the bare library."""
    folder = _simulated(scratch, sizes.customers)
    return {job: _told(job, folder, sizes) for job in JOBS}


def training(scratch: Path, sizes: Sizes) -> dict[str, Measured]:
    """The whole command, from reading the files to the registered champion."""
    folder = _simulated(scratch, sizes.training_customers)
    words = ("train", folder, "--horizon", f"{HORIZON_DAYS}d", "--as-of", AS_OF, "--trials", sizes.trials)
    with TemporaryDirectory(dir=scratch) as home:  # a study of an earlier run would be taken up, and not made
        return {f"{sizes.training_customers} {sizes.trials}": keepwell(*words, home=Path(home))}


PARTS: Mapping[str, Callable[[Path, Sizes], Mapping[str, Any]]] = {"models": models, "training": training}


def _told(job: str, folder: Path, sizes: Sizes) -> dict[str, Any]:
    return told([PYTHON, "-m", "benchmarks.model_jobs", job, str(folder), str(sizes.rows[job]), str(sizes.repeats)])


def _simulated(scratch: Path, customers: int) -> Path:
    """A simulated company of this size under `scratch`; made when it is not there."""
    folder = scratch / f"simulated-{customers}"
    if not (folder / "company.yaml").exists():
        simulate(folder, customers=customers, until=AS_OF)
    return folder


if __name__ == "__main__":
    run("benchmarks.models", "How fast models are.", PARTS, FULL, QUICK)
