"""A fixed sample of customers, drawn while tables are read: for companies whose tables are larger than the memory.

Whether a customer is in it is told by the id alone, by a hash that is the same on every machine, in every version and for every
table. So all rows of a customer come or none, tomorrow's sample has today's customers, and a smaller one is part of a larger one.
Everybody has the same chance: what is learned of the sample needs no weights to hold for all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

FNV_OFFSET, FNV_PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
COUNTED = 1 / 16
"""Of so many customers the different ids are counted, to know how many there are in all."""


@dataclass(frozen=True)
class Sample:
    """What was drawn: about `share` of the customers, who are about `of` in all.

    >>> print(Sample(0.1, 5_000_000))
    a sample of 10.0% of about 5,000,000 customers
    """

    share: float
    of: int

    def __str__(self) -> str:
        return f"a sample of {self.share:.1%} of about {self.of:,} customers"


def share_for(customers: int, counted: int) -> Sample | None:
    """The sample that gives about so many `customers`; None where there are no more.

    `counted` are the customers whose place lies below COUNTED.

    >>> share_for(1_000, 5_000)
    Sample(share=0.0125, of=80000)
    """
    everyone = round(counted / COUNTED)
    return None if customers >= everyone else Sample(customers / everyone, everyone)


def drawn(frame: pl.LazyFrame, customer_id: str, share: float) -> pl.LazyFrame:
    """The rows of the customers whose place lies below `share`; rows without an id stay, to be told of."""
    ids = pl.col(customer_id)
    below = ids.map_batches(lambda some: pl.Series(places(some) < share), return_dtype=pl.Boolean, is_elementwise=True)
    return frame.filter(below | ids.is_null())


def places(ids: pl.Series) -> npt.NDArray[np.float64]:
    """Where each id stands among all customers, (n,) in [0, 1): FNV-1a of its UTF-8 text, mixed; a number is its digits.

    >>> places(pl.Series(["a", "b"])).round(3).tolist() == places(pl.Series(["b", "a"])).round(3).tolist()[::-1]
    True
    >>> places(pl.Series([7])).tolist() == places(pl.Series(["7"])).tolist() == places(pl.Series([7.0])).tolist()
    True
    """
    if ids.dtype.is_float() or ids.dtype.is_decimal():
        ids = ids.cast(pl.Float64).fill_nan(None).cast(pl.Int64, strict=False)
    texts = ids.cast(pl.String).fill_null("").cast(pl.Binary)
    lengths = texts.bin.size().to_numpy().astype(np.int64)
    ends = np.cumsum(lengths)
    data = np.frombuffer(b"".join(texts.to_list()), dtype=np.uint8)
    return _mixed(_fnv(data, ends - lengths, lengths)) / 2.0**53


def _fnv(data: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """FNV-1a of each text, a byte of all texts at a time."""
    state = np.full(len(lengths), FNV_OFFSET)
    for place in range(int(lengths.max(initial=0))):
        longer = np.flatnonzero(lengths > place)
        state[longer] = (state[longer] ^ data[starts[longer] + place]) * FNV_PRIME
    return state


def _mixed(state: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """53 bits, each of which depends on all of `state` (the finish of SplitMix64)."""
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (state ^ (state >> np.uint64(31))) >> np.uint64(11)
