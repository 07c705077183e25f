"""One training on a flat table, from labels to champion: leaks, study, cross-validation, model, gate, card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date
from functools import partial
from types import MappingProxyType

import numpy as np

from features.catalog import entry_of
from features.company import Company
from features.flat import source_column
from keepwell.errors import ModelError
from keepwell.progress import Progress, Silent
from training.arrays import Floats, thinned
from training.card.report import handed_out
from training.evaluation.backtest import Backtest
from training.flat.data import FlatData, flat_data
from training.flat.leaks import left_out_columns
from training.flat.model import FlatScorer
from training.flat.recipe import FlatRecipe
from training.flat.report import log_flat_result
from training.flat.tune import folds_loss, tune_flat
from training.flat.validation import FAMILY, MONEY, Unseen, fit_flat, fold_of, judged, label_info, predictions, unseen
from training.gate import Verdict, compare, log_losses, verdict_of
from training.monitor.reference import FILE as REFERENCE
from training.monitor.reference import Reference, make_reference
from training.record import log_trial
from training.registry import Registry, Run, model_name
from training.result import TrainingResult
from training.run import EXAMPLE_ROWS, EXPERIMENT, one_blas_thread, settled
from training.sample import sample_setting
from training.scorer import Predictions
from training.tuning.study import Study

EXPLAINED_ROWS = 500
"""Customers whose contributions make the importance of a column."""


def train_flat(
    company: Company,
    *,
    horizon_days: int = 0,
    before: date | None = None,
    left_out: Mapping[str, str] | None = None,
    trials: int,
    seed: int,
    registry: Registry,
    progress: Progress = Silent(),
) -> TrainingResult:
    """Train, measure, register and, where the gate allows, promote a model of customers whose labels were given.

    Labels that look ahead from dates at or after `before` do not count. `horizon_days` says how far labels look ahead (0: nobody
    said) and is the model's key. `left_out` are the columns not to learn from, and why;
    None: those that give the label away.
    Same data, trials and seed give the same model, byte for byte. HistoryError where labels are too few; nothing is written then.
    """
    left_out = left_out_columns(company, ()) if left_out is None else left_out
    data = flat_data(company, horizon_days, before, left_out)
    settings = {"horizon_days": horizon_days, "as_of": data.as_of, "trials": trials, "seed": seed}
    settings |= {"campaign": company.campaign.told, **sample_setting(company)}
    with one_blas_thread(), registry.run(EXPERIMENT, f"{model_name(company.key, horizon_days)} as of {data.as_of}") as run:
        fingerprint = log_flat_inputs(run, company, data, settings, left_out)
        name = f"{company.key} labels of {data.as_of}, seed {seed}, {fingerprint[:16]}, {len(data.names)} features"
        study = Study(registry.study_storage(), trials, seed, name=name)
        recipe = tuned(folds_loss(data, seed), FlatRecipe(), study, run, progress)
        found, tested, scorer = _fitted(data, recipe, seed, progress)
        compared = partial(_compared, registry, data, found, tested, scorer, seed=seed)
        with progress.step("comparison with the champion"):
            champion, verdict = compared()
        with progress.step("model card"):
            result = TrainingResult(
                scorer=scorer.versioned(run.register(scorer, data.matrix[:EXAMPLE_ROWS])),
                verdict=verdict,
                backtest=tested,
                importance=column_importance(scorer, thinned(data.matrix, EXPLAINED_ROWS)),
                settings=settings,
                customers=len(data),
                history_days=0,
                fingerprint=fingerprint,
                run_id=run.id,
            )
            result = log_flat_result(run, result, left_out)
            run.log_text(_reference(company, data, result).as_json(), REFERENCE)
        return settled(registry, result, champion, compared, partial(log_flat_result, run, left_out=left_out))


def _fitted(data: FlatData, recipe: FlatRecipe, seed: int, progress: Progress) -> tuple[Unseen, Backtest, FlatScorer]:
    """Forecasts by fits that have not seen the labels, what they came to, and what is handed out, with its grade."""
    with progress.step("cross-validation"):
        found = unseen(data, recipe, seed)
        tested = judged((fold_of(found, data.as_of, recipe, data.campaign),), seed)
    with progress.step("model"):
        info = label_info(data, tested.champion or FAMILY)
        scorer = fit_flat(data, found, recipe, info, seed=seed, rival=tested.champion)
        return found, tested, scorer.graded(tested.grade, 0)


def _reference(company: Company, data: FlatData, result: TrainingResult) -> Reference:
    """What the monitor compares with; scores are those of the validation, as later customers will not have been learned from."""
    tested, info = result.backtest, result.scorer.info
    fold = tested.folds[0]
    asked = handed_out(tested, fold)
    once = Predictions(*(getattr(asked, name)[: len(data)] for name in MONEY))  # a validation may go over all customers again
    weights = {
        target: {name: columns[source_column(name)] for name in data.names} for target, columns in result.importance.items()
    }
    return make_reference(company, {info.trained_as_of: data.matrix}, data.names, result.scorer, weights, forecasts=[once])


def column_importance(scorer: FlatScorer, matrix: Floats) -> dict[str, dict[str, float]]:
    """Target -> column of customers -> mean absolute contribution of all features made of it, the largest first."""
    explained, columns = scorer.explain(matrix), [source_column(name) for name in scorer.info.feature_names]
    different = list(dict.fromkeys(columns))
    groups = np.array([[float(column == group) for group in different] for column in columns])
    told = {"churn": explained.churn} | ({"value": explained.value} if scorer.amount else {})
    weights = {target: np.abs(contributions @ groups).mean(axis=0) for target, contributions in told.items()}
    return {
        target: {different[place]: float(weight[place]) for place in np.argsort(-weight, kind="stable")}
        for target, weight in weights.items()
    }


def log_flat_inputs(
    run: Run, company: Company, data: FlatData, settings: Mapping[str, object], left_out: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Log what goes in, and which columns are `left_out` and why; the fingerprint of the data."""
    fingerprint = company.fingerprint()
    run.log_params({"company": company.key, **settings, "rows": len(data), "features": len(data.names)})
    run.log_params({"fingerprint": fingerprint})
    run.log_tags({"company": company.key, "horizon_days": data.horizon_days, "as_of": data.as_of})
    entries = {name: entry_of(name) for name in data.names}
    run.log_dict({name: asdict(entry) for name, entry in entries.items() if entry}, "features.json")
    run.log_dict(dict(left_out), "left_out.json")
    for name, frame in company.tables.items():
        run.log_dataset(frame, f"{company.key}/{name}", fingerprint, context="training")
    return fingerprint


def tuned(loss_of: Callable[[FlatRecipe], float], default: FlatRecipe, study: Study, run: Run, progress: Progress) -> FlatRecipe:
    """Carry a study through; each of its trials is a nested run."""

    def on_trial(number: int, params: Mapping[str, object], loss: float) -> None:
        log_trial(run, number, params, {"churn_log_loss": loss})
        progress.count(number + 1, study.trials)

    with progress.step(f"tuning, {study.trials} trials"):
        return tune_flat(loss_of, default, study, on_trial)


def _compared(
    registry: Registry, data: FlatData, found: Unseen, tested: Backtest, scorer: FlatScorer, *, seed: int
) -> tuple[str | None, Verdict]:
    """The champion's version, and whether the candidate may replace it.

    The champion may have learned from the very labels that judge, so its procedure, not itself, is held against the candidate's:
    on the same customers, each forecast by fits that have not seen them.
    """
    version = registry.version(data.company, data.horizon_days, "champion")
    if version is None:
        return None, Verdict(True, "the first model for this company")
    try:
        champion = registry.scorer(data.company, data.horizon_days, version)
    except ModelError as error:
        return version, Verdict(True, f"champion {version} can no longer be read: {error.message}")
    if not isinstance(champion, FlatScorer):
        return version, Verdict(True, f"champion {version} learned from what customers did, and there is nothing of it now")
    theirs = found if champion.recipe == scorer.recipe else unseen(data, champion.recipe, seed)
    mine = predictions(found, scorer.recipe, tested.champion)
    before = predictions(theirs, champion.recipe, champion.info.family if champion.info.family in theirs.rivals else "")
    losses = [_losses(tested, each, len(data)) for each in (mine, before)]
    return version, verdict_of((compare("log_loss", losses[0], losses[1], seed),), len(data), data.as_of)


def _losses(tested: Backtest, forecast: Predictions, customers: int) -> Floats:
    """The mean churn loss (n,) of each customer over the validations."""
    losses = log_losses(tested.folds[0].churned, forecast.churn_probability)
    return np.asarray(losses.reshape(-1, customers).mean(axis=0))
