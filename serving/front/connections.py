"""Connections that send no whole request: uvicorn waits for the head of one for ever, and keeps whatever comes of it.

Here a head is bounded in time and in bytes, and what is no HTTP at all is refused in the one shape of errors.
"""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn.config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.endpoints.answers import error_answer

LARGEST_HEAD = 64 * 2**10
"""Bytes: servers allow 8 to 64 KiB."""

LONGEST_HEAD_S = 20.0
"""How long the head of a request may take to come, the first one from the connection on."""

_BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"


class BoundedHttp(HttpToolsProtocol):
    """uvicorn's protocol of one connection, with bounds on what comes before a request is whole enough to be answered."""

    _in_head = True
    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first head."""
        super().connection_made(transport)  # type: ignore[arg-type]  # uvicorn serves streams alone
        self._await_head()

    def on_message_begin(self) -> None:
        """Begin to wait for a further head."""
        super().on_message_begin()
        self._await_head()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._stop_waiting()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Count what comes while the head is not whole, and refuse what is too much."""
        super().data_received(data)
        if not self._in_head:
            return
        self._head_bytes += len(data)
        if self._head_bytes > LARGEST_HEAD and not self.transport.is_closing():
            self.send_400_response(f"the head of the request has more than {LARGEST_HEAD:,} bytes")

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more will come."""
        self._stop_waiting()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuse in our shape, and end the connection."""
        body = bytes(error_answer(400, msg, hint="send a request of HTTP/1.1").body)
        self.transport.write(_BAD_REQUEST % len(body) + body)
        self.transport.close()

    def _await_head(self) -> None:
        self._stop_waiting()
        self._in_head, self._head_bytes = True, 0
        self._head_timer = self.loop.call_later(LONGEST_HEAD_S, self._give_up)

    def _stop_waiting(self) -> None:
        self._in_head = False
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


def bound_connections() -> None:
    """Have every server that this process starts use `BoundedHttp`: BentoML starts it, and leaves no other way in."""
    protocols: dict[str, Any] = uvicorn.config.HTTP_PROTOCOLS
    protocols["auto"] = f"{__name__}:{BoundedHttp.__name__}"
