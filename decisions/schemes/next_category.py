"""The category that a customer is most likely to come to next, from the paths that all customers took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array, diags_array

from decisions.columns import Floats, Ints

CHUNK = 50_000
"""Customers handled at a time: the table of customers by categories stays small."""
TIE = 1e-9
"""Far below any difference of chances that means something: lets popularity decide ties and nothing else."""


@dataclass(frozen=True)
class Steps:
    """How customers went on from category to category, as counts, which add up in any order.

    `follows` has a row (a, b, k, n) for each a and b: n times came b in the step after one of k categories, among them a, so that
    a has a k-th part in it. `customers_of` counts the customers of each category, `customers` all of them.
    """

    follows: Ints
    customers_of: Ints
    customers: int

    def preference(self) -> Floats:
        """(categories, categories): how much speaks for going on from the one to the other."""
        size = self.customers_of.size
        sums = np.zeros((size, size))
        for parts in np.unique(self.follows[:, 2]):  # ascending: the same sums wherever the counts came from
            a, b, _, count = self.follows[self.follows[:, 2] == parts].T
            sums += csr_array((count / parts, (a, b)), shape=(size, size)).toarray()
        return sums + TIE * self.customers_of / self.customers


def next_categories(customer: Ints, day: Ints, category: Ints, *, customers: int, categories: int) -> Ints:
    """The most likely next new category of each customer, shape (customers,); -1 where there is none.

    One entry of the three arrays per purchase known before the date of scoring: position of the customer, day, position of the
    category; -1 for a category that is not known. A path is made of steps: the days on which a customer bought of categories
    that were new to them. Counted is how often one category came in the step after another (each category of a step has an equal
    part in what follows). The answer is the most frequent follower of the customer's last step among the categories that they
    have not bought of; ties, and followers never seen, go to the category with more customers, then to the lower position.
    """
    steps = steps_of(customer, day, category, customers=customers, categories=categories)
    return next_after(customer, day, category, customers=customers, steps=steps)


def steps_of(customer: Ints, day: Ints, category: Ints, *, customers: int, categories: int) -> Steps:
    """The steps of these customers, from their purchases as `next_categories` takes them."""
    path = _Path.of(customer, day, category, categories)
    if path is None:
        return Steps(np.empty((0, 4), dtype=np.int64), np.zeros(categories, dtype=np.int64), customers)
    goes_on = np.flatnonzero(path.owner[1:] == path.owner[:-1])
    rows = [np.empty((0, 4), dtype=np.int64)]
    for size in np.unique(path.sizes[goes_on]):
        begun = goes_on[path.sizes[goes_on] == size]
        counts = (path.held[begun].T @ path.held[begun + 1]).tocoo()
        rows.append(np.column_stack([*counts.coords, np.full(counts.nnz, size), counts.data]).astype(np.int64))
    return Steps(np.concatenate(rows), np.bincount(path.what, minlength=categories), customers)


def next_after(customer: Ints, day: Ints, category: Ints, *, customers: int, steps: Steps) -> Ints:
    """`next_categories` of these customers, by the steps of all."""
    answer = np.full(customers, -1)
    path = _Path.of(customer, day, category, steps.customers_of.size)
    if path is None:
        return answer
    last = np.flatnonzero(np.append(path.owner[1:] != path.owner[:-1], True))
    begun = csr_array(diags_array(1 / path.sizes[last]) @ path.held[last])
    answer[path.owner[last]] = _best_new(begun, path.owner[last], steps.preference(), (path.who, path.what))
    return answer


class _Path(NamedTuple):
    """First purchases by customer and day: customer `who` came to category `what`; and the steps that they make.

    A step has an `owner`, a number of categories (`sizes`), and a row of `held` (steps, categories) with 1 for each of them.
    """

    who: Ints
    what: Ints
    owner: Ints
    sizes: Ints
    held: csr_array

    @classmethod
    def of(cls, customer: Ints, day: Ints, category: Ints, categories: int) -> _Path | None:
        """The paths of these purchases; None where no category is known."""
        known = category >= 0
        if not known.any():
            return None
        who, when, what = _first_purchases(customer[known], day[known], category[known], categories)
        starts = np.concatenate([[True], (who[1:] != who[:-1]) | (when[1:] != when[:-1])])
        step = np.cumsum(starts) - 1
        held = csr_array((np.ones(step.size), (step, what)), shape=(int(step[-1]) + 1, categories))
        return cls(who, what, who[starts], np.bincount(step), held)


def _first_purchases(customer: Ints, day: Ints, category: Ints, categories: int) -> tuple[Ints, Ints, Ints]:
    """The first purchase of each customer in each category: customer, day, category, by customer and day."""
    pair = customer.astype(np.int64) * categories + category
    in_time = np.lexsort((day, pair))
    first = in_time[np.concatenate([[True], np.diff(pair[in_time]) != 0])]
    first = first[np.lexsort((category[first], day[first], customer[first]))]
    return customer[first], day[first], category[first]


def _best_new(last_steps: csr_array, owner: Ints, preference: Floats, bought: tuple[Ints, Ints]) -> Ints:
    """The preferred follower of each last step that its owner has not `bought` of (customer, category); owners ascend."""
    who, what = bought
    answer = np.full(owner.size, -1)
    for start in range(0, owner.size, CHUNK):
        block = owner[start : start + CHUNK]
        odds = np.asarray(last_steps[start : start + CHUNK] @ preference)
        inside = slice(*np.searchsorted(who, [block[0], block[-1] + 1]))
        odds[np.searchsorted(block, who[inside]), what[inside]] = -1
        answer[start : start + CHUNK] = np.where(odds.max(axis=1) >= 0, odds.argmax(axis=1), -1)
    return answer
