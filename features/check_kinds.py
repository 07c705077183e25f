"""What `keepwell check` says of companies without purchases: flat tables with labels, and contracts that end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from features.asof import NEVER_DAY, day_date
from features.company import Company
from features.contracts import RUNNING, contract_panel, first_contract_day
from features.flat import flat_names, newest_labels
from keepwell.errors import HistoryError

LEAST_LABELS, LEAST_EACH = 50, 10
"""Labelled customers, and customers of each answer, below which nothing can be learned."""


@dataclass(frozen=True)
class FlatCheck:
    """What can be done with a flat table: whether one can train, the answer, a way out, and facts for people."""

    trainable: bool
    answer: str
    way_out: str | None
    facts: tuple[str, ...]


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


def contract_span(company: Company) -> tuple[date | None, date | None, int]:
    """(the day on which the first contract began, the day after the last event of contracts, customers with one running then)."""
    contracts = company.tables["subscriptions"]
    if contracts.is_empty():
        return None, None, 0
    days = [contracts["known_day"].max()]
    if "ended_day" in contracts.columns:
        days.append(contracts.filter(pl.col("ended_day") < NEVER_DAY)["ended_day"].max())
    last = day_date(max(int(day) for day in days if day is not None)) + timedelta(days=1)  # type: ignore[arg-type]  # integers
    first = day_date(first_contract_day(company, last))
    running = contract_panel(company, [last], (RUNNING,)).filter(pl.col(RUNNING) > 0).height
    return first, last, running
