"""The distance of two distributions: its laws, and what chance does to it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.monitor.histograms import BINS, bin_counts, distance, distance_by_chance, inner_edges

numbers = st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")) | st.sampled_from([0.0, 1.0]), min_size=1, max_size=200)
counts = st.integers(2, 12).flatmap(lambda size: st.tuples(*(st.lists(st.integers(0, 5000), min_size=size, max_size=size),) * 2))


@given(numbers)
def test_every_known_value_is_in_one_bin(values: list[float]) -> None:
    column = np.array(values)
    edges = inner_edges(column)
    assert list(edges) == sorted(set(edges))
    assert len(edges) <= BINS
    assert bin_counts(column, edges).sum() == (~np.isnan(column)).sum()


@given(numbers)
def test_the_order_of_the_customers_changes_nothing(values: list[float]) -> None:
    column = np.array(values)
    assert inner_edges(column) == inner_edges(column[::-1])


@given(counts)
def test_the_distance_is_symmetric_and_never_negative(pair: tuple[list[int], list[int]]) -> None:
    before, now = (np.array(each) for each in pair)
    assert distance(before, now) >= 0
    assert distance(before, now) == pytest.approx(distance(now, before))
    assert distance(before, before) == 0


def test_what_is_below_a_common_smallest_value_has_a_bin_of_its_own() -> None:
    edges = inner_edges(np.zeros(50))
    assert bin_counts(np.array([-1.0, 0.0, 0.0, 2.0]), edges).tolist() == [1, 2, 1]


@pytest.mark.parametrize("size", [300, 3_000, 30_000])
def test_chance_alone_exceeds_its_limit_as_often_as_it_says(size: int) -> None:
    random = np.random.default_rng(size)
    exceeded = 0
    for _ in range(400):
        before, now = random.normal(size=(2, size))
        edges = inner_edges(before)
        limit = distance_by_chance(size, size, len(edges) + 1, 0.05)
        exceeded += bool(distance(bin_counts(before, edges), bin_counts(now, edges)) > limit)
    assert 0.02 <= exceeded / 400 <= 0.09


def test_an_empty_sample_is_never_beyond_chance() -> None:
    assert distance_by_chance(0, 10, 10, 0.05) == float("inf")
