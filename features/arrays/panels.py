"""Whole panels: the ledgers of a company, and its blocks of customers spread over the cores of the machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from functools import partial
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import polars as pl
import pyarrow as pa

from features.arrays.blocks import Block
from features.arrays.cores import cores
from features.arrays.ledgers import Ledger, ledger, ledger_of_ids
from features.arrays.numbering import numbered_ids, places_of
from features.arrays.operations import Array, ArrayOperations, Floats, Integers
from features.arrays.positions import Pairs
from features.asof import day_number
from features.company import Company
from features.recipe import BASE, Recipe, recipe
from keepwell.progress import Progress

BLOCK_WEIGHT = 65_536
"""How many pairs of customers and dates, and purchases, a block holds: few for a core's cache, enough to be worth the calls."""


BUYING = replace(recipe(()), views={BASE.view: replace(recipe(()).views[BASE.view], keys=())})
"""Who has a row; that a purchase was made is told without grouping purchases by day."""

Range: TypeAlias = tuple[int, int]
"""A block of customers: the first place, and the one after the last."""


class _Part:
    """Rows on their way into a panel: a column per feature, the place of each row's customer, and whether they had bought."""

    def __init__(self, columns: Mapping[str, Floats], places: Integers) -> None:
        self.columns, self.places = columns, places
        self.bought = np.ones(len(places), dtype=bool)
        self._lacking: set[str] = set()

    def note(self, name: str, made: Array) -> None:
        """Note whether a value is missing among some that were made just now: they are still in the cache."""
        if name not in self._lacking and made.dtype.kind == "f" and np.isnan(made).any():
            self._lacking.add(name)

    def series(self, name: str) -> pl.Series:
        """A column as a series that shares its memory: NaN becomes null by a bitmap beside it."""
        column = self.columns[name]
        bitmap = pa.py_buffer(np.packbits(~np.isnan(column), bitorder="little")) if name in self._lacking else None
        return pl.Series(name, pa.Array.from_buffers(pa.float64(), len(column), [bitmap, pa.py_buffer(column)]))


class Panels:
    """The panel of a company at ascending dates, ready to be made for any blocks of its customers."""

    def __init__(self, company: Company, dates: Sequence[date], asked: Recipe) -> None:
        self._recipe, self._days = asked, [day_number(as_of) for as_of in dates]
        self._operations = ArrayOperations(company.scales)
        self._ids, purchases = self._of_transactions(company)
        self._ledgers = {"transactions": purchases}
        for table in sorted((asked.reads.keys() & company.tables.keys()) - {"transactions"}):
            self._ledgers[table] = self._ledger(table, company, places_of(company.tables[table]["customer_id"], self._ids))

    def _of_transactions(self, company: Company) -> tuple[pl.Series, Ledger]:
        """The ids of all who are in transactions, ascending, and the ledger of these."""
        table = company.tables["transactions"].to_dict()
        known = ledger_of_ids("transactions", table, self._recipe.reads["transactions"])
        if known:
            return known
        ids, places = numbered_ids(table["customer_id"])
        return ids, ledger("transactions", table, self._recipe.reads["transactions"], places, len(ids))

    def _ledger(self, table: str, company: Company, places: Integers) -> Ledger:
        return ledger(table, company.tables[table].to_dict(), self._recipe.reads[table], places, len(self._ids))

    def blocks(self) -> list[Range]:
        """All places, in neighbouring ranges of about `BLOCK_WEIGHT`; at least one range."""
        weights = self._ledgers["transactions"].starts + len(self._days) * np.arange(len(self._ids) + 1)
        bounds = np.searchsorted(weights, np.arange(BLOCK_WEIGHT, weights[-1], BLOCK_WEIGHT))
        return list(pairwise([0, *np.unique(bounds[bounds > 0]).tolist(), len(self._ids)]))

    def made(self, blocks: Sequence[Range], progress: Progress, before: int = 0, total: int | None = None) -> pl.DataFrame:
        """The panel of neighbouring blocks, sorted by date and id; progress counts from `before` to `total` blocks."""
        with ThreadPoolExecutor(cores()) as pool:
            presences = list(pool.map(self._everyone if len(self._days) == 1 else self._present, blocks))
            rows = np.array([presence.sum(axis=1) for presence in presences]).reshape(len(blocks), -1)
            offsets = np.cumsum(rows.T).reshape(rows.T.shape).T - rows
            part = _Part(
                {feature.name: np.empty(rows.sum()) for feature in self._recipe.features}, np.empty(rows.sum(), np.int64)
            )
            fill = partial(self._fill, part)
            for done, _ in enumerate(pool.map(fill, blocks, presences, offsets), start=before + 1):
                progress.count(done, total or len(blocks))
            series = list(pool.map(part.series, part.columns))
        as_of = pl.Series("as_of", np.repeat(np.array(self._days, dtype=np.int32), rows.sum(axis=0))).cast(pl.Date)
        made = pl.DataFrame([self._ids.gather(part.places).alias("customer_id"), as_of, *series])
        return made if part.bought.all() else made.filter(pl.Series(part.bought))

    def _everyone(self, block: Range) -> Array:
        """All of a range: at one date, asking first who has a row would cost about as much as the rows."""
        return np.ones((1, block[1] - block[0]), dtype=bool)

    def _present(self, block: Range) -> Array:
        """Who of a range (columns) has a row at which date (rows): those with a purchase known before it."""
        first, last = block
        everyone = Pairs.of(self._days, np.ones((len(self._days), last - first), dtype=bool))
        bought = Block(BUYING, self._ledgers, first, everyone, self._operations).bought()
        return bought.reshape(len(self._days), last - first)

    def _fill(self, part: _Part, block: Range, present: Array, offsets: Integers) -> None:
        """Write the rows of a block into its part of the panel; those of each date begin at its offset."""
        pairs = Pairs.of(self._days, present)
        there = [
            slice(offset, offset + here.stop - here.start) for here, offset in zip(pairs.slices, offsets.tolist(), strict=True)
        ]
        for here, place in zip(pairs.slices, there, strict=True):
            part.places[place] = pairs.customer[here] + block[0]
        with np.errstate(divide="ignore", invalid="ignore"):
            rows = Block(self._recipe, self._ledgers, block[0], pairs, self._operations)
            if len(self._days) == 1:
                part.bought[there[0]] = rows.bought()
            for name, made in rows.features():
                part.note(name, made)
                for here, place in zip(pairs.slices, there, strict=True):
                    part.columns[name][place] = made[here]
