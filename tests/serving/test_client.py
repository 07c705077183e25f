from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

import httpx
import polars as pl
import pytest
from starlette.testclient import TestClient

from features.company import Company
from keepwell.errors import RequestError
from serving.client import Client
from tests.serving.conftest import AS_OF
from tests.serving.endpoints.test_feature_rows import rows
from tests.serving.test_service import histories, one
from training.scorer import Scorer


@pytest.fixture
def client(loaded: TestClient) -> Iterator[Client]:
    """A client whose network is the service in this process."""

    def pass_on(request: httpx.Request) -> httpx.Response:
        answer = loaded.request(request.method, request.url.path, content=request.content, headers=dict(request.headers))
        return httpx.Response(answer.status_code, content=answer.content)

    with Client("http://127.0.0.1", transport=httpx.MockTransport(pass_on)) as client:
        yield client


def failing(answer: httpx.Response | Exception) -> Client:
    def pass_on(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Client(transport=httpx.MockTransport(pass_on))


def test_every_endpoint_has_a_method_that_gives_its_answer(
    client: Client, shop: Company, scorer: Scorer, panel: pl.DataFrame, scored: pl.DataFrame
) -> None:
    ids, body = scored["customer_id"].head(3).to_list(), rows(panel, scorer, 3)
    predicted = client.predict(histories(shop, ids)["customers"], AS_OF)
    of_rows = client.predict_rows(body["customer_ids"], body["features"], AS_OF)
    assert [each.churn_probability for each in of_rows.predictions] == scored["churn_probability"].head(3).to_list()
    assert predicted.model == of_rows.model == client.model().model
    stored = client.scores(ids)
    assert [score.churn_probability for score in stored.scores] == scored["churn_probability"].head(3).to_list()
    explained = client.explain(customer_ids=ids)
    assert explained.explanations == client.explain(customer_ids=ids, features=body["features"], as_of=AS_OF).explanations
    assert client.plan(ids, 100.0, capacities={"call": 1}).unknown == []
    outcome = {"customer_id": ids[0], "step": "contacted", "on": AS_OF, "action": "loyalty_reward", "key": "of the client"}
    assert (client.record([outcome]).new, client.record([outcome]).known_before) == (1, 1)
    assert client.is_ready()


def test_days_go_out_as_texts(client: Client) -> None:
    customer = {**one()["customers"][0], "joined_at": date(2024, 5, 1)}
    customer["transactions"] = [{"ordered_at": datetime(2024, 12, 1, 8, 30), "amount": 20}]
    answer = client.predict([customer], AS_OF, allow_missing_columns=True)
    assert answer.predictions[0].churn_probability is not None
    assert answer.predictions[0].model_extra is not None


def test_an_error_has_the_words_of_the_service(client: Client) -> None:
    with pytest.raises(RequestError, match="quantity") as caught:
        client.predict(one()["customers"], AS_OF)
    assert (caught.value.status, caught.value.code) == (422, "missing_columns")
    assert caught.value.field is not None
    assert "allow_missing_columns" in caught.value.hint


def test_a_service_that_is_away_is_said_so() -> None:
    client = failing(httpx.ConnectError("refused"))
    with pytest.raises(RequestError, match="cannot be reached: refused") as caught:
        client.model()
    assert (caught.value.status, caught.value.code) == (503, "unreachable")
    assert not client.is_ready()


@pytest.mark.parametrize("content", [b"<html>bad gateway</html>", b"[]", b'{"error": "x"}', b'{"error": {"code": "x"}}'])
def test_an_answer_of_a_proxy_is_told_by_its_status(content: bytes) -> None:
    with pytest.raises(RequestError, match="has status 502") as caught:
        failing(httpx.Response(502, content=content)).scores(["a"])
    assert caught.value.code == "not_ours"


def test_a_key_goes_in_the_header() -> None:
    seen: list[str] = []

    def pass_on(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        return httpx.Response(200)

    Client(key="kw_x", transport=httpx.MockTransport(pass_on)).is_ready()
    assert seen == ["Bearer kw_x"]


def test_arrays_and_columns_go_out_as_lists(client: Client, scorer: Scorer, panel: pl.DataFrame, scored: pl.DataFrame) -> None:
    ids, names = scored["customer_id"].head(3), scorer.info.feature_names
    columns = {name: panel[name].head(3).to_numpy() for name in names}  # NaN where the panel has null
    found = client.predict_rows(ids.to_numpy(), columns, AS_OF)
    assert [each.churn_probability for each in found.predictions] == scored["churn_probability"].head(3).to_list()
    assert client.explain(customer_ids=ids, features=columns, as_of=AS_OF).model == found.model
    assert [score.customer_id for score in client.scores(ids).scores] == ids.to_list()


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), object(), {1}, "\ud800"])
def test_what_is_no_json_is_refused_before_it_is_sent(client: Client, wrong: object) -> None:
    with pytest.raises(RequestError, match="the body is no JSON") as refused:
        client.record([{"customer_id": "c1", "cost": wrong}])
    assert (refused.value.status, refused.value.code) == (400, "bad_request")


def test_decimals_are_numbers(client: Client) -> None:
    customer = one()["customers"][0]
    bought = [{**row, "amount": Decimal(str(row["amount"]))} for row in customer["transactions"]]
    exact, plain = (
        client.predict([each], AS_OF, allow_missing_columns=True).predictions
        for each in ({**customer, "transactions": bought}, customer)
    )
    assert exact == plain


def test_a_key_is_read_without_the_end_of_its_line_and_no_other_letters_are_one() -> None:
    seen = []

    def note(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        return httpx.Response(200)

    assert Client(key="kw_1\n", transport=httpx.MockTransport(note)).is_ready()
    assert seen == ["Bearer kw_1"]
    with pytest.raises(RequestError, match="no such key"):
        Client(key="kw_é")


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(RequestError, match="is no URL: Invalid port"):
        Client("http://127.0.0.1:port")
