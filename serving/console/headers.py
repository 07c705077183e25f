"""The headers that keep a page of the console to itself."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""Nothing from outside, no scripts or styles but our own files: markup that slipped into a name could do nothing."""

SAFE_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_STYLE_SHEETS_KEEP = "public, max-age=31536000, immutable"  # their links carry a version


class SafeHeaders:
    """ASGI middleware: every answer carries SAFE_HEADERS, and pages with customers on them are kept in no cache."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and see to the headers of its answer."""

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(SAFE_HEADERS)
                is_static = "/static/" in scope["path"] and message["status"] == 200
                headers["cache-control"] = _STYLE_SHEETS_KEEP if is_static else "no-store"
            await send(message)

        await self.app(scope, receive, send_safely)
