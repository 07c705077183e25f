"""The HTTP service, on BentoML: predictions from raw histories, batch scores by id, health, metrics, and the console.

`serving.launch` starts it, as `bentoml serve serving.service:Keepwell`; it reads the `KEEPWELL_*` variables when a worker starts.
This is the only home of BentoML, and beside the command line the only place that reads the clock and the environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
from datetime import date, datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import bentoml
from _bentoml_impl.server.app import ServiceAppFactory  # private: the lock pins BentoML, tests/serving/test_service.py tells
from _bentoml_sdk import Service
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from keepwell.errors import ConfigError, KeepwellError, RequestError, StoreError
from keepwell.settings import Settings
from serving.answers import answer_to, answer_to_wrong_body
from serving.asgi import BodyLimit, KnownPaths, OneErrorShape, TimeLimit
from serving.champion import Holder
from serving.console.app import console_app
from serving.openapi import openapi
from serving.predict import model_card, predict, stored_scores
from serving.schemas import PredictAnswer, PredictRequest, ScoresAnswer, ScoresRequest
from serving.store import Store
from training.registry import Registry

log = logging.getLogger("keepwell.serving")

REFRESH_S = 5.0
"""How often a worker looks for a new champion."""

FEW_CUSTOMERS = 10
"""Up to so many are predicted at once; more are in a thread, so that other requests do not wait."""

CONSOLE = "/console"
SYSTEM_PATHS = ("/livez", "/readyz", "/healthz", "/metrics", "/docs.json")


class State:
    """What a worker holds: the settings, the store and the champion. Nothing is opened before it is needed."""

    def __init__(self, settings: Settings) -> None:
        self.company = settings.company or None
        self.horizon_days = _days(settings.horizon)
        self.store = Store(settings.resolved_store_url)
        registry = Registry(settings.resolved_tracking_uri, settings.artifact_root)
        self.holder = Holder(registry, self.company, self.horizon_days)

    @cached_property
    def console(self) -> ASGIApp:
        """The console on the same store."""
        return console_app(lambda: self.store, today=today, company=self.company, horizon_days=self.horizon_days)

    def open(self) -> None:
        """Bring the store's schema to this version and look for the champion; trouble is logged and answered, never raised."""
        try:
            self.store.migrate()
        except StoreError as error:
            log.warning("%s", error)
        self.holder.refresh()

    def scores(self, request: ScoresRequest) -> ScoresAnswer:
        """Batch scores by id of the company and horizon that are served; StoreError when there are none for them."""
        load = self.store.current_load(*self._served())
        if load is None:
            raise StoreError("there are no scores yet", hint="score first: keepwell score DATA --as-of DATE --out FILE")
        asked = list(dict.fromkeys(map(str, request.customer_ids)))
        return stored_scores(load, asked, self.store.customers_by_id(load, asked), today())

    def _served(self) -> tuple[str, int]:
        """The company and horizon of the settings; the champion's where they leave one open. ModelError when it is not known."""
        if self.company is not None and self.horizon_days is not None:
            return self.company, self.horizon_days
        champion = self.holder.require()
        return champion.company, champion.horizon_days


class Factory(ServiceAppFactory):  # type: ignore[misc]  # BentoML is not typed
    """BentoML's application with our errors, our readiness and our OpenAPI document."""

    def __init__(self, service: Any) -> None:  # noqa: ANN401
        super().__init__(service, is_main=True)
        self.timeout = None  # its timers hold every request for as long as the limit; `asgi.TimeLimit` is ours

    @property
    def routes(self) -> list[BaseRoute]:
        """Ours come first."""
        return [Route("/docs.json", self.document), *super().routes]

    async def document(self, _request: Request) -> Response:
        """The OpenAPI document."""
        return JSONResponse(openapi())

    async def readyz(self, _request: Request) -> Response:
        """200 with the model that answers, 503 with what to do while there is none."""
        holder = self._service_instance.state.holder
        try:
            card = model_card(holder.require())
        except KeepwellError as error:
            return answer_to(error)
        trouble = None if holder.trouble is None else holder.trouble.message
        return JSONResponse({"ready": True, "model": card.model_dump(mode="json"), "trouble": trouble})

    async def api_endpoint(self, name: str, request: Request) -> Response:
        """One call; what goes wrong is answered in our shape, and only faults of ours are logged with a traceback."""
        try:
            _require_json(request)
            answer: Response = await super().api_endpoint(name, request)
        except ValidationError as error:
            # A request may be wrong; where one of our answers is, that is a fault of ours.
            is_the_request = error.title == self.service.apis[name].input_spec.__name__
            return answer_to_wrong_body(error) if is_the_request else answer_to(error)
        except Exception as error:
            return answer_to(error)
        return answer


class LeanService(Service):  # type: ignore[misc]  # BentoML is not typed
    """A BentoML service inside our layers, with the console beside it."""

    def to_asgi(self, is_main: bool = True) -> ASGIApp:  # noqa: ARG002  # BentoML's signature
        """The application of one worker."""
        self.inject_config()
        state = State(Settings.from_environment(os.environ))
        self.inner.state = state
        paths = {*SYSTEM_PATHS, *(api.route for api in self.apis.values())}
        redirects = {"/": f"{CONSOLE}/", CONSOLE: f"{CONSOLE}/"}
        known = KnownPaths(Factory(self)(), paths, mounts={CONSOLE: state.console}, redirects=redirects)
        return OneErrorShape(TimeLimit(BodyLimit(known)), pages=f"{CONSOLE}/")


@bentoml.service(
    name="keepwell", service_class=LeanService, workers=1, traffic={"timeout": 60}, http={"cors": {"enabled": False}}
)
class Keepwell:
    """Who will leave, and what each customer will spend."""

    state: State

    @bentoml.on_startup  # type: ignore[untyped-decorator]  # BentoML is not typed
    async def begin(self) -> None:
        """Open the state, keep looking for a newer champion, and leave what was imported out of garbage collection."""
        await asyncio.to_thread(self.state.open)
        self._looking = asyncio.create_task(_look_again(self.state.holder))
        gc.collect()
        gc.freeze()

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    async def end(self) -> None:
        """Stop looking, and close the store."""
        self._looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._looking
        self.state.store.close()

    @bentoml.api(route="/v1/predict")  # type: ignore[untyped-decorator]
    async def predict(self, body: PredictRequest, /) -> PredictAnswer:
        """Churn and value from the raw histories of 1 to 1,000 customers."""
        champion = self.state.holder.require()
        day = today(champion.scorer.info.zone)
        if len(body.customers) <= FEW_CUSTOMERS:
            return predict(champion, body, day)
        return await asyncio.to_thread(predict, champion, body, day)

    @bentoml.api(route="/v1/scores")  # type: ignore[untyped-decorator]
    async def scores(self, body: ScoresRequest, /) -> ScoresAnswer:
        """The latest batch scores of 1 to 1,000 customers."""
        return await asyncio.to_thread(self.state.scores, body)


def today(zone: str = "UTC") -> date:
    """The day that it is in a zone."""
    return datetime.now(ZoneInfo(zone)).date()


async def _look_again(holder: Holder) -> None:
    while True:
        await asyncio.sleep(REFRESH_S)
        await asyncio.to_thread(holder.refresh)


def _require_json(request: Request) -> None:
    media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise RequestError(
            f"the content type is {media_type!r}", hint="send JSON as application/json", status=415, code="not_json"
        )


def _days(horizon: str) -> int | None:
    """A horizon setting as days; None for an empty one."""
    number = horizon.removesuffix("d")
    if not horizon:
        return None
    if not (number.isascii() and number.isdigit() and int(number) > 0):
        raise ConfigError(f"KEEPWELL_HORIZON is {horizon!r}, which is no number of days", hint="write it as 90d")
    return int(number)
