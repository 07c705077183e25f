"""API keys: what they are, and who holds one now.

A key is `kw_<id>_<secret>`. The id finds its row in the store and stands in logs; the secret is 256 random bits, which nobody
guesses. So one SHA-256 keeps it as safe as a slow hash would: those protect words that people choose, and cost every request.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import re
import secrets
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from keepwell.errors import RequestError
from serving.front.context import Caller
from serving.store.keys import ApiKey

log = logging.getLogger("keepwell.serving")

FRESH_S = 3.0
"""Keys that were read so long ago are read again, beside the requests that they serve meanwhile."""

STALE_S = 8.0
"""Keys that were read so long ago serve nobody before they are read again: a revoked key ends within 10 seconds."""

LONGEST_AWAY_S = 300.0
"""So long after the store was last read, keys that it knew then are good while it is away."""

IDLE_READ_S = 60.0
"""So often keys are read though nobody calls: those that are good when the store goes away are then known."""

LONGEST_FIRST_READ_S = 6.0
"""So long a start waits for the keys: a server that is lost is given up a little sooner."""

LONGEST_READ_S = 2.0
"""A store that takes longer to say which keys there are is away."""

BETWEEN_READS_S = 0.25
"""Unknown keys make the store be read, but not oftener than this, however many come."""

_KEY = re.compile(r"kw_([0-9a-f]{16})_([A-Za-z0-9_-]{43})", re.ASCII)


def new_key() -> tuple[str, str]:
    """The id of a new key, and the key itself.

    >>> id, key = new_key()
    >>> key.startswith(f"kw_{id}_"), id_of(key) == id
    (True, True)
    """
    id_ = secrets.token_hex(8)
    return id_, f"kw_{id_}_{secrets.token_urlsafe(32)}"


def id_of(key: str) -> str | None:
    """The id in a key; None for a text that is no key."""
    found = _KEY.fullmatch(key)
    return found and found[1]


def hash_of(key: str) -> str:
    """What is kept of a key: SHA-256 of all of it, as 64 hexadecimal digits."""
    return hashlib.sha256(key.encode()).hexdigest()


class KeyRing:
    """The keys of a store, read again every few seconds, so that no request waits for the store.

    `read` reads them all, `clock` gives the moment that it is, by which keys expire, and `seconds` seconds that never go back.
    """

    def __init__(
        self,
        read: Callable[[], Sequence[ApiKey]],
        clock: Callable[[], datetime],
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read, self._clock, self._seconds = read, clock, seconds
        self._keys: dict[str, ApiKey] = {}
        self._asked_at = self._tried_at = self._read_at = -float("inf")
        self._reading: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "keys")  # the common threads may all be busy with predictions
        self.away: Exception | None = None

    async def caller(self, key: str) -> Caller:
        """Who holds `key`. RequestError: 401 where nobody does any more, 503 where the store would have to say and is away."""
        arrived = self._seconds()
        await self._keep_fresh(arrived)
        found = self._match(key) or await self._match_new(key, arrived)
        if self._seconds() - self._read_at > LONGEST_AWAY_S:
            raise _away()
        if found is None:
            raise refused("there is no such key", "unknown_key")
        if (state := found.state(self._clock())) != "valid":
            raise refused(f"the key is {state}", f"{state}_key")
        return Caller(found.id, found.name, found.requests_per_minute, frozenset(found.scopes))

    async def begin(self) -> asyncio.Task[None]:
        """Read the keys, as far as the store is there, and go on to do so now and then, until the task is cancelled."""
        await asyncio.wait([self._refresh()], timeout=LONGEST_FIRST_READ_S)
        return asyncio.create_task(self._keep_reading())

    async def _keep_reading(self) -> None:
        while True:
            await asyncio.sleep(IDLE_READ_S)
            await asyncio.wait([self._refresh()])

    def _match(self, key: str) -> ApiKey | None:
        found = self._keys.get(id_of(key) or "")
        # An unknown id is compared too, with what no key hashes to: it takes as long as a wrong secret.
        expected = found.hash if found else "0" * 64
        return found if hmac.compare_digest(hash_of(key), expected) else None

    async def _match_new(self, key: str, arrived: float) -> ApiKey | None:
        """Look among the keys as they are now: 503 when the store does not say."""
        for _ in range(2):  # the reading that is under way may have begun too early
            if self._tried_at < arrived:
                await asyncio.wait([self._refresh()], timeout=LONGEST_READ_S)
        if self._read_at < arrived:
            raise _away()
        return self._match(key)

    async def _keep_fresh(self, now: float) -> None:
        """See that the keys are no older than they may be, as far as the store allows."""
        age = now - self._read_at
        if age > FRESH_S and now - self._asked_at > FRESH_S:
            self._refresh()
        if age > STALE_S and self._reading is not None:
            await asyncio.wait([self._reading], timeout=max(0.0, self._asked_at + LONGEST_READ_S - now))

    def _refresh(self) -> asyncio.Task[None]:
        """The reading that is under way, else a new one."""
        if self._reading is None or self._reading.done():
            self._asked_at = self._seconds()
            self._reading = asyncio.create_task(self._read_again())
        return self._reading

    async def _read_again(self) -> None:
        await asyncio.sleep(max(0.0, self._tried_at + BETWEEN_READS_S - self._seconds()))
        self._tried_at = began = self._seconds()
        try:
            keys = await asyncio.get_running_loop().run_in_executor(self._thread, self._read)
        except Exception as error:
            if self.away is None:
                log.warning("the keys known so far stay good, for at most %g s: %s", LONGEST_AWAY_S, error)
            self.away = error
        else:
            self._keys, self._read_at, self.away = {key.id: key for key in keys}, began, None


def _away() -> RequestError:
    return RequestError(
        "keys cannot be checked: the store is away", hint="try again in a few seconds", status=503, code="no_store"
    )


def refused(message: str, code: str) -> RequestError:
    """The refusal of a caller who is not known."""
    hint = "send `Authorization: Bearer kw_...`; `keepwell keys create` makes a key"
    return RequestError(message, hint=hint, status=401, code=code)
