"""The event views: what is counted, once for both executors."""

from __future__ import annotations

from features.asof import Column
from features.definitions import Computed, Operations, Total, View
from features.formulas import SPLIT, known, millionths, month_number, taken

TEXTS = frozenset({"category", "complaint_id", "kind", "order_id"})
"""The columns read here that hold text; all others hold numbers."""


def _is_purchase(_: Operations, amount: Column) -> Column:
    return amount > 0


def _is_refund(_: Operations, amount: Column) -> Column:
    return amount < 0


def _is_categorised_purchase(c: Operations, amount: Column, category: Column) -> Column:
    return (amount > 0) & ~c.is_missing(category)


def _without(c: Operations, order_id: Column) -> Column:
    return 1 - known(c, order_id)


def _orders(c: Operations, different_ids: Column, lines_without_id: Column) -> Column:
    """Different order ids, and each line without one as an order of its own; `different_ids` counts "missing" as one id."""
    return different_ids - c.where(lines_without_id > 0, 1, 0) + lines_without_id


def _difference(_: Operations, value: Column, earlier: Column) -> Column:
    return value - earlier


def _change(c: Operations, value: Column, earlier: Column) -> Column:
    """What a row adds to the row before: the sum of changes up to a day is the last value before it."""
    return value - c.where(c.is_missing(earlier), 0, earlier)


def _product(_: Operations, a: Column, b: Column) -> Column:
    return a * b


def _opens_month(c: Operations, day: Column, earlier_day: Column) -> Column:
    """1 for the first purchase day of its calendar month."""
    return c.where(c.is_missing(earlier_day) | (month_number(day) != month_number(earlier_day)), 1, 0)


def _high(_: Operations, value: Column) -> Column:
    return value // SPLIT


def _low(_: Operations, value: Column, high: Column) -> Column:
    return value - high * SPLIT


def _split_squares(value: str) -> dict[str, Computed]:
    """The parts from which `formulas.deviation` makes the deviation of a column."""
    return {
        f"{value}_high": Computed(_high, (value,)),
        f"{value}_low": Computed(_low, (value, f"{value}_high")),
        f"{value}_high_high": Computed(_product, (f"{value}_high", f"{value}_high")),
        f"{value}_high_low": Computed(_product, (f"{value}_high", f"{value}_low")),
        f"{value}_low_low": Computed(_product, (f"{value}_low", f"{value}_low")),
    }


def _positive(_: Operations, count: Column) -> Column:
    return count > 0


PURCHASE_DAYS = View(
    name="purchase_days",
    table="transactions",
    keep=Computed(_is_purchase, ("amount",)),
    columns={
        "day": taken("ordered_day"),
        "amount": taken("amount"),
        "order_id": taken("order_id"),
        "without_order_id": Computed(_without, ("order_id",)),
        "quantity_millionths": Computed(millionths, ("quantity",)),
        "quantity_known": Computed(known, ("quantity",)),
    },
    keys=("day",),
    totals={
        "spend": Total("sum", "amount"),
        "order_ids": Total("distinct", "order_id"),
        "lines_without_order_id": Total("sum", "without_order_id"),
        "quantity": Total("sum", "quantity_millionths"),
        "lines_with_quantity": Total("sum", "quantity_known"),
    },
    previous={"previous_day": "day", "previous_spend": "spend"},
    later={
        "orders": Computed(_orders, ("order_ids", "lines_without_order_id")),
        "gap": Computed(_difference, ("day", "previous_day")),
        "gap_squared": Computed(_product, ("gap", "gap")),
        "spend_change": Computed(_change, ("spend", "previous_spend")),
        "opens_month": Computed(_opens_month, ("day", "previous_day")),
        **_split_squares("spend"),
        **_split_squares("quantity"),
    },
    conditions={"with_quantity": Computed(_positive, ("lines_with_quantity",))},
)

REFUNDS = View(
    name="refunds",
    table="transactions",
    keep=Computed(_is_refund, ("amount",)),
    columns={"day": taken("ordered_day"), "amount": taken("amount")},
)

CATEGORY_FIRSTS = View(
    name="category_firsts",
    table="transactions",
    keep=Computed(_is_categorised_purchase, ("amount", "category")),
    columns={"ordered_day": taken("ordered_day"), "category": taken("category")},
    keys=("category",),
    totals={"day": Total("min", "ordered_day")},
)


JOININGS = View(
    name="joinings",
    table="customers",
    columns={"day": taken("joined_day")},
)

VIEWS = {view.name: view for view in (PURCHASE_DAYS, REFUNDS, CATEGORY_FIRSTS, JOININGS)}
