"""A client of the service for Python programs: one method for each endpoint, answers as typed models, errors as ours.

>>> with Client("http://127.0.0.1:3000", key="kw_...") as keepwell:  # doctest: +SKIP
...     keepwell.scores(["00042"]).scores[0].churn_probability
0.37
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from math import isnan
from typing import Any, Self, TypeVar

import httpx

from keepwell.errors import RequestError
from serving.endpoints.answer_schemas import ExplainAnswer, ModelAnswer, OutcomesAnswer, PlanAnswer, PredictAnswer, ScoresAnswer
from serving.endpoints.field_types import Answer

Id = str | int
Row = Mapping[str, Any]
FeatureColumns = Mapping[str, Sequence[float | None]]
Answer_ = TypeVar("Answer_", bound=Answer)

NO_LIMITS: Mapping[str, float] = {}


class Client:
    """Calls a service by its URL, over connections that are kept. Every method raises RequestError.

    `status`, `code`, `field` and `hint` of the error are those of the answer; of a service that cannot be reached the status is
    503 and the code `unreachable`. `key` is an API key (`keepwell keys create`), None where the service asks for none.
    `transport` takes the place of the network, in tests.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:3000",
        key: str | None = None,
        *,
        timeout_s: float = 35.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {} if key is None else {"Authorization": f"Bearer {_key(key)}"}
        try:
            self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout_s, transport=transport)
        except httpx.InvalidURL as error:
            hint = "write it as http://127.0.0.1:3000"
            raise RequestError(f"{url!r} is no URL: {error}", hint=hint, status=503, code="unreachable") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def predict(
        self,
        customers: Sequence[Row],
        as_of: date | None = None,
        *,
        allow_hindsight: bool = False,
        allow_missing_columns: bool = False,
    ) -> PredictAnswer:
        """Churn and value from raw histories of 1 to 1,000 customers; without `as_of` for today."""
        allowed = {"allow_hindsight": allow_hindsight, "allow_missing_columns": allow_missing_columns}
        return self._post("/v1/predict", PredictAnswer, {"customers": customers, "as_of": as_of, **allowed})

    def predict_rows(
        self, customer_ids: Sequence[Id], features: FeatureColumns, as_of: date | None = None, *, allow_hindsight: bool = False
    ) -> PredictAnswer:
        """Churn and value from feature rows, each feature with a value for each customer, None or NaN = missing."""
        body = {
            "customer_ids": customer_ids,
            "features": _with_none(features),
            "as_of": as_of,
            "allow_hindsight": allow_hindsight,
        }
        return self._post("/v1/predict_rows", PredictAnswer, body)

    def explain(
        self,
        customers: Sequence[Row] | None = None,
        *,
        customer_ids: Sequence[Id] | None = None,
        features: FeatureColumns | None = None,
        as_of: date | None = None,
        allow_hindsight: bool = False,
        allow_missing_columns: bool = False,
    ) -> ExplainAnswer:
        """The reasons of forecasts: of raw histories, of feature rows by id, or of the latest batch scores by id alone."""
        allowed = {"allow_hindsight": allow_hindsight, "allow_missing_columns": allow_missing_columns}
        rows = None if features is None else _with_none(features)
        asked = {"customers": customers, "customer_ids": customer_ids, "features": rows, "as_of": as_of}
        return self._post("/v1/explain", ExplainAnswer, {**asked, **allowed})

    def scores(self, customer_ids: Sequence[Id]) -> ScoresAnswer:
        """The latest batch scores of 1 to 1,000 customers."""
        return self._post("/v1/scores", ScoresAnswer, {"customer_ids": customer_ids})

    def plan(
        self,
        customer_ids: Sequence[Id],
        budget: float | None = None,
        *,
        capacities: Mapping[str, float] = NO_LIMITS,
        hours: Mapping[str, float] = NO_LIMITS,
        consenting: Sequence[Id] = (),
    ) -> PlanAnswer:
        """What to do for 1 to 1,000 customers under limits: contacts and hours of agents, by channel.

        `consenting` are those who have consented to marketing.
        """
        limits = {"budget": budget, "capacities": dict(capacities), "hours": dict(hours), "consenting": consenting}
        return self._post("/v1/plan", PlanAnswer, {"customer_ids": customer_ids, **limits})

    def record(self, outcomes: Sequence[Row]) -> OutcomesAnswer:
        """Record what happened, all of it or nothing; what comes twice under one key counts once."""
        return self._post("/v1/outcomes", OutcomesAnswer, {"outcomes": outcomes})

    def model(self) -> ModelAnswer:
        """The model that answers, and every feature that it reads."""
        return self._answer("GET", "/v1/model", ModelAnswer)

    def is_ready(self) -> bool:
        """Whether there is a model to predict with; False, too, where the service cannot be reached."""
        try:
            return self._http.get("/readyz").is_success
        except httpx.HTTPError:
            return False

    def _post(self, path: str, answer: type[Answer_], body: Mapping[str, Any]) -> Answer_:
        return self._answer("POST", path, answer, {name: _plain(value) for name, value in body.items() if value is not None})

    def _answer(self, method: str, path: str, answer: type[Answer_], body: Mapping[str, Any] | None = None) -> Answer_:
        try:
            got = self._http.request(method, path, json=body)
        except (TypeError, ValueError) as error:
            hint = "send numbers, texts, days, lists and mappings, and None where a value is missing"
            raise RequestError(f"the body is no JSON: {error}", hint=hint, status=400, code="bad_request") from error
        except httpx.HTTPError as error:
            told = f"the service at {self._http.base_url} cannot be reached: {error}"
            raise RequestError(told, hint="start it with `keepwell serve`", status=503, code="unreachable") from error
        if not got.is_success:
            raise _error(got)
        return answer.model_validate_json(got.content)


def _plain(value: object) -> object:
    """A value of a body as JSON knows it: days as texts, decimals as numbers; sequences, arrays and columns as lists."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(each) for each in value]
    unpack = getattr(value, "tolist", None) or getattr(value, "to_list", None)  # of NumPy and pandas; of Polars
    return _plain(unpack()) if unpack else value


def _with_none(features: FeatureColumns) -> dict[str, list[float | None]]:
    """The same columns with None for NaN, by which pandas and NumPy say that a value is missing."""
    return {name: [None if value is None or isnan(value) else value for value in column] for name, column in features.items()}


def _key(key: str) -> str:
    """A key as a header may have it, without the end of the line that it was read with."""
    if not key.isascii():
        raise RequestError("there is no such key", hint="`keepwell keys create` makes a key", status=401, code="unknown_key")
    return key.strip()


def _error(got: httpx.Response) -> RequestError:
    """The error of an answer; one that a proxy gave in another shape is told by its status."""
    try:
        told = dict(got.json()["error"])
        return RequestError(told["message"], hint=told["hint"], status=got.status_code, code=told["code"], field=told["field"])
    except (ValueError, KeyError, TypeError):
        message = f"the answer has status {got.status_code} and is none of the service's"
        return RequestError(message, hint="look at what stands before the service", status=got.status_code, code="not_ours")
