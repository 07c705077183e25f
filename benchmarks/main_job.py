"""The main job on a simulated company, each command as a whole process: seconds, processor seconds, peak memory.

    python benchmarks/main_job.py [--customers 20000] [--trials 15]

Seconds depend on the machine and on what else it does; compare runs of one session only.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
AS_OF = "2026-01-01"


def measured(home: Path, *words: object) -> tuple[float, float, float]:
    """Run `keepwell` with these words; wall seconds, processor seconds and peak memory in GB."""
    command = [sys.executable, str(ROOT / "cli.py"), *map(str, words)]
    started = time.monotonic()
    child = os.posix_spawn(command[0], command, {**os.environ, "KEEPWELL_HOME": str(home)})
    _, status, usage = os.wait4(child, 0)
    if status != 0:
        raise SystemExit(f"{' '.join(command)} failed")
    return time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e6


def main() -> None:
    """Print one line per command."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--trials", type=int, default=15)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        data, home, scores = place / "company", place / "home", place / "scores.parquet"
        jobs = {
            "simulate": ("simulate", data, "--customers", asked.customers),
            "train": ("train", data, "--horizon", "90d", "--as-of", AS_OF, "--trials", asked.trials),
            "score": ("score", data, "--as-of", AS_OF, "--out", scores),
            "plan": ("plan", scores, "--data", data, "--budget", 5000, "--out", place / "plan.csv"),
        }
        print(f"{'command':10} {'seconds':>8} {'processor':>10} {'peak GB':>8}")
        for name, words in jobs.items():
            seconds, processor, peak = measured(home, *words)
            print(f"{name:10} {seconds:8.1f} {processor:10.1f} {peak:8.2f}")


if __name__ == "__main__":
    main()
