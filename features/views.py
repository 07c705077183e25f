"""The event views: what is counted, once for both executors."""

from __future__ import annotations

from features.asof import NEVER_DAY, Column, known_before
from features.definitions import Computed, Operations, Total, View
from features.formulas import SPLIT, known, millionths, month_number, quotient, taken

SATISFIED = 4.0
"""From which satisfaction (1-5) a customer counts as satisfied."""


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

JOININGS = View(name="joinings", table="customers", columns={"day": taken("joined_day")})


def _is_complaint(c: Operations, kind: Column) -> Column:
    return c.is_missing(kind) | (kind != "enquiry")


def _is_enquiry(_: Operations, kind: Column) -> Column:
    return kind == "enquiry"


def _is_rated_complaint(c: Operations, kind: Column, closed_day: Column, satisfaction: Column) -> Column:
    return _is_complaint(c, kind) & (closed_day < NEVER_DAY) & ~c.is_missing(satisfaction)


def _is_seen_complaint(c: Operations, kind: Column, complaint_id: Column, known_day: Column, superseded_day: Column) -> Column:
    """A version that counted on at least one day; so no two versions of a complaint became known on the same day."""
    return _is_complaint(c, kind) & ~c.is_missing(complaint_id) & (superseded_day > known_day)


def _later_day(c: Operations, day: Column, other_day: Column) -> Column:
    return c.where(day > other_day, day, other_day)


def _elapsed_us(c: Operations, start_us: Column, end_day: Column, end_us: Column) -> Column:
    """Microseconds from start to end; 0 where there is no end yet, so that nothing is taken from NEVER_US."""
    return c.where(end_day < NEVER_DAY, end_us, start_us) - start_us


def _reopens(c: Operations, day: Column, closed_day: Column, was_closed_day: Column, later: Column) -> Column:
    """1 for a version that was open, or was closed again later, when an older version had been closed before."""
    return c.where((was_closed_day <= day) & (closed_day >= day) & later, 1, 0)


def _is_later(_: Operations, us: Column, other_us: Column) -> Column:
    return us > other_us


def _happened(c: Operations, day: Column) -> Column:
    return known_before(c.as_of_day, day)


def _not_happened(c: Operations, day: Column) -> Column:
    return ~known_before(c.as_of_day, day)


def _unanswered(c: Operations, first_response_day: Column, closed_day: Column) -> Column:
    """Neither answered nor closed: who closes a complaint has answered it."""
    return _not_happened(c, first_response_day) & _not_happened(c, closed_day)


def _recovered(c: Operations, closed_day: Column, satisfaction: Column) -> Column:
    return known_before(c.as_of_day, closed_day) & (satisfaction >= SATISFIED)


COMPLAINTS = View(
    name="complaints",
    table="complaints",
    keep=Computed(_is_complaint, ("kind",)),
    columns={
        "day": taken("opened_day"),
        "first_response_day": taken("first_response_day"),
        "closed_day": taken("closed_day"),
        "satisfaction": taken("satisfaction"),
        "response_us": Computed(_elapsed_us, ("opened_us", "first_response_day", "first_response_us")),
        "resolve_us": Computed(_elapsed_us, ("opened_us", "closed_day", "closed_us")),
        "severity": Computed(millionths, ("severity",)),
        "severity_known": Computed(known, ("severity",)),
    },
    conditions={
        "open": Computed(_not_happened, ("closed_day",)),
        "closed": Computed(_happened, ("closed_day",)),
        "answered": Computed(_happened, ("first_response_day",)),
        "unanswered": Computed(_unanswered, ("first_response_day", "closed_day")),
        "recovered": Computed(_recovered, ("closed_day", "satisfaction")),
        "of_known_severity": Computed(_positive, ("severity_known",)),
    },
)

ENQUIRIES = View(
    name="enquiries",
    table="complaints",
    keep=Computed(_is_enquiry, ("kind",)),
    columns={"day": taken("opened_day")},
)

RATED_DAYS = View(
    name="rated_days",
    table="complaints",
    keep=Computed(_is_rated_complaint, ("kind", "closed_day", "satisfaction")),
    columns={
        "day": Computed(_later_day, ("closed_day", "known_day")),
        "millionths": Computed(millionths, ("satisfaction",)),
        "one": Computed(known, ("satisfaction",)),
    },
    keys=("day",),
    totals={"points": Total("sum", "millionths"), "ratings": Total("sum", "one")},
    previous={"previous_points": "points", "previous_ratings": "ratings"},
    later={
        "points_change": Computed(_change, ("points", "previous_points")),
        "ratings_change": Computed(_change, ("ratings", "previous_ratings")),
    },
)

REOPENINGS = View(
    name="reopenings",
    table="complaints",
    keep=Computed(_is_seen_complaint, ("kind", "complaint_id", "known_day", "superseded_day")),
    columns={
        "day": taken("known_day"),
        "complaint_id": taken("complaint_id"),
        "closed_day": taken("closed_day"),
        "closed_us": taken("closed_us"),
    },
    within=("customer_id", "complaint_id"),
    previous={"was_closed_day": "closed_day", "was_closed_us": "closed_us"},
    later={
        "closed_later": Computed(_is_later, ("closed_us", "was_closed_us")),
        "reopens": Computed(_reopens, ("day", "closed_day", "was_closed_day", "closed_later")),
    },
    all_versions=True,
)

VIEWS = {
    view.name: view for view in (PURCHASE_DAYS, REFUNDS, CATEGORY_FIRSTS, JOININGS, COMPLAINTS, ENQUIRIES, RATED_DAYS, REOPENINGS)
}
