"""FastAPI with the same handler inside the same layers: what the service is measured beside.

`KEEPWELL_HOME` says whose champion answers.
"""

from __future__ import annotations

import gc
import os
from datetime import UTC, datetime

from fastapi import FastAPI, Request, Response
from starlette.types import ASGIApp

from keepwell.settings import Settings
from serving.champion import Holder
from serving.endpoints.predict import predict_rows
from serving.endpoints.schemas import PredictRowsRequest
from serving.front.layers import layered
from serving.front.metrics import Metrics
from serving.store import Store
from training.registry import ModelFolder


def application() -> ASGIApp:
    """The application, with the champion loaded: keys, limits, logs and figures are those of the service."""
    settings = Settings.from_environment(os.environ)
    holder, store = Holder(ModelFolder(settings.kept_models)), Store(settings.resolved_store_url)
    holder.refresh()
    champion, app = holder.require(), FastAPI()

    @app.post("/v1/predict_rows")
    async def rows(request: Request) -> Response:
        body = PredictRowsRequest.model_validate_json(await request.body())
        answer = predict_rows(champion, body, datetime.now(UTC).date())
        return Response(answer.model_dump_json(), media_type="application/json")

    gc.collect()
    gc.freeze()
    return layered(
        app,
        {"/v1/predict_rows", "/docs", "/livez"},
        console=app,
        store=lambda: store,
        settings=settings,
        metrics=Metrics(),
        clock=lambda: datetime.now(UTC),
    )
