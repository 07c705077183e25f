"""FastAPI with nothing around the handler: what the service is measured beside. `KEEPWELL_HOME` says whose champion answers."""

from __future__ import annotations

import gc
import os
from datetime import UTC, datetime

from fastapi import FastAPI, Request, Response

from keepwell.settings import Settings
from serving.champion import Holder
from serving.predict import predict_rows
from serving.schemas import PredictRowsRequest
from training.registry import Registry


def application() -> FastAPI:
    """The application, with the champion loaded."""
    settings = Settings.from_environment(os.environ)
    holder = Holder(Registry(settings.resolved_tracking_uri, settings.artifact_root))
    holder.refresh()
    champion, app = holder.require(), FastAPI()

    @app.post("/v1/predict_rows")
    async def rows(request: Request) -> Response:
        body = PredictRowsRequest.model_validate_json(await request.body())
        answer = predict_rows(champion, body, datetime.now(UTC).date())
        return Response(answer.model_dump_json(), media_type="application/json")

    gc.collect()
    gc.freeze()
    return app
