from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from starlette.testclient import TestClient

from keepwell.errors import DataError, HistoryError, ModelError, RequestError, StoreError
from serving.jobs.desk import MOST_WAITING, JobDesk, place_below
from serving.jobs.schemas import JOB_EXAMPLE, JobRequest
from serving.jobs.worker import error_of
from serving.store import Store

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ROWS = "customer_id,ordered_at,amount\na,2025-12-01,5\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of data with one shop in it, and a shop outside."""
    for shop in (tmp_path / "root" / "shop", tmp_path / "outside"):
        shop.mkdir(parents=True)
        (shop / "transactions.csv").write_text(ROWS)
        (shop / "company.yaml").write_text("company: acme\n")
    return tmp_path / "root"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def desk(store: Store, root: Path, tmp_path: Path) -> JobDesk:
    return JobDesk(store.jobs, root, tmp_path / "jobs")


def asked(**words: object) -> JobRequest:
    return JobRequest.model_validate({"data": "shop", **words})


def refusal(desk: JobDesk, **words: object) -> RequestError:
    with pytest.raises(RequestError, match=r".") as refused:
        desk.submit(asked(**words), NOON)
    return refused.value


def test_a_job_is_queued_under_the_company_of_its_data(desk: JobDesk) -> None:
    answer = desk.submit(asked(as_of=date(2026, 1, 1)), NOON, by="nightly")
    assert (answer.state, answer.company, answer.data, answer.as_of) == ("queued", "acme", "shop", date(2026, 1, 1))
    assert desk.state(answer.id) == answer
    assert desk.jobs.get(answer.id).created_by == "nightly"


@pytest.mark.parametrize("data", ["shop", "shop/", "./shop", "shop//", "shop/company.yaml"])
def test_a_place_below_the_root_is_found(root: Path, data: str) -> None:
    assert place_below(root, data).is_relative_to(root / "shop")


@pytest.mark.parametrize(
    "data",
    [
        "../outside",
        "shop/../../outside",
        "/etc",
        "/",
        ".",
        "..",
        "shop\\..",
        "nowhere",
        "shop/nothing.yaml",
        "a\0b",
        "~",
        "//shop",
        "n" * 300,  # longer than a file's name may be: Schemathesis found that stat() fails then
        "n/" * 249,
        "shop/transactions.csv/more",
        "circle",
    ],
)
def test_a_place_that_is_not_below_the_root_is_refused(root: Path, data: str) -> None:
    (root / "circle").symlink_to("circle")
    with pytest.raises(RequestError, match=r"^data (must be a path below|is not there)"):
        place_below(root, data)


@pytest.mark.parametrize("data", ["link", "deep/link"])
def test_a_link_out_of_the_root_is_refused(root: Path, data: str) -> None:
    (root / "deep").mkdir()
    (root / data).symlink_to(root.parent / "outside")
    with pytest.raises(RequestError, match="is not there"):
        place_below(root, data)


def test_a_link_within_the_root_is_fine(root: Path) -> None:
    (root / "newest").symlink_to("shop")
    assert place_below(root, "newest") == root / "shop"


def test_a_table_that_is_a_link_out_of_the_root_is_refused(root: Path) -> None:
    (root / "shop" / "complaints.csv").symlink_to(root.parent / "outside" / "transactions.csv")
    with pytest.raises(RequestError, match="not files below"):
        place_below(root, "shop")


def test_a_part_of_a_table_that_is_a_link_out_of_the_root_is_refused(root: Path) -> None:
    (root / "shop" / "complaints" / "month=1").mkdir(parents=True)
    (root / "shop" / "complaints" / "month=1" / "a.csv").symlink_to(root.parent / "outside" / "transactions.csv")
    with pytest.raises(RequestError, match="not files below"):
        place_below(root, "shop")


@pytest.mark.parametrize(
    "table",
    [
        "{file: ../../outside/transactions.csv}",
        "{file: /etc/passwd}",
        "{url: 'sqlite:////etc/other.db', query: SELECT 1}",
    ],
)
def test_what_a_company_yaml_names_elsewhere_is_refused(root: Path, table: str) -> None:
    (root / "shop" / "company.yaml").write_text(f"tables:\n  transactions: {table}\n")
    with pytest.raises(RequestError, match="not files below"):
        place_below(root, "shop")


def test_words_about_data_that_cannot_be_read_tell_nothing_of_the_machine(root: Path, desk: JobDesk) -> None:
    (root / "shop" / "company.yaml").write_text("tables: [")
    for data in ("shop", "shop/transactions.csv"):
        refused = refusal(desk, data=data)
        assert (refused.status, refused.code, refused.field) == (422, "bad_data", "data")
        assert str(root) not in str(refused)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["..", ".", "shop", "link", "deep", "company.yaml", "", "/", "etc"]), min_size=1, max_size=6))
def test_no_path_of_any_words_leaves_the_root(root: Path, words: list[str]) -> None:
    if not (root / "link").exists():
        (root / "link").symlink_to(root.parent)
    try:
        found = place_below(root, "/".join(words))
    except RequestError:
        return
    assert found.is_relative_to(root)


def test_a_key_gives_the_same_job_again_and_no_other_one(desk: JobDesk) -> None:
    first = desk.submit(asked(request_key="monday"), NOON)
    assert desk.submit(asked(request_key="monday"), NOON) == first
    refused = refusal(desk, request_key="monday", format="csv")
    assert (refused.status, refused.code, refused.field) == (409, "key_used", "request_key")


def test_without_a_root_no_job_is_taken(store: Store, tmp_path: Path) -> None:
    refused = refusal(JobDesk(store.jobs, None, tmp_path))
    assert (refused.status, refused.code) == (403, "jobs_off")
    assert "KEEPWELL_JOBS_ROOT" in refused.hint


def test_data_of_another_company_than_the_served_one_are_refused(store: Store, root: Path, tmp_path: Path) -> None:
    assert JobDesk(store.jobs, root, tmp_path, "acme").submit(asked(), NOON).state == "queued"
    assert "belongs to company 'acme'" in refusal(JobDesk(store.jobs, root, tmp_path, "other")).message


def test_a_full_queue_says_come_again(desk: JobDesk) -> None:
    for _ in range(MOST_WAITING):
        desk.submit(asked(), NOON)
    assert (refusal(desk).status, refusal(desk).code) == (429, "too_many_jobs")


def test_a_result_is_handed_out_once_it_is_there(desk: JobDesk) -> None:
    job_id = desk.submit(asked(), NOON).id
    with pytest.raises(RequestError, match="the job is queued"):
        desk.result(job_id)
    taken = desk.jobs.claim("m:1", NOON)
    desk.jobs.finish(taken, NOON, result=f"{job_id}/scores.csv")
    assert desk.state(job_id).result == f"/v1/jobs/result?id={job_id}"
    with pytest.raises(RequestError, match="not on this machine"):
        desk.result(job_id)
    file = desk.folder / job_id / "scores.csv"
    file.parent.mkdir(parents=True)
    file.write_text("x")
    assert desk.result(job_id) == file


@pytest.mark.parametrize("job_id", ["", "0" * 32, "../../etc", "A" * 32, "0" * 33])
def test_an_unknown_id_is_refused(desk: JobDesk, job_id: str) -> None:
    for ask in (desk.state, desk.result, lambda wrong: desk.cancel(wrong, NOON)):
        with pytest.raises(RequestError, match="no such job"):
            ask(job_id)


def test_a_waiting_job_is_cancelled_at_once(desk: JobDesk) -> None:
    job_id = desk.submit(asked(), NOON).id
    assert desk.cancel(job_id, NOON).state == "cancelled"
    assert desk.jobs.claim("m:1", NOON) is None


@pytest.mark.parametrize(
    "words",
    [
        {"kind": "train"},
        {"data": ""},
        {"data": "x" * 501},
        {"as_of": "0001-01-01"},
        {"horizon_days": -1},
        {"explain": 1.5},
        {"format": "xlsx"},
        {"load": "yes"},
        {"request_key": "two words"},
        {"policy": "mine"},
    ],
)
def test_a_wrong_request_is_refused_by_name(words: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(words))):
        asked(**words)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DataError("transactions", "amount", "is wrong", hint="mend it"), "bad_data"),
        (HistoryError("short", hint="wait"), "no_history"),
        (ModelError("none", hint="train"), "no_model"),
        (StoreError("away", hint="wait"), "no_store"),
        (RequestError("no", hint="ask well", code="bad_data"), "bad_data"),
        (OSError(28, "No space left on device", "/somewhere/private"), "no_room"),
        (ValueError("an inside"), "internal_error"),
    ],
)
def test_a_failure_says_why_and_nothing_of_our_insides(error: Exception, code: str) -> None:
    told = error_of(error)
    assert (told["code"], set(told)) == (code, {"code", "message", "hint"})
    assert all(told.values())
    assert "private" not in str(told)
    assert "inside" not in str(told)


def test_jobs_are_asked_for_followed_and_ended_over_http(
    service: TestClient, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    own = JobDesk(store.jobs, root, tmp_path / "jobs")
    monkeypatch.setattr(type(service.state), "desk", property(lambda _: own))
    answer = service.post("/v1/jobs", json=JOB_EXAMPLE)
    assert (answer.status_code, answer.json()["state"]) == (200, "queued")
    job_id = answer.json()["id"]
    assert service.get("/v1/jobs", params={"id": job_id}).json() == answer.json()
    assert service.get("/v1/jobs/result", params={"id": job_id}).json()["error"]["code"] == "job_not_done"
    taken = own.jobs.claim("m:1", NOON)
    (own.folder / job_id).mkdir(parents=True)
    (own.folder / job_id / "scores.csv").write_text("customer_id\na\n")
    own.jobs.finish(taken, NOON, result=f"{job_id}/scores.csv")
    result = service.get(service.get("/v1/jobs", params={"id": job_id}).json()["result"])
    assert (result.text, result.headers["content-type"]) == ("customer_id\na\n", "text/csv; charset=utf-8")
    assert f"{job_id}.csv" in result.headers["content-disposition"]
    second = service.post("/v1/jobs", json={"data": "shop"}).json()["id"]
    assert service.post("/v1/jobs/cancel", json={"id": second}).json()["state"] == "cancelled"


@pytest.mark.parametrize(
    ("call", "status", "code"),
    [
        (("GET", "/v1/jobs", {}), 422, "bad_field"),
        (("GET", "/v1/jobs?id=a&id=b", {}), 422, "bad_field"),
        (("GET", "/v1/jobs?id=nobody", {}), 404, "no_job"),
        (("GET", "/v1/jobs/result?id=nobody", {}), 404, "no_job"),
        (("POST", "/v1/jobs/cancel", {"id": "nobody"}), 422, "bad_field"),
        (("POST", "/v1/jobs/cancel", {"id": "0" * 32}), 404, "no_job"),
        (("POST", "/v1/jobs", {"data": "shop"}), 403, "jobs_off"),
        (("POST", "/v1/jobs", {}), 422, "bad_field"),
        (("PUT", "/v1/jobs", {}), 405, "method_not_allowed"),
        (("POST", "/v1/jobs/result", {}), 405, "method_not_allowed"),
    ],
)
def test_what_is_wrong_over_http_has_the_one_shape(
    service: TestClient, call: tuple[str, str, dict[str, str]], status: int, code: str
) -> None:
    method, path, body = call
    answer = service.request(method, path, json=body or None) if method == "GET" else service.request(method, path, json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_a_child_knows_where_the_code_lies() -> None:
    from serving.jobs.watch import _CODE

    assert (_CODE / "cli.py").is_file()
    assert os.access(_CODE, os.R_OK)
