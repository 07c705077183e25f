"""What the endpoints refuse to answer, each with its code, its field and the way out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from features.tables import EVENT_TABLES, TABLES
from keepwell.errors import RequestError
from serving.endpoints.requests import columns_not_given

if TYPE_CHECKING:
    from training.registry import ModelInfo


def refuse_histories(info: ModelInfo) -> None:
    """Refuse raw histories where the model learned from something else."""
    if info.churn != "purchases":
        learned = "a flat table of customers" if info.churn == "labels" else "contracts"
        raise RequestError(
            f"the model learned from {learned}, and cannot be asked about the raw history of purchases",
            hint="send feature rows to /v1/predict_rows, or score with `keepwell score` and ask /v1/scores for customers by id",
            status=422,
            code="no_histories",
        )


def refuse_hindsight(info: ModelInfo, as_of: date, *, allowed: bool) -> None:
    """Refuse a day that the model's labels reach past, unless that is allowed."""
    if as_of < info.labels_until and not allowed:
        raise RequestError(
            f"the model has learned from what happened until {info.labels_until}, which is after {as_of}",
            hint="ask for a later as_of, or set allow_hindsight to true",
            status=422,
            code="hindsight",
            field="as_of",
        )


def refuse_repeated(customer_ids: Sequence[Any], field: str) -> None:
    """Refuse a customer who comes twice; `field` is the path of the id at a place, as "customer_ids[{place}]"."""
    first: dict[str, int] = {}
    for place, customer_id in enumerate(map(str, customer_ids)):
        if first.setdefault(customer_id, place) != place:
            raise RequestError(
                f"the customer {customer_id!r} is also at place {first[customer_id]}",
                hint="send each customer once",
                status=422,
                code="repeated_customer",
                field=field.format(place=place),
            )


def refuse_missing_columns(customers: Sequence[Any], info: ModelInfo) -> None:
    """Refuse the first history that lacks columns which the model has always seen: without them it would be far off."""
    for place, customer in enumerate(customers):
        if missing := columns_not_given(customer, info):
            raise RequestError(
                f"the model has learned from {', '.join(missing)}, not given here: without them a prediction can be far off",
                hint="send them, null where a value is not known, or set allow_missing_columns to true",
                status=422,
                code="missing_columns",
                field=_place_of(missing[0], place),
            )


def _place_of(column: str, place: int) -> str:
    """Where a request would give a column.

    >>> _place_of("transactions.quantity", 3), _place_of("customers.joined_at", 0), _place_of("customers.plan", 0)
    ('customers[3].transactions[0].quantity', 'customers[0].joined_at', 'customers[0].attributes.plan')
    """
    table, name = column.split(".", 1)
    if table in EVENT_TABLES:
        return f"customers[{place}].{table}[0].{name}"
    return f"customers[{place}].{name if name in TABLES['customers'].names else f'attributes.{name}'}"


def require_json(media_type: str | None) -> None:
    """Refuse a body that says it is something else than JSON; None, where nothing is said, is JSON.

    >>> require_json("application/json; charset=utf-8")
    """
    named = (media_type or "application/json").partition(";")[0].strip().lower()
    if named != "application/json":
        raise RequestError(f"the content type is {named!r}", hint="send JSON as application/json", status=415, code="not_json")
