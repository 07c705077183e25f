"""Columns as decisions read them: arrays of one length, where a missing number is NaN and a missing text is None."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from decisions.labels import Label
from keepwell.errors import DataError

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Texts: TypeAlias = npt.NDArray[Any]
"""Texts of fixed width (none missing), or Python objects (None: missing)."""
Columns: TypeAlias = Mapping[str, npt.NDArray[Any]]


def require(columns: Columns, names: Iterable[str], purpose: str) -> None:
    """Raise DataError for the first of `names` that `columns` lack, and for columns of different lengths.

    >>> require({}, ["churn_probability"], "a plan")
    Traceback (most recent call last):
    keepwell.errors.DataError: scores.churn_probability: is missing, and a plan needs it
      -> score the customers with keepwell score
    """
    for name in names:
        if name not in columns:
            hint = "score the customers with keepwell score"
            raise DataError("scores", name, f"is missing, and {purpose} needs it", hint=hint)
    lengths = {name: np.shape(column)[0] for name, column in columns.items() if np.ndim(column) > 0}
    if len(set(lengths.values())) > 1:
        rule = f"columns must have one length, not {sorted(set(lengths.values()))}"
        raise DataError("scores", None, rule, hint="pass one row per customer in every column")


def number(columns: Columns, name: str, rows: int) -> Floats:
    """The column as floats of shape (rows,), NaN where missing; all NaN where there is no such column; a scalar is repeated.

    >>> number({"age": np.array([1, None], dtype=object)}, "age", 2)
    array([ 1., nan])
    """
    if name not in columns:
        return np.full(rows, np.nan)
    return np.broadcast_to(np.asarray(columns[name]).astype(np.float64), (rows,))


def words(labels: Iterable[Label], codes: Ints) -> Texts:
    """The words at the positions `codes`.

    >>> from decisions.labels import Quadrant
    >>> words(Quadrant, np.array([1, 0])).tolist()
    ['star', 'gold']
    """
    return np.array([str(label) for label in labels], dtype=object)[codes]
