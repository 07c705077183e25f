"""What is counted of that which customers put into their baskets, and of how it reached them."""

from __future__ import annotations

from features.asof import NEVER_DAY, Column
from features.definitions import Computed, Operations, Total, View
from features.formulas import later_day, not_happened, positive, taken


def _is_purchase_of_known(c: Operations, amount: Column, kind: Column) -> Column:
    return (amount > 0) & ~c.is_missing(kind)


def _is_purchase_with_day(_: Operations, amount: Column, day: Column) -> Column:
    return (amount > 0) & (day < NEVER_DAY)


def _is_of_known_cost(c: Operations, cost: Column) -> Column:
    return ~c.is_missing(cost)


def _is_first(c: Operations, previous_day: Column) -> Column:
    return c.is_missing(previous_day)


def _is_last_yet(c: Operations, following_day: Column) -> Column:
    """Condition: as far as `as_of` knows, the last day on which the customer bought of the kind."""
    return c.is_missing(following_day) | not_happened(c, following_day)


def _is_late(c: Operations, promised_day: Column, delivered_day: Column) -> Column:
    """1 for what did not come by the end of the promised day: true from then on, whether it comes later or never."""
    return c.where(delivered_day > promised_day, 1, 0)


def _days_after(c: Operations, start_day: Column, end_day: Column) -> Column:
    """Days from start to end; 0 where the end came before, or the start never."""
    return c.where(end_day > start_day, end_day - start_day, 0)


def _days_of(kind: str, name: str) -> View:
    """The days on which a customer bought of a kind (a category, a product ...): a window has those whose last day is in it."""
    return View(
        name=name,
        table="transactions",
        keep=Computed(_is_purchase_of_known, ("amount", kind)),
        columns={"day": taken("ordered_day"), kind: taken(kind), "amount": taken("amount")},
        keys=(kind, "day"),
        totals={"spend": Total("sum", "amount")},
        previous={"previous_day": "day"},
        following={"following_day": "day"},
        running={"spend_so_far": "spend"},
        within=("customer_id", kind),
        conditions={
            "first_ever": Computed(_is_first, ("previous_day",)),
            "last_yet": Computed(_is_last_yet, ("following_day",)),
        },
    )


CATEGORY_DAYS = _days_of("category", "category_days")
PRODUCT_DAYS = _days_of("product_id", "product_days")
CHANNEL_DAYS = _days_of("channel", "channel_days")

DUE_DELIVERIES = View(
    name="due_deliveries",
    table="transactions",
    keep=Computed(_is_purchase_with_day, ("amount", "promised_day")),
    columns={
        "day": Computed(later_day, ("promised_day", "ordered_day")),
        "is_late": Computed(_is_late, ("promised_day", "delivered_day")),
    },
    conditions={"late": Computed(positive, ("is_late",))},
)

DELIVERIES = View(
    name="deliveries",
    table="transactions",
    keep=Computed(_is_purchase_with_day, ("amount", "delivered_day")),
    columns={
        "day": Computed(later_day, ("delivered_day", "ordered_day")),
        "is_late": Computed(_is_late, ("promised_day", "delivered_day")),
        "delay": Computed(_days_after, ("promised_day", "delivered_day")),
        "wait": Computed(_days_after, ("ordered_day", "delivered_day")),
    },
)

COSTED_LINES = View(
    name="costed_lines",
    table="transactions",
    keep=Computed(_is_of_known_cost, ("cost",)),
    columns={"day": taken("ordered_day"), "amount": taken("amount"), "cost": taken("cost")},
)
