from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepwell.errors import RequestError, StoreError
from serving.endpoints.openapi import openapi
from serving.front import access
from serving.front.access import BETWEEN_READS_S, FRESH_S, LONGEST_AWAY_S, STALE_S, KeyRing, hash_of, id_of, new_key
from serving.front.context import Caller
from serving.front.scopes import NEEDS, SCOPES
from serving.store.keys import ApiKey

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = "s" * 43

Run = Callable[[Coroutine[Any, Any, Any]], Any]


def key_of(number: int, **changes: object) -> tuple[str, ApiKey]:
    """A key and what the store keeps of it."""
    id_ = f"{number:016x}"
    key = f"kw_{id_}_{SECRET}"
    return key, replace(ApiKey(id_, f"key {number}", hash_of(key), ("predict",), None, NOW), **changes)


@dataclass
class World:
    """A store of keys and a clock, both in the hands of the test."""

    keys: list[ApiKey] = field(default_factory=list)
    seconds: float = 0.0
    away: bool = False
    reads: int = 0

    def read(self) -> Sequence[ApiKey]:
        self.reads += 1
        if self.away:
            raise StoreError("the store is gone", hint="bring it back")
        return list(self.keys)

    def ring(self) -> KeyRing:
        return KeyRing(self.read, lambda: NOW + timedelta(seconds=self.seconds), lambda: self.seconds)


def refusal(run: Run, ring: KeyRing, key: str) -> tuple[int, str]:
    """How a key is refused."""
    with pytest.raises(RequestError, match=r"the key|no such key|keys cannot") as caught:
        run(ring.caller(key))
    return caught.value.status, caught.value.code


@pytest.fixture
def run() -> Iterator[Run]:
    """Run coroutines one after the other in one loop, as a service does."""
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(access, "BETWEEN_READS_S", 0.0)
    return World()


@given(st.text())
def test_no_text_but_a_key_has_an_id(text: str) -> None:
    assert id_of(text) is None


def test_new_keys_are_keys_and_never_the_same() -> None:
    made = [new_key() for _ in range(100)]
    assert [id_of(key) for _, key in made] == [id_ for id_, _ in made]
    assert len({key for _, key in made}) == 100


def test_what_is_kept_of_a_key_does_not_hold_it() -> None:
    id_, key = new_key()
    assert key.removeprefix(f"kw_{id_}_") not in hash_of(key)
    assert len(hash_of(key)) == 64


def test_a_key_is_known_by_its_whole_text(world: World, run: Run) -> None:
    key, row = key_of(1, requests_per_minute=7)
    world.keys = [row]
    ring = world.ring()
    assert run(ring.caller(key)) == Caller(row.id, row.name, 7, frozenset({"predict"}))
    for wrong in (key[:-1] + "x", key.replace("kw_", "kx_"), key + "s", key_of(2)[0], "", SECRET):
        assert refusal(run, ring, wrong) == (401, "unknown_key")


def test_known_keys_do_not_ask_the_store(world: World, run: Run) -> None:
    key, row = key_of(1)
    world.keys = [row]
    ring = world.ring()

    async def many() -> None:
        for _ in range(100):
            await ring.caller(key)

    run(many())
    assert world.reads == 1


def test_a_key_that_was_made_a_moment_ago_is_good(world: World, run: Run) -> None:
    ring, (first, row), (second, newer) = world.ring(), key_of(1), key_of(2)
    world.keys = [row]
    run(ring.caller(first))
    world.keys.append(newer)
    world.seconds += 0.1
    assert run(ring.caller(second)).id == newer.id


@settings(max_examples=30)
@given(idle=st.floats(0, 1000))
def test_a_revoked_key_ends_within_ten_seconds(idle: float) -> None:
    world, (key, row) = World(), key_of(1)
    world.keys = [row]
    ring = world.ring()

    async def calls() -> None:
        await ring.caller(key)
        world.seconds += idle
        await ring.caller(key)
        await asyncio.sleep(0.01)  # what was begun beside the request ends
        world.keys = [replace(row, revoked_at=NOW)]
        world.seconds += 10
        await ring.caller(key)

    with pytest.raises(RequestError, match="the key is revoked") as caught:
        asyncio.run(calls())
    assert (caught.value.status, caught.value.code) == (401, "revoked_key")


def test_keys_that_are_a_little_old_are_read_again_beside_the_request(world: World, run: Run) -> None:
    key, row = key_of(1)
    world.keys = [row]
    ring = world.ring()

    async def calls() -> None:
        await ring.caller(key)
        world.seconds += FRESH_S + 1
        world.keys = []
        assert (await ring.caller(key)).id == row.id
        await asyncio.sleep(0.05)
        await ring.caller(key)

    with pytest.raises(RequestError, match="there is no such key"):
        run(calls())


def test_a_key_ends_when_it_expires(world: World, run: Run) -> None:
    key, row = key_of(1, expires_at=NOW + timedelta(seconds=2))
    world.keys = [row]
    ring = world.ring()
    run(ring.caller(key))
    world.seconds = 2
    assert refusal(run, ring, key) == (401, "expired_key")
    assert refusal(run, ring, key[:-1] + "x") == (401, "unknown_key")  # nobody learns of a key that he does not hold


def test_while_the_store_is_away_known_keys_are_good_for_a_time_and_unknown_ones_have_to_wait(world: World, run: Run) -> None:
    key, row = key_of(1)
    world.keys = [row]
    ring = world.ring()

    async def calls() -> None:
        await ring.caller(key)
        world.away = True
        world.seconds += LONGEST_AWAY_S - 1
        assert (await ring.caller(key)).id == row.id

    run(calls())
    assert refusal(run, ring, key_of(2)[0]) == (503, "no_store")
    world.seconds += 2
    assert refusal(run, ring, key) == (503, "no_store")
    world.away = False
    world.seconds += FRESH_S + 1
    assert run(ring.caller(key)).id == row.id


def test_without_a_store_from_the_start_no_key_is_good(world: World, run: Run) -> None:
    world.away = True
    assert refusal(run, world.ring(), key_of(1)[0]) == (503, "no_store")


def test_a_store_that_hangs_holds_up_no_known_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "LONGEST_READ_S", 0.2)
    (key, row), answers, hangs = key_of(1), threading.Event(), False
    seconds = [0.0]

    def read() -> list[ApiKey]:
        if hangs:
            answers.wait(10)
        return [row]

    async def calls() -> float:
        nonlocal hangs
        ring = KeyRing(read, lambda: NOW, lambda: seconds[0])
        await ring.caller(key)
        hangs = True
        seconds[0] += STALE_S + 1
        await ring.caller(key)  # this one waits for a moment
        seconds[0] += 1
        began = asyncio.get_running_loop().time()
        for _ in range(20):
            await ring.caller(key)
        took = asyncio.get_running_loop().time() - began
        answers.set()
        return took

    assert asyncio.run(calls()) < 0.1


def test_however_many_unknown_keys_come_the_store_is_asked_seldom() -> None:
    world = World()

    async def flood() -> int:
        ring = KeyRing(world.read, lambda: NOW)
        loop = asyncio.get_running_loop()
        end = loop.time() + 4 * BETWEEN_READS_S
        while loop.time() < end:
            await asyncio.gather(*(ring.caller(key_of(number)[0]) for number in range(50)), return_exceptions=True)
        return world.reads

    assert asyncio.run(flood()) <= 6


def test_every_path_says_what_it_needs() -> None:
    assert set(NEEDS) == set(openapi(None)["paths"])
    assert set(NEEDS.values()) <= {*SCOPES, "", "any"}


def test_admin_may_everything_and_the_others_what_they_say() -> None:
    for scope in SCOPES:
        caller = Caller("1", "a", None, frozenset({scope}))
        allowed = {path for path, needed in NEEDS.items() if caller.may(needed)}
        always = {path for path, needed in NEEDS.items() if needed in {"", "any"}}
        of_scope = {path for path, needed in NEEDS.items() if needed == scope}
        assert allowed == (set(NEEDS) if scope == "admin" else always | of_scope)


def test_the_page_on_access_tells_every_path_scope_and_answer() -> None:
    page = (Path(__file__).parents[3] / "docs" / "access.md").read_text()
    told = {*re.findall(r"`(/[\w./]+|\w+)`", page)}
    assert {path for path in NEEDS if not path.startswith("/v1/jobs/")} | set(SCOPES) <= told
    codes = {
        "no_key",
        "unknown_key",
        "expired_key",
        "revoked_key",
        "missing_scope",
        "wrong_host",
        "wrong_origin",
        "not_local",
        "busy",
    }
    assert codes <= told


def test_keys_that_nobody_has_sent_yet_are_good_when_the_store_goes_away(run: Run) -> None:
    world = World()
    key, kept = key_of(1)
    world.keys.append(kept)
    ring = world.ring()

    async def live() -> Caller:
        reading = await ring.begin()
        world.away, world.seconds = True, world.seconds + LONGEST_AWAY_S - 1
        try:
            return await ring.caller(key)
        finally:
            reading.cancel()

    assert run(live()).id == kept.id
