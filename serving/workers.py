"""The process that keeps the workers of the service: it binds one socket, starts them on it, and replaces whoever dies.

    python -m serving.workers HOST PORT NUMBER

Each worker is BentoML's own. `bentoml serve` would keep them too, but loads the whole service first to learn their number: this
module imports nothing of ours, so a start takes half the time, and its process next to no memory. SIGTERM and SIGINT end it.
"""

from __future__ import annotations

import ctypes
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

SERVICE = "serving.service:Keepwell"
BACKLOG = 2048
KEEP_ALIVE_S = 75
"""Longer than proxies keep idle connections: whoever ends one first must not be us, while a request is on its way."""

SHORTEST_LIFE_S = 10.0
"""A worker that fails sooner cannot run: while the service starts that is its end, later the next one waits so long."""

LOOK_S = 0.1
LONGEST_STOP_S = 15.0
_PR_SET_PDEATHSIG = 1


class Place:
    """A worker, and whoever follows it."""

    def __init__(self, number: int, bound: socket.socket) -> None:
        self._number, self._bound = number, bound
        self._begin()

    def look(self) -> int | None:
        """Begin another worker where this one has ended. One that failed at once is not followed at once: this is its code."""
        code = self._worker.poll()
        if code is None:
            return None
        if code > 0 and time.monotonic() - self._began < SHORTEST_LIFE_S:
            return code
        sys.stderr.write(f"worker {self._number} ended with code {code}: another one follows\n")
        self._begin()
        return None

    def ask_to_end(self) -> None:
        """Let it answer what it has begun, and end."""
        self._worker.terminate()

    def make_end(self, deadline: float) -> None:
        """Wait until `deadline`, and then no longer."""
        try:
            self._worker.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._worker.kill()
            self._worker.wait()

    def _begin(self) -> None:
        descriptor = self._bound.fileno()
        words = ["-m", "_bentoml_impl.worker.service", SERVICE, "--fd", descriptor, "--worker-id", self._number]
        bounds = ["--backlog", BACKLOG, "--timeout-keep-alive", KEEP_ALIVE_S]
        self._began = time.monotonic()
        self._worker = subprocess.Popen(  # noqa: S603  # our own words
            [sys.executable, *map(str, words + bounds)],
            pass_fds=[descriptor],
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us: we tell the workers
            preexec_fn=end_with_parent,  # noqa: PLW1509  # there is one thread here, so no lock can be held
        )


def end_with_parent() -> None:
    """Have Linux end this process when its parent dies, in whatever way, so that no orphan keeps the port."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def keep(places: Sequence[Place], told_to_end: threading.Event) -> int:
    """Look after the workers until told to end; the exit code, which is that of a worker where the service cannot start."""
    began = time.monotonic()
    while not told_to_end.wait(LOOK_S):
        for place in places:
            failed = place.look()
            if failed is not None and time.monotonic() - began < SHORTEST_LIFE_S:
                return failed
    return 0


def main(host: str, port: int, number: int) -> int:
    """Listen, and keep so many workers; the exit code."""
    told_to_end = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: told_to_end.set())
    end_with_parent()
    with _bound(host, port) as bound:
        places = [Place(place + 1, bound) for place in range(number)]
        code = keep(places, told_to_end)
        deadline = time.monotonic() + LONGEST_STOP_S
        for place in places:
            place.ask_to_end()
        for place in places:
            place.make_end(deadline)
    return code


def _bound(host: str, port: int) -> socket.socket:
    """The socket, on which the first worker listens when it can answer: till then callers are refused, and a balancer goes on."""
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((host, port))
    return made


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
