"""Record what the service answers to the examples of its own document: `scripts/answer_examples.json`, which the reference shows.

    .venv/bin/python scripts/make_answer_examples.py

A simulated shop is learned from and scored, and the service asked in this process. Run it where answers have changed their form;
a test holds the file to the document.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
from click.testing import CliRunner
from starlette.testclient import TestClient

from cli import main as keepwell
from datasets.simulate import simulate
from features.reading.sources import read_company
from keepwell.settings import Settings
from serving.batch.scoring import load_into_store, score_company, scoring_panel
from serving.endpoints.examples import plan_example, stored_example
from serving.plans.policy import read_policy
from serving.store import Store
from training.registry import Registry

AS_OF, HORIZON_DAYS = date(2026, 1, 1), 90
NIGHT, MORNING = datetime(2026, 1, 2, 5, tzinfo=UTC), datetime(2026, 1, 2, 9, tzinfo=UTC)
PLACE = Path(__file__).with_name("answer_examples.json")
WITH_JSON = ("/v1/jobs", "/v1/model", "/readyz")
SHOWN = 3
"""So many entries of a long list tell what all of them look like."""


def main() -> None:
    """Make the shop, ask, and write what came."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=f"{folder}/home", jobs_root=folder, jobs_elsewhere="true", require_keys="false")
        make_shop(Path(folder) / "shop", settings)
        answers = asked(Path(folder) / "shop", settings)
    PLACE.write_text(json.dumps(answers, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def make_shop(folder: Path, settings: Settings) -> None:
    """A company with a champion and scores."""
    simulate(folder, customers=600, months=18, seed=5, until=AS_OF)
    config = folder / "company.yaml"
    config.write_text(re.sub("^company: .*", "company: shop", config.read_text(), flags=re.MULTILINE))
    words = ["train", str(folder), "--horizon", f"{HORIZON_DAYS}d", "--as-of", str(AS_OF), "--trials", "0"]
    trained = CliRunner().invoke(keepwell, words, env=settings.to_environment(), catch_exceptions=False)
    assert trained.exit_code == 0, trained.output
    load(folder, settings)


def load(folder: Path, settings: Settings) -> None:
    """Score everybody, as a schedule does at night."""
    company = read_company(folder)
    scorer = Registry(settings.resolved_tracking_uri, settings.artifact_root).champion(company.key, HORIZON_DAYS)
    panel = scoring_panel(company, scorer.info, AS_OF)
    store = Store(settings.resolved_store_url)
    store.migrate()
    load_into_store(store, company, score_company(company, scorer, AS_OF, read_policy(), panel=panel), panel, loaded_at=NIGHT)
    store.close()


def rename(folder: Path, ids: list[str]) -> None:
    """Call these customers as the examples do."""
    names = dict(zip(ids, stored_example()["customer_ids"], strict=True))
    for file in folder.glob("*.parquet"):
        pl.read_parquet(file).with_columns(pl.col("customer_id").replace(names)).write_parquet(file)


def asked(folder: Path, settings: Settings) -> dict[str, Any]:
    """The answer to the first example of every path that takes one, and those of the rest that give JSON."""
    os.environ |= settings.to_environment() | {"BENTOML_DO_NOT_TRACK": "True", "PROMETHEUS_MULTIPROC_DIR": settings.home}
    from serving import service  # noqa: PLC0415  # BentoML reads the environment when it is imported

    service.now, service.today = lambda: MORNING, lambda _zone="UTC": MORNING.date()
    with TestClient(service.Keepwell.to_asgi(), "http://127.0.0.1:3000", client=("127.0.0.1", 50_000)) as client:
        rename(folder, planned(client, folder))
        load(folder, settings)
        return dict(answers(client))


def planned(client: TestClient, folder: Path) -> list[str]:
    """The two customers most likely to leave for whom something pays."""
    everybody = pl.read_parquet(folder / "customers.parquet")["customer_id"].to_list()
    items = client.post("/v1/plan", json=plan_example() | {"customer_ids": everybody}).json()["items"]
    treated = [item for item in items if item["arm"] == "treated"]
    return [item["customer_id"] for item in sorted(treated, key=lambda item: -item["churn_probability"])[:2]]


def answers(client: TestClient) -> Iterator[tuple[str, Any]]:
    """What the service says to the first example of each path, by method and path."""
    document, job = client.get("/docs.json").json(), ""
    for path, item in document["paths"].items():
        body = item.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json")
        if body:
            sent = next(iter(body["examples"].values()))["value"]
            got = answer(client.post(path, json={"id": job} if "id" in sent else sent))
            yield f"POST {path}", got
            job = got.get("id", "")
        if path in WITH_JSON:
            yield f"GET {path}", answer(client.get(path, params={"id": job} if job else None))


def answer(got: Any) -> Any:  # noqa: ANN401  # a response of httpx, and any JSON value
    """What came, with long lists cut."""
    assert got.is_success, got.text
    return cut(got.json())


def cut(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    """Lists no longer than `SHOWN`, numbers with six digits."""
    if isinstance(value, dict):
        return {name: cut(each) for name, each in value.items()}
    if isinstance(value, list):
        return [cut(each) for each in value[:SHOWN]]
    return float(f"{value:.6g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()
