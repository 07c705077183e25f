"""The category that a customer is most likely to come to next, from the paths that all customers took."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from decisions.columns import Floats, Ints

CHUNK = 50_000
"""Customers handled at a time: the table of customers by categories stays small."""
TIE = 1e-9
"""Far below any difference of chances that means something: lets popularity decide ties and nothing else."""


def next_categories(customer: Ints, day: Ints, category: Ints, *, customers: int, categories: int) -> Ints:
    """The most likely next new category of each customer, shape (customers,); -1 where there is none.

    One entry of the three arrays per purchase known before the date of scoring: position of the customer, day, position of the
    category; -1 for a category that is not known. A path is made of steps: the days on which a customer bought of categories
    that were new to them. Counted is how often one category came in the step after another (each category of a step has an equal
    part in what follows). The answer is the most frequent follower of the customer's last step among the categories that they
    have not bought of; ties, and followers never seen, go to the category with more customers, then to the lower position.
    """
    known = category >= 0
    if not known.any():
        return np.full(customers, -1)
    who, when, what = _first_purchases(customer[known], day[known], category[known], categories)
    starts = np.concatenate([[True], (who[1:] != who[:-1]) | (when[1:] != when[:-1])])
    step = np.cumsum(starts) - 1
    steps = csr_array((np.ones(step.size), (step, what)), shape=(int(step[-1]) + 1, categories))
    parts = csr_array((1 / np.bincount(step)[step], (step, what)), shape=steps.shape)
    owner = who[starts]
    goes_on = np.flatnonzero(owner[1:] == owner[:-1])
    follows = (parts[goes_on].T @ steps[goes_on + 1]).toarray()
    preference = follows + TIE * np.bincount(what, minlength=categories) / customers
    last = np.flatnonzero(np.append(owner[1:] != owner[:-1], True))
    answer = np.full(customers, -1)
    answer[owner[last]] = _best_new(parts[last], owner[last], preference, (who, what))
    return answer


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
