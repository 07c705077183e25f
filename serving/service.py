"""The HTTP service, on BentoML: predictions from raw histories, batch scores by id, health, metrics, and the console.

`serving.workers` starts it, and `bentoml serve` does out of a bundle; it reads the `KEEPWELL_*` variables when a worker starts.
This is the only home of BentoML, and beside the command line the only place that reads the clock and the environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import bentoml
from _bentoml_impl.server.app import ServiceAppFactory  # private: the lock pins BentoML, tests/serving/test_service.py tells
from _bentoml_sdk import Service
from bentoml._internal.configuration.containers import BentoMLContainer
from pydantic import ValidationError
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from keepwell.errors import KeepwellError, RequestError
from keepwell.settings import Settings
from serving.bundle import with_bundled_models
from serving.champion import Champion, Holder
from serving.endpoints.answer_schemas import ExplainAnswer, OutcomesAnswer, PlanAnswer, PredictAnswer, ScoresAnswer
from serving.endpoints.answers import answer_to, answer_to_wrong_body
from serving.endpoints.explain import explain
from serving.endpoints.field_types import Answer
from serving.endpoints.model_facts import model_answer, model_card
from serving.endpoints.openapi import openapi
from serving.endpoints.predict import predict, predict_rows
from serving.endpoints.refusals import require_json
from serving.endpoints.schemas import (
    Asked,
    ExplainRequest,
    OutcomesRequest,
    PlanRequest,
    PredictRequest,
    PredictRowsRequest,
    ScoresRequest,
)
from serving.front.access_layer import require_scope
from serving.front.asgi import Later, joined
from serving.front.context import CALLER
from serving.front.layers import layered
from serving.front.metrics import Metrics
from serving.front.scopes import needed_for
from serving.jobs.routes import CANCEL_PATH, JOB_PATHS, JOBS_PATH, job_routes
from serving.jobs.schemas import JobAnswer, JobCancel, JobRequest
from serving.jobs.watch import JobWatch
from serving.state import State

log = logging.getLogger("keepwell.serving")

REFRESH_S = 5.0
"""How often a worker looks for a new champion."""

FEW_HISTORIES, FEW_ROWS = 10, 100
"""Up to so many are predicted at once; more are in a thread, so that other requests do not wait."""

FARTHEST_ZONE = timedelta(hours=14)
"""Where the zone is not known, what is today anywhere on Earth has come."""

MODEL = "/v1/model"
SYSTEM_PATHS = ("/livez", "/readyz", "/healthz", "/metrics", "/docs.json")

Request_ = TypeVar("Request_", bound=Asked)
Answer_ = TypeVar("Answer_", bound=Answer)


class Factory(ServiceAppFactory):  # type: ignore[misc]  # BentoML is not typed
    """BentoML's application with our errors, our readiness and our OpenAPI document."""

    def __init__(self, service: Any) -> None:  # noqa: ANN401  # BentoML has no types
        super().__init__(service, is_main=True)
        self._document: tuple[Champion | None, bytes] | None = None
        self.timeout = None  # its timers hold every request for as long as the limit; `asgi.TimeLimit` is ours

    @property
    def middlewares(self) -> list[Middleware]:
        """BentoML's count of requests, and its tracing where that goes somewhere; what its other layers do is done outside."""
        kept = {"RunnerTrafficMetricsMiddleware"} | ({"OpenTelemetryMiddleware"} if _is_traced() else set())
        return [layer for layer in super().middlewares if layer.cls.__name__ in kept]

    @property
    def routes(self) -> list[BaseRoute]:
        """Ours come first."""
        jobs = job_routes(lambda: self._service_instance.state.desk)
        return joined([Route("/docs.json", self.document), Route(MODEL, self.model), *jobs, *super().routes])

    async def document(self, _request: Request) -> Response:
        """The OpenAPI document, with what the champion reads."""
        champion = self._service_instance.state.holder.champion
        told = self._document
        if told is None or told[0] is not champion:
            document = await asyncio.to_thread(openapi, champion and champion.scorer.info)
            self._document = told = champion, json.dumps(document).encode()
        return Response(told[1], media_type="application/json")

    async def model(self, _request: Request) -> Response:
        """The model that answers, and what it reads."""
        try:
            champion = self._service_instance.state.holder.require()
            told = model_answer(champion, today(champion.scorer.info.zone))
        except Exception as error:
            return answer_to(error)
        return Response(told.model_dump_json(), media_type="application/json")

    async def readyz(self, _request: Request) -> Response:
        """200 with the model that answers, 503 with what to do while there is none."""
        holder = self._service_instance.state.holder
        try:
            card = model_card(holder.require())
        except KeepwellError as error:
            return answer_to(error)
        troubles = [holder.trouble.message] if holder.trouble is not None else []
        troubles += ["the store cannot be read"] if self._service_instance.state.store_is_away else []
        return JSONResponse({"ready": True, "model": card.model_dump(mode="json"), "trouble": "; ".join(troubles) or None})

    async def api_endpoint_wrapper(self, name: str, request: Request) -> Response:
        """One call: parse, answer, write. What goes wrong is answered in our shape; only faults of ours are logged with a trace.

        It takes the place of BentoML's own way, which makes a context, a serializer and a background task for each request.
        """
        try:
            require_json(request.headers.get("content-type"))
            body = self.service.apis[name].input_spec.model_validate_json(await request.body())
        except ValidationError as error:
            return answer_to_wrong_body(error)
        except RequestError as error:
            return answer_to(error)
        try:
            # The method itself: what BentoML puts before it looks at its signature at each call.
            answer = await self.service.apis[name].func(self._service_instance, body)
            return Response(answer.model_dump_json(), media_type="application/json")
        except Exception as error:
            return answer_to(error)


class LeanService(Service):  # type: ignore[misc]  # BentoML is not typed
    """A BentoML service inside our layers, with the console beside it."""

    def to_asgi(self, is_main: bool = True) -> ASGIApp:  # noqa: ARG002  # BentoML's signature
        """The application of one worker."""
        self.inject_config()
        settings = with_bundled_models(Settings.from_environment(os.environ))
        state = State(settings, now)
        self.inner.state = state
        paths = {*SYSTEM_PATHS, MODEL, *JOB_PATHS, *(api.route for api in self.apis.values())}
        self.inner.metrics = Metrics()
        return layered(
            Factory(self)(),
            paths,
            console=Later(lambda: state.console),
            store=lambda: state.store,
            settings=settings,
            metrics=self.inner.metrics,
            clock=now,
        )


@bentoml.service(
    name="keepwell", service_class=LeanService, workers=1, traffic={"timeout": 60}, http={"cors": {"enabled": False}}
)
class Keepwell:
    """Who will leave, and what each customer will spend."""

    state: State
    metrics: Metrics

    @bentoml.on_startup  # type: ignore[untyped-decorator]  # BentoML is not typed
    async def begin(self) -> None:
        """Open the state, keep looking for a newer champion, and leave what was imported out of garbage collection."""
        await asyncio.to_thread(self.state.open)
        self._watch = JobWatch(self.state.store.jobs, self.state.settings, now)
        self.metrics.champion(self.state.holder)
        looking = (_look_again(self.state.holder, self.metrics), _look_into_store(self.state, self.metrics))
        self._tasks = [asyncio.create_task(each) for each in (*looking, _make_console(self.state))]
        if self.state.settings.runs_jobs:
            self._tasks.append(asyncio.create_task(self._watch.run()))
        _leave_out_of_collection()

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    async def end(self) -> None:
        """Stop looking, put back the job that runs, and close the store."""
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await asyncio.to_thread(self._watch.close)
        await asyncio.to_thread(self.state.close)

    @bentoml.api(route="/v1/predict")  # type: ignore[untyped-decorator]
    async def predict(self, body: PredictRequest, /) -> PredictAnswer:
        """Churn and value from the raw histories of 1 to 1,000 customers."""
        return await self._answered(predict, body, at_once=len(body.customers) <= FEW_HISTORIES)

    @bentoml.api(route="/v1/predict_rows")  # type: ignore[untyped-decorator]
    async def predict_rows(self, body: PredictRowsRequest, /) -> PredictAnswer:
        """Churn and value from the feature rows of 1 to 1,000 customers."""
        return await self._answered(predict_rows, body, at_once=len(body.customer_ids) <= FEW_ROWS)

    @bentoml.api(route="/v1/explain")  # type: ignore[untyped-decorator]
    async def explain(self, body: ExplainRequest, /) -> ExplainAnswer:
        """The signed reasons of the forecasts of 1 to 100 customers."""
        if body.customers is None and body.features is None:
            require_scope(CALLER.get(), needed_for("/v1/scores"))  # what is stored is for those who may read it
            return await asyncio.to_thread(self.state.explain_stored, self.state.holder.require(), body)
        return await self._answered(explain, body, at_once=len(body.customers or body.customer_ids or ()) == 1)

    @bentoml.api(route="/v1/scores")  # type: ignore[untyped-decorator]
    async def scores(self, body: ScoresRequest, /) -> ScoresAnswer:
        """The latest batch scores of 1 to 1,000 customers."""
        return await asyncio.to_thread(self.state.scores, body)

    @bentoml.api(route="/v1/plan")  # type: ignore[untyped-decorator]
    async def plan(self, body: PlanRequest, /) -> PlanAnswer:
        """What to do for 1 to 1,000 customers under a budget and capacities."""
        return await asyncio.to_thread(self.state.plan, body)

    @bentoml.api(route="/v1/outcomes")  # type: ignore[untyped-decorator]
    async def outcomes(self, body: OutcomesRequest, /) -> OutcomesAnswer:
        """Record what happened to 1 to 1,000 customers."""
        champion = self.state.holder.champion
        day = today(champion.scorer.info.zone) if champion else (now() + FARTHEST_ZONE).date()
        return await asyncio.to_thread(self.state.record, body, day, CALLER.get().name or None)

    @bentoml.api(route=JOBS_PATH)  # type: ignore[untyped-decorator]
    async def job(self, body: JobRequest, /) -> JobAnswer:
        """Ask for a batch job: it waits, runs beside the service, and can be followed."""
        return await asyncio.to_thread(self.state.desk.submit, body, now(), CALLER.get().name or None)

    @bentoml.api(route=CANCEL_PATH)  # type: ignore[untyped-decorator]
    async def cancel_job(self, body: JobCancel, /) -> JobAnswer:
        """End a batch job."""
        return await asyncio.to_thread(self.state.desk.cancel, body.id, now())

    async def _answered(self, answer: Callable[[Champion, Request_, date], Answer_], body: Request_, *, at_once: bool) -> Answer_:
        """The answer of the champion that is in place now; what takes long is made in a thread, so that others do not wait."""
        champion = self.state.holder.require()
        day = today(champion.scorer.info.zone)
        return answer(champion, body, day) if at_once else await asyncio.to_thread(answer, champion, body, day)


def now() -> datetime:
    """The moment that it is, in UTC."""
    return datetime.now(UTC)


def today(zone: str = "UTC") -> date:
    """The day that it is in a zone."""
    return datetime.now(ZoneInfo(zone)).date()


async def _look_again(holder: Holder, metrics: Metrics) -> None:
    """At once, since the champion of last time may answer meanwhile, and then again and again."""
    await asyncio.to_thread(holder.refresh)
    _leave_out_of_collection()  # what the registry imported
    while True:
        metrics.champion(holder)
        await asyncio.sleep(REFRESH_S)
        await asyncio.to_thread(holder.refresh)


async def _make_console(state: State) -> None:
    """Beside the first requests, so that the first page does not wait for it."""
    await asyncio.to_thread(lambda: state.console)


def _leave_out_of_collection() -> None:
    """Spare the garbage collector what was imported: to look through it takes a tenth of a second."""
    gc.collect()
    gc.freeze()


async def _look_into_store(state: State, metrics: Metrics) -> None:
    """Apart from the look for a champion, which a store that hangs must not hold up."""
    while True:
        await asyncio.sleep(REFRESH_S)
        metrics.store(await asyncio.to_thread(state.look_into_store))


def _is_traced() -> bool:
    """Whether BentoML has been told where traces go."""
    return bool(BentoMLContainer.tracing.exporter_type.get())
