from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient

from serving.front.intake import Intake, Room


async def tell_size(scope: Any, receive: Any, send: Any) -> None:
    body = await Request(scope, receive).body()
    await Response(str(len(body)))(scope, receive, send)


def client(intake: Intake) -> TestClient:
    return TestClient(intake, raise_server_exceptions=False)


async def call(app: Any, *pieces: bytes, pause_s: float = 0.0, path: str = "/v1/predict") -> list[dict[str, Any]]:
    """Send a POST whose body comes in pieces with pauses between; an empty last piece says that the client goes."""
    scope = {"type": "http", "method": "POST", "path": path, "headers": []}
    coming, sent = list(pieces), []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(pause_s)
        if not coming:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": coming.pop(0), "more_body": len(pieces) > 1}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


@pytest.mark.parametrize(("size", "status"), [(0, 200), (10, 200), (11, 413), (10_000, 413)])
@pytest.mark.parametrize("in_pieces", [False, True])
def test_bodies_have_a_limit_announced_or_not(size: int, status: int, in_pieces: bool) -> None:
    body = iter([b"x"] * size) if in_pieces else b"x" * size
    room = Room()
    answer = client(Intake(tell_size, lambda _path: room, limit=10)).post("/", content=body)
    assert answer.status_code == status
    assert answer.text == str(size) if status == 200 else answer.json()["error"]["code"] == "too_large"


def test_a_room_gives_back_the_bytes_of_every_request() -> None:
    room = Room(bodies=20)
    asking = client(Intake(tell_size, lambda _path: room, limit=15))
    for size, status in ((15, 200), (16, 413), (15, 200), (15, 200)):
        assert asking.post("/", content=b"x" * size).status_code == status
    assert room.holds(20)
    assert asking.post("/", content=b"x").status_code == 503


def test_a_body_that_comes_slowly_is_cut_off() -> None:
    room = Room()
    intake = Intake(tell_size, lambda _path: room, body_s=0.1)
    sent = asyncio.run(call(intake, *[b"x"] * 100, pause_s=0.02))
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]


def test_whoever_goes_before_the_end_of_the_body_is_not_answered_and_leaves_nothing() -> None:
    room = Room(bodies=10)
    assert asyncio.run(call(Intake(tell_size, lambda _path: room), b"half", b"")) == []
    assert room.holds(10)


def gathered(room: Room, *, rounds: int, requests: int, work_s: float) -> tuple[list[Counter[int]], int]:
    """The statuses of rounds of requests that come at once, and how many were at work together at most."""
    now = most = 0

    async def work(scope: Any, receive: Any, send: Any) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(work_s)
        now -= 1
        await Response("done")(scope, receive, send)

    async def one_round() -> Counter[int]:
        intake = Intake(work, lambda _path: room)
        answers = await asyncio.gather(*(call(intake, b"x") for _ in range(requests)))
        return Counter(answer[0]["status"] for answer in answers)

    async def all_rounds() -> list[Counter[int]]:
        return [await one_round() for _ in range(rounds)]

    return asyncio.run(all_rounds()), most


def test_as_many_as_there_are_seats_are_served_the_others_come_back_and_then_all_is_as_before() -> None:
    statuses, most = gathered(Room(at_work=3, seats=10), rounds=3, requests=100, work_s=0.01)
    assert (statuses, most) == ([{200: 10, 503: 90}] * 3, 3)


def test_also_work_that_never_waits_is_counted() -> None:
    async def work(scope: Any, receive: Any, send: Any) -> None:
        await Response("done")(scope, receive, send)

    async def all_at_once() -> Counter[int]:
        room = Room(at_work=1, seats=5)
        answers = await asyncio.gather(*(call(Intake(work, lambda _path: room), b"x") for _ in range(50)))
        return Counter(answer[0]["status"] for answer in answers)

    assert asyncio.run(all_at_once()) == {200: 5, 503: 45}


def test_nobody_waits_for_longer_than_is_said() -> None:
    statuses, _ = gathered(Room(at_work=1, seats=10, longest_wait_s=0.05), rounds=1, requests=10, work_s=0.2)
    assert statuses == [{200: 1, 503: 9}]


def test_the_busy_are_told_when_to_come_back() -> None:
    room = Room(seats=0)
    answer = client(Intake(tell_size, lambda _path: room)).post("/", content=b"x")
    assert (answer.status_code, answer.json()["error"]["code"], answer.headers["retry-after"]) == (503, "busy", "5")


def test_what_has_no_room_goes_straight_on() -> None:
    full = Room(seats=0)
    intake = Intake(tell_size, lambda path: None if path == "/livez" else full)
    assert client(intake).get("/livez").status_code == 200
    assert client(intake).get("/v1/model").status_code == 503


def test_a_slow_reader_of_an_answer_keeps_nobody_waiting() -> None:
    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(0.5)
        await send({"type": "http.response.body", "body": b""})

    async def two() -> float:
        room = Room(at_work=1)
        began = asyncio.get_running_loop().time()
        await asyncio.gather(*(call(Intake(slow, lambda _path: room), b"x") for _ in range(4)))
        return asyncio.get_running_loop().time() - began

    assert asyncio.run(two()) < 1.5


def test_work_that_fails_gives_up_its_turn() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("no")

    room = Room(at_work=1, seats=1)
    asking = client(Intake(broken, lambda _path: room))
    assert [asking.post("/", content=b"x").status_code for _ in range(3)] == [500, 500, 500]
    assert not room.is_full
