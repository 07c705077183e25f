"""A look at how groups of customers are forecast: the procedure tried at past dates, nothing registered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from features.checks.check import require_history
from features.company import Company
from features.contracts import leaves_by_contract, require_contracts
from features.flat import is_flat
from features.groups import NOT_KNOWN
from keepwell.errors import DataError, HistoryError
from keepwell.progress import Progress, Silent
from training.card.report import handed_out
from training.contracts.data import contract_data
from training.contracts.procedure import RECIPE, backtest_contracts
from training.data import training_data
from training.evaluation.backtest import Backtest, Fold, backtest
from training.evaluation.fairness import Group, Judged, chosen_first, groups_of, remarks
from training.flat.data import flat_data
from training.flat.leaks import left_out_columns
from training.flat.recipe import FlatRecipe
from training.flat.validation import fold_of, judged, unseen
from training.recipe import Recipe
from training.run import known_until, one_blas_thread


@dataclass(frozen=True)
class FairnessReport:
    """How the groups of one column were forecast at `dates`; `remarks` are the differences that surely matter, in sentences.

    `contact_share` of the customers of a date count as chosen. `horizon_days` is 0 where nobody said how far labels look.
    """

    company: str
    by: str
    horizon_days: int
    dates: tuple[date, ...]
    contact_share: float
    groups: tuple[Group, ...]
    remarks: tuple[str, ...]


def run_fairness(
    company: Company,
    groups: pl.DataFrame,
    by: str,
    horizon_days: int,
    as_of: date,
    *,
    contact_share: float,
    seed: int,
    progress: Progress = Silent(),
) -> FairnessReport:
    """Forecast past dates from what was known then, and tell by group what came of it.

    `groups` has customer_id (text) and group, as `features.groups` makes it, `by` is what they are told by. A flat table has one
    date; there, fits that have not seen a customer forecast them. HistoryError where no past date can be tried, DataError where
    the groups name no customer of the company.
    """
    _require_common_ids(company, groups)
    with one_blas_thread():
        tested = _tested(company, horizon_days, as_of, seed=seed, progress=progress)
        if not tested.folds:
            hint = "bring more customers or a longer history; `keepwell check` says what there is"
            raise HistoryError("no past date can be forecast and judged", hint=hint)
        with progress.step("figures by group"):
            told = groups_of(Judged.joined([_judged(tested, fold, groups, contact_share) for fold in tested.folds]), seed)
    days = tuple(fold.as_of for fold in tested.folds)
    return FairnessReport(company.key, by, horizon_days, days, contact_share, told, remarks(by, told))


def _require_common_ids(company: Company, groups: pl.DataFrame) -> None:
    """Ids written in two ways would put everybody among those whose group is not known, and nobody would notice."""
    known = groups["customer_id"].implode()
    if not any(table["customer_id"].cast(pl.String).is_in(known).any() for table in company.tables.values()):
        hint = "write the ids of the groups as the tables of DATA do"
        raise DataError("customers", "customer_id", "no customer of DATA is in any group", hint=hint)


def _tested(company: Company, horizon_days: int, as_of: date, *, seed: int, progress: Progress) -> Backtest:
    """What the procedure forecast at past dates, as training on a company of its kind would have."""
    if is_flat(company):
        data = flat_data(company, horizon_days, None, left_out_columns(company, ()))
        with progress.step("cross-validation"):
            return judged((fold_of(unseen(data, FlatRecipe(), seed), data.as_of, FlatRecipe()),), seed)
    if leaves_by_contract(company):
        require_contracts(company, as_of, horizon_days)
        contracts = contract_data(known_until(company, as_of), horizon_days, as_of, progress)
        with progress.step("backtest"):
            return backtest_contracts(contracts, RECIPE, seed)
    require_history(company, as_of, horizon_days)
    panel = training_data(known_until(company, as_of), horizon_days, as_of, progress)
    with progress.step("backtest"):
        return backtest(panel, Recipe(), seed)


def _judged(tested: Backtest, fold: Fold, groups: pl.DataFrame, contact_share: float) -> Judged:
    """One past date, with what would have been handed out there."""
    forecast, ids = handed_out(tested, fold), pl.Series("customer_id", fold.customer_id).cast(pl.String)
    named = ids.to_frame().join(groups, on="customer_id", how="left", maintain_order="left")
    return Judged(
        customer_id=ids.to_numpy(),
        group=named["group"].fill_null(NOT_KNOWN).to_numpy(),
        probability=forecast.churn_probability,
        expected=np.asarray(forecast.expected_value, dtype=np.float64),
        churned=fold.churned,
        value=np.asarray(fold.value, dtype=np.float64),
        chosen=chosen_first(forecast.churn_probability, contact_share),
    )
