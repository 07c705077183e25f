"""How long work tells where it is: a list of steps with their seconds, and a count inside a step."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console


class Progress(Protocol):
    """What long work reports to. `step` surrounds one step; `count` says how far it is inside."""

    def step(self, title: str):  # type: ignore[no-untyped-def]  # a context manager; Protocols cannot carry @contextmanager's type
        """Surround one named step."""

    def count(self, done: int, total: int) -> None:
        """Say that `done` of `total` parts of the current step are done."""


class Silent:
    """Progress that nobody reads: the default of library calls and tests."""

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Run the block and say nothing."""
        yield

    def count(self, done: int, total: int) -> None:
        """Say nothing."""


class Steps:
    """Progress on a terminal: a spinner while a step runs, then a line with its seconds; plain lines elsewhere."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._status = None
        self._title = ""

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Show `title` while the block runs; steps may nest, the inner one is shown."""
        outer_status, outer_title = self._status, self._title
        if outer_status is not None:
            outer_status.stop()
        started, self._title = time.monotonic(), title
        with self._console.status(title) as self._status:
            try:
                yield
            finally:
                self._status, self._title = outer_status, outer_title
        self._console.print(f"  [green]✓[/green] {title} [dim]{time.monotonic() - started:.1f} s[/dim]", highlight=False)
        if outer_status is not None:
            outer_status.start()

    def count(self, done: int, total: int) -> None:
        """Show `done` of `total` beside the current step."""
        if self._status is not None:
            self._status.update(f"{self._title} [dim]{done} of {total}[/dim]")
