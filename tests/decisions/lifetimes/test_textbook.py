"""The worked examples of the textbook models, to the cent, and what must hold of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.lifetimes.textbook import contribution_value, present_value, profit_value, revenue_value

amount = st.floats(0, 1e6, allow_subnormal=False)  # no amount of money is so small that it loses digits
rate = st.floats(0, 0.5)
years = st.integers(1, 30)


def cents(value):
    return float(np.round(value, 2))


@pytest.mark.parametrize(
    ("customer", "at", "values"),
    [
        ((2000.0, 400.0, 500.0, 10.0), {"rate": 0.09, "years": 5}, (3944.83, 3505.93)),
        ((3000.0, 500.0, 1000.0, 100.0), {"rate": 0.08, "years": 10}, (9710.08, 8539.07)),
        ((0.0, 0.0, 500.0, 200.0), {"rate": 0.09, "years": 5}, (1944.83, 1166.90)),
        ((0.0, 0.0, 450.0, 100.0), {"rate": 0.09, "years": 5}, (1750.34, 1361.38)),
    ],
)
def test_the_worked_examples(customer, at, values):
    first_price, _, income, _ = customer
    assert (cents(revenue_value(first_price, income, **at)), cents(contribution_value(*customer, **at))) == values


def test_the_order_of_two_customers_turns_between_the_models():
    income, cost, at = np.array([500.0, 450.0]), np.array([200.0, 100.0]), {"rate": 0.09, "years": 5}
    by_revenue, by_contribution = revenue_value(0.0, income, **at), contribution_value(0.0, 0.0, income, cost, **at)
    assert by_revenue[0] > by_revenue[1]
    assert by_contribution[0] < by_contribution[1]


@given(customer=st.tuples(amount, amount, amount, amount), indirect=amount, rate=rate, years=years)
def test_each_model_takes_off_what_it_says(customer, indirect, rate, years):
    (first_price, acquisition, income, cost), at = customer, {"rate": rate, "years": years}
    revenue = float(revenue_value(first_price, income, **at))
    contribution = float(contribution_value(*customer, **at))
    profit = float(profit_value(contribution, indirect, **at))
    assert revenue == pytest.approx(first_price + sum(income / (1 + rate) ** t for t in range(1, years + 1)))
    assert revenue - contribution == pytest.approx(acquisition + float(present_value(cost, **at)), abs=1e-3)
    assert contribution - profit == pytest.approx(float(present_value(indirect, **at)), abs=1e-3)


@given(income=amount, rate=rate, years=years)
def test_amounts_that_differ_by_year_add_up_like_those_that_do_not(income, rate, years):
    yearly = np.full((3, years), income)
    np.testing.assert_allclose(
        present_value(yearly, rate=rate, years=years), present_value(np.full(3, income), rate=rate, years=years)
    )


def test_a_growing_income_is_discounted_year_by_year():
    assert cents(present_value(np.array([[110.0, 242.0]]), rate=0.1, years=2)[0]) == 300.00


def test_as_many_amounts_as_years_are_asked_for():
    with pytest.raises(ValueError, match="there are 2 yearly amounts for 3 years"):
        present_value(np.ones((4, 2)), rate=0.1, years=3)
