"""The short way for few pairs at one date: what is alike is made in one call, since there the calls are the cost.

All aggregates are rows of two matrices with a column per pair, one of integers and one of floats. The counts and sums of a
view are made together; so are the features of one formula, those of all windows for instance.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from features.arrays.aggregates import Aggregates
from features.arrays.operations import ArrayOperations, Floats, Integers
from features.definitions import Aggregate, Formula
from features.recipe import Recipe

INTEGERS, FLOATS = 0, 1
"""Which matrix."""


class Sums(NamedTuple):
    """What `Aggregates.sums` takes to fill the rows `into` of the integers."""

    into: slice
    columns: tuple[tuple[str, str], ...]
    ages: tuple[int | None, ...]
    bounds: Integers


class Group(NamedTuple):
    """Features of one formula: the rows of the matrices that it takes, and the places of the features."""

    formula: Formula
    inputs: tuple[tuple[int, Integers], ...]
    into: Integers


class Plan(NamedTuple):
    """How a recipe is made: by view what goes into the integers, what goes into which row of the floats, and the formulas."""

    sums: Mapping[str, Sums]
    others: Mapping[str, Sequence[tuple[Aggregate, int]]]
    groups: Sequence[Group]
    rows: tuple[int, int]


@lru_cache(maxsize=64)
def plan(recipe: Recipe, tables: frozenset[str]) -> Plan:
    """The plan of a recipe where these tables are known; what the others tell stays missing, as floats that nobody fills."""
    row: dict[str, tuple[int, int]] = {}
    sums: dict[str, Sums] = {}
    others: dict[str, list[tuple[Aggregate, int]]] = defaultdict(list)
    integers = floats = 0
    for view, aggregates in recipe.aggregates.items():
        known = recipe.views[view].table in tables
        summed = [one for one in aggregates if known and one.how in ("count", "sum") and one.column != "age"]
        if summed:
            sums[view] = _sums(summed, integers)
            row |= {one.name: (INTEGERS, place) for place, one in enumerate(summed, start=integers)}
            integers += len(summed)
        for one in aggregates:
            if one.name not in row:
                row[one.name] = (FLOATS, floats)
                others[view] += [(one, floats)] if known else []
                floats += 1
    return Plan(sums, others, tuple(_groups(recipe, row)), (integers, floats))


def _sums(summed: Sequence[Aggregate], first: int) -> Sums:
    columns = tuple(dict.fromkeys((one.where, one.column) for one in summed))
    ages = tuple(dict.fromkeys(age for one in summed for age in (one.window.newest, one.window.oldest)))
    bounds = [
        [columns.index((one.where, one.column)) for one in summed],
        [ages.index(one.window.newest) for one in summed],
        [ages.index(one.window.oldest) for one in summed],
    ]
    return Sums(slice(first, first + len(summed)), columns, ages, np.array(bounds))


def _groups(recipe: Recipe, row: Mapping[str, tuple[int, int]]) -> Iterator[Group]:
    """The features by formula, and by the matrices from which it takes its inputs."""
    alike: dict[tuple[Formula, tuple[int, ...]], list[int]] = defaultdict(list)
    for place, feature in enumerate(recipe.features):
        alike[feature.formula, tuple(row[one.name][0] for one in feature.inputs)].append(place)
    for (formula, matrices), places in alike.items():
        rows = [[row[one.name][1] for one in recipe.features[place].inputs] for place in places]
        inputs = zip(matrices, np.array(rows).T, strict=True)
        yield Group(formula, tuple(inputs), np.array(places))


def stacked_features(
    recipe: Recipe, views: Mapping[str, Aggregates], tables: frozenset[str], pairs: int, operations: ArrayOperations
) -> Floats:
    """A matrix (features, pairs) from the aggregates of the views whose tables are known."""
    made = plan(recipe, tables)
    integers, floats = np.zeros((made.rows[INTEGERS], pairs), np.int64), np.full((made.rows[FLOATS], pairs), np.nan)
    for name, aggregates in views.items():
        if name in made.sums:
            into, columns, ages, bounds = made.sums[name]
            integers[into, aggregates.chosen] = aggregates.sums(columns, ages, bounds)
        for other, row in made.others[name]:
            floats[row, aggregates.chosen] = aggregates.take(other)
    features = np.empty((len(recipe.features), pairs))
    for group in made.groups:
        inputs = [(integers, floats)[matrix][rows] for matrix, rows in group.inputs]
        features[group.into] = group.formula(operations, *inputs)
    return features
