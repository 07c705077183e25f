"""The search for a recipe of a flat table, or of contracts: an Optuna study over the churn trees.

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
from training.flat.data import FlatData
from training.flat.fitting import CHURN_TREES_ONCE, FOLDS, calibrated, rows, unseen_forecasts
from training.flat.recipe import FlatRecipe
from training.gate import log_losses
from training.members.trees import TreeSettings
from training.tuning.study import Study

OnTrial = Callable[[int, Mapping[str, Any], float], None]

TRIAL_ROWS = 20_000
"""Customers that a trial learns from: settings are compared, not finished."""

STUDY_SEED = 1_000_003
"""Added to the seed, so that a study divides the customers otherwise than the validation that reports does."""

TUNED = ("rounds", "leaves", "leaf_rows", "feature_share", "row_share", "ridge")


def tune_flat(
    loss_of: Callable[[FlatRecipe], float], default: FlatRecipe, asked: Study, on_trial: OnTrial | None = None
) -> FlatRecipe:
    """The recipe of the lowest loss in the study that is asked for; `default` is the first and wins ties.

    `on_trial(number, parameters, loss)` follows each new trial.
    """
    if asked.trials < 1:
        return default
    study = _study(asked, default)
    for number in range(len(_finished(study)), asked.trials):
        study.sampler = TPESampler(seed=asked.seed + number)  # its own, so that a stopped study goes on as if it had not been
        trial = study.ask()
        loss = loss_of(suggested(trial, default))
        study.tell(trial, loss)
        if on_trial is not None:
            on_trial(trial.number, trial.params, loss)
    return suggested(optuna.trial.FixedTrial(study.best_params), default)


def folds_loss(data: FlatData, seed: int) -> Callable[[FlatRecipe], float]:
    """The log loss of a recipe's calibrated trees on customers of folds that they have not seen."""
    few = rows(data, np.linspace(0, 1, len(data)) < TRIAL_ROWS / len(data)) if len(data) > TRIAL_ROWS else data
    fold, everyone = few.folds(FOLDS, STUDY_SEED + seed), np.ones(len(few), dtype=bool)

    def loss_of(recipe: FlatRecipe) -> float:
        forecasts = unseen_forecasts((CHURN_TREES_ONCE,), few, everyone, recipe, fold, seed=seed)
        churn = probability_of(calibrated(forecasts, few.churned, fold, recipe))
        return float(log_losses(few.churned == 1, churn).mean())

    return loss_of


def suggested(trial: optuna.trial.BaseTrial, default: FlatRecipe) -> FlatRecipe:
    """The recipe that a trial proposes; what is not tuned is the default's."""
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


def _study(asked: Study, default: FlatRecipe) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(storage=asked.storage_url, study_name=asked.name, load_if_exists=True)
    if not _finished(study):  # a study that was killed in its first trial has not tried the default yet
        settings = asdict(default.churn_trees)
        study.enqueue_trial({name: settings[name] for name in TUNED}, skip_if_exists=False)
    return study


def _finished(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    return study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.COMPLETE])
