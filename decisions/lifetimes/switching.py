"""Lifetime value by share of spend: how customers go from brand to brand (or category to category), and what each gains by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from decisions.columns import Floats, Ints
from keepwell.errors import DataError

WITHIN_OUR_SHOP = "within our shop"
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Switching:
    """Brands, their shares of spend (brands,), and the chance to go from one to another at each purchase (brands, brands).

    `scope` says what the figures are of: the market that was given, or only what is bought within our shop.
    """

    brands: tuple[str, ...]
    shares: Floats
    matrix: Floats
    scope: str


def given_switching(brands: Sequence[str], shares: Floats, matrix: Floats, scope: str = "the market") -> Switching:
    """A matrix that somebody gives, checked. DataError where shares or a row of the matrix are no chances that add up to 1."""
    expected = len(brands)
    if np.shape(shares) != (expected,) or np.shape(matrix) != (expected, expected):
        rule = f"{expected} brands need {expected} shares and {expected} rows of {expected} chances"
        raise DataError("switching", None, rule, hint="give one share and one row per brand, in the same order")
    for name, row in (("shares", shares), *zip(brands, matrix, strict=True)):
        if not (np.all(row >= 0) and abs(float(np.sum(row)) - 1) <= TOLERANCE):
            raise DataError(
                "switching", name, f"must be 0 or more and add up to 1, found {np.asarray(row).tolist()}", hint="correct it"
            )
    return Switching(tuple(brands), np.asarray(shares, float), np.asarray(matrix, float), scope)


def estimated_switching(customer: Ints, order: Ints, brand: Ints, spend: Floats, brands: Sequence[str]) -> Switching:
    """Switching as our own sales show it: one entry per purchase of a customer, `order` telling which came first.

    `brand` is the position in `brands`. Shares are of `spend` (0 or more). A row counts how often one brand came next after
    another; a brand that nobody bought anything after goes on as all purchases do. Raises DataError without any spend.
    """
    if not spend.sum() > 0:
        raise DataError("transactions", None, "no purchase has a brand or a category", hint="bring the column brand or category")
    in_time = np.lexsort((brand, order, customer))
    who, what = customer[in_time], brand[in_time]
    same = who[1:] == who[:-1]
    counts = np.zeros((len(brands), len(brands)))
    np.add.at(counts, (what[:-1][same], what[1:][same]), 1.0)
    shares = np.bincount(brand, spend, minlength=len(brands)) / spend.sum()
    seen = counts.sum(axis=1, keepdims=True)
    matrix = np.where(seen > 0, counts / np.maximum(seen, 1), shares)
    return Switching(tuple(brands), shares, matrix, WITHIN_OUR_SHOP)


def shares_after(shares: Floats, matrix: Floats, purchases: int) -> Floats:
    """The shares after so many purchases; `shares` of shape (brands,), or (n, brands) with the shares of each customer.

    >>> matrix = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.25, 0.15, 0.6]])
    >>> shares_after(np.array([0.6, 0.3, 0.1]), matrix, 2).round(4)
    array([0.4075, 0.4175, 0.175 ])
    """
    return np.asarray(shares @ np.linalg.matrix_power(matrix, purchases))


def brand_values(
    shares: Floats, matrix: Floats, contribution: float, *, rate: float, last_period: int, purchases: int = 1
) -> Floats:
    """What each brand earns over the periods 0 to `last_period`, in today's money; of the shape of `shares`.

    Every purchase brings `contribution`, divided by the shares that it finds; there are `purchases` in a period, the shares go
    one step on after each, and a whole period is discounted alike.

    >>> matrix = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.25, 0.15, 0.6]])
    >>> brand_values(np.array([0.6, 0.3, 0.1]), matrix, 500.0, rate=0.09, last_period=2).round(2)
    array([689.38, 497.72, 192.45])
    """
    now, total = np.asarray(shares, dtype=np.float64), np.zeros(np.shape(shares))
    for period in range(last_period + 1):
        for _ in range(purchases):
            total += contribution * now / (1 + rate) ** period
            now = now @ matrix
    return total
