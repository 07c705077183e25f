"""What happened to each customer, day by day, in words: the events behind a score, for people to read."""

from __future__ import annotations

from datetime import date

import polars as pl

from features.asof import NEVER_DAY, day_number
from features.company import Company

EVENT_TYPES = {
    "customer_id": pl.String,
    "day": pl.Date,
    "kind": pl.String,
    "count": pl.Int64,
    "amount": pl.Float64,
    "detail": pl.String,
}
"""The columns of a timeline: one row per customer, day and kind; `amount` in currency units, null where there is none."""

_MOST_DETAILS = 3


def timelines(company: Company, customer_ids: pl.Series, as_of: date) -> pl.DataFrame:
    """The events of these customers that were known before `as_of`, with what was known about them then.

    Kinds: purchase, refund, complaint, enquiry, contact, payment. Ids are text, as in the store.
    """
    day = day_number(as_of)
    makers = {"transactions": _trade, "complaints": _complaints, "contacts": _contacts, "payments": _payments}
    parts = [
        _known(company, table, customer_ids, day).pipe(make, company, day)
        for table, make in makers.items()
        if table in company.tables
    ]
    rows = pl.concat([pl.DataFrame(schema=EVENT_TYPES), *(_by_day(part) for part in parts)])
    return rows.sort("customer_id", "day", "kind")


def _known(company: Company, table: str, customer_ids: pl.Series, as_of_day: int) -> pl.DataFrame:
    return company.known_rows(table, as_of_day).filter(pl.col("customer_id").is_in(customer_ids.implode()))


def _by_day(events: pl.DataFrame) -> pl.DataFrame:
    """Events (customer_id, day number, kind, amount, detail) as one row per customer, day and kind."""
    different = pl.col("detail").drop_nulls().unique(maintain_order=True)
    days = events.group_by("customer_id", "day", "kind", maintain_order=True).agg(
        count=pl.len(),
        amount=pl.when(pl.col("amount").is_not_null().any()).then(pl.col("amount").sum()),
        detail=different.head(_MOST_DETAILS).str.join("; "),
        more=different.len().cast(pl.Int64) - _MOST_DETAILS,
    )
    more = pl.when(pl.col("more") > 0).then(pl.format("{}; and {} more", "detail", "more")).otherwise("detail")
    days = days.with_columns(detail=more.replace("", None), day=pl.col("day").cast(pl.Date))
    return days.select(pl.col(name).cast(dtype) for name, dtype in EVENT_TYPES.items())


def _trade(rows: pl.DataFrame, company: Company, _day: int) -> pl.DataFrame:
    """Purchases and refunds; the detail is the categories, where they are known."""
    return rows.filter(pl.col("amount") != 0).select(
        "customer_id",
        day="ordered_day",
        kind=pl.when(pl.col("amount") > 0).then(pl.lit("purchase")).otherwise(pl.lit("refund")),
        amount=_money(company, "transactions.amount"),
        detail=_text(rows, "category"),
    )


def _complaints(rows: pl.DataFrame, _company: Company, as_of_day: int) -> pl.DataFrame:
    """Complaints and enquiries: what about, how bad, and whether they were closed before `as_of`."""
    closed = pl.col("closed_day") if "closed_day" in rows.columns else pl.lit(NEVER_DAY)
    took = closed - pl.col("opened_day")
    state = (
        pl.when(closed >= as_of_day)
        .then(pl.lit("still open"))
        .when(took < 0)  # closed before it was opened: a slip of the pen, which says nothing about how long it took
        .then(pl.lit("closed"))
        .otherwise(pl.format("closed after {}", _days(took)))
    )
    severity = _number(rows, "severity")
    about = pl.concat_str(_text(rows, "category"), pl.format("severity {}", severity), state, separator=", ", ignore_nulls=True)
    kind = _text(rows, "kind").fill_null("complaint")
    return rows.select("customer_id", day="opened_day", kind=kind, amount=pl.lit(None, pl.Float64), detail=about)


def _contacts(rows: pl.DataFrame, company: Company, _day: int) -> pl.DataFrame:
    """What was done towards a customer; who was held out (control) was not contacted.

    Whether it was accepted is left out: the table does not say when that became known.
    """
    treated = rows.filter(_text(rows, "arm").ne_missing("control"))
    cost = _money(company, "contacts.cost") if "cost" in rows.columns else pl.lit(None, pl.Float64)
    return treated.select("customer_id", day="contacted_day", kind=pl.lit("contact"), amount=cost, detail=_text(rows, "action"))


def _payments(rows: pl.DataFrame, company: Company, as_of_day: int) -> pl.DataFrame:
    """Invoices by the day that they were due, and whether they were paid before `as_of`."""
    paid = pl.col("paid_day") if "paid_day" in rows.columns else pl.lit(NEVER_DAY)
    late = paid - pl.col("due_day")
    state = (
        pl.when(paid >= as_of_day)
        .then(pl.lit("not paid"))
        .when(late > 0)
        .then(pl.format("paid {} late", _days(late)))
        .otherwise(pl.lit("paid in time"))
    )
    amount = _money(company, "payments.amount")
    return rows.select("customer_id", day="due_day", kind=pl.lit("payment"), amount=amount, detail=state)


def _money(company: Company, column: str) -> pl.Expr:
    return pl.col(column.partition(".")[2]).cast(pl.Float64) / pl.lit(10.0 ** company.scales[column])


def _text(rows: pl.DataFrame, column: str) -> pl.Expr:
    return pl.col(column) if column in rows.columns else pl.lit(None, pl.String)


def _number(rows: pl.DataFrame, column: str) -> pl.Expr:
    """Numbers as people write them, with two decimals at most: 4, 3.5."""
    if column not in rows.columns:
        return pl.lit(None, pl.String)
    return pl.col(column).cast(pl.Float64).round(2).cast(pl.String).str.strip_suffix(".0")


def _days(number: pl.Expr) -> pl.Expr:
    return pl.when(number == 1).then(pl.lit("1 day")).otherwise(pl.format("{} days", number))
