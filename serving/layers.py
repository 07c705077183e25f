"""What stands between the network and the service: every layer, in its order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp

from keepwell.settings import Settings
from serving.access import KeyRing
from serving.access_layer import LOOPBACK_HOSTS, Access, Hosts
from serving.asgi import BodyLimit, KnownPaths, OneErrorShape, TimeLimit
from serving.store import Store
from serving.store.keys import ApiKey

CONSOLE = "/console"

_CLOSED = PlainTextResponse(
    "The console is closed where the service asks for keys: open it on the machine that serves, without KEEPWELL_REQUIRE_KEYS.\n",
    403,
)


def layered(
    app: ASGIApp,
    paths: Collection[str],
    *,
    console: ASGIApp,
    store: Callable[[], Store],
    settings: Settings,
    clock: Callable[[], datetime],
) -> ASGIApp:
    """The service `app`, which answers `paths`, with the console beside it, inside all layers.

    `store` hands out the store with the keys, `clock` the moment that it is.
    """

    def read_keys() -> Sequence[ApiKey]:
        return store().keys.all()

    keys_required = settings.asks_for_keys
    asked = Access(BodyLimit(app), KeyRing(read_keys, clock), keys_required=keys_required)
    mounts = {CONSOLE: _CLOSED if keys_required else console}
    known = KnownPaths(asked, paths, mounts=mounts, redirects={"/": f"{CONSOLE}/", CONSOLE: f"{CONSOLE}/"})
    return OneErrorShape(TimeLimit(Hosts(known, _hosts(settings))), pages=f"{CONSOLE}/")


def _hosts(settings: Settings) -> frozenset[str] | None:
    """The host names that are served. Where keys are asked for, a web page has none to send, and any name will do."""
    named = frozenset(settings.allowed_host_names)
    if settings.asks_for_keys:
        return named or None
    return named | LOOPBACK_HOSTS
