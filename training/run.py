"""One training from tables to champion: data, study, backtest, model, gate, card. All of it is in MLflow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from functools import partial

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from features.asof import NEVER_DAY, day_date, day_number, known_before
from features.catalog import allows
from features.checks.check import first_purchase_day, require_history
from features.company import Company
from features.panel import build_panel
from keepwell.errors import ModelError
from keepwell.progress import Progress, Silent
from training.arrays import Floats, thinned
from training.card.evidence import look
from training.card.report import handed_out
from training.data import TrainingData, training_data
from training.evaluation.backtest import Backtest, Fold, backtest, fit_graded
from training.evaluation.rivals import fit_rival
from training.gate import Verdict, judge
from training.loading import Predictor
from training.monitor.reference import FILE as REFERENCE
from training.monitor.reference import make_reference
from training.procedure import fit_procedure
from training.recipe import Recipe
from training.record import log_inputs, log_result
from training.registry import Registry, model_name
from training.registry.promotion import GATE
from training.result import TrainingResult
from training.sample import sample_setting
from training.scorer import ModelInfo, Predictions, Scorer
from training.tuning.objectives import DEFAULT, checked
from training.tuning.study import Study, study_name, tuned

EXPERIMENT = "keepwell/train"

REPLACED = "D"
"""The grade of a procedure that a simple rival replaced: the model's family is that rival's name."""

EXAMPLE_ROWS = 1_000
"""Customers whose quantiles make the example that is kept with a model."""

EXPLAINED_ROWS = 2_000
"""Customers whose contributions make the importance of a feature: a mean over these is steady."""


def train(
    company: Company,
    horizon_days: int,
    as_of: date,
    *,
    trials: int,
    seed: int,
    registry: Registry,
    objectives: Sequence[str] = (DEFAULT,),
    progress: Progress = Silent(),
) -> TrainingResult:
    """Train, measure, register and, where the gate allows, promote a model from what was known before `as_of`.

    `objectives` (one or two of `training.tuning.objectives`) are what the study seeks. The result's scorer carries its version.
    Same data, objectives, trials and seed give the same model, byte for byte.
    Raises HistoryError when the data are too short or too empty; nothing is written then.
    """
    require_history(company, as_of, horizon_days)
    known = known_until(company, as_of)
    data = training_data(known, horizon_days, as_of, progress)
    sought = {"objective": " and ".join(checked(objectives)), "campaign": company.campaign.told, **sample_setting(company)}
    settings = {"horizon_days": horizon_days, "as_of": as_of, "trials": trials, "seed": seed, **sought}
    with one_blas_thread(), registry.run(EXPERIMENT, f"{model_name(company.key, horizon_days)} as of {as_of}") as run:
        fingerprint = log_inputs(run, known, data, settings)
        study = Study(registry.study_storage(), trials, seed, tuple(objectives), study_name(data, seed, fingerprint))
        tested, scorer = _fitted(data, tuned(data, run, study, progress).recipe, seed, progress)
        judged = partial(_judged, registry, known, data, tested, seed)
        with progress.step("comparison with the champion"):
            champion, verdict = judged()
        evidence = look(known, data, as_of, progress)
        with progress.step("model card"):
            result = TrainingResult(
                scorer=scorer.versioned(run.register(scorer, _newest(data, EXAMPLE_ROWS))),
                verdict=verdict,
                backtest=tested,
                importance=importance(scorer, _newest(data, EXPLAINED_ROWS)),
                settings=settings,
                customers=len(data.at(data.as_of_day)),
                history_days=day_number(as_of) - first_purchase_day(known, as_of),
                fingerprint=fingerprint,
                run_id=run.id,
                evidence=evidence,
            )
            result = log_result(run, result)
            run.log_text(make_reference(known, by_date(data), data.names, scorer, result.importance).as_json(), REFERENCE)
        return settled(registry, result, champion, judged, partial(log_result, run))


def _fitted(data: TrainingData, recipe: Recipe, seed: int, progress: Progress) -> tuple[Backtest, Scorer]:
    """The procedure tried at past dates, and what is handed out at the newest."""
    with progress.step("backtest"):
        tested = backtest(data, recipe, seed)
    with progress.step("model"):
        return tested, fit_graded(data, tested, recipe, seed)


def _judged(registry: Registry, known: Company, data: TrainingData, tested: Backtest, seed: int) -> tuple[str | None, Verdict]:
    """The champion's version as it was before the verdict on the candidate, and the verdict."""
    champion = registry.version(data.company, data.horizon_days, "champion")
    return champion, compared_with_champion(registry, known, data, tested, seed)


def one_blas_thread() -> threadpool_limits:
    """Linear algebra on one thread: the same sums on any number of cores, and on a busy machine many times faster."""
    return threadpool_limits(limits=1, user_api="blas")


def known_until(company: Company, as_of: date) -> Company:
    """The company as its tables stood before `as_of`: later rows and later corrections are gone, empty event tables too.

    Everything after this line is honest about time because there is nothing else left to read.
    """
    day = day_number(as_of)
    corrected_later = pl.col("superseded_day") >= day
    events = {
        name: frame.filter(known_before(day, pl.col("known_day"))).with_columns(
            superseded_day=pl.when(corrected_later)
            .then(NEVER_DAY)
            .otherwise("superseded_day")
            .cast(frame["superseded_day"].dtype)
        )
        for name, frame in company.event_tables.items()
    }
    tables = {name: events[name] if name in events else company.known_rows(name, day) for name in company.tables}
    return replace(company, tables={name: frame for name, frame in tables.items() if not (name in events and frame.is_empty())})


def importance(scorer: Predictor, matrix: Floats) -> dict[str, dict[str, float]]:
    """Target -> feature -> mean absolute contribution over the rows, largest first; log-odds for churn, logarithms for value."""
    explained = scorer.explain(matrix)
    known = np.isfinite(explained.value).all(axis=1)
    weights = {
        "churn": np.abs(explained.churn).mean(axis=0),
        "value": np.abs(explained.value[known]).sum(axis=0) / max(known.sum(), 1),
    }
    names = scorer.info.feature_names
    return {
        target: {names[place]: float(weight[place]) for place in np.argsort(-weight, kind="stable")}
        for target, weight in weights.items()
    }


def compared_with_champion(registry: Registry, known: Company, data: TrainingData, tested: Backtest, seed: int) -> Verdict:
    """Judge the candidate against the champion at the newest backtest date; a champion that cannot score these data gives way."""
    version = registry.version(data.company, data.horizon_days, "champion")
    if version is None:
        return Verdict(True, "the first model for this company and horizon")
    try:
        champion = registry.scorer(data.company, data.horizon_days, version)
    except ModelError as error:
        return Verdict(True, f"champion {version} can no longer be read: {error.message}")
    if not isinstance(champion, Scorer):
        return Verdict(True, f"champion {version} learned from labels that were given, and not from what customers did")
    missing = [name for name in champion.info.feature_names if name not in data.names and not allows(known, name)]
    if missing:  # in a sample only: the other customers may well have it
        lost = f"champion {version} needs {missing[0]}, which the data no longer give"
        unseen = f"champion {version} needs {missing[0]}, which this sample does not give"
        return Verdict(known.sampled is None, lost if known.sampled is None else unseen)
    if not tested.folds:
        return Verdict(False, "there are too few dates or customers to compare with the champion at a past date")
    fold = tested.folds[0]
    candidate = handed_out(tested, fold)
    return judge(fold.churned, fold.value, candidate, _at(champion, known, data, fold, seed), as_of=fold.as_of, seed=seed)


def _at(champion: Scorer, known: Company, data: TrainingData, fold: Fold, seed: int) -> Predictions:
    """The champion's forecast at a fold; where it has seen labels after that date, it is fitted again as it would have been."""
    info, day = champion.info, day_number(fold.as_of)
    if info.labels_until <= fold.as_of:
        return champion.predict(read_by(info, known, data, fold))
    if info.grade == REPLACED:
        return fit_rival(data, day, info.family, champion.recipe, seed).predict(fold.matrix)
    return fit_procedure(data, day, champion.recipe, seed).predict(fold.matrix)


def read_by(info: ModelInfo, known: Company, data: TrainingData, fold: Fold) -> Floats:
    """What a champion reads of a fold's customers. It may know values of an attribute that are too rare now for the candidate."""
    if set(info.feature_names) <= set(data.names):
        return fold.matrix[:, [data.names.index(name) for name in info.feature_names]]
    panel = build_panel(known, [fold.as_of], info.feature_names)
    rows = pl.DataFrame({"customer_id": fold.customer_id}).join(panel, on="customer_id", how="left", maintain_order="left")
    return rows.select(pl.col(info.feature_names).fill_null(float("nan"))).to_numpy()


def settled(
    registry: Registry,
    result: TrainingResult,
    champion: str | None,
    judged: Callable[[], tuple[str | None, Verdict]],
    logged: Callable[[TrainingResult], TrainingResult],
) -> TrainingResult:
    """The result once its alias is set.

    Where another training was quicker than this one, its model is the champion to beat: it is judged, and logged, again.
    """
    while not _set_alias(registry, result, champion):
        champion, verdict = judged()
        result = logged(replace(result, verdict=verdict))
    return result


def _set_alias(registry: Registry, result: TrainingResult, champion: str | None) -> bool:
    """Do as the verdict says; False where it says promote, and `champion`, which it was made against, is the champion no more."""
    info, verdict = result.scorer.info, result.verdict
    registry.tag(info.company, info.horizon_days, info.version, {GATE: verdict.reason})
    if verdict.promote:
        return registry.succeed(info.company, info.horizon_days, champion, info.version)
    registry.challenge(info.company, info.horizon_days, info.version)
    return True


def by_date(data: TrainingData) -> dict[date, Floats]:
    """The features of the customers of each date, the newest last."""
    return {day_date(day): data.at(day).matrix for day in (*data.labelled_days, data.as_of_day)}


def _newest(data: TrainingData, rows: int) -> Floats:
    """At most `rows` rows of the newest date, evenly spread over its customers."""
    return thinned(data.at(data.as_of_day).matrix, rows)
