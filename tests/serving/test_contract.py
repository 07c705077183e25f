"""The published document is kept: whatever it allows, and whatever it does not, has an answer that it tells of.

All checks of Schemathesis hold but one, which no schema can promise: a request of the right form may still ask for what there is
not (a customer, a channel, a day before the model's labels), and is refused with 422.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from starlette.testclient import TestClient

from features.company import Company

OURS = ("/v1/predict", "/v1/predict_rows", "/v1/explain", "/v1/scores", "/v1/plan", "/v1/outcomes", "/v1/jobs", "/v1/jobs/cancel")
TOLD = {"method": "method", "url": "url", "headers": "headers", "params": "params", "json": "json", "data": "content"}
"""What Schemathesis tells of a call, under the names of httpx."""

LONGEST_S = 15.0
"""How long the calls of one kind to one path may take together: the sweep ends within four minutes on a quiet machine."""

load_all_checks()
NOT_PROMISED = ("positive_data_acceptance",)


@pytest.fixture
def taking_jobs(loaded: TestClient, shop: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """The service with scores, where jobs may be asked for and wait: the data of one lie where its example says."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "company.yaml").write_text(f"company: {shop.key}\n")
    (tmp_path / "shop" / "transactions.csv").write_text("customer_id,ordered_at,amount\na,2025-12-01,5\n")
    monkeypatch.setattr(loaded.state, "settings", replace(loaded.state.settings, jobs_root=str(tmp_path)))
    return loaded


class TimeIsUpError(BaseException):
    """No fault that Hypothesis should look into."""


def keep_the_document(service: TestClient, path: str, mode: GenerationMode, examples: int) -> int:
    """Make calls to one path while there is time, and hold every answer against the document; how many were made."""
    document = service.get("/docs.json").json()
    schema = schemathesis.openapi.from_dict(document)
    operation = schema[path]["POST"]
    made, deadline = 0, time.monotonic() + LONGEST_S

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        nonlocal made
        if time.monotonic() > deadline:
            raise TimeIsUpError
        made += 1
        request = case.as_transport_kwargs(base_url=str(service.base_url))
        told = {TOLD[name]: value for name, value in request.items() if name in TOLD and value is not None}
        answer = service.request(**told)
        case.validate_response(answer, excluded_checks=[CHECKS.get_one(name) for name in NOT_PROMISED])

    with suppress(TimeIsUpError):
        ask()
    return made


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("path", OURS)
def test_every_answer_is_one_that_the_document_tells_of(taking_jobs: TestClient, path: str, mode: GenerationMode) -> None:
    assert keep_the_document(taking_jobs, path, mode, examples=3) == 3


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("path", OURS)
def test_thousands_of_answers_are_such_that_the_document_tells_of(
    taking_jobs: TestClient, path: str, mode: GenerationMode, record_property: Callable[[str, object], None]
) -> None:
    made = keep_the_document(taking_jobs, path, mode, examples=-(-10_000 // (len(OURS) * len(GenerationMode))))
    record_property("calls", made)
    assert made >= 1  # of features by the hundred few are made up in the time
