"""Rows that come as usual raise nothing; a flood, a drought and a silence do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.monitor.volumes import WINDOW_DAYS, silence, silence_troubles, volume_troubles, window_counts

AS_OF = 20_000


@given(st.lists(st.integers(AS_OF - 1_000, AS_OF - 1), max_size=300))
def test_each_row_of_a_whole_window_is_counted_once(days: list[int]) -> None:
    column = np.array(days, dtype=np.int64)
    windows = window_counts(column, AS_OF)
    inside = [day for day in days if day >= AS_OF - WINDOW_DAYS * len(windows)]
    assert windows.sum() == len(inside)
    assert len(windows) == ((AS_OF - min(days)) // WINDOW_DAYS if days else 0)


def test_steady_rows_raise_nothing_in_a_hundred_companies() -> None:
    random = np.random.default_rng(0)
    assert not [list(found) for _ in range(100) if (found := list(volume_troubles(random.poisson(60, 15), 3)))]


def test_a_season_that_turns_every_year_is_usual() -> None:
    windows = (1_000 + 500 * np.cos(np.arange(27) * 2 * np.pi / 13)).astype(np.int64)
    for newest in range(10):
        assert list(volume_troubles(windows[newest:], 3)) == []


@pytest.mark.parametrize("factor", [0.0, 0.4, 2.5])
def test_a_change_against_the_window_before_is_told(factor: float) -> None:
    windows = np.array([int(1_000 * factor), *[1_000] * 8])
    (told,) = volume_troubles(windows, 1)
    assert told == f"{windows[0]:,} rows in the last 28 days, 1,000 in the 28 before"


def test_a_change_since_training_is_told_also_when_it_is_old() -> None:
    (told,) = volume_troubles(np.array([400, 400, 400, *[1_000] * 8]), 3)
    assert told == "400 rows in the last 28 days, 1,000 in as many at training, 84 days earlier"


def test_few_rows_may_double_by_chance_and_a_short_history_knows_nothing_usual() -> None:
    assert list(volume_troubles(np.array([8, *[4] * 8]), 1)) == []
    assert list(volume_troubles(np.array([0, 1_000, 1_000]), 1)) == []


def test_a_table_is_silent_after_twice_its_longest_gap() -> None:
    weekly = np.arange(AS_OF - 200, AS_OF - 20, 7)
    silent, longest = silence(weekly, AS_OF)
    assert (silent, longest) == (24, 6)
    assert list(silence_troubles(silent, longest)) == ["nothing for 24 days; the longest gap of the year before was 6 days"]
    assert list(silence_troubles(12, 6)) == []
    assert list(silence_troubles(*silence(np.array([], dtype=np.int64), AS_OF))) == []
