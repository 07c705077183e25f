"""The example that is kept with a model shows what rows look like, and is nobody's."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from training.registry.run import EXAMPLE_ROWS, nobodys_rows

values = st.floats(-1e9, 1e9) | st.just(float("nan"))


@given(arrays(np.float64, st.tuples(st.integers(1, 30), st.integers(1, 6)), elements=values))
def test_each_feature_by_itself_has_values_of_its_own_in_rising_order(matrix: np.ndarray) -> None:
    example = nobodys_rows(matrix)
    assert example.shape == (EXAMPLE_ROWS, matrix.shape[1])
    for shown, held in zip(example.T, matrix.T, strict=True):
        known = held[~np.isnan(held)]
        assert set(shown[~np.isnan(shown)]) <= set(known)
        assert np.isnan(shown).all() == (len(known) == 0)
        assert (np.diff(shown[~np.isnan(shown)]) >= 0).all()


def test_no_customer_is_in_the_example_of_a_crowd() -> None:
    crowd = np.random.default_rng(0).normal(size=(1_000, 8))
    assert not {tuple(row) for row in nobodys_rows(crowd)} & {tuple(row) for row in crowd}
