"""Refunds that stand in a table of their own: brought among the transactions, as negative amounts."""

from __future__ import annotations

import polars as pl

from features.asof import NEVER_DAY, NEVER_US
from features.reading.columns import fits_exactly
from features.reading.normalise import Normalised
from keepwell.errors import DataError


def with_refunds(purchases: Normalised, refunds: Normalised) -> Normalised:
    """One table of transactions, in the minor units that hold the amounts of both; refunds are versions of no purchase.

    Raises DataError where the amounts of both do not fit 64 bits.
    """
    negative = refunds._replace(frame=refunds.frame.with_columns(-pl.col("amount").abs()))
    decimals = {
        column: max(part.decimals[column] for part in (purchases, refunds) if column in part.decimals)
        for column in (*purchases.decimals, *refunds.decimals)
    }
    frames = [_in_minor_units(part, decimals) for part in (purchases, negative)]
    if len({frame["customer_id"].dtype for frame in frames}) > 1:
        frames = [frame.with_columns(pl.col("customer_id").cast(pl.String)) for frame in frames]
    both = pl.concat(frames, how="diagonal_relaxed").with_columns(
        pl.col("^.*_day$").fill_null(NEVER_DAY), pl.col("^.*_us$").fill_null(NEVER_US)
    )
    for column in decimals:
        if not fits_exactly(both[column].fill_null(0).to_numpy().astype(float)):
            hint = "round the amounts of both tables to fewer decimals, or give them in thousands"
            raise DataError("refunds", column, "is too large to be summed exactly together with the transactions", hint=hint)
    return Normalised(both, decimals, (*purchases.notes, *refunds.notes))


def _in_minor_units(part: Normalised, decimals: dict[str, int]) -> pl.DataFrame:
    return part.frame.with_columns(pl.col(name) * 10 ** (decimals[name] - own) for name, own in part.decimals.items())
