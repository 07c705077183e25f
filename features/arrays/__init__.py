"""The executor on NumPy arrays: for the endpoint's few customers in milliseconds, and for whole panels.

It runs the same definitions as `features.frames`, and one row comes out the same to the last bit however many others are made
with it. The steps, one module each:

    numbering   customers become numbers: their places among the sorted ids
    ledgers     the rows of a table, sorted by customer and day once, so that a block of customers is a slice; `packing` says how
    rows        the rows of a view for a block of customers, which `sorting` puts in order where they are not
    positions   where, among them, the rows of each customer before each day end; with a worked example
    selections  counts and sums as differences of running sums at two positions, `extremes` by two look-ups
    aggregates  which rows of a view an aggregate takes in, at one date or at each of several
    blocks      formulas over aggregates, for a block of customers at all dates; `stacks`, the short way for few customers
    panels      the blocks of a company on all `cores`: each a panel of its own, or all written into the columns of one
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np

from features.arrays.blocks import Block
from features.arrays.ledgers import ledger
from features.arrays.numbering import NOBODY
from features.arrays.operations import Array, ArrayOperations, Floats
from features.arrays.positions import Pairs
from features.asof import day_number
from features.recipe import recipe

__all__ = ["ArrayOperations", "feature_matrix"]


def feature_matrix(
    histories: Mapping[str, Mapping[str, Array]], scales: Mapping[str, int], as_of: date, names: Sequence[str]
) -> tuple[Array, Floats]:
    """The features `names` of the customers in `histories` at `as_of`: their ids, sorted, and a matrix (ids, names).

    `histories` holds normalised tables, as in `Company.tables`: table -> column -> values. A table that is given without rows
    means that nothing happened (counts are 0); one that is not given, that nothing is known (missing). Whoever has no purchase
    known before `as_of` has no row. ConfigError for a name that the catalog lacks.
    """
    asked = recipe(names)
    ids = sorted(set(np.asarray(histories["transactions"]["customer_id"]).tolist()))
    places = {customer: place for place, customer in enumerate(ids)}
    ledgers = {}
    for table, reads in asked.reads.items():
        if table in histories:
            customers = np.asarray(histories[table]["customer_id"]).tolist()
            rows = np.array([places.get(customer, NOBODY) for customer in customers], dtype=np.int64)
            ledgers[table] = ledger(table, histories[table], reads, rows, len(ids))
    pairs = Pairs.of([day_number(as_of)], np.ones((1, len(ids)), dtype=bool))
    with np.errstate(divide="ignore", invalid="ignore"):
        block = Block(asked, ledgers, 0, pairs, ArrayOperations(scales))
        buyers = block.bought()
        return np.asarray(ids)[buyers], block.matrix()[buyers]
