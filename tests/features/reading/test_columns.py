import math
from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.reading.columns import (
    fewest_decimals,
    read_attribute,
    read_flags,
    read_ids,
    read_money,
    read_numbers,
    read_summed_numbers,
    read_texts,
)
from features.reading.refusals import Place
from features.tables import TRANSACTIONS, Column, Kind
from keepwell.errors import DataError

PLACE = Place("transactions", "amount")
AMOUNT = Column("amount", Kind.MONEY, "", required=True)
COST = Column("cost", Kind.MONEY, "")


@given(st.integers(0, 6), st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=20))
def test_amounts_come_back_exactly_from_their_minor_units(decimals, units) -> None:
    amounts = [unit / 10**decimals for unit in units]
    money = read_money(PLACE, pl.Series(amounts), AMOUNT)
    assert money.decimals <= decimals
    assert [unit * 10**money.decimals for unit in units] == [minor * 10**decimals for minor in money.minor]
    assert money.rounded == 0


@given(st.lists(st.tuples(st.integers(1, 500), st.integers(1, 100_000)), min_size=1, max_size=20))
def test_the_noise_of_products_and_sums_is_no_decimal(lines) -> None:
    amounts = [quantity * (cents / 100) for quantity, cents in lines]
    money = read_money(PLACE, pl.Series([*amounts, math.fsum(amounts) - amounts[0]]), AMOUNT)
    assert money.decimals <= 2
    assert money.minor.to_list()[:-1] == [q * cents // 10 ** (2 - money.decimals) for q, cents in lines]


def test_the_fewest_decimals_are_taken() -> None:
    assert read_money(PLACE, pl.Series([5, 7]), AMOUNT).decimals == 0
    assert read_money(PLACE, pl.Series([5.5, 7.0]), AMOUNT).decimals == 1
    assert read_money(PLACE, pl.Series([0.001, 12.25]), AMOUNT).minor.to_list() == [1, 12_250]
    assert read_money(PLACE, pl.Series([0.1, 2.35], dtype=pl.Float32), AMOUNT).minor.to_list() == [10, 235]
    assert read_money(PLACE, pl.Series([Decimal("1.10"), Decimal("2.00")]), AMOUNT).minor.to_list() == [11, 20]


def test_what_six_decimals_do_not_reproduce_is_rounded_and_counted() -> None:
    money = read_money(PLACE, pl.Series([1 / 3, 2.5]), AMOUNT)
    assert (money.minor.to_list(), money.decimals, money.rounded) == ([333_333, 2_500_000], 6, 1)


def test_decimals_beyond_cents_yield_to_large_amounts() -> None:
    amounts = [1_000_000 + n / 7 for n in range(20_000)]
    money = read_money(PLACE, pl.Series(amounts), AMOUNT)
    assert 2 <= money.decimals < 6
    assert money.minor.to_list() == [round(amount * 10**money.decimals) for amount in amounts]


def test_given_decimals_are_kept() -> None:
    money = read_money(PLACE, pl.Series([1.25, 3.0]), AMOUNT, decimals=1)
    assert (money.minor.to_list(), money.decimals, money.rounded) == ([12, 30], 1, 1)


def test_missing_money_is_not_zero() -> None:
    assert read_money(PLACE, pl.Series([None, 1.5, math.nan]), COST).minor.to_list() == [None, 15, None]


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ([math.nan, 1.0], r"must be a number, not NaN \(1 row, for example nan\)"),
        ([-math.inf, 1.0], r"must be finite \(1 row, for example -inf\)"),
        (["1,50", "2"], r"must be a number \(1 row, for example '1,50'\)"),
        (["inf"], r"must be finite \(1 row, for example 'inf'\)"),
        ([1e18, 1.0], r"is too large to be summed exactly in 64-bit minor units \(1 row, for example 1e\+18\)"),
        ([1e308, 0.000001], r"is too large .* \(1 row, for example 1e\+308\)"),
        ([[1.0]], "must be a number, not List"),
    ],
)
def test_what_is_no_amount_is_refused(values, rule) -> None:
    with pytest.raises(DataError, match=rf"transactions\.amount: {rule}"):
        read_money(PLACE, pl.Series(values), AMOUNT)


def test_sums_of_squares_of_accepted_amounts_fit_64_bits() -> None:
    largest = 2.0**45  # a single line; its high part squared is 2**50
    minor = read_money(PLACE, pl.Series([largest]), AMOUNT).minor.to_numpy()
    assert int((minor >> 20)[0]) ** 2 < 2**63


def test_quantities_whose_squares_leave_64_bits_are_refused() -> None:
    quantity = TRANSACTIONS.column("quantity")
    kept = read_summed_numbers(PLACE, pl.Series([5e7, None, -1.5]), quantity)
    assert kept.to_list() == [5e7, None, -1.5]
    with pytest.raises(DataError, match=r"summed exactly in 64-bit millionths \(1 row, for example 900000000\.0\)"):
        read_summed_numbers(PLACE, pl.Series([9e8, 1.0]), quantity)


def test_no_value_is_rounded_by_more_than_its_noise() -> None:
    assert fewest_decimals(np.array([1e-7]), np.array([1e-9])) == 6


@given(st.lists(st.one_of(st.none(), st.text(min_size=1, max_size=8).filter(lambda text: "\x00" not in text))))
def test_text_ids_stay_as_they_are(ids) -> None:
    assert read_ids(PLACE, pl.Series(ids, dtype=pl.String)).to_list() == ids


def test_leading_zeros_stay_and_the_empty_id_is_missing() -> None:
    assert read_ids(PLACE, pl.Series(["00001", ""])).to_list() == ["00001", None]


@pytest.mark.parametrize("dtype", [pl.Int8, pl.UInt16, pl.Int32, pl.Int64, pl.UInt64, pl.Float64])
def test_whole_numbers_stay_integers(dtype) -> None:
    read = read_ids(PLACE, pl.Series([1, None, 100], dtype=dtype))
    assert read.dtype == pl.Int64
    assert read.to_list() == [1, None, 100]


@pytest.mark.parametrize(
    ("series", "rule"),
    [
        (pl.Series([1.5, 2.0]), r"must be whole numbers below 2\*\*63 \(1 row, for example 1.5\)"),
        (pl.Series([2**64 - 1], dtype=pl.UInt64), r"must be whole numbers below 2\*\*63 \(1 row"),
        (pl.Series([True]), "must be text or whole numbers, not Boolean"),
        (pl.Series([b"x"]), "must be text or whole numbers, not Binary"),
    ],
)
def test_what_is_no_id_is_refused(series, rule) -> None:
    with pytest.raises(DataError, match=rule):
        read_ids(PLACE, series)


def test_numbers_keep_to_their_range() -> None:
    severity = Column("severity", Kind.NUMBER, "", low=1, high=5)
    assert read_numbers(PLACE, pl.Series(["1", "", "NA", " 5.0 "]), severity).to_list() == [1.0, None, None, 5.0]
    with pytest.raises(DataError, match=r"must lie in 1 to 5 \(2 rows, for example 0\)"):
        read_numbers(PLACE, pl.Series([0, 3, 6]), severity)


def test_flags_are_zero_and_one() -> None:
    assert read_flags(PLACE, pl.Series(["yes", "No", "TRUE", "0", "", None])).to_list() == [1.0, 0.0, 1.0, 0.0, None, None]
    assert read_flags(PLACE, pl.Series([True, None, False])).to_list() == [1.0, None, 0.0]
    assert read_flags(PLACE, pl.Series([1.0, math.nan])).to_list() == [1.0, None]
    for values in (["maybe"], [2]):
        with pytest.raises(DataError, match=r"must be yes or no \(1 row"):
            read_flags(PLACE, pl.Series(values))


def test_texts_are_written_out_and_kept_to_choices() -> None:
    assert read_texts(PLACE, pl.Series([1.0, None])).to_list() == ["1", None]
    assert read_texts(PLACE, pl.Series(["A", ""])).to_list() == ["A", None]
    assert read_texts(PLACE, pl.Series([" Treated"]), ("treated", "control")).to_list() == ["treated"]
    with pytest.raises(DataError, match=r"must be one of treated, control \(1 row, for example 'both'\)"):
        read_texts(PLACE, pl.Series(["both", None]), ("treated", "control"))


@pytest.mark.parametrize(
    ("values", "typeless", "expected"),
    [
        (["1", "2.5", ""], True, [1.0, 2.5, None]),
        (["1", "2.5", ""], False, ["1", "2.5", None]),
        (["007", "010"], True, ["007", "010"]),
        (["a", "1"], True, ["a", "1"]),
        ([".", "1"], True, [".", "1"]),
        ([".5", "-1e3"], True, [0.5, -1000.0]),
        ([True, None], False, [1.0, None]),
        ([3, 4], False, [3.0, 4.0]),
    ],
)
def test_attributes_are_numbers_or_texts(values, typeless, expected) -> None:
    assert read_attribute(PLACE, pl.Series(values), typeless=typeless).to_list() == expected


def test_a_list_is_no_attribute() -> None:
    assert read_attribute(PLACE, pl.Series([[1]]), typeless=False) is None
