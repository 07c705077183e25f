"""How long work tells where it is: a list of steps with their seconds, and a count inside a step."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.status import Status


class Progress(Protocol):
    """What long work reports to: `step` surrounds one step, `count` says how far it is inside."""

    def step(self, title: str, /) -> AbstractContextManager[None]:
        """Surround one named step."""

    def count(self, done: int, total: int) -> None:
        """Say that `done` of `total` parts of the current step are done."""


class Silent:
    """Progress that nobody reads: the default of library calls and tests."""

    @contextmanager
    def step(self, _title: str, /) -> Iterator[None]:
        """Run the block and say nothing."""
        yield

    def count(self, done: int, total: int) -> None:
        """Say nothing."""


class Steps:
    """Progress for people: a spinner while a step runs, then one line with its seconds; elsewhere just the lines."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, emoji=False)
        self._running: list[tuple[str, Status]] = []

    @contextmanager
    def step(self, title: str, /) -> Iterator[None]:
        """Show `title` while the block runs; steps may nest, the innermost is shown."""
        started, title = time.monotonic(), escape(title)  # a path may hold brackets
        with self._spinner(title):
            yield
        self._console.print(f"  [green]✓[/green] {title} [dim]{time.monotonic() - started:.1f} s[/dim]", highlight=False)

    def count(self, done: int, total: int) -> None:
        """Show `done` of `total` beside the current step."""
        if self._running:
            title, status = self._running[-1]
            status.update(f"{title} [dim]{done} of {total}[/dim]")

    @contextmanager
    def _spinner(self, title: str) -> Iterator[None]:
        """Rich shows one live line at a time, so the outer spinner rests meanwhile."""
        outer = self._running[-1][1] if self._running else None
        if outer is not None:
            outer.stop()
        status = self._console.status(title)
        self._running.append((title, status))
        try:
            with status:
                yield
        finally:
            self._running.pop()
            if outer is not None:
                outer.start()
