"""The labels of a flat table: which one of each customer counts, and whether they suffice to learn from."""

from __future__ import annotations

from datetime import date

import polars as pl

from features.asof import day_number
from features.checks.kinds import FlatCheck
from features.company import Company
from features.flat import flat_names
from keepwell.errors import HistoryError

LEAST_LABELS, LEAST_EACH = 50, 10
"""Labelled customers, and customers of each answer, below which nothing can be learned."""


def newest_labels(company: Company, before: date | None = None) -> pl.DataFrame:
    """Each customer's newest label that tells whether they left, of dates before `before`; sorted by customer_id.

    Only of customers in the table of customers. HistoryError where there is none.
    """
    labels = company.tables.get("labels", pl.DataFrame(schema={"customer_id": pl.String, "as_of_day": pl.Int32}))
    if "churned" in labels.columns:
        labels = labels.filter(pl.col("churned").is_not_null())
        labels = labels if before is None else labels.filter(pl.col("as_of_day") < day_number(before))
        labels = labels.join(company.tables["customers"].select("customer_id"), on="customer_id", how="semi")
        newest = labels.sort("customer_id", "as_of_day").unique("customer_id", keep="last", maintain_order=True)
        if not newest.is_empty():
            return newest
    known = f" before {before}" if before else ""
    raise HistoryError(
        f"no label says of a customer whether they left{known}",
        hint="labels need customer_id, as_of and churned (yes or no), of customers in the table of customers; as_of is the date "
        "that each looks ahead from, and a label counts after it",
    )


def flat_check(company: Company) -> FlatCheck:
    """Whether one can train on customers and labels alone, and what training would do."""
    try:
        labels = newest_labels(company)
    except HistoryError as error:
        return FlatCheck(False, f"No: {error.message}", error.hint, ())
    names, left = flat_names(company, labels["customer_id"]), int(labels["churned"].sum())
    columns = len(company.attributes) + ("joined_day" in company.tables["customers"].columns)
    facts = (
        f"labels     {labels.height:,} of {company.tables['customers'].height:,} customers have one; {left:,} left "
        f"({left / labels.height:.1%})",
        f"features   {len(names):,} of {columns:,} columns of customers; all customers are scored",
    )
    if labels.height < LEAST_LABELS or min(left, labels.height - left) < LEAST_EACH:
        way_out = f"bring labels of {LEAST_LABELS} customers at least, {LEAST_EACH} of whom left and {LEAST_EACH} of whom stayed"
        return FlatCheck(False, "No: too few labels to learn from", way_out, facts)
    if not names:
        return FlatCheck(False, "No: customers have no column to learn from", "add columns to customers", facts)
    return FlatCheck(True, "Yes, on labels: no horizon and no date is needed.", None, facts)
