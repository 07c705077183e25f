"""Lifetime value by share of spend: the worked examples to the cent, and what must hold of any brands."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from decisions.lifetimes.switching import WITHIN_OUR_SHOP, brand_values, estimated_switching, given_switching, shares_after
from keepwell.errors import DataError

SHARES = np.array([0.6, 0.3, 0.1])
A, B, C = (0.7, 0.2, 0.1), (0.1, 0.8, 0.1), (0.25, 0.15, 0.6)
BETTER_A, BETTER_C = (0.8, 0.1, 0.1), (0.3, 0.1, 0.6)
TERMS = {"contribution": 500.0, "rate": 0.09, "last_period": 2}
chances = st.integers(1, 6).flatmap(
    lambda n: arrays(np.float64, (n + 1, n), elements=st.floats(0.01, 1)).map(lambda x: x / x.sum(axis=1, keepdims=True))
)


@pytest.mark.parametrize(
    ("rows", "after_one", "after_two", "values"),
    [
        ((A, B, C), (0.475, 0.375, 0.15), (0.4075, 0.4175, 0.175), (689.38, 497.72, 192.45)),
        ((BETTER_A, B, C), (0.535, 0.315, 0.15), (0.497, 0.328, 0.175), (754.57, 432.53, 192.45)),
        ((BETTER_A, B, BETTER_C), None, None, (761.49, 425.61, 192.45)),
    ],
)
def test_the_worked_examples(rows, after_one, after_two, values):
    matrix = np.array(rows)
    for purchases, expected in ((1, after_one), (2, after_two)):
        if expected is not None:
            np.testing.assert_allclose(shares_after(SHARES, matrix, purchases), expected, atol=5e-4)
    np.testing.assert_array_equal(brand_values(SHARES, matrix, **TERMS).round(2), values)


def test_two_purchases_a_period_step_the_shares_twice_and_are_discounted_alike():
    values = brand_values(SHARES, np.array([A, B, C]), **TERMS, purchases=2)
    np.testing.assert_array_equal(values.round(2), [1184.87, 1118.57, 455.68])


@given(both=chances, purchases=st.integers(1, 4), periods=st.integers(0, 6), rate=st.floats(0, 0.5))
def test_what_the_brands_earn_adds_up_to_what_is_spent(both, purchases, periods, rate):
    shares, matrix = both[0], both[1:]
    values = brand_values(shares, matrix, 500.0, rate=rate, last_period=periods, purchases=purchases)
    spent = sum(500.0 * purchases / (1 + rate) ** t for t in range(periods + 1))
    assert values.sum() == pytest.approx(spent)
    assert (values >= 0).all()
    assert shares_after(shares, matrix, purchases).sum() == pytest.approx(1)


@given(both=chances)
def test_customers_with_shares_of_their_own_are_valued_one_by_one(both):
    matrix = both[1:]
    each = np.eye(len(matrix))
    values = brand_values(each, matrix, **TERMS)
    for row, value in zip(each, values, strict=True):
        np.testing.assert_allclose(brand_values(row, matrix, **TERMS), value)


def test_a_matrix_is_estimated_from_long_paths_as_it_was():
    rng, matrix = np.random.default_rng(0), np.array([A, B, C])
    people, steps = 400, 60
    brand = np.zeros((people, steps), dtype=np.int64)
    for step in range(1, steps):
        draws = rng.random(people)[:, None]
        brand[:, step] = (draws > np.cumsum(matrix, axis=1)[brand[:, step - 1]]).sum(axis=1)
    customer, order = (grid.ravel() for grid in np.mgrid[:people, :steps])
    turned = rng.permutation(customer.size)
    found = estimated_switching(customer[turned], order[turned], brand.ravel()[turned], np.ones(customer.size), ("A", "B", "C"))
    np.testing.assert_allclose(found.matrix, matrix, atol=0.02)
    np.testing.assert_allclose(found.matrix.sum(axis=1), 1)
    assert found.scope == WITHIN_OUR_SHOP


def test_a_brand_that_nothing_followed_goes_on_as_all_purchases_do():
    found = estimated_switching(np.array([0, 0, 1]), np.array([1, 2, 1]), np.array([0, 1, 2]), np.array([1.0, 2, 1]), "ABC")
    np.testing.assert_array_equal(found.shares, [0.25, 0.5, 0.25])
    np.testing.assert_array_equal(found.matrix, [[0, 1, 0], [0.25, 0.5, 0.25], [0.25, 0.5, 0.25]])


@pytest.mark.parametrize(
    ("shares", "matrix", "message"),
    [
        ([0.5, 0.6], [[1, 0], [0, 1]], "switching.shares: must be 0 or more and add up to 1, found"),
        ([0.5, 0.5], [[1, 0], [0.2, 0.9]], "switching.tea: must be 0 or more and add up to 1, found"),
        ([0.5, 0.5], [[1.5, -0.5], [0, 1]], "switching.cake: must be 0 or more"),
        ([0.5, 0.5], [[1, 0]], "2 brands need 2 shares and 2 rows of 2 chances"),
    ],
)
def test_a_matrix_that_cannot_be_one_is_refused(shares, matrix, message):
    with pytest.raises(DataError, match=message):
        given_switching(["cake", "tea"], np.array(shares), np.array(matrix, float))


def test_sales_without_brands_are_refused():
    nothing = np.array([], dtype=np.int64)
    with pytest.raises(DataError, match="no purchase has a brand or a category"):
        estimated_switching(nothing, nothing, nothing, np.array([]), ())
