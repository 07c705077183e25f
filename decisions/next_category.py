"""The category that a customer is most likely to come to next, from the paths that all customers took."""

from __future__ import annotations

import numpy as np

from decisions.columns import Ints

CHUNK = 50_000
"""Customers handled at a time: the table of customers by categories stays small."""


def next_categories(customer: Ints, day: Ints, category: Ints, *, customers: int, categories: int) -> Ints:
    """The most likely next new category of each customer, shape (customers,); -1 where there is none.

    One entry of the three arrays per purchase known before the date of scoring: position of the customer, day, position of the
    category; -1 for a category that is not known. A path is the order in which a customer first bought of the categories.
    Counted is how often one category followed another in all paths (of the same day none follows the other); the answer is the
    most frequent follower of the customer's newest category, among those they have not bought of. Ties, and followers never
    seen, go to the category with more customers, then to the lower position.
    """
    if not categories:
        return np.full(customers, -1)
    known = category >= 0
    who, when, what = _first_purchases(customer[known], day[known], category[known], categories)
    follows = np.zeros((categories, categories))
    step = (who[1:] == who[:-1]) & (when[1:] > when[:-1])
    np.add.at(follows, (what[:-1][step], what[1:][step]), 1)
    popularity = np.bincount(what, minlength=categories)
    # Fractions below one half break ties of counts, which are whole numbers.
    preference = follows + popularity / (2.0 * customers + 1)
    newest = np.full(customers, -1)
    newest[who] = what  # in order of time: the last assignment of each customer stays
    return _best_new(preference, newest, who, what)


def _first_purchases(customer: Ints, day: Ints, category: Ints, categories: int) -> tuple[Ints, Ints, Ints]:
    """The first purchase of each customer in each category: customer, day, category, by customer and day."""
    in_time = np.lexsort((day, customer.astype(np.int64) * categories + category))
    pair = (customer.astype(np.int64) * categories + category)[in_time]
    first = in_time[np.concatenate([[True], pair[1:] != pair[:-1]])] if pair.size else in_time
    first = first[np.lexsort((category[first], day[first], customer[first]))]
    return customer[first], day[first], category[first]


def _best_new(preference: np.ndarray, newest: Ints, who: Ints, what: Ints) -> Ints:
    """For each customer the preferred follower of their newest category that they have not bought of."""
    answer = np.full(newest.size, -1)
    for start in range(0, newest.size, CHUNK):
        stop = min(start + CHUNK, newest.size)
        odds = preference[newest[start:stop]].copy()
        inside = slice(*np.searchsorted(who, [start, stop]))
        odds[who[inside] - start, what[inside]] = -1
        best = odds.argmax(axis=1)
        possible = (newest[start:stop] >= 0) & (odds.max(axis=1) >= 0)
        answer[start:stop] = np.where(possible, best, -1)
    return answer
