"""What is counted of subscriptions: contracts from the day after they began, and their ends from the day after these.

A contract that has not ended before `as_of` is running, however early its end was told.
"""

from __future__ import annotations

from features.asof import Column
from features.definitions import Computed, Operations, View
from features.formulas import happened, known, not_happened, taken


def _price(c: Operations, price: Column) -> Column:
    """The price; 0 where it is missing, so count the known ones beside it."""
    return c.where(c.is_missing(price), 0, price)


def _term_days(c: Operations, started_day: Column, ended_day: Column) -> Column:
    """Days from beginning to end; without meaning while the contract runs."""
    return c.where(ended_day > started_day, ended_day - started_day, 0)


CONTRACTS = View(
    name="contracts",
    table="subscriptions",
    columns={
        "day": taken("started_day"),
        "ended_day": taken("ended_day"),
        "price": Computed(_price, ("price",)),
        "priced": Computed(known, ("price",)),
        "term_days": Computed(_term_days, ("started_day", "ended_day")),
    },
    conditions={
        "running": Computed(not_happened, ("ended_day",)),
        "ended": Computed(happened, ("ended_day",)),
    },
)

CONTRACT_ENDS = View(name="contract_ends", table="subscriptions", columns={"day": taken("ended_day")})
"""One row for each end; a contract without one has it on NEVER_DAY, and so before no date."""
