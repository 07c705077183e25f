"""Raw histories as the endpoint takes them into feature rows, by the same rules and the same code as training.

Inside, a customer is the place (0, 1, ...) that they have in the request: whatever an id is, places are integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from features.arrays import feature_matrix
from features.builders.attributes import KINDS, How, parsed
from features.catalog import find
from features.reading.few_rows import Rows, normalise_rows
from features.reading.normalise import Reading
from features.reading.refusals import Place
from features.reading.times import read_dates
from features.recipe import recipe
from features.tables import EVENT_TABLES, TABLES, Kind, Table
from keepwell.errors import RequestError
from serving.endpoints.field_types import is_date
from serving.endpoints.schemas import CUSTOMER_COLUMNS

if TYPE_CHECKING:
    from training.registry import ModelInfo

Row = tuple[int, Any]
"""A customer's place in the request, and a row of theirs: a model of `schemas`."""


def feature_rows(customers: Sequence[Any], info: ModelInfo, as_of: date) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The places (n,) of those who bought before `as_of`, and their features (n, names), NaN = missing.

    `customers` are `schemas.Customer`s. RequestError where a table that the model reads is left out, DataError where a column
    breaks a rule that only the whole of it can break.
    """
    histories, scales = {}, dict(info.decimals)
    for name in tables_read(info.feature_names):
        histories[name], decimals = _normalised(TABLES[name], _rows(customers, name), info)
        scales |= {f"{name}.{column}": number for column, number in decimals.items()}
    if not len(histories["transactions"]["customer_id"]):
        return np.empty(0, dtype=np.int64), np.empty((0, len(info.feature_names)))
    places, matrix = feature_matrix(histories, scales, as_of, info.feature_names)
    return places.astype(np.int64), matrix


def tables_read(names: Sequence[str]) -> tuple[str, ...]:
    """The input tables that these features are made of, in order.

    >>> tables_read(["complaints_30d"])
    ('complaints', 'transactions')
    """
    return tuple(sorted({view.table for view in recipe(names).views.values()}))


def columns_not_given(customer: Any, info: ModelInfo) -> tuple[str, ...]:  # noqa: ANN401  # a `schemas.Customer`
    """The optional columns, as "transactions.quantity", that the model has learned from and no row of this customer gives.

    A table without rows lacks nothing: that nothing happened is known.
    """
    return tuple(column for column in columns_read(info.feature_names) if not _gives(customer, *column.split(".", 1)))


@lru_cache(maxsize=8)
def columns_read(names: tuple[str, ...]) -> tuple[str, ...]:
    """The optional columns, as "transactions.quantity", that these features are made of, in order.

    >>> columns_read(("enquiries_30d", "recency_days"))
    ('complaints.kind',)
    """
    return tuple(sorted({column for name in names for column in find(name).needs}))


def _gives(customer: Any, table: str, column: str) -> bool:  # noqa: ANN401  # a `schemas.Customer`
    if table not in EVENT_TABLES:
        return column in {*customer.model_fields_set, *(customer.attributes or ())}
    rows = getattr(customer, table)
    return not rows or any(column in row.model_fields_set for row in rows)


def _rows(customers: Sequence[Any], table: str) -> list[Row]:
    if table not in EVENT_TABLES:
        return list(enumerate(customers))
    rows: list[Row] = []
    for place, customer in enumerate(customers):
        given = getattr(customer, table)
        if given is None:
            raise RequestError(
                f"the model reads {table}, and this customer has none given",
                hint=f"send the rows of {table}, or [] where there were none",
                status=422,
                code="missing_table",
                field=f"customers[{place}].{table}",
            )
        rows += [(place, row) for row in given]
    return rows


def _normalised(table: Table, rows: Sequence[Row], info: ModelInfo) -> Rows:
    decimals = {column.name: info.decimals.get(f"{table.name}.{column.name}", 0) for column in table.columns}
    attributes = _attributes([customer for _, customer in rows], info.feature_names) if table.event_time is None else {}
    reading = Reading(info.zone, decimals=decimals, attribution_days=info.attribution_days)
    return normalise_rows(table, _given(table, rows), attributes, reading)


def _given(table: Table, rows: Sequence[Row]) -> dict[str, tuple[Any, ...]]:
    """The values of the rows by column; an optional column that no row gives is left out."""
    columns = CUSTOMER_COLUMNS if table.event_time is None else table.columns[1:]
    of_row = attrgetter(*(column.name for column in columns))
    values = zip(*(of_row(row) for _, row in rows), strict=True) if rows else [()] * len(columns)
    given: dict[str, tuple[Any, ...]] = {"customer_id": tuple(place for place, _ in rows)}
    for column, found in zip(columns, values, strict=True):
        if column.required or found.count(None) < len(found):
            given[column.name] = _as_text(found) if column.kind is Kind.ID else found
    return given


def _as_text(ids: Sequence[Any]) -> tuple[str | None, ...]:
    return tuple(None if one is None else str(one) for one in ids)


def _attributes(customers: Sequence[Any], names: Sequence[str]) -> dict[str, pl.Series]:
    """The attributes that these features read, of the kind that they read; missing where a customer has none given."""
    read = {attribute.column: attribute.how for name in names if (attribute := parsed(name))}
    listed = TABLES["customers"].names
    return {column: _attribute(column, how, customers) for column, how in read.items() if column not in listed}


def _attribute(column: str, how: How, customers: Sequence[Any]) -> pl.Series:
    values = [(customer.attributes or {}).get(column) for customer in customers]
    for place, value in enumerate(values):
        if not (value is None or _is(how, value)):
            raise RequestError(
                f"the model knows the attribute {column!r} as a {KINDS[how]}, not {value!r}",
                hint="send it as it was when the model was trained",
                status=422,
                code="attribute_kind",
                field=f"customers[{place}].attributes.{column}",
            )
    if how == "number":
        return pl.Series(column, [None if value is None else float(value) for value in values], dtype=pl.Float64)
    texts = pl.Series(column, values, dtype=pl.String)
    return texts if how == "text" else read_dates(Place("attributes", column), texts).to_physical()


def _is(how: How, value: bool | float | str) -> bool:
    """Whether a value is of the kind that an attribute is taken as."""
    if not isinstance(value, str):
        return how == "number"
    return how == "text" or (how == "days" and is_date(value))
