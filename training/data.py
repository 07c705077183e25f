"""The panel that models learn from, as arrays: one row for each customer at each date, with what came after where it is known."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.asof import day_date, day_number
from features.campaign import DEFAULT_CAMPAIGN, Campaign
from features.checks.check import first_purchase_day
from features.company import Company
from features.panel import build_panel, panel_names
from features.tables import ATTRIBUTION_DAYS
from keepwell.progress import Progress, Silent
from training.arrays import Flags, Floats, Ints
from training.labels import further_name, labels
from training.splits import MOST_ROWS, fresh_days, further_horizons, panel_days, sampled_customers

ROW_FIELDS = ("matrix", "customer_id", "customer", "day", "churned", "value")

EDGED = {"recency_days": "recency_days", "frequency": "purchase_days_365d", "monetary": "spend_365d"}
"""What the R, F and M scores are made of."""


@dataclass(frozen=True)
class TrainingData:
    """Rows known at `as_of`, labelled or not: `matrix` is (n, features), NaN = missing; the other arrays are (n,).

    `customer_id` is text or integer as it came, `customer` its code, `day` the row's date as a day number; `churned` (0.0 or 1.0)
    and `value` are NaN where the horizon is not over at `as_of`. `further` holds `churned` over other horizons (in days,
    ascending), NaN where they are not over. `memo` holds members already fitted to these rows, so that trials at several dates
    share them.
    """

    company: str
    as_of: date
    horizon_days: int
    names: tuple[str, ...]
    tables: tuple[str, ...]
    decimals: Mapping[str, int]
    data_until: date
    matrix: Floats
    customer_id: NDArray[Any]
    customer: Ints
    day: Ints
    churned: Floats
    value: Floats
    zone: str = "UTC"
    attribution_days: int = ATTRIBUTION_DAYS
    campaign: Campaign = DEFAULT_CAMPAIGN
    further: Mapping[int, Floats] = field(default_factory=dict)
    memo: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.day)

    @property
    def as_of_day(self) -> int:
        """The date of the newest rows, which have no label yet."""
        return day_number(self.as_of)

    @property
    def labelled_days(self) -> tuple[int, ...]:
        """The dates whose horizon is over, ascending."""
        return tuple(int(day) for day in np.unique(self.day[~np.isnan(self.churned)]))

    def rows(self, keep: Flags) -> TrainingData:
        """The rows where `keep` (n,) holds."""
        further = {days: churned[keep] for days, churned in self.further.items()}
        return replace(self, memo={}, further=further, **{name: getattr(self, name)[keep] for name in ROW_FIELDS})

    def at(self, day: int) -> TrainingData:
        """The rows of one date."""
        return self.rows(self.day == day)

    def known_at(self, day: int) -> TrainingData:
        """The labelled rows whose horizon ends at or before `day`; of `further`, too, only what was known then."""
        known = self.rows((self.day + self.horizon_days <= day) & ~np.isnan(self.churned))
        further = {days: np.where(known.day + days <= day, churned, np.nan) for days, churned in known.further.items()}
        return replace(known, further=further)

    def column(self, name: str) -> Floats:
        """One feature (n,) by name."""
        return self.matrix[:, self.names.index(name)]


def training_data(company: Company, horizon_days: int, as_of: date, progress: Progress | None = None) -> TrainingData:
    """Build panel and labels from what was known before `as_of`; the newest rows, at `as_of` itself, carry no label.

    Rows of dates whose horizon is not over at `as_of`, but a shorter one is, carry a label of the shorter one alone.

    HistoryError when there is no purchase before `as_of`.
    """
    steps = progress or Silent()
    first, last = first_purchase_day(company, as_of), day_number(as_of)
    further = further_horizons(first, last, horizon_days)
    labelled = [day_date(day) for day in panel_days(first, last, horizon_days)]
    fresh = [day_date(day) for day in fresh_days(first, last, horizon_days, further)]
    dates = [*labelled, *fresh, as_of]
    names = panel_names(company, dates)
    with steps.step(f"features of {len(dates)} dates"):
        sample = _sampled(company, dates, names)
        panel = build_panel(sample, dates, names)
    with steps.step("labels"):
        truth = labels(sample, labelled, horizon_days, as_of, further)
        if fresh:
            soon = labels(sample, fresh, min(further), as_of, further)
            truth = pl.concat([truth, soon.with_columns(churned=None, value=None)], how="vertical_relaxed")
    joined = panel.join(truth, on=["customer_id", "as_of"], how="left", maintain_order="left")
    return TrainingData(
        company=company.key,
        as_of=as_of,
        horizon_days=horizon_days,
        names=names,
        tables=tuple(sorted(company.tables)),
        decimals=dict(company.scales),
        data_until=company.data_until(as_of),
        matrix=joined.select(pl.col(names).fill_null(float("nan"))).to_numpy().astype(np.float64, order="C"),
        customer_id=joined["customer_id"].to_numpy(),
        customer=_codes(joined["customer_id"]),
        day=joined["as_of"].to_physical().to_numpy().astype(np.int64),
        churned=_as_numbers(joined["churned"]),
        value=joined["value"].fill_null(float("nan")).to_numpy(),
        zone=company.zone,
        attribution_days=company.attribution_days,
        campaign=company.campaign,
        further={days: _as_numbers(joined[further_name(days)]) for days in further},
    )


def _sampled(company: Company, dates: Sequence[date], names: Sequence[str]) -> Company:
    """The company with only as many of its customers as MOST_ROWS has room for: features of others need not be made."""
    customer_id = build_panel(company, dates, names[:1])["customer_id"]
    keep = sampled_customers(_codes(customer_id), MOST_ROWS)
    if keep.all():
        return company
    return only_customers(company, customer_id.filter(pl.Series(keep)).unique())


def only_customers(company: Company, customer_id: pl.Series) -> Company:
    """The company with the rows of these customers alone."""
    kept = pl.col("customer_id").is_in(customer_id.implode())
    return replace(company, tables={name: frame.filter(kept) for name, frame in company.tables.items()})


def _codes(customer_id: pl.Series) -> Ints:
    return customer_id.rank("dense").to_numpy().astype(np.int64)


def _as_numbers(flags: pl.Series) -> Floats:
    """1.0, 0.0, and NaN where it is not known."""
    return np.asarray(flags.cast(pl.Float64).fill_null(float("nan")).to_numpy())


def population_edges(data: TrainingData, day: int) -> dict[str, tuple[float, ...]]:
    """The four inner quintile edges of recency, frequency and monetary value at a date, for the R, F and M scores."""
    rows = data.at(day)
    levels = (0.2, 0.4, 0.6, 0.8)
    return {name: tuple(map(float, np.quantile(rows.column(column), levels))) for name, column in EDGED.items()}
