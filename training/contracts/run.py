"""One training on contracts, from tables to champion: data, study, backtest, model, gate, card."""

from __future__ import annotations

from datetime import date
from functools import partial

from features.asof import day_date, day_number
from features.company import Company
from features.contracts import first_contract_day, require_contracts
from keepwell.errors import ModelError
from keepwell.progress import Progress, Silent
from training.arrays import Floats, thinned
from training.card.report import handed_out
from training.contracts.data import ContractData, contract_data
from training.contracts.procedure import RECIPE, backtest_contracts, fit_contracts, later_loss, learnable
from training.evaluation.backtest import Backtest
from training.evaluation.totals import FILE as TOTALS
from training.evaluation.totals import as_plain, totals
from training.flat.model import FlatScorer
from training.flat.recipe import FlatRecipe
from training.flat.report import log_flat_result
from training.flat.run import EXPLAINED_ROWS, log_flat_inputs, tuned
from training.gate import Verdict, compare, log_losses, verdict_of
from training.monitor.reference import FILE as REFERENCE
from training.monitor.reference import make_reference
from training.registry import Registry, Run, model_name
from training.result import TrainingResult
from training.run import EXAMPLE_ROWS, EXPERIMENT, importance, known_until, one_blas_thread, settled
from training.sample import sample_setting
from training.tuning.study import Study


def train_contracts(
    company: Company,
    horizon_days: int,
    as_of: date,
    *,
    trials: int,
    seed: int,
    registry: Registry,
    progress: Progress = Silent(),
) -> TrainingResult:
    """Train, measure, register and, where the gate allows, promote a model of contracts, from what was known before `as_of`.

    Same data, trials and seed give the same model, byte for byte. HistoryError when the data are too short or too few contracts
    have ended; nothing is written then.
    """
    require_contracts(company, as_of, horizon_days)
    known = known_until(company, as_of)
    data, day = contract_data(known, horizon_days, as_of, progress), day_number(as_of)
    learnable(data, day)  # refuses what is too little before anything is written
    kind = {"churn": "contracts", "campaign": company.campaign.told, **sample_setting(company)}
    settings = {"horizon_days": horizon_days, "as_of": as_of, "trials": trials, "seed": seed, **kind}
    with one_blas_thread(), registry.run(EXPERIMENT, f"{model_name(company.key, horizon_days)} as of {as_of}") as run:
        fingerprint = log_flat_inputs(run, known, data.table, settings)
        name = f"{company.key} contracts {horizon_days}d as of {as_of}, seed {seed}, {fingerprint[:16]}"
        study = Study(registry.study_storage(), trials, seed, name=name)
        tested, scorer = _fitted(data, _recipe(data, study, run, progress), seed, progress)
        judged = partial(_compared, registry, data, tested, seed)
        with progress.step("comparison with the champion"):
            champion, verdict = judged()
        newest = data.part(data.day == day).matrix
        with progress.step("model card"):
            result = TrainingResult(
                scorer=scorer.versioned(run.register(scorer, newest[:EXAMPLE_ROWS])),
                verdict=verdict,
                backtest=tested,
                importance=importance(scorer, thinned(newest, EXPLAINED_ROWS)),
                settings=settings,
                customers=len(newest),
                history_days=day - first_contract_day(known, as_of),
                fingerprint=fingerprint,
                run_id=run.id,
            )
            result = log_flat_result(run, result)
            _log_for_later(run, known, data, result)
        return settled(registry, result, champion, judged, partial(log_flat_result, run))


def _recipe(data: ContractData, study: Study, run: Run, progress: Progress) -> FlatRecipe:
    """The recipe that a study finds; the default where the history has no date to spare for one."""
    loss_of = later_loss(data, study.seed)
    return RECIPE if loss_of is None else tuned(loss_of, RECIPE, study, run, progress)


def _fitted(data: ContractData, recipe: FlatRecipe, seed: int, progress: Progress) -> tuple[Backtest, FlatScorer]:
    """The procedure tried at past dates, and what is handed out at the newest, with its grade."""
    with progress.step("backtest"):
        tested = backtest_contracts(data, recipe, seed)
    with progress.step("model"):
        scorer = fit_contracts(data, day_number(data.as_of), recipe, seed, tested.champion)
        return tested, scorer.graded(tested.grade, len(tested.folds))


def _log_for_later(run: Run, known: Company, data: ContractData, result: TrainingResult) -> None:
    """What reviews and the monitor compare with: totals of the backtest, and what the training saw."""
    run.log_dict(as_plain(totals(result.backtest)), TOTALS)
    reference = make_reference(known, _by_date(data), data.table.names, result.scorer, result.importance)
    run.log_text(reference.as_json(), REFERENCE)


def _by_date(data: ContractData) -> dict[date, Floats]:
    """The features of those with a running contract at each date, the newest last."""
    days = (*data.labelled_days, day_number(data.as_of))
    return {day_date(day): data.part(data.day == day).matrix for day in days}


def _compared(registry: Registry, data: ContractData, tested: Backtest, seed: int) -> tuple[str | None, Verdict]:
    """The champion's version, and whether the candidate may replace it: judged at the newest backtest date.

    A champion that has seen labels of that date is fitted again as it would have been then.
    """
    version = registry.version(data.table.company, data.table.horizon_days, "champion")
    if version is None:
        return None, Verdict(True, "the first model for this company and horizon")
    try:
        champion = registry.scorer(data.table.company, data.table.horizon_days, version)
    except ModelError as error:
        return version, Verdict(True, f"champion {version} can no longer be read: {error.message}")
    if not isinstance(champion, FlatScorer) or champion.info.churn != "contracts":
        return version, Verdict(True, f"champion {version} learned what leaving is from other tables")
    if not tested.folds:
        return version, Verdict(False, "there are too few dates or contracts to compare with the champion at a past date")
    fold = tested.folds[0]
    rival = champion.info.family if champion.info.family in fold.rivals else ""
    before = fit_contracts(data, day_number(fold.as_of), champion.recipe, seed, rival).predict(fold.matrix)
    candidate = handed_out(tested, fold)
    losses = [log_losses(fold.churned, each.churn_probability) for each in (candidate, before)]
    return version, verdict_of((compare("log_loss", losses[0], losses[1], seed),), len(fold.churned), fold.as_of)
