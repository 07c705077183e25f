"""How much a worker takes on: bodies of a bounded size that come in a bounded time, and so many requests at once.

More requests than a worker can do wait for a short while in a room of bounded size; the others are told at once to come back.
So a flood costs its senders, and passes when it does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keepwell.errors import RequestError
from serving.endpoints.answers import answer_to

LARGEST_BODY = 32 * 2**20
"""Bytes: 1,000 customers with 200 events each fit in."""

LARGEST_BODIES = 96 * 2**20
"""Bytes of all bodies in one room."""

LONGEST_BODY_S = 20.0
"""How long a body may take to come."""

AT_WORK, SEATS = 4, 256
"""Requests in one room of one worker that are at work at once, and that there are in all, those that wait among them.

Few at work keep the event loop's rounds short, and uvloop takes on one new connection a round.
"""

LONGEST_WAIT_S = 5.0

_WITHOUT_BODY = ("GET", "HEAD")


class Room:
    """The requests that are at work, those that wait, and the bytes that they brought."""

    def __init__(
        self, at_work: int = AT_WORK, seats: int = SEATS, bodies: int = LARGEST_BODIES, longest_wait_s: float = LONGEST_WAIT_S
    ) -> None:
        self._turns = asyncio.Semaphore(at_work)
        self._free_seats, self._free_bytes, self._longest_wait_s = seats, bodies, longest_wait_s

    @property
    def is_full(self) -> bool:
        """Whether one more could neither work nor wait."""
        return self._free_seats <= 0

    def holds(self, size: int) -> bool:
        """Whether there is room for `size` more bytes; it is taken where there is."""
        if size > self._free_bytes:
            return False
        self._free_bytes -= size
        return True

    def lets_go(self, size: int) -> None:
        """Give back the room of `size` bytes."""
        self._free_bytes += size

    async def enter(self) -> bool:
        """Wait for a turn to work; False when there is no seat, or no turn in time. Who entered must leave."""
        if self.is_full:
            return False
        self._free_seats -= 1
        has_turn = False
        try:
            # Whoever came in the same moment sits down first: else each would find nobody here, and all would wait unseen.
            await asyncio.sleep(0)
            has_turn = await self._turn()
        finally:
            if not has_turn:
                self._free_seats += 1
        return has_turn

    async def _turn(self) -> bool:
        if not self._turns.locked():
            return await self._turns.acquire()
        try:
            async with asyncio.timeout(self._longest_wait_s):
                return await self._turns.acquire()
        except TimeoutError:
            return False

    def leave(self) -> None:
        """End one's turn, and give up one's seat."""
        self._turns.release()
        self._free_seats += 1


class Intake:
    """Reads a request's body, finds it a turn in its room, and hands both on; the turn ends when the answer begins.

    `room_of` gives the room of a path; None: it goes straight on, as health must be told also when all are busy.
    """

    def __init__(
        self,
        app: ASGIApp,
        room_of: Callable[[str], Room | None],
        limit: int = LARGEST_BODY,
        body_s: float = LONGEST_BODY_S,
    ) -> None:
        self.app, self.room_of, self.limit, self.body_s = app, room_of, limit, body_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        room = self.room_of(scope["path"]) if scope["type"] == "http" else None
        if room is None:
            await self.app(scope, receive, send)
            return
        body = _Body(room, self.limit)
        try:
            if await self._is_taken_on(room, body, scope, receive):
                await self._work(room, scope, body.replayed(receive), send)
        except RequestError as error:
            answer = answer_to(error)
            answer.headers["Connection"] = "close"  # what comes of the body stays unread
            await answer(scope, receive, send)
        finally:
            room.lets_go(body.size)

    async def _is_taken_on(self, room: Room, body: _Body, scope: Scope, receive: Receive) -> bool:
        """Read the body and wait for a turn; False where the client has gone meanwhile. RequestError says why not."""
        if room.is_full:
            raise _busy()
        if scope["method"] not in _WITHOUT_BODY and not await self._read(body, Headers(scope=scope), receive):
            return False
        if not await room.enter():
            raise _busy()
        return True

    async def _read(self, body: _Body, headers: Headers, receive: Receive) -> bool:
        announced = headers.get("content-length", "")
        if announced.isdigit() and int(announced) > self.limit:
            raise _too_large(self.limit)
        if not body.take(await receive()):  # most bodies come in one piece, and need no timer
            return not body.is_cut_off
        try:
            async with asyncio.timeout(self.body_s):
                while body.take(await receive()):
                    pass
        except TimeoutError as error:
            raise _too_slow(self.body_s) from error
        return not body.is_cut_off

    async def _work(self, room: Room, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the service answer, and end the turn once, when the answer begins: a slow reader keeps nobody waiting."""
        at_work = True

        def leave() -> None:
            nonlocal at_work
            if at_work:
                at_work = False
                room.leave()

        async def leaving(message: Message) -> None:
            leave()
            await send(message)

        try:
            await self.app(scope, receive, leaving)
        finally:
            leave()


class _Body:
    """A body as it comes, within a limit of its own and that of the room."""

    def __init__(self, room: Room, limit: int) -> None:
        self._room, self._limit = room, limit
        self._chunks: list[bytes] = []
        self.size, self.is_cut_off = 0, False

    def take(self, message: Message) -> bool:
        """Take in a piece; False when it is the last one, or the client has gone before the end."""
        if message["type"] == "http.disconnect":
            self.is_cut_off = True
            return False
        chunk = message.get("body", b"")
        if self.size + len(chunk) > self._limit:
            raise _too_large(self._limit)
        if not self._room.holds(len(chunk)):
            raise _busy()
        self.size += len(chunk)
        self._chunks.append(chunk)
        return bool(message.get("more_body", False))

    def replayed(self, receive: Receive) -> Receive:
        """A `receive` that gives the body that was read, and then what comes after it."""
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": b"".join(self._chunks), "more_body": False}

        return replay


def _too_large(limit: int) -> RequestError:
    hint = "send fewer customers at a time"
    return RequestError(f"the body has more than {limit:,} bytes", hint=hint, status=413, code="too_large")


def _too_slow(seconds: float) -> RequestError:
    hint = "send fewer customers at a time"
    return RequestError(f"the body did not come within {seconds:g} seconds", hint=hint, status=408, code="slow_body")


def _busy() -> RequestError:
    hint = "wait as long as Retry-After says"
    return RequestError("the service has more requests than it can take on", hint=hint, status=503, code="busy")
