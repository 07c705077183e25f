"""Customers as numbers: each id's place among all sorted ids."""

from __future__ import annotations

import numpy as np
import polars as pl

from features.arrays.operations import NO_TEXT, Integers

WIDEST_TABLE = 2**26
"""Up to which range of integer ids a plain table finds places, instead of a join."""

NOBODY = -1
"""The place of an id that is not asked for."""


def numbered_ids(ids: pl.Series) -> tuple[pl.Series, Integers]:
    """The different ids, ascending, and the place of each id among them.

    >>> among, places = numbered_ids(pl.Series([7, 3, 7]))
    >>> among.to_list(), places.tolist()
    ([3, 7], [1, 0, 1])
    """
    if not _narrow(ids):
        codes, words = coded(ids)
        order = words.arg_sort().to_numpy()
        place_of = np.empty(len(order), dtype=np.int64)
        place_of[order] = np.arange(len(order))
        return words.gather(order).rename(ids.name), place_of[codes]
    lowest = int(ids.min())  # type: ignore[arg-type]  # an integer
    offset = ids.to_numpy().astype(np.int64)
    offset -= lowest
    held = np.zeros(offset.max() + 1, dtype=bool)
    held[offset] = True
    among = pl.Series(ids.name, np.flatnonzero(held) + lowest, dtype=ids.dtype)
    return among, np.asarray((np.cumsum(held) - 1)[offset])


def places_of(ids: pl.Series, among: pl.Series) -> Integers:
    """The place of each id among the ids of `among`, which are sorted and all different; `NOBODY` where it is not there.

    >>> places_of(pl.Series([7, 3, 5]), among=pl.Series([3, 7])).tolist()
    [1, 0, -1]
    """
    if ids.dtype.is_integer() and _narrow(among):
        return _by_table(ids.to_numpy(), among.to_numpy())
    places = pl.DataFrame({"id": among, "place": np.arange(len(among))})
    found = pl.DataFrame({"id": ids}).join(places, on="id", how="left", maintain_order="left")["place"]
    return found.fill_null(NOBODY).to_numpy()


def coded(values: pl.Series) -> tuple[Integers, pl.Series]:
    """The code of each value, `NO_TEXT` where missing, and the values by code, each once.

    >>> codes, values = coded(pl.Series(["b", None, "a", "b"]))
    >>> codes.tolist(), values.to_list()
    ([0, -1, 1, 0], ['b', 'a'])
    """
    encoded = values.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest()).dictionary_encode()
    # Through Polars: PyArrow would import pandas for either.
    return pl.Series(encoded.indices).fill_null(NO_TEXT).to_numpy(), pl.Series(encoded.dictionary)


def coded_numbers(numbers: pl.Series) -> Integers | None:
    """The code of each whole number, `NO_TEXT` where missing, if they are near each other: how far it is above the lowest one.

    >>> coded_numbers(pl.Series([7, None, 3])).tolist()
    [4, -1, 0]
    """
    if not (numbers.dtype.is_signed_integer() and _narrow(numbers)):
        return None
    lowest = int(numbers.min())  # type: ignore[arg-type]  # an integer
    return (numbers.cast(pl.Int64) - lowest).fill_null(NO_TEXT).to_numpy()


def _by_table(values: Integers, among: Integers) -> Integers:
    """Places by a table over the range of `among`; its last entry is for all that is outside."""
    lowest, width = int(among[0]), int(among[-1]) - int(among[0]) + 1
    table = np.full(width + 1, NOBODY)
    table[among - lowest] = np.arange(len(among))
    offset = values.astype(np.int64)
    offset -= lowest
    if len(offset) and (offset.min() < 0 or offset.max() >= width):
        offset[(offset < 0) | (offset >= width)] = width
    return np.asarray(table[offset])


def _narrow(ids: pl.Series) -> bool:
    """Whether these are integers close enough to each other for a table."""
    if not ids.dtype.is_integer() or ids.null_count() == len(ids):
        return False
    return int(ids.max()) - int(ids.min()) < min(WIDEST_TABLE, 16 * len(ids) + 1024)  # type: ignore[arg-type]  # integers
