"""The textbook models of a customer's lifetime value: revenue, contribution, profit. Years count from 1, each paid at its end."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from decisions.columns import Floats

Amounts: TypeAlias = Floats | float


def present_value(yearly: Amounts, *, rate: float, years: int) -> Floats:
    """What a yearly amount of `years` years, from one year on, is worth today: sum of yearly / (1 + rate) ** t.

    `yearly` is a number, or of shape (n,) with one amount per customer, or (n, years) with one per customer and year.

    >>> float(present_value(500.0, rate=0.09, years=5).round(2))
    1944.83
    """
    discount = (1 + rate) ** -np.arange(1.0, years + 1)
    amounts = np.asarray(yearly, dtype=np.float64)
    if amounts.ndim < 2:
        return np.asarray(amounts * discount.sum())
    if amounts.shape[1] != years:
        raise ValueError(f"there are {amounts.shape[1]} yearly amounts for {years} years")
    return np.asarray(amounts @ discount)


def revenue_value(first_price: Amounts, income: Amounts, *, rate: float, years: int) -> Floats:
    """What a customer pays: the first price, and the income of later years.

    >>> float(revenue_value(2000.0, 500.0, rate=0.09, years=5).round(2))
    3944.83
    """
    return np.asarray(first_price + present_value(income, rate=rate, years=years))


def contribution_value(
    first_price: Amounts, acquisition_cost: Amounts, income: Amounts, service_cost: Amounts, *, rate: float, years: int
) -> Floats:
    """What a customer contributes: revenue less the cost to win and, year by year, to serve them.

    >>> float(contribution_value(2000.0, 400.0, 500.0, 10.0, rate=0.09, years=5).round(2))
    3505.93
    """
    yearly = np.asarray(income, dtype=np.float64) - service_cost
    return np.asarray(first_price - np.asarray(acquisition_cost) + present_value(yearly, rate=rate, years=years))


def profit_value(contribution: Amounts, indirect_cost: Amounts, *, rate: float, years: int) -> Floats:
    """What is left of a `contribution` when the customer bears an allocated part of the indirect cost of each year.

    >>> float(profit_value(3505.93, 100.0, rate=0.09, years=5).round(2))
    3116.96
    """
    return np.asarray(contribution - present_value(indirect_cost, rate=rate, years=years))
