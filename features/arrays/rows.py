"""The rows of a view for a block of customers, in the order of customer and day."""

from __future__ import annotations

import numpy as np

from features.arrays.ledgers import CUSTOMER
from features.arrays.operations import Array, ArrayOperations, Columns, Floats, Integers
from features.arrays.sorting import codes, row_order, sorted_by, starts_of
from features.asof import NEVER_DAY, known_before
from features.definitions import Total, View


def known_rows(rows: Columns, as_of_day: int) -> Columns:
    """The rows of a table that count at `as_of`; where nobody told when rows became known, all do."""
    if "known_day" not in rows:
        return rows
    return where(rows, known_before(as_of_day, rows["known_day"], rows.get("superseded_day", NEVER_DAY)))


def where(rows: Columns, condition: Array) -> Columns:
    """The rows for which the condition holds; by their numbers, which NumPy takes several times faster than by a mask."""
    if np.count_nonzero(condition) == len(condition):
        return rows
    kept = condition.nonzero()[0]
    return {name: column[kept] for name, column in rows.items()}


def view_rows(view: View, table: Columns, operations: ArrayOperations) -> Columns:
    """The rows of a view from rows of its table, sorted by customer and day; `table` is sorted by customer."""
    rows = {name: table[name] for name in (*view.sources(), CUSTOMER)}
    if view.keep:
        rows = where(rows, operations.evaluate(view.keep, rows))
    made = {name: operations.evaluate(computed, rows) for name, computed in view.columns.items()}
    made[CUSTOMER] = rows[CUSTOMER]
    order: tuple[str, ...] = (CUSTOMER,)
    if view.keys:
        made, order = _grouped(view, made), (CUSTOMER, *view.keys)
    if view.previous or view.following or view.running:
        made, order = _looked_around(view, made, order), (*view.within, "day")
    for name, computed in view.later.items():
        made[name] = operations.evaluate(computed, made)
    return sorted_by(made, (CUSTOMER, "day"), order)


def _grouped(view: View, rows: Columns) -> Columns:
    """One row per customer and keys, with the totals of a view."""
    keys = (CUSTOMER, *view.keys)
    rows = sorted_by(rows, keys, (CUSTOMER,))
    starts = starts_of([codes(rows[name]) for name in keys])
    groups = {name: rows[name][starts] for name in keys}
    return groups | {name: _total(one, rows[one.column], starts) for name, one in view.totals.items()}


def _total(total: Total, column: Array, starts: Integers) -> Array:
    """One column of a grouped view."""
    if total.how == "distinct":
        return _distinct(codes(column), starts)
    combine = np.add if total.how == "sum" else np.minimum
    return np.asarray(combine.reduceat(column, starts))


def _distinct(values: Array, starts: Integers) -> Integers:
    """How many different codes there are in each group."""
    begins = np.zeros(len(values), dtype=bool)
    begins[starts] = True
    ordered = values[row_order([np.cumsum(begins), values])]
    begins[1:] |= ordered[1:] != ordered[:-1]
    return np.asarray(np.add.reduceat(begins, starts, dtype=np.int64))


def _looked_around(view: View, rows: Columns, order: tuple[str, ...]) -> Columns:
    """The rows sorted within groups by day, with what a view takes from the rows before and after."""
    rows = dict(sorted_by(rows, (*view.within, "day"), order))
    starts = starts_of([codes(rows[name]) for name in view.within])
    for name, source in view.previous.items():
        rows[name] = _previous(rows[source], starts)
    for name, source in view.following.items():
        rows[name] = _following(rows[source], starts)
    for name, source in view.running.items():
        rows[name] = _running_sum(rows[source], starts)
    return rows


def _previous(column: Array, starts: Integers) -> Floats:
    """The value of the row before, missing in the first row of a group."""
    previous = np.empty(len(column))
    previous[1:] = column[:-1]
    previous[starts] = np.nan
    return previous


def _following(column: Array, starts: Integers) -> Floats:
    """The value of the row after, missing in the last row of a group."""
    following = np.empty(len(column))
    following[:-1] = column[1:]
    following[starts - 1] = np.nan  # the row before the first group is the last of all
    return following


def _running_sum(column: Integers, starts: Integers) -> Integers:
    """The sum of each row and those before it in its group."""
    total = np.cumsum(column)
    before = (total - column)[starts]
    return total - np.repeat(before, np.diff(np.concatenate((starts, (len(column),)))))
