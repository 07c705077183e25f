"""The search for a recipe of a flat table: an Optuna study over the churn trees, judged on customers that they have not seen.

It lives in a database under its name, goes on where it stopped, and is limited by trials, never by the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import optuna
from optuna.samplers import TPESampler

from training.arrays import probability_of
from training.flat_data import FlatData
from training.flat_fitting import CHURN_TREES_ONCE, FOLDS, calibrated, rows, unseen_forecasts
from training.flat_recipe import FlatRecipe
from training.gate import log_losses
from training.trees import TreeSettings

OnTrial = Callable[[int, Mapping[str, Any], float], None]

TRIAL_ROWS = 20_000
"""Customers that a trial learns from: settings are compared, not finished."""

STUDY_SEED = 1_000_003
"""Added to the seed, so that a study divides the customers otherwise than the validation that reports does."""

TUNED = ("rounds", "leaves", "leaf_rows", "feature_share", "row_share", "ridge")


def tune_flat(
    data: FlatData,
    *,
    trials: int,
    seed: int,
    storage_url: str | None = None,
    study_name: str = "keepwell flat",
    on_trial: OnTrial | None = None,
) -> FlatRecipe:
    """The best recipe of a study of `trials` trials in all; the default recipe is the first and wins ties.

    A recipe is judged by the log loss of calibrated trees on customers of other folds. `on_trial(number, parameters, loss)`
    follows each new trial.
    """
    if trials < 1:
        return FlatRecipe()
    few = rows(data, np.linspace(0, 1, len(data)) < TRIAL_ROWS / len(data)) if len(data) > TRIAL_ROWS else data
    study = _study(storage_url, study_name)
    for number in range(len(_finished(study)), trials):
        study.sampler = TPESampler(seed=seed + number)  # of its own, so that a stopped study goes on as if it had not been
        trial = study.ask()
        loss = _loss(suggested(trial), few, seed)
        study.tell(trial, loss)
        if on_trial is not None:
            on_trial(trial.number, trial.params, loss)
    return suggested(optuna.trial.FixedTrial(study.best_params))


def suggested(trial: optuna.trial.BaseTrial) -> FlatRecipe:
    """The recipe that a trial proposes."""
    default = FlatRecipe()
    trees = TreeSettings(
        rounds=trial.suggest_int("rounds", 50, 500, step=25),
        learning_rate=default.churn_trees.learning_rate,
        leaves=trial.suggest_int("leaves", 4, 96, log=True),
        leaf_rows=trial.suggest_int("leaf_rows", 4, 80, log=True),
        feature_share=trial.suggest_float("feature_share", 0.3, 1.0),
        row_share=trial.suggest_float("row_share", 0.6, 1.0),
        ridge=trial.suggest_float("ridge", 0.001, 10, log=True),
    )
    return replace(default, churn_trees=trees)


def _study(storage_url: str | None, name: str) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(storage=storage_url, study_name=name, load_if_exists=True)
    if not _finished(study):  # a study that was killed in its first trial has not tried the default yet
        settings = asdict(FlatRecipe().churn_trees)
        study.enqueue_trial({name: settings[name] for name in TUNED}, skip_if_exists=False)
    return study


def _finished(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    return study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.COMPLETE])


def _loss(recipe: FlatRecipe, data: FlatData, seed: int) -> float:
    fold, everyone = data.folds(FOLDS, STUDY_SEED + seed), np.ones(len(data), dtype=bool)
    forecasts = unseen_forecasts((CHURN_TREES_ONCE,), data, everyone, recipe, fold, seed=seed)
    churn = probability_of(calibrated(forecasts, data.churned, fold, recipe))
    return float(log_losses(data.churned == 1, churn).mean())
