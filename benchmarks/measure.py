"""Measurements, each in a process of its own."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import prepared

ROOT, PYTHON = Path(__file__).parents[1], sys.executable
LIFETIMES = ("lifetimes==0.11.3", "numpy<2", "pandas<3")


@dataclass(frozen=True)
class Measured:
    """One measurement: the best run's wall and processor seconds, the peak memory of its process, and what came out."""

    seconds: float
    processor: float = math.nan
    peak_gb: float = math.nan
    rows: int = 0
    columns: int = 0
    figures: Mapping[str, float] = field(default_factory=dict)


def child(job: str, folder: Path, dates: int, repeats: int) -> Measured:
    """A job of `benchmarks.child`."""
    return Measured(**told([PYTHON, "-m", "benchmarks.child", job, str(folder), str(dates), str(repeats)]))


def shares(job: str, folder: Path, dates: int) -> dict[str, float]:
    """Stage -> its share of the time of a job."""
    return told([PYTHON, "-m", "benchmarks.child", f"where:{job}", str(folder), str(dates), "1"])


def told(command: list[str]) -> dict[str, Any]:
    """The JSON in the last line that a command prints."""
    values: dict[str, Any] = json.loads(output_of(command).splitlines()[-1])
    return values


def output_of(command: list[str]) -> str:
    """What a command prints, when it ends well; what it says of its progress and errors is shown."""
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout


def lifetimes_python(scratch: Path) -> Path | None:
    """The Python of an environment with `lifetimes`, made under `scratch` at first use; None where it cannot be installed."""
    place = scratch / "lifetimes"
    python = place / "bin" / "python"
    if not (place / "ready").exists():
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *LIFETIMES]
        for command in ([PYTHON, "-m", "venv", "--clear", str(place)], install):
            if subprocess.run(command, check=False).returncode != 0:
                return None
        (place / "ready").touch()
    return python


def lifetimes(python: Path, folder: Path, repeats: int) -> Measured:
    """The summary of the `lifetimes` package at the last date."""
    script, file = ROOT / "benchmarks" / "lifetimes_summary.py", prepared.purchases_for_lifetimes(folder)
    return Measured(**told([str(python), str(script), str(file), prepared.iso(prepared.dates_back(1)[0]), str(repeats)]))


def keepwell(*words: object, home: Path | None = None) -> Measured:
    """A `keepwell` command from its start to its end; its progress is shown. `home` is where it keeps its state."""
    command = [PYTHON, str(ROOT / "cli.py"), *map(str, words)]
    started = time.monotonic()
    environment = os.environ | ({} if home is None else {"KEEPWELL_HOME": str(home)})
    _, status, usage = os.wait4(os.posix_spawn(command[0], command, environment), 0)
    if status != 0:
        raise SystemExit(f"{' '.join(command)} failed")
    return Measured(time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e6)


def require_agreement(ours: Measured, theirs: Measured, other_meaning: Collection[str] = ()) -> None:
    """End the run where two results differ in a column that means the same in both: then their times say nothing."""
    shared = [name for name in theirs.figures if name.split()[0] not in other_meaning]
    wrong = [name for name in shared if not math.isclose(ours.figures[name], theirs.figures[name], rel_tol=1e-9)]
    if wrong or not shared or ours.rows != theirs.rows:
        raise SystemExit(f"the results differ: {ours.rows} and {theirs.rows} rows, {wrong[:3]}")
