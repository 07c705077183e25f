"""What stands between the network and the service: every layer, in its order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from starlette.types import ASGIApp

from keepwell.settings import Settings
from serving.front.access import KeyRing
from serving.front.access_layer import LOOPBACK_HOSTS, Access, Hosts, LocalOnly
from serving.front.asgi import KnownPaths, OneErrorShape, TimeLimit
from serving.front.audit_trail import AuditTrail
from serving.front.connections import bound_connections
from serving.front.intake import Intake, Room
from serving.front.limits import RateLimits
from serving.front.logs import set_up_logs
from serving.front.metrics import Metrics
from serving.front.request_log import RequestLog
from serving.front.scopes import ANY_KEY, PROBES, SCOPES, needed_for
from serving.store import Store
from serving.store.audit import Deed
from serving.store.keys import ApiKey

CONSOLE = "/console"


def layered(
    app: ASGIApp,
    paths: Collection[str],
    *,
    console: ASGIApp,
    store: Callable[[], Store],
    settings: Settings,
    metrics: Metrics,
    clock: Callable[[], datetime],
) -> ASGIApp:
    """The service `app`, which answers `paths`, with the console beside it, inside all layers, outermost last.

    `store` hands out the store with the keys and the audit, `clock` the moment that it is. The console asks who comes by itself.
    """
    set_up_logs(as_json=settings.logs_json)
    bound_connections()
    known = KnownPaths(
        _for_callers(app, store, settings, clock),
        paths,
        mounts={CONSOLE: Intake(console, _one_room())},
        redirects={"/": f"{CONSOLE}/", CONSOLE: f"{CONSOLE}/"},
    )
    guarded = Hosts(known if settings.asks_for_keys else LocalOnly(known), _hosts(settings))
    shaped = OneErrorShape(TimeLimit(guarded), pages=f"{CONSOLE}/")
    return RequestLog(shaped, metrics, paths, prefixes=[CONSOLE], quiet=PROBES)


def _for_callers(app: ASGIApp, store: Callable[[], Store], settings: Settings, clock: Callable[[], datetime]) -> ASGIApp:
    """The service for those who may call it, as often as they may, and as much as a worker takes on."""

    def read_keys() -> Sequence[ApiKey]:
        return store().keys.all()

    def add_deeds(deeds: Sequence[Deed]) -> None:
        store().audit.add(deeds)

    limits = RateLimits(settings.home_path / "limits")
    audited = AuditTrail(Intake(app, _rooms_by_scope()), add_deeds, clock)
    return Access(audited, KeyRing(read_keys, clock), limits, keys_required=settings.asks_for_keys)


def _rooms_by_scope() -> Callable[[str], Room | None]:
    """A room for each scope, none for probes: writers who wait for the store keep no reader waiting, nor a forecast."""
    rooms = {scope: Room() for scope in (*SCOPES, ANY_KEY)}
    return lambda path: None if path in PROBES else rooms[needed_for(path)]


def _one_room() -> Callable[[str], Room | None]:
    room = Room()
    return lambda _path: room


def _hosts(settings: Settings) -> frozenset[str] | None:
    """The host names that are served. Where keys are asked for, a web page has none to send, and any name will do."""
    named = frozenset(settings.allowed_host_names)
    return None if settings.asks_for_keys and not named else named | LOOPBACK_HOSTS
