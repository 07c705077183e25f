from __future__ import annotations

import re
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from keepwell.errors import ModelError
from serving.champion import Champion
from serving.front.metrics import Metrics
from serving.store import Store
from tests.serving.conftest import renamed
from training.scorer import Scorer


def figures(service: TestClient) -> dict[str, float]:
    """Every figure of ours, by its name and labels."""
    lines = service.get("/metrics").text.splitlines()
    ours = (line.rpartition(" ") for line in lines if line.startswith("keepwell_"))
    return {name: float(value) for name, _, value in ours}


def series(service: TestClient) -> list[str]:
    """Every line but for its value, which the champion may change meanwhile."""
    return [line if line.startswith("#") else line.rpartition(" ")[0] for line in service.get("/metrics").text.splitlines()]


def test_1500_junk_paths_leave_the_metrics_as_large_as_they_were(service: TestClient) -> None:
    service.get("/console/"), service.get("/livez")
    before = series(service)
    for number in range(500):
        service.get(f"/junk/{number}")
        service.get(f"/console/junk/{number}?id={number}")
        service.request(f"JUNK{number}", f"/v1/predict{number}")
    assert series(service) == before


def test_junk_methods_and_ids_make_no_series_of_their_own(service: TestClient) -> None:
    for number in range(30):
        service.request(f"JUNK{number}", "/v1/predict")
        service.get(f"/v1/jobs?id={number}")
    names = set(figures(service))
    assert not [name for name in names if "JUNK" in name or re.search(r'id="?\d', name)]
    assert len([name for name in names if 'route="/v1/predict"' in name and 'method="other"' in name]) == 1


def test_requests_are_counted_by_route_method_and_status(service: TestClient) -> None:
    name = 'keepwell_requests_total{method="POST",route="/v1/predict",status="415"}'
    before = figures(service).get(name, 0)
    for _ in range(3):
        service.post("/v1/predict", content="x", headers={"content-type": "text/plain"})
    after = figures(service)
    assert after[name] - before == 3
    assert after['keepwell_request_seconds_count{route="/v1/predict"}'] >= 3


def test_who_answers_and_whether_the_registry_is_there_can_be_watched(service: TestClient, scorer: Scorer) -> None:
    def holder(version: str | None, trouble: ModelError | None = None) -> Any:
        champion = version and Champion("shop", 30, version, renamed(scorer, version=version))
        return SimpleNamespace(champion=champion or None, trouble=trouble)

    metrics, swaps = Metrics(), "keepwell_champion_swaps_total"
    before = figures(service)[swaps]
    seen = []
    first, second = holder("3"), holder("4", ModelError("away", hint="wait"))
    for now in (holder(None), first, first, second):
        metrics.champion(now)
        told = figures(service)
        seen.append((told["keepwell_model_version"], told[swaps] - before, told["keepwell_registry_trouble"]))
    assert seen == [(0, 0, 0), (3, 0, 0), (3, 0, 0), (4, 1, 1)]
    assert told["keepwell_model_trained_as_of_seconds"] == pytest.approx(1735689600)


def test_a_store_that_is_away_is_told_by_metrics_and_readiness(
    served: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def told() -> tuple[float, str | None]:
        metrics.store(served.state.look_into_store())
        return figures(served)["keepwell_store_trouble"], served.get("/readyz").json()["trouble"]

    metrics = Metrics()
    assert told() == (0, None)
    with monkeypatch.context() as patch:
        patch.setattr(served.state, "store", Store(f"sqlite:///{tmp_path / 'empty.db'}"))
        assert told() == (1, "the store cannot be read")
    # The service looks by itself too: a look that began before may end after ours.
    assert (0, None) in (told() for _ in range(20) if not time.sleep(0.05))


def test_the_page_on_access_tells_every_metric_of_ours(service: TestClient) -> None:
    Metrics()
    page = (Path(__file__).parents[3] / "docs" / "access.md").read_text()
    names = {
        re.sub(r"_(bucket|sum|count)?(\{.*)?$", "", f"{name}_") if "seconds_" in name else name.partition("{")[0]
        for name in figures(service)
    }
    assert [name for name in names if name.rstrip("_") not in page] == []
