"""Days, and the one door to time."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from features.asof import NEVER_DAY, day_date, day_number, known_before, month_of

DAYS = st.integers(day_number(date(1900, 1, 1)), day_number(date(2100, 12, 31)))


@given(day=DAYS)
def test_day_numbers_and_dates_are_each_others_inverse(day: int) -> None:
    assert day_number(day_date(day)) == day


@given(day=DAYS)
def test_the_month_changes_where_the_calendar_says_so(day: int) -> None:
    assert month_of(day + 1) - month_of(day) == (day_date(day + 1).day == 1)


@given(as_of=DAYS, known=DAYS)
def test_a_row_counts_only_on_days_after_it_became_known(as_of: int, known: int) -> None:
    assert known_before(as_of, known) is (known < as_of)


@given(as_of=DAYS, known=DAYS, replaced=DAYS)
def test_of_a_row_and_its_successor_exactly_one_counts_once_the_first_is_known(as_of: int, known: int, replaced: int) -> None:
    known, replaced = sorted((known, replaced))
    counts = [known_before(as_of, known, replaced), known_before(as_of, replaced)]
    assert sum(counts) == (known < as_of)


def test_what_never_happens_is_not_known_at_any_date() -> None:
    assert not known_before(day_number(date(2100, 12, 31)), NEVER_DAY)


def test_arrays_and_expressions_are_compared_alike() -> None:
    known, replaced = [1, 9, 10, 5], [NEVER_DAY, NEVER_DAY, NEVER_DAY, 9]
    expected = [True, True, False, False]
    assert known_before(10, np.array(known), np.array(replaced)).tolist() == expected
    frame = pl.DataFrame({"known": known, "replaced": replaced})
    assert frame.select(counts=known_before(10, pl.col("known"), pl.col("replaced")))["counts"].to_list() == expected
