"""Columns of a flat table that give the label away: written after the customer had left, or because they did.

There is no log to hold a column against, only the label itself. A column is left out of training where it alone tells nearly all,
or where values that only leavers have cover a large part of them; what is merely odd is told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from features.asof import NEVER_DAY
from features.checks.odd_times import Suspicion
from features.company import Company
from keepwell.errors import ConfigError, HistoryError
from training.arrays import Flags
from training.flat.labels import newest_labels
from training.leaks.groups import ALMOST_ALL, Group, coded, held_out_auc, telling_groups
from training.splits import sampled_customers

NEARLY_PERFECT = 0.95
"""AUC of a single column; the strongest honest columns of churn tables stay below 0.9."""

SURE, SLACK = 3.0, 0.1
"""Standard errors by which the AUC must be above its bound less the slack."""

LARGE_PART = 1 / 3
"""Of all leavers: a value that a few leavers alone have may be an honest reason, one that so many have is the answer."""

LEAST_OF_EACH = 10
WAY_OUT = "left out of training; if its values were known on the date of the label, say --keep-column {}"
LOOK = "training uses it: look whether its values were known on the date of the label, else remove it"


@dataclass(frozen=True)
class LabelLeak:
    """A column of customers that seems to know the label; `certain` ones are left out of training."""

    column: str
    message: str
    certain: bool

    @property
    def suspicion(self) -> Suspicion:
        """As `keepwell check` tells it."""
        way_out = WAY_OUT.format(self.column) if self.certain else LOOK
        return Suspicion("attribute", f"customers.{self.column}", self.message, way_out)


def label_leaks(company: Company) -> tuple[LabelLeak, ...]:
    """What seems to know the labels of a company, by column; nothing where labels are lacking, or too few to tell."""
    try:
        labels = newest_labels(company)
    except HistoryError:
        return ()
    left = labels["churned"].to_numpy() == 1
    if min(left.sum(), (~left).sum()) < LEAST_OF_EACH:
        return ()
    people = labels.select("customer_id").join(company.tables["customers"], on="customer_id", how="left", maintain_order="left")
    columns = {name: people[name] for name in company.attributes}
    if "joined_day" in people.columns:
        columns["joined_at"] = people["joined_day"].replace(NEVER_DAY, None)
    return tuple(leak for name, values in columns.items() for leak in _of_column(name, values, left))


def left_out_columns(company: Company, keep: Collection[str]) -> dict[str, str]:
    """The columns that training must do without, and why, but those to `keep`; ConfigError for one that there is not."""
    known = {*company.attributes, "joined_at"}
    if unknown := sorted(set(keep) - known):
        raise ConfigError(f"there is no column {unknown[0]!r} to keep", hint=f"columns are {', '.join(sorted(known))}")
    return {leak.column: leak.message for leak in label_leaks(company) if leak.certain and leak.column not in keep}


def _of_column(column: str, values: pl.Series, left: Flags) -> Iterator[LabelLeak]:
    codes, names = coded(values)
    half = sampled_customers(np.arange(len(left)), len(left) // 2)
    area, error = held_out_auc(codes, left, half)
    if area >= NEARLY_PERFECT and area - SURE * error > NEARLY_PERFECT - SLACK:
        yield LabelLeak(column, f"alone tells who left (AUC {area:.2f})", certain=True)
        return
    groups = telling_groups(codes, names, left, np.full(len(left), left.mean()))
    of_leavers = [group for group in groups if group.left >= ALMOST_ALL * group.customers]
    certain = sum(group.left for group in of_leavers) >= LARGE_PART * left.sum()
    if groups:
        told = max(of_leavers or groups, key=lambda group: group.customers)
        yield LabelLeak(column, _group_words(told, left), certain)


def _group_words(group: Group, left: Flags) -> str:
    what = "is missing" if group.value is None else f"is {group.value!r}"
    share = f"{group.left / left.sum():.0%} of all who did"
    return f"of {group.customers:,} customers for whom it {what}, {group.left or 'none'} left ({share})"
