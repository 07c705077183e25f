"""An hour of steady load on the service: whether its memory stays, its answers stay as quick, and nothing fails.

    python -m benchmarks.soak [--seconds 3600] [--rate 60] [--scratch FOLDER]

Prints a line for each minute as the memory of the worker is read, then what the load was answered. The exit code is 1 where
memory grew by more than 5 % after the first tenth, or an answer was no 200.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import service
from serving.launch import serving

LARGEST_GROWTH = 1.05


def worker_of(keeper: int) -> int:
    """The process id of the only worker that a keeper has."""
    return int(Path(f"/proc/{keeper}/task/{keeper}/children").read_text().split()[0])


def memory_mb(pid: int) -> float:
    """What a process holds in memory."""
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def main() -> int:
    """Make the load, and judge."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description="Steady load on the service.")
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--rate", type=float, default=60, help="requests a second, of five kinds in turns")
    parser.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()) / "keepwell-benchmarks" / "service")
    asked = parser.parse_args()
    settings, held = service.prepare(asked.scratch), list[float]()
    with serving(settings, service.PORT) as child:
        time.sleep(8)  # until it has looked for a newer champion
        kinds = service.works(service.a_key(settings)).values()
        requests = [kind.request for kind in kinds if kind.port == service.PORT and kind.connections == 1]
        words = [str(service.PORT), "--connections", "4", "--seconds", str(asked.seconds), "--rate", str(asked.rate)]
        load = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.load", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert load.stdin is not None, "it is a pipe"
        load.stdin.write(json.dumps(requests))
        load.stdin.close()
        began, pause = time.monotonic(), min(60.0, asked.seconds / 20)
        while load.poll() is None:
            held.append(memory_mb(worker_of(child.pid)))
            print(f"{time.monotonic() - began:6.0f} s  {held[-1]:.1f} MB", flush=True)
            time.sleep(pause)
        assert load.stdout is not None, "it is a pipe"
        told = json.loads(load.stdout.read())
    print(json.dumps(told, indent=1))
    return int(held[-1] > LARGEST_GROWTH * held[len(held) // 10] or told["statuses"].keys() != {"200"})


if __name__ == "__main__":
    sys.exit(main())
