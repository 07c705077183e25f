"""What is counted of payments: invoices, from the day after they fell due."""

from __future__ import annotations

from features.asof import Column
from features.definitions import Computed, Operations, View
from features.formulas import happened, not_happened, taken


def _is_claim(_: Operations, amount: Column) -> Column:
    """A credit note or an invoice of nothing is nothing that a customer could pay late."""
    return amount > 0


def _is_late(c: Operations, due_day: Column, paid_day: Column) -> Column:
    """1 where the due day passed without payment. A row counts once its due day is over: then this is known for good."""
    return c.where(paid_day > due_day, 1, 0)


def _days_late(c: Operations, due_day: Column, paid_day: Column) -> Column:
    """Days from due to paid, 0 in time; without meaning while unpaid."""
    return c.where(paid_day > due_day, paid_day - due_day, 0)


PAYMENTS = View(
    name="payments",
    table="payments",
    keep=Computed(_is_claim, ("amount",)),
    columns={
        "day": taken("due_day"),
        "amount": taken("amount"),
        "paid_day": taken("paid_day"),
        "late": Computed(_is_late, ("due_day", "paid_day")),
        "days_late": Computed(_days_late, ("due_day", "paid_day")),
    },
    conditions={
        "paid": Computed(happened, ("paid_day",)),
        "overdue": Computed(not_happened, ("paid_day",)),
    },
)
