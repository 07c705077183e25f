from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from starlette.testclient import TestClient

from features.asof import NEVER_US
from features.company import Company
from features.tables import EVENT_TABLES, TABLES, Column, Kind
from serving.endpoints.examples import CUSTOMER_ID
from serving.endpoints.openapi import openapi
from serving.endpoints.schemas import CUSTOMER_COLUMNS
from serving.jobs.routes import JOB_PATHS
from serving.store import Store
from tests.serving.conftest import AS_OF, HORIZON, register, renamed, scorer_for
from training.registry import Registry
from training.scorer import Scorer

FURTHER = ("churn_probability_90d", "churn_probability_180d")
ERROR_FIELDS = {"code", "message", "field", "hint"}


def histories(company: Company, customer_ids: list[str]) -> dict[str, Any]:
    """The body of a request for these customers: what their company knows of them, as JSON has it."""
    people = company.tables["customers"].filter(pl.col("customer_id").is_in(customer_ids))
    customers = {
        row["customer_id"]: {
            "customer_id": row["customer_id"],
            **as_given(company, "customers", CUSTOMER_COLUMNS, row),
            "attributes": {name: row[name] for name in company.attributes},
            **{name: [] for name in company.event_tables},
        }
        for row in people.iter_rows(named=True)
    }
    for name, table in company.event_tables.items():
        for row in table.filter(pl.col("customer_id").is_in(customer_ids)).iter_rows(named=True):
            customers[row["customer_id"]][name].append(as_given(company, name, TABLES[name].columns[1:], row))
    return {"as_of": AS_OF.isoformat(), "customers": list(customers.values())}


def as_given(company: Company, table: str, columns: Sequence[Column], row: dict[str, Any]) -> dict[str, Any]:
    """A row of a normalised table under the user's columns: those that it has."""
    stored = {column: f"{column.name.removesuffix('_at')}_us" if column.kind is Kind.TIME else column.name for column in columns}
    return {column.name: _plain(company, table, column, row[name]) for column, name in stored.items() if name in row}


def _plain(company: Company, table: str, column: Column, value: Any) -> Any:
    if column.kind is Kind.TIME:
        return None if value == NEVER_US else pl.Series([value]).cast(pl.Datetime("us"))[0].isoformat() + "Z"
    if value is None or column.kind not in (Kind.MONEY, Kind.FLAG):
        return value
    return bool(value) if column.kind is Kind.FLAG else value / 10 ** company.scales[f"{table}.{column.name}"]


def one(**changes: Any) -> dict[str, Any]:
    """A request for one customer, with changes to that customer."""
    nothing: dict[str, Any] = {name: [] for name in EVENT_TABLES}
    customer = {**nothing, "customer_id": 7, "transactions": [{"ordered_at": "2024-12-01", "amount": 20.0}]}
    return {"as_of": "2025-01-01", "allow_missing_columns": True, "customers": [{**customer, **changes}]}


def error(answer: Any, status: int, code: str) -> dict[str, Any]:
    """What an answer in the error shape says, once status and code are right."""
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    assert set(answer.json()["error"]) == ERROR_FIELDS
    assert answer.headers["content-type"] == "application/json"
    return answer.json()["error"]


def test_without_a_champion_the_service_lives_and_says_what_to_run(service: TestClient) -> None:
    if service.state.holder.champion is not None:
        pytest.skip("another test has promoted a champion already")
    assert service.get("/livez").status_code == 200
    calls = (service.post("/v1/predict", json=one()), service.post("/v1/scores", json={"customer_ids": ["a"]}))
    for answer in (service.get("/readyz"), *calls):
        assert "keepwell train" in error(answer, 503, "no_model")["hint"]
        assert answer.headers["retry-after"] == "5"


@pytest.fixture
def store(service: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Store]:
    """An empty store in the place of the service's own."""
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    store.migrate()
    monkeypatch.setattr(service.state, "store", store)
    yield store
    store.close()


@pytest.mark.usefixtures("store")
def test_without_scores_the_service_says_what_to_run(served: TestClient) -> None:
    assert "keepwell score" in error(served.post("/v1/scores", json={"customer_ids": ["a"]}), 503, "no_store")["hint"]


def test_the_endpoint_gives_what_batch_scoring_gives(served: TestClient, shop: Company, scored: pl.DataFrame) -> None:
    asked = scored["customer_id"].sample(60, seed=1).to_list()
    answer = served.post("/v1/predict", json=histories(shop, asked)).json()
    assert (answer["as_of"], answer["stale"], answer["model"]["horizon_days"]) == (AS_OF.isoformat(), False, HORIZON)
    found = pl.DataFrame(answer["predictions"]).select(pl.exclude("note"))
    expected = found.select("customer_id").join(scored, on="customer_id", how="left", maintain_order="left")
    assert found["customer_id"].sort().to_list() == sorted(asked)
    assert {*FURTHER, "churn_probability", "expected_value", "value_low", "value_high", "value_at_risk"} < set(found.columns)
    for name in found.drop("customer_id").columns:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-9, err_msg=name)


def test_many_customers_and_few_get_the_same_figures(served: TestClient, shop: Company, scored: pl.DataFrame) -> None:
    body = histories(shop, scored["customer_id"].head(30).to_list())
    together = served.post("/v1/predict", json=body).json()["predictions"]
    alone = [
        served.post("/v1/predict", json={**body, "customers": [customer]}).json()["predictions"][0]
        for customer in body["customers"]
    ]
    assert together == alone


def test_a_customer_without_a_purchase_gets_nulls_and_the_reason(served: TestClient) -> None:
    for rows in ([], [{"ordered_at": "2024-12-01", "amount": -5}], [{"ordered_at": "2025-01-01", "amount": 5}]):
        prediction = served.post("/v1/predict", json=one(transactions=rows)).json()["predictions"][0]
        assert (prediction["churn_probability"], prediction["note"]) == (None, "no purchase is known before as_of")
        assert [prediction[name] for name in FURTHER] == [None, None]


def test_a_history_without_a_column_that_the_model_has_learned_from_is_refused(served: TestClient) -> None:
    body = {**one(), "allow_missing_columns": False}
    refused = error(served.post("/v1/predict", json=body), 422, "missing_columns")
    assert {"customers.city", "transactions.quantity"} < set(re.findall(r"\w+\.\w+", refused["message"]))
    assert refused["field"].startswith("customers[0].")
    assert "allow_missing_columns" in refused["hint"]


def test_a_history_without_a_column_is_answered_with_a_note_where_that_is_asked_for(served: TestClient) -> None:
    note = served.post("/v1/predict", json=one()).json()["predictions"][0]["note"]
    assert "transactions.quantity" in note
    assert "can be far off" in note


def test_a_history_with_every_column_has_no_note(served: TestClient, shop: Company, scored: pl.DataFrame) -> None:
    body = histories(shop, scored["customer_id"].head(5).to_list())
    assert {each["note"] for each in served.post("/v1/predict", json=body).json()["predictions"]} == {None}


def test_without_as_of_the_day_is_today(served: TestClient) -> None:
    body = {name: value for name, value in one().items() if name != "as_of"}
    answer = served.post("/v1/predict", json=body).json()
    assert date.fromisoformat(answer["as_of"]) >= date(2025, 6, 1)
    assert answer["stale"] is True


def test_today_is_the_day_in_the_companys_zone(served: TestClient, scorer: Scorer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two zones that are 25 hours apart never have the same day."""
    holder, body = served.state.holder, {name: value for name, value in one().items() if name != "as_of"}
    days = []
    for zone in ("Pacific/Niue", "Pacific/Kiritimati"):
        monkeypatch.setattr(holder, "champion", replace(holder.champion, scorer=renamed(scorer, zone=zone)))
        days.append(date.fromisoformat(served.post("/v1/predict", json=body).json()["as_of"]))
    assert (days[1] - days[0]).days in (1, 2)


def test_hindsight_is_refused_unless_it_is_asked_for(served: TestClient) -> None:
    body = {**one(), "as_of": "2024-12-24"}
    assert error(served.post("/v1/predict", json=body), 422, "hindsight")["field"] == "as_of"
    assert served.post("/v1/predict", json={**body, "allow_hindsight": True}).status_code == 200


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"customer_id": ""}, "customers[0].customer_id"),
        ({"customer_id": None}, "customers[0].customer_id"),
        ({"customer_id": 2**63}, "customers[0].customer_id"),
        ({"customer_id": "a\x00b"}, "customers[0].customer_id"),
        ({"name": "Ann"}, "customers[0].name"),
        ({"transactions": None}, "customers[0].transactions"),
        ({"complaints": None}, "customers[0].complaints"),
        ({"transactions": [{"ordered_at": "2024-12-01"}]}, "customers[0].transactions[0].amount"),
        ({"transactions": [{"ordered_at": "2024-12-01", "amount": "5"}]}, "customers[0].transactions[0].amount"),
        ({"transactions": [{"ordered_at": "2024-12-01", "amount": 5, "colour": 1}]}, "customers[0].transactions[0].colour"),
        ({"transactions": [{"ordered_at": 20241201, "amount": 5}]}, "customers[0].transactions[0].ordered_at"),
        *(
            ({"transactions": [{"ordered_at": text, "amount": 5}]}, "customers[0].transactions[0].ordered_at")
            for text in (
                "soon",
                "2024-02-30",
                "0001-01-01",
                "9999-12-31",
                "1899-12-31",
                "2101-01-01",
                "2024-12-01T25:00",
                "20241201",
                "",
            )
        ),
        ({"complaints": [{"opened_at": "2024-12-01", "severity": 6}]}, "customers[0].complaints[0].severity"),
        ({"complaints": [{"opened_at": "2024-12-01", "kind": "praise"}]}, "customers[0].complaints[0].kind"),
        ({"transactions": [{"ordered_at": "2024-12-01", "amount": 1e300}]}, "transactions.amount"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(served: TestClient, changes: dict[str, Any], field: str) -> None:
    answer = served.post("/v1/predict", json=one(**changes))
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == field


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_only_finite_numbers_pass(served: TestClient, word: str) -> None:
    body = json.dumps(one()).replace("20.0", word)
    assert served.post("/v1/predict", content=body).status_code in (400, 422)


def test_the_number_of_customers_has_limits_and_nobody_comes_twice(served: TestClient) -> None:
    customer = one()["customers"][0]
    too_many = [{**customer, "customer_id": number} for number in range(1_001)]
    for customers in ([], too_many):
        assert error(served.post("/v1/predict", json={"customers": customers}), 422, "bad_field")["field"] == "customers"
    twice = [customer, {**customer, "customer_id": "7"}]
    assert (
        error(served.post("/v1/predict", json={"customers": twice}), 422, "repeated_customer")["field"]
        == "customers[1].customer_id"
    )


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 400, "bad_request"),
        (b"[", 400, "bad_request"),
        (b"[]", 422, "bad_field"),
        (b"null", 422, "bad_field"),
        (b"\xff\xfe", 400, "bad_request"),
        (b"[" * 10_000 + b"]" * 10_000, 400, "bad_request"),
        (b'{"customers":' * 10_000, 400, "bad_request"),
        (b'"\\ud800"', 400, "bad_request"),
    ],
)
def test_a_body_that_is_no_request_is_refused(served: TestClient, content: bytes, status: int, code: str) -> None:
    assert error(served.post("/v1/predict", content=content), status, code)["hint"]


@pytest.mark.parametrize("media_type", ["text/plain", "multipart/form-data; boundary=x", "application/vnd.bentoml+pickle", "x"])
def test_only_json_is_read(served: TestClient, media_type: str) -> None:
    refused = error(served.post("/v1/predict", content=b"x", headers={"content-type": media_type}), 415, "not_json")
    assert media_type.partition(";")[0] in refused["message"]
    assert "application/json" in refused["hint"]


def test_a_body_that_is_too_large_is_refused(served: TestClient) -> None:
    assert "fewer customers" in error(served.post("/v1/predict", content=b" " * (33 * 2**20)), 413, "too_large")["hint"]


@pytest.mark.parametrize(
    "path", ["/nope", "/v1", "/v1/predict/", "/schema.json", "/static_content/x", "/v1/predict/submit", "/assets/x"]
)
def test_there_are_only_the_paths_that_there_are(service: TestClient, path: str) -> None:
    assert path in error(service.get(path), 404, "not_found")["message"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_another_method_is_refused(service: TestClient, method: str) -> None:
    answer = service.request(method, "/v1/predict")
    error(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


def test_a_path_that_is_fetched_and_posted_to_allows_both(service: TestClient) -> None:
    assert set(service.options("/v1/jobs").headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}


def test_junk_paths_leave_no_trace_in_the_metrics(service: TestClient) -> None:
    def series() -> set[str]:
        return {re.sub(r"\s[^ ]*$", "", line) for line in service.get("/metrics").text.splitlines()}

    service.get("/console/"), service.get("/livez")
    before = series()
    for number in range(50):
        service.get(f"/junk/{number}")
        service.get(f"/console/junk/{number}")
    assert series() == before


def test_metrics_are_for_prometheus(served: TestClient) -> None:
    served.post("/v1/predict", json=one())
    answer = served.get("/metrics")
    assert answer.status_code == 200
    assert 'endpoint="/v1/predict"' in answer.text


def test_the_root_leads_to_the_console(service: TestClient) -> None:
    for path in ("/", "/console"):
        answer = service.get(path, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (307, "/console/")
    assert "text/html" in service.get("/").headers["content-type"]


def test_the_consoles_pages_keep_their_own_errors(service: TestClient) -> None:
    answer = service.get("/console/nope")
    assert answer.status_code == 404
    assert "text/html" in answer.headers["content-type"]


def test_scores_come_from_the_store_with_their_age(loaded: TestClient, scored: pl.DataFrame) -> None:
    first, second = scored["customer_id"].head(2).to_list()
    answer = loaded.post("/v1/scores", json={"customer_ids": [second, "nobody", first, second]}).json()
    assert [row["customer_id"] for row in answer["scores"]] == [second, first]
    assert answer["unknown"] == ["nobody"]
    assert answer["as_of"] == AS_OF.isoformat()
    assert answer["stale"] is (answer["age_days"] > 7)
    assert datetime.fromisoformat(answer["loaded_at"]).tzinfo is not None
    row = scored.row(1, named=True)
    told = ("churn_probability", *FURTHER, "value_tier", "next_category")
    assert {name: answer["scores"][0][name] for name in told} == {name: row[name] for name in told}
    assert answer["scores"][0]["reasons"] == list(row["reasons"])


def test_scores_are_those_of_the_champions_company_and_horizon(
    served: TestClient, store: Store, shop: Company, scored: pl.DataFrame
) -> None:
    """Later loads of another company and of another horizon are none of this service's."""
    others = [(shop.key, scored), ("another", scored), (shop.key, scored.with_columns(horizon_days=pl.lit(90, pl.Int32)))]
    for hour, (company, frame) in enumerate(others):
        store.load_scores(frame, company=company, loaded_at=datetime(2025, 1, 1, hour, tzinfo=UTC))
    answer = served.post("/v1/scores", json={"customer_ids": [scored["customer_id"][0]]}).json()
    assert (answer["company"], answer["model"]["horizon_days"], len(answer["scores"])) == (shop.key, HORIZON, 1)


def test_scores_of_a_chosen_company_need_no_champion(
    service: TestClient, store: Store, scored: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.load_scores(scored, company="chosen", loaded_at=datetime(2025, 1, 1, tzinfo=UTC))
    monkeypatch.setattr(service.state, "company", "chosen")
    monkeypatch.setattr(service.state, "horizon_days", HORIZON)
    monkeypatch.setattr(service.state.holder, "champion", None)
    assert service.post("/v1/scores", json={"customer_ids": ["a"]}).json()["company"] == "chosen"


def test_a_store_that_cannot_be_read_is_said_without_its_place(
    loaded: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "secret.db").write_bytes(b"no database " * 200)
    monkeypatch.setattr(loaded.state, "store", Store(f"sqlite:///{tmp_path / 'secret.db'}"))
    answer = loaded.post("/v1/scores", json={"customer_ids": ["a"]})
    error(answer, 503, "no_store")
    assert "secret" not in answer.text


def test_a_fault_of_ours_is_a_500_that_tells_nothing(served: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from pydantic import ValidationError

    from serving.endpoints.answer_schemas import ScoresAnswer

    def broken(*_: object) -> None:
        try:
            ScoresAnswer.model_validate({"secret": 1})
        except ValidationError as wrong:
            raise wrong

    monkeypatch.setattr("serving.service.predict", broken)
    answer = served.post("/v1/predict", json=one())
    assert "secret" not in answer.text
    error(answer, 500, "internal_error")


def test_readiness_tells_which_model_answers(served: TestClient) -> None:
    answer = served.get("/readyz").json()
    assert answer["ready"] is True
    assert answer["model"]["labels_until"] == AS_OF.isoformat()


def test_a_promotion_reaches_the_running_service_without_a_mixed_answer(
    served: TestClient, shop: Company, registry: Registry
) -> None:
    """Each version has figures of its own; every answer must carry those of the version that it names."""
    holder = served.state.holder
    versions = [holder.require().version, register(registry, scorer_for(shop, alpha=160.0))]
    seen: list[tuple[str, float]] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            answer = served.post("/v1/predict", json=one()).json()
            seen.append((answer["model"]["version"], answer["predictions"][0]["churn_probability"]))

    asking = threading.Thread(target=ask)
    asking.start()
    for version in (versions[1], versions[0], versions[1], versions[0]):
        registry.promote(shop.key, HORIZON, version)
        holder.refresh()
        assert holder.require().version == version
        assert served.post("/v1/predict", json=one()).json()["model"]["version"] == version
    done.set()
    asking.join()
    assert len({version for version, _ in seen}) == len(set(seen)) == 2


def test_the_registry_may_go_away(served: TestClient, monkeypatch: pytest.MonkeyPatch, scorer: Scorer) -> None:
    def away(*_: object) -> str:
        raise OSError("no route to host")

    holder = served.state.holder
    monkeypatch.setattr(holder._registry, "champion_version", away)
    holder.refresh()
    assert served.post("/v1/predict", json=one()).status_code == 200
    assert "no route to host" in served.get("/readyz").json()["trouble"]
    monkeypatch.undo()
    holder.refresh()
    assert served.get("/readyz").json()["trouble"] is None


def test_the_document_lists_every_path_and_status(served: TestClient) -> None:
    document = served.get("/docs.json").json()
    assert document == openapi(served.state.holder.champion.scorer.info)
    from serving.service import MODEL, SYSTEM_PATHS, Keepwell

    posts = {api.route for api in Keepwell.apis.values()}
    assert set(document["paths"]) == {*SYSTEM_PATHS, MODEL, *JOB_PATHS, *posts}
    for path in posts:
        statuses = set(document["paths"][path]["post"]["responses"])
        every = {"200", "400", "401", "403", "408", "413", "415", "422", "429", "500", "503", "504"}
        assert statuses - {"404", "409"} == every


def test_every_reference_of_the_document_leads_somewhere() -> None:
    document = openapi()
    names = re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document))
    assert names
    assert set(names) <= set(document["components"]["schemas"])


def test_the_documents_examples_work(loaded: TestClient, scored: pl.DataFrame) -> None:
    for path, methods in loaded.get("/docs.json").json()["paths"].items():
        has_example = "post" in methods and path not in JOB_PATHS  # those want data of their own: tests/serving/jobs/test_desk.py
        body = methods["post"]["requestBody"]["content"]["application/json"] if has_example else {"examples": {}}
        for title, example in body["examples"].items():
            text = json.dumps(example["value"]).replace(CUSTOMER_ID, scored["customer_id"][0])  # one whom the store knows
            answer = loaded.post(path, content=text)
            assert answer.status_code == 200, (path, title, answer.text)


def test_no_answer_of_a_replaced_scorer_lacks_a_figure(served: TestClient, scorer: Scorer) -> None:
    champion = served.state.holder.require()
    try:
        served.state.holder.champion = replace(champion, scorer=replace(scorer, refund_rate=0.5), version="x")
        answer = served.post("/v1/predict", json=one()).json()
    finally:
        served.state.holder.champion = champion
    assert answer["model"]["version"] == "x"
    assert None not in list(answer["predictions"][0].values())[:-1]
