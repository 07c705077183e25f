"""A backtest by itself: the procedure tried at past dates, nothing registered."""

from __future__ import annotations

from datetime import date

from features.asof import day_number
from features.checks.check import first_purchase_day, require_history
from features.company import Company
from keepwell.errors import HistoryError
from keepwell.progress import Progress, Silent
from training.data import training_data
from training.evaluation.backtest import backtest
from training.fitting import LEAST_CLASS, LEAST_ROWS
from training.recipe import Recipe
from training.result import BacktestResult
from training.run import known_until, one_blas_thread
from training.splits import LEAST_HISTORY_DAYS
from training.tuning.study import Study, study_name, tuned


def run_backtest(
    company: Company,
    horizon_days: int,
    as_of: date,
    *,
    dates: int,
    study: Study,
    progress: Progress = Silent(),
) -> BacktestResult:
    """Try the procedure at up to `dates` past dates, from what was known before `as_of`.

    Without trials in `study` the default recipe is tried. HistoryError where no past date can be tried.
    """
    require_history(company, as_of, horizon_days)
    known = known_until(company, as_of)
    data = training_data(known, horizon_days, as_of, progress)
    with one_blas_thread():
        named = study.named(study_name(data, study.seed, known.fingerprint()))
        sought = tuned(data, None, named, progress) if study.trials else None
        recipe = sought.recipe if sought else Recipe()
        with progress.step("backtest"):
            tested = backtest(data, recipe, study.seed, dates)
    history_days = day_number(as_of) - first_purchase_day(known, as_of)
    if not tested.folds:
        raise _too_short(history_days, horizon_days)
    return BacktestResult(
        company=known.key,
        horizon_days=horizon_days,
        as_of=as_of,
        wanted=dates,
        tested=tested,
        recipe=recipe,
        study=sought,
        customers=len(data.at(data.as_of_day)),
        history_days=history_days,
        settings={
            "dates": dates,
            "trials": study.trials,
            "seed": study.seed,
            "objective": " and ".join(study.objectives),
            "campaign": known.campaign.told,
        },
        feature_names=data.names,
    )


def _too_short(history_days: int, horizon_days: int) -> HistoryError:
    lacking = horizon_days + LEAST_HISTORY_DAYS - history_days
    if lacking > 0:
        return HistoryError(
            f"no past date in {history_days:,} days of history has {LEAST_HISTORY_DAYS} days before it and {horizon_days} after",
            hint=f"bring {lacking:,} more days, or take a shorter --horizon",
        )
    return HistoryError(
        f"no past date has {LEAST_ROWS} customers with {LEAST_CLASS} who churned and {LEAST_CLASS} who did not",
        hint="bring more customers, or take another --horizon (`keepwell horizon` says which)",
    )
