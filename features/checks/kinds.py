"""What `keepwell check` says of companies without purchases: flat tables with labels, and contracts that end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from features.asof import NEVER_DAY, day_date
from features.company import Company
from features.contracts import RUNNING, contract_panel, first_contract_day


@dataclass(frozen=True)
class FlatCheck:
    """What can be done with a flat table: whether one can train, the answer, a way out, and facts for people."""

    trainable: bool
    answer: str
    way_out: str | None
    facts: tuple[str, ...]


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
