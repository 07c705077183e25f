"""Feature rows as a request gives them, column by column, into the matrix that a model reads: every column, and no other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from keepwell.errors import RequestError
from serving.endpoints.model_facts import entries

if TYPE_CHECKING:
    from training.registry import ModelInfo

Floats = npt.NDArray[np.float64]
Column = Sequence[float | None]

SLACK = 1e-9
"""Share of a bound by which a value may lie outside of it: a quotient of floats may."""

LARGEST = 1e15
"""No feature of real data comes near it."""

MOST_NAMED = 5


def matrix_of(features: Mapping[str, Column], rows: int, info: ModelInfo) -> Floats:
    """The matrix (rows, features) in the order of the model, NaN = missing.

    RequestError for a column that is missing, unknown or of another length, and for a value or a gap that a feature cannot have.
    """
    names = info.feature_names
    if features.keys() != set(names):
        _refuse_names(features, names)
    for name in names:
        if len(features[name]) != rows:
            told = f"there are {len(features[name])} values for {rows} customers"
            raise _refusal(name, told, "send one value for each customer, null where it is missing")
    matrix = np.ascontiguousarray(np.array([features[name] for name in names], dtype=np.float64).T)
    _refuse_gaps(matrix, names)
    _refuse_outliers(matrix, names)
    return matrix


def _refuse_names(features: Mapping[str, Column], names: Sequence[str]) -> None:
    if missing := [name for name in names if name not in features]:
        hint = "send every feature that GET /v1/model lists, null where it is missing"
        raise _refusal(missing[0], f"the model reads {_some(missing)}, not given here", hint, "missing_features")
    unknown = [name for name in features if name not in set(names)]
    hint = "send the features that GET /v1/model lists, and no other"
    raise _refusal(unknown[0], f"the model does not read {_some(unknown)}", hint, "unknown_features")


def _refuse_gaps(matrix: Floats, names: tuple[str, ...]) -> None:
    """Refuse a missing value where a feature always has one: the model has never seen it."""
    gaps = np.isnan(matrix) & ~_may_be_missing(names)
    if gaps.any():
        row, column = np.argwhere(gaps)[0].tolist()
        raise _refusal(f"{names[column]}[{row}]", f"{names[column]} is never missing", "send its value; a count of nothing is 0")


def _refuse_outliers(matrix: Floats, names: tuple[str, ...]) -> None:
    low, high = _bounds(names)
    outside = (matrix < low) | (matrix > high)
    if outside.any():
        row, column = np.argwhere(outside)[0].tolist()
        entry = entries(names)[column]
        told = f"the value {matrix[row, column]:g} is out of range ({entry.range}, {entry.unit})"
        raise _refusal(f"{names[column]}[{row}]", told, "make the rows with `keepwell features`, which keeps to the catalog")


@lru_cache(maxsize=8)
def _may_be_missing(names: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    return np.array([entry.missing != "" for entry in entries(names)])


@lru_cache(maxsize=8)
def _bounds(names: tuple[str, ...]) -> tuple[Floats, Floats]:
    """The least and the largest value (features,) that each may have, a little slack included."""
    low = np.array([-LARGEST if entry.low is None else entry.low for entry in entries(names)])
    high = np.array([LARGEST if entry.high is None else entry.high for entry in entries(names)])
    return low - SLACK * np.maximum(np.abs(low), 1), high + SLACK * np.maximum(np.abs(high), 1)


def _refusal(place: str, message: str, hint: str, code: str = "bad_field") -> RequestError:
    return RequestError(message, hint=hint, status=422, code=code, field=f"features.{place}")


def _some(names: Sequence[str]) -> str:
    """The first names, and how many more there are.

    >>> _some(["a", "b"]), _some(list("abcdefg"))
    ('a, b', 'a, b, c, d, e and 2 more')
    """
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
