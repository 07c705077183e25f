"""A panel of contracts as arrays: customers whose contract ran at each of several dates, and whether it ended since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from features.asof import day_date, day_number
from features.company import Company
from features.contracts import RUNNING, contract_names, contract_panel, first_contract_day
from keepwell.progress import Progress, Silent
from training.arrays import Flags, Floats, Ints
from training.contracts.labels import contract_labels
from training.flat.data import FlatData
from training.flat.fitting import rows
from training.flat.labels import LEAST_EACH, LEAST_LABELS
from training.splits import MOST_ROWS, panel_days, sampled_customers


@dataclass(frozen=True)
class ContractData:
    """Customers with a running contract at several dates, by date and id: `table` has a row for each, `day` its date (n,).

    `churned` and `value` of the table are NaN where the horizon is not over at `as_of`.
    """

    table: FlatData
    day: Ints
    as_of: date
    tables: tuple[str, ...]
    data_until: date
    attribution_days: int

    @property
    def labelled_days(self) -> tuple[int, ...]:
        """The dates whose horizon is over, ascending."""
        return tuple(int(day) for day in np.unique(self.day[~np.isnan(self.table.churned)]))

    def part(self, keep: Flags) -> FlatData:
        """The rows where `keep` (n,) holds."""
        return rows(self.table, keep)

    def known_at(self, day: int) -> Flags:
        """Which rows (n,) have a label whose horizon ends at or before `day`."""
        known: Flags = ~np.isnan(self.table.churned) & (self.day + self.table.horizon_days <= day)
        return known


def enough(churned: Floats) -> bool:
    """Whether rows with these labels (n,) suffice to learn from."""
    left = int(churned.sum())
    return len(churned) >= LEAST_LABELS and min(left, len(churned) - left) >= LEAST_EACH


def contract_data(company: Company, horizon_days: int, as_of: date, progress: Progress = Silent()) -> ContractData:
    """Panel and labels of what was known before `as_of`; the newest rows, at `as_of` itself, carry no label.

    HistoryError where no contract is known before `as_of`.
    """
    first = first_contract_day(company, as_of)
    dates = [day_date(day) for day in panel_days(first, day_number(as_of), horizon_days)]
    names = contract_names(company, [*dates, as_of])
    with progress.step(f"features of {len(dates) + 1} dates"):
        panel = contract_panel(company, [*dates, as_of], tuple(dict.fromkeys((*names, RUNNING)))).filter(pl.col(RUNNING) > 0)
    with progress.step("labels"):
        truth = contract_labels(company, dates, horizon_days, as_of)
    joined = panel.join(truth, on=["customer_id", "as_of"], how="left", maintain_order="left")
    customer = joined["customer_id"].rank("dense").to_numpy().astype(np.int64)
    joined = joined.filter(pl.Series(sampled_customers(customer, MOST_ROWS)))
    table = FlatData(
        company=company.key,
        as_of=as_of,
        horizon_days=horizon_days,
        names=names,
        decimals=dict(company.scales),
        zone=company.zone,
        matrix=joined.select(pl.col(names).fill_null(float("nan"))).to_numpy().astype(np.float64, order="C"),
        customer_id=joined["customer_id"].to_numpy(),
        churned=joined["churned"].cast(pl.Float64).fill_null(float("nan")).to_numpy(),
        value=joined["value"].fill_null(float("nan")).to_numpy(),
        campaign=company.campaign,
    )
    return ContractData(
        table=table,
        day=joined["as_of"].to_physical().to_numpy().astype(np.int64),
        as_of=as_of,
        tables=tuple(sorted(company.tables)),
        data_until=company.data_until(as_of),
        attribution_days=company.attribution_days,
    )
