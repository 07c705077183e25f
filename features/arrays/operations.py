"""What formulas may do with NumPy arrays, and texts as numbers.

Counts, sums, days and minor units are int64, everything else float64 with NaN for missing, flags float64 of 0 and 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from features.asof import Column
from features.definitions import Computed

Array: TypeAlias = npt.NDArray[Any]
Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]

NO_TEXT = -1
"""The code of a missing text."""


class DateAskedError(Exception):
    """A formula asked for `as_of` where the arrays hold several dates: evaluate it date by date."""


@dataclass(frozen=True, eq=False)
class Texts:
    """A column of texts: equal codes for equal texts, `NO_TEXT` where missing; `code_of` finds the code of a text."""

    codes: Array
    code_of: Callable[[str], int]

    def __eq__(self, text: object) -> Array:  # type: ignore[override]  # element by element, as NumPy does
        return np.asarray(self.codes == self.code_of(str(text)))

    def __ne__(self, text: object) -> Array:  # type: ignore[override]  # element by element, as NumPy does
        return np.asarray(self.codes != self.code_of(str(text)))

    __hash__ = None  # type: ignore[assignment]  # equality is element by element, so no hash agrees with it

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: Array | slice) -> Texts:
        return Texts(self.codes[rows], self.code_of)


Values: TypeAlias = Array | Texts
Columns: TypeAlias = dict[str, Any]
"""Columns of equal length by name, each `Values`."""


class ArrayOperations:
    """`Operations` on arrays; `as_of_day` is one for all values, or one for each; None: the arrays hold several dates."""

    def __init__(self, decimals: Mapping[str, int], as_of_day: Any = None) -> None:  # noqa: ANN401  # an integer, or integers
        self._as_of_day, self._decimals = as_of_day, decimals

    @property
    def as_of_day(self) -> Any:  # noqa: ANN401  # an integer, or integers
        """See `Operations`; DateAskedError where there are several dates."""
        if self._as_of_day is None:
            raise DateAskedError
        return self._as_of_day

    def at(self, as_of_day: int | Integers) -> ArrayOperations:
        """The same for one date, or for one of each value."""
        return ArrayOperations(self._decimals, as_of_day)

    def divide(self, numerator: Column, denominator: Column) -> Column:
        """See `Operations`."""
        quotient = np.true_divide(numerator, denominator)
        if np.isinf(quotient).any():  # something over 0; 0 over 0 is NaN by itself
            quotient -= quotient - quotient  # what is infinite becomes NaN, and nothing else changes
        return quotient

    def over(self, column: Column, number: int) -> Column:
        """See `Operations`."""
        return column / number

    def where(self, condition: Column, value: Column, otherwise: Column = None) -> Column:
        """See `Operations`."""
        holds = condition if condition.dtype == bool else condition == 1
        return np.where(holds, value, np.nan if otherwise is None else otherwise)

    def is_missing(self, column: Column) -> Column:
        """See `Operations`."""
        if isinstance(column, Texts):
            return column.codes == NO_TEXT
        return np.isnan(column)

    def whole(self, column: Column) -> Column:
        """See `Operations`."""
        return np.floor(column).astype(np.int64)

    def root(self, column: Column) -> Column:
        """See `Operations`."""
        return np.sqrt(column)

    def once(self, column: Column) -> Column:
        """See `Operations`."""
        return column

    def all_below(self, column: Column, bound: float) -> bool:
        """See `Operations`."""
        return bool((column < bound).all())

    def money(self, minor_units: Column, amounts: str) -> Column:
        """See `Operations`."""
        return minor_units / 10 ** self._decimals.get(amounts, 0)  # a column that is not there is missing throughout

    def evaluate(self, computed: Computed, columns: Columns) -> Any:  # noqa: ANN401  # an array, or texts
        """The formula over these columns."""
        return computed.formula(self, *[columns[name] for name in computed.inputs])
