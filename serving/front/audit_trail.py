"""Who changed what through the service, written into the store's audit beside the answers, never in their way."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.front.context import CALLER, REQUEST_ID
from serving.store.audit import Deed

log = logging.getLogger("keepwell.serving")

WRITES: Mapping[str, str] = {
    "/v1/plan": "plan made",
    "/v1/outcomes": "outcomes recorded",
    "/v1/jobs": "job asked for",
    "/v1/jobs/cancel": "job cancelled",
}
"""What a POST to each path does, in the words of the audit."""

LONGEST_QUEUE = 10_000
"""Deeds that wait while the store is busy or away; those that come on top are told of in the log alone."""

_TOGETHER = 500


class AuditTrail:
    """Notes every good answer to a POST that changes something: who asked, what, when, and under which request's id.

    `add` writes deeds, `clock` gives the moment that it is. What waits is written before the service ends.
    """

    def __init__(self, app: ASGIApp, add: Callable[[Sequence[Deed]], None], clock: Callable[[], datetime]) -> None:
        self.app, self._clock = app, clock
        self._writer = _Writer(add)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        what = WRITES.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if what is None:
            await self.app(scope, receive, send)
            if scope["type"] == "lifespan":
                self._writer.finish()
            return

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400:
                self._writer.put(Deed(self._clock(), str(CALLER.get()), what, request_id=REQUEST_ID.get()))
            await send(message)

        await self.app(scope, receive, noting)


class _Writer:
    """One thread that writes what waits, many deeds at a time; it is begun with the first."""

    def __init__(self, add: Callable[[Sequence[Deed]], None]) -> None:
        self._add = add
        self._waiting: queue.Queue[Deed | None] = queue.Queue(LONGEST_QUEUE)
        self._thread = threading.Thread(target=self._work, name="audit", daemon=True)

    def put(self, deed: Deed) -> None:
        """Have a deed written soon."""
        if not self._thread.is_alive():
            self._thread.start()
        try:
            self._waiting.put_nowait(deed)
        except queue.Full:
            log.error("the audit is full and the store does not take it: %s", deed)

    def finish(self) -> None:
        """Write what waits, for as long as an ending service may take."""
        if self._thread.is_alive():
            self._waiting.put(None)
            self._thread.join(timeout=5)

    def _work(self) -> None:
        is_over = False
        while not is_over:
            deeds = [self._waiting.get()]
            while len(deeds) < _TOGETHER and not self._waiting.empty():
                deeds.append(self._waiting.get())
            is_over = deeds[-1] is None  # nothing comes after it
            self._write([deed for deed in deeds if deed is not None])

    def _write(self, deeds: Sequence[Deed]) -> None:
        try:
            self._add(deeds)
        except Exception as error:
            log.error("%d deeds are not in the audit (%s): %s", len(deeds), error, "; ".join(map(str, deeds)))
