import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from decisions.concentration import customers_bringing, gini, lorenz_curve

amounts = st.integers(1, 50).flatmap(lambda n: arrays(np.float64, n, elements=st.one_of(st.floats(-1e6, 1e6), st.just(np.nan))))
positive = st.integers(1, 50).flatmap(lambda n: arrays(np.float64, n, elements=st.floats(0.01, 1e6)))


@given(values=positive)
def test_the_curve_rises_from_nothing_to_all_and_lies_below_the_line_of_equals(values):
    customers, value = lorenz_curve(values)
    assert (customers[0], customers[-1], value[0]) == (0, 1, 0)
    assert value[-1] == pytest.approx(1)
    assert (np.diff(value) >= 0).all()
    assert (value <= customers + 1e-9).all()


@given(values=amounts, shift=st.floats(0.1, 100))
def test_the_gini_coefficient_lies_between_0_and_1_and_knows_no_currency(values, shift):
    found = gini(values)
    if not (values > 0).any():
        assert np.isnan(found)
    else:
        assert -1e-9 <= found < 1
        assert gini(values * shift) == pytest.approx(found, abs=1e-6)


@given(values=positive)
def test_it_is_half_the_mean_difference_over_the_mean(values):
    differences = np.abs(values[:, None] - values[None, :]).mean()
    assert gini(values) == pytest.approx(differences / (2 * values.mean()), abs=1e-9)


@given(values=amounts, share=st.sampled_from([0.5, 0.75, 0.9]))
def test_no_fewer_customers_would_bring_the_share(values, share):
    part = customers_bringing(values, share)
    falling = np.sort(values[values > 0])[::-1]
    if not falling.size:
        assert np.isnan(part)
        return
    needed = round(part * values.size)
    assert falling[:needed].sum() >= share * falling.sum() * (1 - 1e-9)
    assert falling[: needed - 1].sum() < share * falling.sum() * (1 + 1e-9)


def test_among_equals_half_brings_half():
    assert customers_bringing(np.ones(10), 0.5) == 0.5
    assert customers_bringing(np.array([97.0, 1, 1, 1]), 0.9) == 0.25
