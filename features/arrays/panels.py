"""Whole panels: the ledgers of a company, and its blocks of customers spread over the cores of the machine."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from functools import partial
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import polars as pl
import pyarrow as pa

from features.arrays.blocks import Block
from features.arrays.cores import cores, over_cores
from features.arrays.ledgers import Ledger, ledger, ledger_of_all
from features.arrays.numbering import places_of
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


class _Whole:
    """Rows on their way into one panel: a column per feature, the place of each row's customer, and whether they had bought."""

    def __init__(self, columns: Mapping[str, Floats], places: Integers) -> None:
        self.columns, self.places = columns, places
        self.bought = np.ones(len(places), dtype=bool)
        self._lacking: set[str] = set()

    def note(self, name: str, made: Array) -> None:
        """Note whether a value is missing among some that were made just now: they are still in the cache."""
        if name not in self._lacking and _may_lack(made) and np.isnan(made).any():
            self._lacking.add(name)

    def column(self, name: str) -> pa.Array:
        """A column as Arrow's, which shares its memory."""
        return _column(self.columns[name], lacking=name in self._lacking)


class Panels:
    """The panel of a company at ascending dates, ready to be made for any blocks of its customers."""

    def __init__(self, company: Company, dates: Sequence[date], asked: Recipe) -> None:
        self._recipe, self._days = asked, [day_number(as_of) for as_of in dates]
        self._operations = ArrayOperations(company.scales)
        transactions, reads = company.tables["transactions"].to_dict(), asked.reads["transactions"]
        self._ids, purchases = ledger_of_all("transactions", transactions, reads)
        self._ledgers = {"transactions": purchases}
        others = sorted((asked.reads.keys() & company.tables.keys()) - {"transactions"})
        made = over_cores(lambda table: self._ledger(table, company.tables[table]), others, purchases.starts[-1])
        self._ledgers |= zip(others, made, strict=True)

    def _ledger(self, table: str, rows: pl.DataFrame) -> Ledger:
        places = places_of(rows["customer_id"], self._ids)
        return ledger(table, rows.to_dict(), self._recipe.reads[table], places, len(self._ids))

    def blocks(self) -> list[Range]:
        """All places, in neighbouring ranges of about `BLOCK_WEIGHT`; at least one range."""
        weights = self._ledgers["transactions"].starts + len(self._days) * np.arange(len(self._ids) + 1)
        bounds = np.searchsorted(weights, np.arange(BLOCK_WEIGHT, weights[-1], BLOCK_WEIGHT))
        return list(pairwise([0, *np.unique(bounds[bounds > 0]).tolist(), len(self._ids)]))

    def frames(self, progress: Progress) -> Iterator[pl.DataFrame]:
        """The panel of each block, sorted by date and id."""
        blocks = self.blocks()
        for done, made in enumerate(_ahead(self._frame, blocks), start=1):
            progress.count(done, len(blocks))
            yield made

    def whole(self, progress: Progress) -> pl.DataFrame:
        """The panel of all blocks, sorted by date and id."""
        blocks = self.blocks()
        with ThreadPoolExecutor(cores()) as pool:
            presences = list(pool.map(self._asked_for, blocks))
            rows = np.array([presence.sum(axis=1) for presence in presences])
            offsets = np.cumsum(rows.T).reshape(rows.T.shape).T - rows
            columns = {feature.name: np.empty(rows.sum()) for feature in self._recipe.features}
            made = _Whole(columns, np.empty(rows.sum(), np.int64))
            for done, _ in enumerate(pool.map(partial(self._fill, made), blocks, presences, offsets), start=1):
                progress.count(done, len(blocks))
            finished = dict(zip(columns, pool.map(made.column, columns), strict=True))
        return self._panel(made.places, np.repeat(self._days, rows.sum(axis=0)), finished, made.bought)

    def _asked_for(self, block: Range) -> Array:
        """For which of a range (columns) a row is made at which date (rows): those with a purchase known before it.

        At one date for all, since asking first would cost about as much as the rows.
        """
        first, last = block
        everyone = np.ones((len(self._days), last - first), dtype=bool)
        if len(self._days) == 1:
            return everyone
        pairs = Pairs.of(self._days, everyone)
        return Block(BUYING, self._ledgers, first, pairs, self._operations).bought().reshape(everyone.shape)

    def _frame(self, block: Range) -> pl.DataFrame:
        """The rows of a block. No column is copied: what a formula has made is the memory of the panel."""
        pairs = Pairs.of(self._days, self._asked_for(block))
        with np.errstate(divide="ignore", invalid="ignore"):
            rows = Block(self._recipe, self._ledgers, block[0], pairs, self._operations)
            columns = {name: _column(made, lacking=_may_lack(made)) for name, made in rows.features()}
            return self._panel(pairs.customer + block[0], np.array(self._days)[pairs.date], columns, rows.bought())

    def _fill(self, whole: _Whole, block: Range, present: Array, offsets: Integers) -> None:
        """Write the rows of a block into its part of the panel; those of each date begin at its offset."""
        pairs = Pairs.of(self._days, present)
        there = [
            slice(offset, offset + here.stop - here.start) for here, offset in zip(pairs.slices, offsets.tolist(), strict=True)
        ]
        for here, place in zip(pairs.slices, there, strict=True):
            whole.places[place] = pairs.customer[here] + block[0]
        with np.errstate(divide="ignore", invalid="ignore"):
            rows = Block(self._recipe, self._ledgers, block[0], pairs, self._operations)
            if len(self._days) == 1:
                whole.bought[there[0]] = rows.bought()
            for name, made in rows.features():
                whole.note(name, made)
                for here, place in zip(pairs.slices, there, strict=True):
                    whole.columns[name][place] = made[here]

    def _panel(self, places: Integers, days: Integers, columns: Mapping[str, pa.Array], bought: Array) -> pl.DataFrame:
        """The rows of those who had bought."""
        ids = self._ids if len(places) == len(self._ids) and len(self._days) == 1 else self._ids.gather(places)
        keys = [ids.alias("customer_id"), pl.Series("as_of", days.astype(np.int32)).cast(pl.Date)]
        features = pl.DataFrame(pa.RecordBatch.from_arrays([*columns.values()], [*columns]))  # faster than a series for each
        panel = pl.DataFrame(keys).hstack(features)
        return panel if bought.all() else panel.filter(pl.Series(bought))


def _may_lack(made: Array) -> bool:
    """Whether values may be missing: integers never are."""
    return made.dtype.kind == "f"


def _column(column: Array, *, lacking: bool) -> pa.Array:
    """A column as Arrow's, which shares its memory, if it has floats: NaN becomes null by a bitmap beside it."""
    missing = np.isnan(column) if lacking else None
    bitmap = None if missing is None or not missing.any() else pa.py_buffer(~np.packbits(missing, bitorder="little"))
    floats = column.astype(np.float64, copy=False)
    return pa.Array.from_buffers(pa.float64(), len(floats), [bitmap, pa.py_buffer(floats)])


def _ahead(work: Callable[[Range], pl.DataFrame], blocks: Sequence[Range]) -> Iterator[pl.DataFrame]:
    """What `work` makes of the blocks, in their order; on all cores, no more than two for each at a time."""
    begun: deque[Future[pl.DataFrame]] = deque()
    with ThreadPoolExecutor(cores()) as pool:
        for block in blocks:
            if len(begun) >= 2 * cores():
                yield begun.popleft().result()
            begun.append(pool.submit(work, block))
        while begun:
            yield begun.popleft().result()
