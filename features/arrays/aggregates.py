"""The aggregates of a view for pairs of customers and dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import attrgetter

import numpy as np

from features.arrays.ledgers import CUSTOMER
from features.arrays.operations import Array, ArrayOperations, Columns, DateAskedError, Integers
from features.arrays.positions import Pairs, Positions
from features.arrays.selections import Selection
from features.definitions import Aggregate, View


def aggregated(
    view: View, selected: Mapping[str, Sequence[Aggregate]], rows: Columns, pairs: Pairs, operations: ArrayOperations
) -> tuple[Integers | slice, dict[str, Array]]:
    """For which of the pairs there are rows at all, and the aggregates of these, given by their condition."""
    ages = frozenset(age for members in selected.values() for one in members for age in (one.window.newest, one.window.oldest))
    positions = Positions(rows[CUSTOMER], rows["day"], pairs, ages)
    every = Selection(rows, None, positions.before, positions.as_of_day, positions.longest)
    taken: dict[str, Array] = {}
    for condition, members in selected.items():
        try:
            selection = every.where(_holds(view, condition, rows, operations)) if condition else every
        except DateAskedError:
            taken |= _date_by_date(view, members, rows, positions, operations)
        else:
            taken |= selection.take(members)
    return positions.chosen, taken


def _holds(view: View, condition: str, rows: Columns, operations: ArrayOperations) -> Array:
    """For which rows a condition holds; DateAskedError where it asks for the date and there are several."""
    computed = view.conditions[condition]
    if "age" in computed.inputs:
        rows = rows | {"age": operations.as_of_day - rows["day"]}
    return np.asarray(operations.evaluate(computed, rows))


def _date_by_date(
    view: View, aggregates: Sequence[Aggregate], rows: Columns, positions: Positions, operations: ArrayOperations
) -> dict[str, Array]:
    """Aggregates under a condition that depends on the date."""
    taken: dict[str, Array] = {}
    for _, group in groupby(sorted(aggregates, key=attrgetter("selection")), key=attrgetter("selection")):
        members = tuple(group)
        parts = [
            dict(_in_window(view, members[0], rows, positions, operations.at(day), pairs=here).take(members))
            for day, here in zip(positions.days, positions.slices, strict=True)
        ]
        taken |= {one.name: np.concatenate([part[one.name] for part in parts]) for one in members}
    return taken


def _in_window(
    view: View, one: Aggregate, rows: Columns, positions: Positions, operations: ArrayOperations, *, pairs: slice
) -> Selection:
    """What an aggregate takes in at one date, for its pairs; only rows of the window are looked at."""
    as_of_day, window = operations.as_of_day, one.window
    inside = rows["day"] < as_of_day - window.newest
    if window.oldest is not None:
        inside &= rows["day"] >= as_of_day - window.oldest
    looked_at = np.flatnonzero(inside)
    columns = {name: rows[name][looked_at] for name in ("day", *view.conditions[one.where].inputs) if name != "age"}
    counted = looked_at[_holds(view, one.where, columns, operations)]
    ends, slot = positions.ends_of(counted), positions.slot[pairs]
    bounds = {window.oldest: ends[slot], window.newest: ends[slot + 1]}
    return Selection(rows, counted, bounds.__getitem__, as_of_day, positions.longest)
