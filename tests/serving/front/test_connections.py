from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
import uvicorn
from starlette.responses import PlainTextResponse

from serving.front import connections
from serving.front.connections import LARGEST_HEAD, BoundedHttp, bound_connections

WHOLE = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server on real sockets, which waits for heads for a moment only."""
    with pytest.MonkeyPatch.context() as patch, socket.socket() as listening:
        patch.setattr(connections, "LONGEST_HEAD_S", 0.4)
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(PlainTextResponse("lives"), http=BoundedHttp, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join()


def talk(port: int, *pieces: bytes, pause_s: float = 0.0) -> bytes:
    """All that is answered to pieces that are sent one after the other, until the server ends the connection."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        with suppress(ConnectionError):  # it has ended; what it said before is still to be read
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause_s)
        with suppress(ConnectionError):
            while piece := connection.recv(65_536):
                answer += piece
    return answer


def refusal(answer: bytes) -> str:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    return str(json.loads(body)["error"]["message"])


def test_requests_one_after_the_other_and_at_once_are_answered(port: int) -> None:
    closing = WHOLE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert talk(port, WHOLE, WHOLE, closing, pause_s=0.1).count(b"200 OK") == 3
    assert talk(port, WHOLE * 20 + closing).count(b"200 OK") == 21


@pytest.mark.parametrize("pieces", [(), (b"GET /livez HTTP/1.1\r\n",), (WHOLE, b"GET /livez HTTP/1.1\r\n")])
def test_nobody_waits_for_ever_for_the_head_of_a_request(pieces: tuple[bytes, ...], port: int) -> None:
    began = time.monotonic()
    assert talk(port, *pieces).count(b"200 OK") == pieces.count(WHOLE)
    assert time.monotonic() - began < 3


def test_a_head_that_comes_drop_by_drop_is_given_up(port: int) -> None:
    drops = [WHOLE[place : place + 1] for place in range(len(WHOLE))]
    assert talk(port, *drops, pause_s=0.05) == b""


@pytest.mark.parametrize("piece", [b"a" * 1000, b"b: c\r\n" * 200])
def test_a_head_without_end_is_refused(piece: bytes, port: int) -> None:
    head = b"GET /livez HTTP/1.1\r\nX-A: "
    answer = talk(port, head, *[piece] * (3 * LARGEST_HEAD // len(piece)), pause_s=0.0002)
    # What was sent after the refusal may end the connection before the refusal is read.
    assert not answer or refusal(answer) == "the head of the request has more than 65,536 bytes"


def test_what_is_no_http_is_refused_in_our_shape(port: int) -> None:
    assert refusal(talk(port, b"nonsense\r\n\r\n")) == "Invalid HTTP request received."


def test_servers_that_choose_for_themselves_choose_ours() -> None:
    bound_connections()
    config = uvicorn.Config(PlainTextResponse("lives"), log_config=None)
    config.load()
    assert config.http_protocol_class is BoundedHttp
