"""The shared formulas, against other ways to the same number, in both executors."""

from __future__ import annotations

import math
import statistics
from datetime import date

import narwhals as nw
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.arrays import ArrayOperations
from features.asof import Column, day_number, month_of
from features.definitions import Formula
from features.formulas import FEW_VALUES, SMALL_SQUARES, SPLIT, deviation, deviation_of_small, millionths, month_number, quotient
from features.frames import FrameOperations

ARRAYS, FRAMES = ArrayOperations({}, 0), FrameOperations({}, 0)
whole_amounts = st.lists(st.integers(0, 2**40) | st.integers(2**40, 2**40 + 3), max_size=20)


def in_frames(formula: Formula, **columns: list[float] | list[int]) -> list[float | None]:
    expression = formula(FRAMES, *(nw.col(name) for name in columns)).alias("made")
    return nw.from_native(pl.DataFrame(columns)).select(expression).to_native()["made"].to_list()


def sums_of_parts(amounts: list[int]) -> tuple[int, ...]:
    """Count, sum, and the sums of high, high*high, high*low, low*low."""
    parts = [divmod(amount, SPLIT) for amount in amounts]
    squares = [sum(column) for column in zip(*((h * h, h * low, low * low) for h, low in parts), strict=True)] or [0, 0, 0]
    return (len(amounts), sum(amounts), sum(high for high, _ in parts), *squares)


@given(amounts=whole_amounts)
def test_the_deviation_of_split_sums_is_that_of_the_amounts(amounts: list[int]) -> None:
    expected = statistics.stdev(amounts) if len(amounts) > 1 else None
    (made,) = in_frames(deviation, **{f"c{place}": [value] for place, value in enumerate(sums_of_parts(amounts))})
    assert made == (None if expected is None else pytest.approx(expected, rel=1e-12))


class Unsure(ArrayOperations):
    """Arrays that never tell that values are small."""

    def all_below(self, _column: Column, _bound: float) -> bool:
        return False


small_amounts = st.lists(st.integers(-(2**26), 2**26) | st.integers(0, 2**15), max_size=300)


@given(amounts=small_amounts)
def test_the_short_way_to_the_deviation_gives_the_same_bits(amounts: list[int]) -> None:
    sums = [np.array([value]) for value in sums_of_parts(amounts)]
    with np.errstate(divide="ignore", invalid="ignore"):
        short, long = deviation(ARRAYS, *sums), deviation(Unsure({}, 0), *sums)
    assert short.tobytes() == long.tobytes()


def test_the_largest_squares_that_go_the_short_way_are_exact() -> None:
    high, count = math.isqrt(SMALL_SQUARES // FEW_VALUES), FEW_VALUES - 1
    amounts = [(high + 1) * SPLIT - 1] * (count - 1) + [0]
    short = deviation(ARRAYS, *(np.array([value]) for value in sums_of_parts(amounts)))
    assert sums_of_parts(amounts)[3] < SMALL_SQUARES
    assert short.tolist() == [pytest.approx(statistics.stdev(amounts), rel=1e-15)]


@given(amount=st.integers(0, 2**40), count=st.integers(2, 100))
def test_equal_amounts_have_a_deviation_of_exactly_0(amount: int, count: int) -> None:
    (made,) = in_frames(deviation, **{f"c{place}": [value] for place, value in enumerate(sums_of_parts([amount] * count))})
    assert made == 0


@pytest.mark.parametrize(("count", "largest"), [(12_000, 10**7), (12_000, 10**11), (3_000, 2 * 10**12), (70_000, 10**10)])
def test_the_deviation_of_more_values_than_integers_hold_is_right(count: int, largest: int) -> None:
    amounts = np.random.default_rng(0).integers(0, largest, count)
    sums = sums_of_parts(amounts.tolist())
    expected = pytest.approx(amounts.std(ddof=1), rel=1e-12)
    assert in_frames(deviation, **{f"c{place}": [value] for place, value in enumerate(sums)}) == [expected]
    assert deviation(ARRAYS, *(np.array([value]) for value in sums)).tolist() == [expected]


@given(gaps=st.lists(st.integers(1, 40_000), max_size=30))
def test_the_deviation_of_gaps_is_that_of_the_textbook(gaps: list[int]) -> None:
    expected = statistics.stdev(gaps) if len(gaps) > 1 else None
    (made,) = in_frames(deviation_of_small, n=[len(gaps)], total=[sum(gaps)], squares=[sum(gap * gap for gap in gaps)])
    assert made == (None if expected is None else pytest.approx(expected, rel=1e-12))


def test_the_month_of_every_day_of_two_centuries_is_that_of_the_calendar() -> None:
    days = list(range(day_number(date(1900, 1, 1)), day_number(date(2101, 1, 1))))
    expected = [month_of(day) for day in days]
    assert in_frames(month_number, day=days) == expected
    assert month_number(ARRAYS, np.array(days, dtype=float)).tolist() == expected


@given(whole=st.integers(-(2**40), 2**40), number=st.sampled_from((4, 153, 1_461, 146_097, SPLIT)))
def test_a_quotient_is_pythons(whole: int, number: int) -> None:
    (made,) = in_frames(lambda c, column: quotient(c, column, number), whole=[whole])
    assert made == whole // number


@given(parts=st.integers(-(10**15), 10**15))
def test_numbers_with_six_decimals_are_whole_millionths(parts: int) -> None:
    assert millionths(ARRAYS, np.array([parts / 10**6])).tolist() == [parts]


def test_a_missing_number_adds_no_millionths() -> None:
    assert millionths(ARRAYS, np.array([np.nan])).tolist() == [0]


@pytest.mark.parametrize(("numerator", "denominator"), [(1.0, 0.0), (1.0, None), (None, 1.0), (0.0, 0.0)])
def test_a_quotient_over_0_or_of_a_missing_number_is_missing(numerator: float | None, denominator: float | None) -> None:
    assert in_frames(lambda c, a, b: c.divide(a, b), a=[numerator, 1.0], b=[denominator, 2.0]) == [None, 0.5]
    with np.errstate(divide="ignore", invalid="ignore"):
        made = ARRAYS.divide(np.array([numerator], dtype=float), np.array([denominator], dtype=float))
    assert np.isnan(made).all()
