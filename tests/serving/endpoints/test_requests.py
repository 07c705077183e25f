from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from pydantic import ValidationError

from features.panel import build_panel, panel_names
from keepwell.errors import RequestError
from serving.endpoints.requests import columns_not_given, feature_rows, tables_read
from serving.endpoints.schemas import CUSTOMER_COLUMNS, PredictRequest
from tests.features.strategies import ATTRIBUTES, ATTRIBUTION_DAYS, DECIMALS, EVENT_TIMES, Story, crowd, stories


def as_request(tables: Mapping[str, pl.DataFrame], as_of: date) -> dict[str, Any]:
    """The histories of a user's tables as the body of a request: every customer with all their rows, as JSON has them."""
    customers: dict[str, dict[str, Any]] = defaultdict(lambda: {name: [] for name in EVENT_TIMES})
    listed = [column.name for column in CUSTOMER_COLUMNS]
    for row in tables.get("customers", pl.DataFrame()).iter_rows(named=True):
        customers[row["customer_id"]] |= {name: _plain(name, value) for name, value in row.items() if name in listed}
        attributes = {name: _plain(name, value) for name, value in row.items() if name in ATTRIBUTES}
        customers[row["customer_id"]]["attributes"] = attributes
    for table in EVENT_TIMES:
        for row in tables.get(table, pl.DataFrame()).iter_rows(named=True):
            customers[row.pop("customer_id")][table].append({name: _plain(name, value) for name, value in row.items()})
    return {"as_of": as_of.isoformat(), "customers": [{"customer_id": key, **value} for key, value in customers.items()]}


def _plain(column: str, value: object) -> object:
    """The value of a column as JSON has it."""
    if column in ("accepted", "converted"):
        return None if value is None else bool(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, date) else value


def info_for(story: Story) -> SimpleNamespace:
    names = panel_names(story.company(), [story.as_of])
    return SimpleNamespace(feature_names=names, decimals=DECIMALS, zone="UTC", attribution_days=ATTRIBUTION_DAYS)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stories())
def test_the_endpoints_row_is_the_training_row(story: Story) -> None:
    assert_endpoint_gives_the_panel(story)


@pytest.mark.parametrize("late", [False, True])
def test_customers_with_every_table_have_their_row_of_the_panel(late: bool) -> None:
    assert_endpoint_gives_the_panel(crowd(5, customers=12, late=late))


def assert_endpoint_gives_the_panel(story: Story) -> None:
    body = as_request(story.tables, story.as_of)
    if not body["customers"]:
        return
    info = info_for(story)
    request = PredictRequest.model_validate_json(json.dumps(body))
    places, rows = feature_rows(request.customers, info, story.as_of)
    panel = build_panel(story.company(), [story.as_of], info.feature_names)
    found = {request.customers[place].customer_id: row for place, row in zip(places.tolist(), rows, strict=True)}
    assert sorted(found) == panel["customer_id"].to_list()
    for row in panel.iter_rows(named=True):
        expected = np.array([np.nan if row[name] is None else row[name] for name in info.feature_names])
        np.testing.assert_allclose(found[row["customer_id"]], expected, rtol=1e-9, atol=0, err_msg=str(row["customer_id"]))


def request_of(*customers: dict[str, Any], as_of: str = "2024-03-01") -> PredictRequest:
    return PredictRequest.model_validate_json(json.dumps({"as_of": as_of, "customers": list(customers)}))


NAMES = ("recency_days", "spend_all", "complaints_all", "days_since_joined", "orders_all")
INFO = SimpleNamespace(feature_names=NAMES, decimals={"transactions.amount": 0}, zone="Asia/Shanghai", attribution_days=30)


def rows_of(*customers: dict[str, Any], info: SimpleNamespace = INFO) -> dict[int, list[float]]:
    places, rows = feature_rows(request_of(*customers).customers, info, date(2024, 3, 1))
    return dict(zip(places.tolist(), rows.tolist(), strict=True))


def purchase(ordered_at: str = "2024-02-29", amount: float = 10) -> dict[str, Any]:
    return {"ordered_at": ordered_at, "amount": amount}


def test_the_tables_that_features_read_are_found_from_their_definitions() -> None:
    assert tables_read(NAMES) == ("complaints", "customers", "transactions")


def test_days_are_days_in_the_companys_zone() -> None:
    customer = {"customer_id": 1, "transactions": [purchase("2024-02-28T17:00:00Z")], "complaints": []}
    assert rows_of(customer)[0][0] == 1
    assert rows_of(customer, info=SimpleNamespace(**{**vars(INFO), "zone": "UTC"}))[0][0] == 2


def test_events_at_as_of_do_not_count() -> None:
    rows = [purchase("2024-03-01"), purchase("2024-03-01T00:00:00"), purchase("2030-01-01"), purchase("2024-02-01")]
    assert rows_of({"customer_id": 1, "transactions": rows, "complaints": []})[0][1] == 10


def test_amounts_finer_than_the_models_minor_units_are_kept() -> None:
    rows = [purchase(amount=0.25), purchase(amount=0.5)]
    assert rows_of({"customer_id": 1, "transactions": rows, "complaints": []})[0][1] == 0.75


def test_customers_without_a_purchase_have_no_row_and_do_not_shift_the_others() -> None:
    refund = {"customer_id": "a", "transactions": [purchase(amount=-5)], "complaints": []}
    nothing = {"customer_id": "b", "transactions": [], "complaints": []}
    buyer = {"customer_id": "c", "transactions": [purchase()], "complaints": []}
    assert list(rows_of(refund, nothing, buyer)) == [2]


def test_a_request_without_any_event_has_no_rows() -> None:
    assert rows_of({"customer_id": "b", "transactions": [], "complaints": []}) == {}


@pytest.mark.parametrize(("attribution_days", "acceptances"), [(7, 1), (8, 0), (30, 0)])
def test_an_outcome_is_known_after_the_attribution_days_of_the_model(attribution_days: int, acceptances: int) -> None:
    contacts = [{"contacted_at": "2024-02-22", "arm": "treated", "accepted": True}]
    names = ("contacts_30d", "contact_acceptances_30d")
    info = SimpleNamespace(**{**vars(INFO), "feature_names": names, "attribution_days": attribution_days})
    rows = rows_of({"customer_id": 1, "transactions": [purchase()], "contacts": contacts}, info=info)
    assert rows == {0: [1, acceptances]}


def test_payments_surveys_and_contacts_of_a_request_become_features() -> None:
    customer = {
        "customer_id": 1,
        "transactions": [purchase()],
        "payments": [{"due_at": "2024-02-01", "amount": 12.5, "paid_at": None}, {"due_at": "2024-02-02", "amount": 9}],
        "surveys": [{"answered_at": "2024-02-01", "quality": 6, "expectation": 8, "recommend": 3}],
        "contacts": [{"contacted_at": "2024-01-01", "arm": "control"}],
    }
    names = (
        "payment_amount_overdue",
        "oldest_overdue_payment_days",
        "survey_quality_gap_last",
        "survey_detractor",
        "contacts_all",
    )
    info = SimpleNamespace(**{**vars(INFO), "feature_names": names})
    assert rows_of(customer, info=info) == {0: [21.5, 29, -2, 1, 0]}


def test_a_table_that_the_model_reads_must_be_given() -> None:
    with pytest.raises(RequestError, match=r"reads complaints.*\n.*or \[\]") as caught:
        rows_of({"customer_id": 1, "transactions": [], "complaints": []}, {"customer_id": 2, "transactions": [purchase()]})
    assert caught.value.field == "customers[1].complaints"


def test_a_table_that_the_model_does_not_read_may_be_left_out() -> None:
    info = SimpleNamespace(feature_names=("recency_days",), decimals={}, zone="UTC", attribution_days=30)
    assert rows_of({"customer_id": 1, "transactions": [purchase()]}, info=info) == {0: [1.0]}


def test_integer_and_text_ids_go_side_by_side() -> None:
    customers = [{"customer_id": name, "transactions": [purchase()], "complaints": []} for name in (7, "7a", "😀")]
    assert list(rows_of(*customers)) == [0, 1, 2]


def test_order_ids_are_counted_once_whether_text_or_number() -> None:
    rows = [{**purchase(), "order_id": 1}, {**purchase(), "order_id": "1"}, {**purchase(), "order_id": "b"}]
    assert rows_of({"customer_id": 1, "transactions": rows, "complaints": []})[0][4] == 2


def attributed(attributes: dict[str, Any] | None) -> dict[str, Any]:
    return {"customer_id": 1, "transactions": [purchase()], "attributes": attributes}


OF_ATTRIBUTES = SimpleNamespace(
    feature_names=("attr_plan_is_gold", "attr_age", "attr_signed_on_days_ago"),
    decimals={"transactions.amount": 0},
    zone="UTC",
    attribution_days=ATTRIBUTION_DAYS,
)


@pytest.mark.parametrize(
    ("attributes", "row"),
    [
        ({"plan": "gold", "age": 40, "signed_on": "2024-02-28"}, [1, 40, 2]),
        ({"plan": "old gold", "age": 0.5, "signed_on": "2024-03-05T08:00:00Z"}, [0, 0.5, -4]),
        ({"plan": None, "age": True}, [np.nan, 1, np.nan]),
        ({"signed_on": "1894-08-28"}, [np.nan, np.nan, 47302]),
        ({"unknown to the model": "x"}, [np.nan] * 3),
        ({}, [np.nan] * 3),
        (None, [np.nan] * 3),
    ],
)
def test_attributes_are_what_the_features_of_the_model_take_them_as(attributes: dict[str, Any] | None, row: list[float]) -> None:
    np.testing.assert_array_equal(rows_of(attributed(attributes), info=OF_ATTRIBUTES)[0], row)


@pytest.mark.parametrize(
    ("attributes", "refusal"),
    [
        ({"plan": 5}, "attribute 'plan' as a text, not 5"),
        ({"plan": True}, "attribute 'plan' as a text, not True"),
        ({"age": "40"}, "attribute 'age' as a number, not '40'"),
        ({"signed_on": "28/02/2024"}, "attribute 'signed_on' as a date, not '28/02/2024'"),
        ({"signed_on": "2023-02-29"}, "attribute 'signed_on' as a date, not '2023-02-29'"),
        ({"signed_on": 19782}, "attribute 'signed_on' as a date, not 19782"),
    ],
)
def test_an_attribute_of_another_kind_than_the_model_knows_is_refused(attributes: dict[str, Any], refusal: str) -> None:
    with pytest.raises(RequestError, match=refusal) as caught:
        rows_of(attributed({}), {**attributed(attributes), "customer_id": 2}, info=OF_ATTRIBUTES)
    assert caught.value.field == f"customers[1].attributes.{next(iter(attributes))}"


def test_a_listed_column_is_no_attribute() -> None:
    with pytest.raises(ValidationError, match="wallet is no attribute: give it beside the attributes"):
        request_of(attributed({"wallet": 10}))


def test_attributes_that_a_model_has_learned_from_and_a_request_lacks_are_named() -> None:
    given = request_of(attributed({"plan": None, "age": 1})).customers[0]
    assert columns_not_given(given, OF_ATTRIBUTES) == ("customers.signed_on",)
    assert columns_not_given(request_of(attributed(None)).customers[0], OF_ATTRIBUTES) == (
        "customers.age",
        "customers.plan",
        "customers.signed_on",
    )


def test_a_declared_wallet_is_read_from_its_own_field_in_currency() -> None:
    info = SimpleNamespace(**{**vars(OF_ATTRIBUTES), "feature_names": ("attr_wallet", "wallet_share_365d")})
    customer = {"customer_id": 1, "transactions": [purchase()], "wallet": 12.5}
    assert rows_of(customer, info=info)[0] == [12.5, 0.8]
