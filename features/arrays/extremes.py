"""The least or greatest value of any range of rows by two look-ups.

After M. A. Bender and M. Farach-Colton, "The LCA problem revisited" (2000): level k holds the extreme of the 2**k values that
begin at each row. A range is covered by two such stretches, one that begins where it begins and one that ends where it ends.
"""

from __future__ import annotations

import numpy as np

from features.arrays.operations import Array, Floats, Integers


class RangeExtremes:
    """The minima or maxima of a column, for ranges of at most `longest` rows; NaN where a range holds no value.

    >>> RangeExtremes("max", np.array([3.0, np.nan, 7.0, 1.0]), 4).of(np.array([0, 1, 2]), np.array([4, 2, 2]))
    array([ 7., nan, nan])
    """

    def __init__(self, how: str, column: Array, longest: int) -> None:
        self._combine: np.ufunc = np.minimum if how == "min" else np.maximum
        self._nothing = np.inf if how == "min" else -np.inf
        values = np.append(column, self._nothing)  # an empty range may begin after the last row
        values[np.isnan(values)] = self._nothing
        levels = [values]
        for level in range(max(longest, 1).bit_length() - 1):
            step, below = 1 << level, levels[-1]
            levels.append(self._combine(below[:-step], below[step:]) if len(below) > step else below[:0])
        self._values = np.concatenate(levels)
        self._begins = np.cumsum([0, *map(len, levels)])

    def of(self, first: Integers, end: Integers) -> Floats:
        """The extreme of the rows from each `first` to the one before `end`."""
        length = end - first
        level = np.frexp(np.maximum(length, 1))[1] - 1
        begin = self._begins[level]
        last = np.maximum(end - (1 << level), first)
        extreme = self._combine(self._values[begin + first], self._values[begin + last])
        return np.where((length == 0) | (extreme == self._nothing), np.nan, extreme)
