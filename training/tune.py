"""The search for a recipe: an Optuna study over the members' settings, judged on a later date than the members learn from.

The only home of optuna. A study lives in a database under its name and goes on where it stopped; it is limited by trials, never
by the clock, so that the same data and seed give the same recipe.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import optuna
from optuna.samplers import TPESampler

from training.arrays import probability_of
from training.data import TrainingData
from training.fitting import fit_linear_member, fit_tree_member, is_enough, season_at
from training.gate import log_losses, value_losses
from training.recipe import Recipe
from training.season import Season
from training.splits import cut_days, sampled_customers, study_ends
from training.trees import TreeSettings

OnTrial = Callable[[int, Mapping[str, Any], float], None]

TRIAL_ROWS = 40_000
"""Rows that a trial learns from: settings are compared, not finished."""

TREE_PARAMETERS = {
    "rounds": "rounds",
    "leaves": "leaves",
    "leaf_rows": "leaf_rows",
    "feature_share": "feature_share",
    "tree_ridge": "ridge",
}
"""How the settings of trees are called in a study."""

__all__ = ["Recipe", "tune"]


def tune(
    data: TrainingData,
    *,
    trials: int,
    seed: int,
    storage_url: str | None = None,
    study_name: str = "keepwell",
    on_trial: OnTrial | None = None,
) -> Recipe:
    """The best recipe of a study of `trials` trials in all; the default recipe is the first and wins ties.

    Members are judged two horizons before `data.as_of`, on labels that end one horizon before it: the newest backtest date then
    judges a recipe that has not seen it. With no trials, or too little history for that, the default recipe is returned.
    `on_trial(number, parameters, loss)` follows each new trial.
    """
    split = _split(data)
    if trials < 1 or split is None:
        return Recipe()
    learn, judge = split
    season = season_at(data, study_ends(data.as_of_day, data.horizon_days))
    study = _study(storage_url, study_name)
    done = len(_finished(study))
    for number in range(done, trials):
        # A sampler of its own for each trial: a study that was stopped goes on as if it had not been.
        study.sampler = TPESampler(seed=seed + number)
        trial = study.ask()
        recipe = suggested(trial)
        loss = recipe_loss(recipe, learn, judge, season, seed)
        study.tell(trial, loss)
        if on_trial is not None:
            on_trial(trial.number, trial.params, loss)
    return suggested(optuna.trial.FixedTrial(study.best_params))


def _split(data: TrainingData) -> tuple[TrainingData, TrainingData] | None:
    days = cut_days(data.labelled_days, study_ends(data.as_of_day, data.horizon_days), data.horizon_days, 1)
    if not days:
        return None
    learn, judge = data.known_at(days[0]), data.at(days[0])
    if not is_enough(learn) or not is_enough(judge):
        return None
    return learn.rows(sampled_customers(learn.customer, TRIAL_ROWS)), judge


def _study(storage_url: str | None, name: str) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(storage=storage_url, study_name=name, load_if_exists=True)
    if not _finished(study):  # a study that was killed in its first trial has not tried the default yet
        study.enqueue_trial(_parameters(Recipe()), skip_if_exists=False)
    return study


def _finished(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    return study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.COMPLETE])


def suggested(trial: optuna.trial.BaseTrial) -> Recipe:
    """The recipe that a trial proposes."""
    return Recipe(
        churn_trees=_suggested_trees(trial, "churn"),
        amount_trees=_suggested_trees(trial, "amount"),
        churn_ridge=trial.suggest_float("churn_ridge", 3, 3_000, log=True),
        amount_ridge=trial.suggest_float("amount_ridge", 3, 3_000, log=True),
    )


def _suggested_trees(trial: optuna.trial.BaseTrial, target: str) -> TreeSettings:
    return TreeSettings(
        rounds=trial.suggest_int(f"{target}_rounds", 50, 200, step=25),
        leaves=trial.suggest_int(f"{target}_leaves", 4, 16),
        leaf_rows=trial.suggest_int(f"{target}_leaf_rows", 20, 320, log=True),
        feature_share=trial.suggest_float(f"{target}_feature_share", 0.2, 1.0),
        ridge=trial.suggest_float(f"{target}_tree_ridge", 0.5, 100, log=True),
    )


def _parameters(recipe: Recipe) -> dict[str, Any]:
    """The parameters under which a trial proposes this recipe; the reverse of `suggested`."""
    trees = {
        f"{target}_{name}": getattr(settings, field)
        for target, settings in (("churn", recipe.churn_trees), ("amount", recipe.amount_trees))
        for name, field in TREE_PARAMETERS.items()
    }
    return trees | {"churn_ridge": recipe.churn_ridge, "amount_ridge": recipe.amount_ridge}


def recipe_loss(recipe: Recipe, learn: TrainingData, judge: TrainingData, season: Season, seed: int) -> float:
    """Churn log loss plus value deviance of the two learning members' mean, each as a share of what a constant loses."""
    members = (fit_linear_member(learn, season, recipe), fit_tree_member(learn, season, recipe, seed))
    log_odds = np.mean([member.churn_logit(judge.matrix) for member in members], axis=0)
    churn = probability_of(log_odds + season.offsets(judge.day)[0])
    amount = np.exp(np.mean([member.log_amount(judge.matrix) for member in members], axis=0))
    churned = judge.churned == 1
    # The level is the season's matter, not the recipe's: both forecasts are brought to the judged date's own.
    expected = (1 - churn) * amount
    expected *= max(judge.value.sum(), 1e-9) / expected.sum()
    constant = np.full(len(judge), judge.churned.mean()), np.full(len(judge), max(judge.value.mean(), 1e-9))
    lost = log_losses(churned, churn).mean() / log_losses(churned, constant[0]).mean()
    return float(lost + value_losses(judge.value, expected).mean() / value_losses(judge.value, constant[1]).mean())
