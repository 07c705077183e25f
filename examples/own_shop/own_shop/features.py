"""Weekend shopping: how much of what a customer does falls on Saturday and Sunday.

`VIEWS` says what is counted, `FEATURES` what is made of it, each with its catalog entry.
"""

from __future__ import annotations

from functools import partial

from features.asof import Column
from features.definitions import ALL_TIME, YEAR, Aggregate, Computed, Feature, Operations, View, Window, feature
from features.formulas import quotient, ratio, taken


def _is_purchase(_: Operations, amount: Column) -> Column:
    return amount > 0


def _is_weekend(c: Operations, day: Column) -> Column:
    """1 on Saturdays and Sundays. Day 0, 1970-01-01, was a Thursday: two days later a week of this count begins."""
    weekday = day - 2 - 7 * quotient(c, day - 2, 7)
    return c.where(weekday < 2, 1, 0)


WEEKEND_LINES = View(
    name="own_weekend_lines",
    table="transactions",
    keep=Computed(_is_purchase, ("amount",)),
    columns={"day": taken("ordered_day"), "is_weekend": Computed(_is_weekend, ("ordered_day",))},
)


def _weekend_share(window: Window) -> Feature:
    lines = partial(Aggregate, WEEKEND_LINES.name, window=window)
    return feature(
        "own_weekend_share",
        ratio,
        (lines("sum", "is_weekend"), lines("count")),
        ("Weekend share", "周末购买占比"),
        "Share of the order lines that were bought on a Saturday or a Sunday.",
        unit="share",
        table="transactions",
        builder="own_shop",
        window=window,
        high=1,
        missing="nothing bought in the window",
    )


VIEWS = (WEEKEND_LINES,)
FEATURES = tuple(map(_weekend_share, (YEAR, ALL_TIME)))
