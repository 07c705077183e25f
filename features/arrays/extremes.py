"""The least or greatest value of any range of rows by two look-ups.

After M. A. Bender and M. Farach-Colton, "The LCA problem revisited" (2000): level k holds the extreme of the 2**k values that
begin at each row. A range is covered by two such stretches, one that begins where it begins and one that ends where it ends.
"""

from __future__ import annotations

import numpy as np

from features.arrays.operations import Array, Floats, Integers

FEW_RANGES = 8
"""Up to here it is quicker to go through each range than to make the levels."""


class RangeExtremes:
    """The minima or maxima of a column, for ranges of at most `longest` rows; NaN where a range holds no value.

    >>> RangeExtremes("max", np.array([3.0, np.nan, 7.0, 1.0]), 4).of(np.array([0, 1, 2]), np.array([4, 2, 2]))
    array([ 7., nan, nan])
    """

    def __init__(self, how: str, column: Array, longest: int) -> None:
        self._combine: np.ufunc = np.fmin if how == "min" else np.fmax  # what is NaN does not count in either
        self._column: Floats = column.astype(np.float64, copy=False)
        self._longest = longest
        self._levels: Floats | None = None
        self._firsts = self._lasts = np.zeros(0, dtype=np.int64)

    def of(self, first: Integers, end: Integers) -> Floats:
        """The extreme of the rows from each `first` to the one before `end`."""
        return self._one_by_one(first, end) if len(first) <= FEW_RANGES else self._by_levels(first, end)

    def _one_by_one(self, first: Integers, end: Integers) -> Floats:
        ranges = zip(first.tolist(), end.tolist(), strict=True)
        return np.array([self._combine.reduce(self._column[begin:stop], initial=np.nan) for begin, stop in ranges])

    def _by_levels(self, first: Integers, end: Integers) -> Floats:
        if self._levels is None:
            self._levels = self._made()
        length = end - first
        place = self._firsts.take(length)
        place += first
        extreme: Floats = self._levels.take(place)
        self._lasts.take(length, out=place, mode="clip")  # never clipped, but only so NumPy writes straight to `out`
        place += end
        self._combine(extreme, self._levels.take(place), out=extreme)
        return extreme

    def _made(self) -> Floats:
        """The levels, one after the other; the last one, of nothing, is for empty ranges.

        For each length of a range: what leads from its first row, and from its end, to the two stretches that cover it.
        """
        levels: list[Floats] = [self._column]
        for level in range(max(self._longest, 1).bit_length() - 1):
            step, below = 1 << level, levels[-1]
            levels.append(self._combine(below[:-step], below[step:]))
        begins = np.cumsum([0, *map(len, levels)])
        lengths = np.arange(self._longest + 1)
        level_of = np.frexp(lengths)[1] - 1  # of the length 0 it is -1, which is the last
        self._firsts = begins[level_of]
        self._lasts = self._firsts - np.where(lengths > 0, 1 << np.maximum(level_of, 0), 0)
        return np.concatenate([*levels, np.full(len(self._column) + 1, np.nan)])
