"""What is counted of purchases and refunds."""

from __future__ import annotations

from features.asof import Column
from features.definitions import Computed, Operations, Total, View
from features.formulas import SPLIT, change, difference, known, millionths, month_number, positive, product, quotient, taken


def _is_purchase(_: Operations, amount: Column) -> Column:
    return amount > 0


def _is_refund(_: Operations, amount: Column) -> Column:
    return amount < 0


def _without(c: Operations, order_id: Column) -> Column:
    return 1 - known(c, order_id)


def _orders(c: Operations, different_ids: Column, lines_without_id: Column) -> Column:
    """Different order ids, and each line without one as an order of its own; `different_ids` counts "missing" as one id."""
    return different_ids - c.where(lines_without_id > 0, 1, 0) + lines_without_id


def _list_price(c: Operations, list_amount: Column) -> Column:
    """What a line would have cost; 0 where that is not known, or is no price."""
    return c.where(list_amount > 0, list_amount, 0)


def _has_list_price(c: Operations, list_amount: Column) -> Column:
    return c.where(list_amount > 0, 1, 0)


def _costs_less(c: Operations, list_amount: Column, amount: Column) -> Column:
    """Whether a line cost less than its list price; their decimals may differ, and equal ones are equal as currency units."""
    return c.money(list_amount, "transactions.list_amount") > c.money(amount, "transactions.amount")


def _is_discounted(c: Operations, list_amount: Column, amount: Column) -> Column:
    return c.where(_costs_less(c, list_amount, amount), 1, 0)


def _reduced_price(c: Operations, list_amount: Column, amount: Column) -> Column:
    return c.where(_costs_less(c, list_amount, amount), list_amount, 0)


def _reduced_amount(c: Operations, list_amount: Column, amount: Column) -> Column:
    return c.where(_costs_less(c, list_amount, amount), amount, 0)


def _opens_month(c: Operations, day: Column, earlier_day: Column) -> Column:
    """1 for the first purchase day of its calendar month."""
    is_first = c.is_missing(earlier_day)
    return c.where(is_first | (month_number(c, day) != month_number(c, c.where(is_first, day, earlier_day))), 1, 0)


def _high(c: Operations, value: Column) -> Column:
    return quotient(c, value, SPLIT)


def _low(_: Operations, value: Column, high: Column) -> Column:
    return value - high * SPLIT


def _split_squares(value: str) -> dict[str, Computed]:
    """The parts from which `formulas.deviation` makes the deviation of a column."""
    return {
        f"{value}_high": Computed(_high, (value,)),
        f"{value}_low": Computed(_low, (value, f"{value}_high")),
        f"{value}_high_high": Computed(product, (f"{value}_high", f"{value}_high")),
        f"{value}_high_low": Computed(product, (f"{value}_high", f"{value}_low")),
        f"{value}_low_low": Computed(product, (f"{value}_low", f"{value}_low")),
    }


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
        "line": Computed(known, ("amount",)),
        "list_price": Computed(_list_price, ("list_amount",)),
        "has_list_price": Computed(_has_list_price, ("list_amount",)),
        "is_discounted": Computed(_is_discounted, ("list_amount", "amount")),
        "reduced_price": Computed(_reduced_price, ("list_amount", "amount")),
        "reduced_amount": Computed(_reduced_amount, ("list_amount", "amount")),
    },
    keys=("day",),
    totals={
        "spend": Total("sum", "amount"),
        "order_ids": Total("distinct", "order_id"),
        "lines_without_order_id": Total("sum", "without_order_id"),
        "quantity": Total("sum", "quantity_millionths"),
        "lines_with_quantity": Total("sum", "quantity_known"),
        "lines": Total("sum", "line"),
        "listed": Total("sum", "list_price"),
        "listed_lines": Total("sum", "has_list_price"),
        "discounted_lines": Total("sum", "is_discounted"),
        "discounted_listed": Total("sum", "reduced_price"),
        "discounted_spend": Total("sum", "reduced_amount"),
    },
    previous={"previous_day": "day", "previous_spend": "spend"},
    later={
        "orders": Computed(_orders, ("order_ids", "lines_without_order_id")),
        "gap": Computed(difference, ("day", "previous_day")),
        "gap_squared": Computed(product, ("gap", "gap")),
        "spend_change": Computed(change, ("spend", "previous_spend")),
        "opens_month": Computed(_opens_month, ("day", "previous_day")),
        **_split_squares("spend"),
        **_split_squares("quantity"),
    },
    conditions={"with_quantity": Computed(positive, ("lines_with_quantity",))},
)

REFUNDS = View(
    name="refunds",
    table="transactions",
    keep=Computed(_is_refund, ("amount",)),
    columns={"day": taken("ordered_day"), "amount": taken("amount")},
)
