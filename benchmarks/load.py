"""Load on an HTTP server, from a process of its own, so that neither waits for the other's interpreter.

    python -m benchmarks.load PORT --connections 1 --seconds 3 [--rate 100] < request.json

The request is `{"path": ..., "body": ..., "headers": {...}}`, or a list of such, asked in turns. Connections are opened apart and
kept. Without a rate each asks again as soon as it is answered; with one, requests leave at even times, and how long one took
counts from when it was due, so that a server that stalls cannot hide it. Prints one line of JSON. Against a server that answers
with nothing to do (`--self-test`) this client makes ten times the requests that any service here answers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

import uvloop

APART_S = 0.02
WARM_UP = 20


class Connection(asyncio.Protocol):
    """One connection that is kept: a request goes out, and the future of its status comes back."""

    def __init__(self) -> None:
        self._came = b""
        self._status: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def ask(self, request: bytes) -> asyncio.Future[int]:
        """Send a request; its status, once the whole answer is here."""
        if self._transport.is_closing():
            raise ConnectionResetError("the server closed the connection")
        self._came, self._status = b"", asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._status

    def data_received(self, data: bytes) -> None:
        """Take in a piece of the answer."""
        self._came += data
        head, end, body = self._came.partition(b"\r\n\r\n")
        if not end or self._status is None or self._status.done():
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        if len(body) >= length:
            self._status.set_result(int(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        """The server has ended it."""
        if self._status is not None and not self._status.done():
            self._status.set_exception(exc or ConnectionResetError("the server closed the connection"))


def wire(request: Mapping[str, Any], port: int) -> bytes:
    """A request as it goes over the wire."""
    body = json.dumps(request["body"]).encode() if request.get("body") is not None else b""
    told = {"host": f"127.0.0.1:{port}", "content-type": "application/json", **request.get("headers", {})}
    lines = [f"{request.get('method', 'POST')} {request['path']} HTTP/1.1", f"content-length: {len(body)}"]
    return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in told.items()), "", ""]).encode() + body


class Load:
    """What was asked and answered: statuses, and milliseconds with the second in which each was due."""

    def __init__(self, port: int, requests: Sequence[bytes], seconds: float) -> None:
        self.port, self.requests, self.seconds = port, requests, seconds
        self.statuses: Counter[str] = Counter()
        self.took: list[tuple[float, float]] = []
        self.began = 0.0

    async def run(self, connections: int, rate: float | None) -> None:
        """Open connections apart, warm each up, then ask from all of them for as long as was said."""
        opened = []
        for _ in range(connections):
            opened.append(await self._open())
            await asyncio.sleep(APART_S)
        for turn in range(WARM_UP):
            request = self.requests[turn % len(self.requests)]
            await asyncio.gather(*(_asked(each, request) for each in opened), return_exceptions=True)
        self.began = time.perf_counter()
        pace = None if rate is None else connections / rate
        await asyncio.gather(*(self._ask(each, place, connections, pace) for place, each in enumerate(opened)))

    async def _open(self) -> Connection:
        _, made = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", self.port)
        return made

    async def _ask(self, connection: Connection, place: int, connections: int, pace: float | None) -> None:
        turn, due = place, self.began + (0.0 if pace is None else pace * place / connections)
        while due < self.began + self.seconds:
            if pace is not None:
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
            try:
                told = str(await connection.ask(self.requests[turn % len(self.requests)]))
            except OSError as error:
                told, connection = type(error).__name__, await self._open()
            now = time.perf_counter()
            self.statuses[told] += 1
            self.took.append((due - self.began, 1000 * (now - due)))
            turn, due = turn + connections, now if pace is None else due + pace

    def told(self) -> dict[str, Any]:
        """Requests a second, percentiles in milliseconds, and statuses; by minute, too, where there are several."""
        spent = max(at + took / 1000 for at, took in self.took)
        minutes = [[took for at, took in self.took if at // 60 == minute] for minute in range(int(spent // 60))]
        return {
            "per_second": len(self.took) / spent,
            **percentiles([took for _, took in self.took]),
            "statuses": dict(self.statuses),
            "minutes": [percentiles(minute) for minute in minutes if minute],
        }


async def _asked(connection: Connection, request: bytes) -> int:
    return await connection.ask(request)


def percentiles(took: Sequence[float]) -> dict[str, float]:
    """The median and the 99th percentile."""
    ordered = sorted(took)
    return {"p50": ordered[len(ordered) // 2], "p99": ordered[int(0.99 * len(ordered))]}


class Nothing(asyncio.Protocol):
    """A server that answers at once with nothing."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:  # noqa: ARG002  # requests of this client come whole
        """Answer."""
        self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")


async def measure(asked: argparse.Namespace, requests: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Make the load."""
    port = asked.port
    if asked.self_test:
        server = await asyncio.get_running_loop().create_server(Nothing, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
    load = Load(port, [wire(each, port) for each in requests], asked.seconds)
    await load.run(asked.connections, asked.rate)
    return load.told()


def main() -> None:
    """Read the requests, make the load, print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description="Load on an HTTP server on this machine.")
    parser.add_argument("port", type=int, nargs="?", default=0)
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rate", type=float, help="requests a second, of all connections together")
    parser.add_argument("--self-test", action="store_true", help="against a server inside, with nothing to do")
    asked = parser.parse_args()
    requests = [{"path": "/", "body": {}}] if asked.self_test else json.load(sys.stdin)
    requests = requests if isinstance(requests, list) else [requests]
    uvloop.install()
    print(json.dumps(asyncio.run(measure(asked, requests))))


if __name__ == "__main__":
    main()
