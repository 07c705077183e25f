"""Whom a request asks about, as rows of features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from serving.endpoints.feature_rows import Column, matrix_of
from serving.endpoints.refusals import refuse_hindsight, refuse_histories, refuse_missing_columns, refuse_repeated
from serving.endpoints.requests import columns_not_given, feature_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from training.registry import ModelInfo

NO_PURCHASE = "no purchase is known before as_of"


@dataclass(frozen=True)
class AskedRows:
    """Customers in the order of the request, each with what to mind; `matrix` (rows, features) has a row for each of `places`.

    A customer without a row has bought nothing, and gets no figures.
    """

    customer_ids: Sequence[str | int]
    notes: Sequence[str | None]
    places: Sequence[int]
    matrix: npt.NDArray[np.float64]


def rows_of_histories(request: Any, info: ModelInfo, as_of: date) -> AskedRows:  # noqa: ANN401  # a model of `schemas`
    """The rows of a request's raw histories. RequestError where they, or their date, cannot be answered."""
    customers = request.customers
    refuse_histories(info)
    refuse_hindsight(info, as_of, allowed=request.allow_hindsight)
    customer_ids = [customer.customer_id for customer in customers]
    refuse_repeated(customer_ids, "customers[{place}].customer_id")
    if not request.allow_missing_columns:
        refuse_missing_columns(customers, info)
    places, matrix = feature_rows(customers, info, as_of)
    notes: list[str | None] = [NO_PURCHASE] * len(customers)
    for place in places.tolist():
        notes[place] = _note(columns_not_given(customers[place], info)) if request.allow_missing_columns else None
    return AskedRows(customer_ids, notes, places.tolist(), matrix)


def rows_of_features(
    customer_ids: Sequence[str | int], features: Mapping[str, Column], info: ModelInfo, as_of: date, *, allow_hindsight: bool
) -> AskedRows:
    """The rows that a request gives. RequestError where they, or their date, cannot be answered."""
    refuse_hindsight(info, as_of, allowed=allow_hindsight)
    refuse_repeated(customer_ids, "customer_ids[{place}]")
    matrix = matrix_of(features, len(customer_ids), info)
    return AskedRows(customer_ids, [None] * len(customer_ids), range(len(customer_ids)), matrix)


def known(value: float) -> float | None:
    """A figure as answers tell it: None for NaN.

    >>> known(0.5), known(float("nan"))
    (0.5, None)
    """
    return None if isnan(value) else value


def _note(not_given: Sequence[str]) -> str | None:
    """A warning where the model must do without what it has always seen: it has not learned what such silence means."""
    if not not_given:
        return None
    return f"the model has learned from {', '.join(not_given)}, not given here: without them the prediction can be far off"
