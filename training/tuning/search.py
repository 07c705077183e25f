"""The search for a recipe: an Optuna study over the members' settings, judged at dates later than the members learn from.

The only home of optuna. A study lives in a database under its name and goes on where it stopped; it is limited by trials, never
by the clock, and every trial draws from a seed of its own. So the same data and seed give the same recipe, whether the study was
stopped on the way or not, and the first trials of a longer study are those of a shorter one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.pruners import MedianPruner
from optuna.samplers import TPESampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from keepwell.errors import HistoryError
from training.data import TrainingData
from training.metrics.intervals import direction
from training.metrics.weighted import Weighted
from training.recipe import Recipe
from training.tuning.objectives import DEFAULT, OBJECTIVES, checked, choose, surely_better
from training.tuning.rehearsal import Rehearsal, rehearsals

FORMAT = 4
"""Part of every study's name: a study of other parameters or another judgement is another study."""

TREES: Mapping[str, BaseDistribution] = {
    "leaves": IntDistribution(4, 16),
    "leaf_rows": IntDistribution(20, 320, log=True),
    "feature_share": FloatDistribution(0.2, 1.0),
    "ridge": FloatDistribution(0.5, 100, log=True),
}
"""What is sought of trees; how many of them, the judges say by early stopping."""

RIDGES = (3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0)
SPACE: dict[str, BaseDistribution] = {
    **{f"{target}_trees.{name}": each for target in ("churn", "amount") for name, each in TREES.items()},
    "churn_ridge": CategoricalDistribution(RIDGES),
    "amount_ridge": CategoricalDistribution(RIDGES),
}

UNPRUNED_TRIALS = 5
"""Trials that are tried at every date before others may be given up for being worse than their median."""


@dataclass(frozen=True)
class Trial:
    """One recipe tried: `number` counts from 0, `figures` has one for each objective, a mean over the first `dates` dates.

    `pruned`: given up before all dates, since its figure was worse than the median of the trials before. `resampled` has the
    figures (objectives, resamples) of resampled customers, the same ones for every trial.
    """

    number: int
    parameters: Mapping[str, Any]
    recipe: Recipe
    figures: tuple[float, ...]
    dates: int
    pruned: bool
    resampled: tuple[tuple[float, ...], ...] = field(repr=False)


@dataclass(frozen=True)
class Tuned:
    """What a study came to; the `recipe` is the default one where nothing was tried.

    `front` are the trials that no other beats in every objective, `best` the one of them that `objectives.choose` names; it is
    `chosen`, unless it is not surely better than the default settings: then these stay, as trial 0.
    """

    objectives: tuple[str, ...]
    trials: tuple[Trial, ...] = ()
    front: tuple[Trial, ...] = ()
    best: Trial | None = None
    chosen: Trial | None = None

    @property
    def recipe(self) -> Recipe:
        """The recipe to train with."""
        return self.chosen.recipe if self.chosen else Recipe()


OnTrial = Callable[[Trial], None]


def tune(
    data: TrainingData,
    *,
    trials: int,
    seed: int,
    objectives: Sequence[str] = (DEFAULT,),
    storage_url: str | None = None,
    study_name: str = "keepwell",
    on_trial: OnTrial | None = None,
) -> Tuned:
    """The outcome of a study of `trials` trials in all; the first is the default recipe, which only a surely better one replaces.

    `on_trial` follows each of them, those of an earlier run of the study first. With too little history for a study nothing is
    tried. Raises ConfigError for unknown objectives, HistoryError for one that the data do not allow.
    """
    names = checked(objectives)
    dates = rehearsals(data) if trials > 0 else ()
    if not dates:
        return Tuned(names)
    study = _study(storage_url, f"{study_name}, {' and '.join(names)}, format {FORMAT}", names)
    for number in range(trials):
        if number >= len(_finished(study)):
            _try(study, number, dates, names, seed)
        if on_trial is not None:
            on_trial(_told(number, _finished(study)[number]))
    told = tuple(_told(number, trial) for number, trial in enumerate(_finished(study)[:trials]))
    whole = [trial for trial in told if not trial.pruned]
    front, place = choose(np.array([trial.figures for trial in whole]), names)
    best, default = whole[place], told[0]
    sure = surely_better(np.array(best.resampled), np.array(default.resampled), names)
    return Tuned(names, told, tuple(whole[each] for each in front), best, best if sure else default)


def _study(storage_url: str | None, name: str, objectives: Sequence[str]) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    ways = [StudyDirection.MAXIMIZE if direction(objective) > 0 else StudyDirection.MINIMIZE for objective in objectives]
    pruner = MedianPruner(n_startup_trials=UNPRUNED_TRIALS)
    return optuna.create_study(storage=storage_url, study_name=name, directions=ways, pruner=pruner, load_if_exists=True)


def _finished(study: optuna.Study) -> list[FrozenTrial]:
    """The trials that came to an end, in order; one that was killed is none."""
    return study.get_trials(deepcopy=False, states=[TrialState.COMPLETE, TrialState.PRUNED])


@dataclass(frozen=True)
class _Tried:
    """A recipe with the rounds that the judges wanted, and the running means (dates, objectives) of its figures."""

    recipe: Recipe
    means: tuple[tuple[float, ...], ...]
    resampled: tuple[tuple[float, ...], ...]

    def attributes(self) -> dict[str, Any]:
        """What a study keeps of a trial beside its parameters."""
        kept = {"figures": self.means[-1], "dates": len(self.means), "resampled": self.resampled}
        return {"recipe": self.recipe.as_dict(), **kept}


def _try(study: optuna.Study, number: int, dates: Sequence[Rehearsal], objectives: Sequence[str], seed: int) -> None:
    """Try one recipe at one date after the other, and tell the study."""
    if number == 0:
        study.add_trial(_default_trial(dates, objectives, seed))
        return
    # A sampler of its own for each trial: a study that was stopped goes on as if it had not been.
    study.sampler = TPESampler(seed=seed + number)
    trial = study.ask(SPACE)

    def hopeless(step: int, mean: tuple[float, ...]) -> bool:
        if len(objectives) > 1:  # Optuna gives up no trials of two objectives
            return False
        trial.report(mean[0], step)
        return step + 1 < len(dates) and trial.should_prune()

    tried = _tried(recipe_of(trial.params), dates, objectives, seed, hopeless)
    for name, value in tried.attributes().items():
        trial.set_user_attr(name, value)
    if len(tried.means) < len(dates):
        study.tell(trial, state=TrialState.PRUNED)
    else:
        study.tell(trial, tried.means[-1])


def _default_trial(dates: Sequence[Rehearsal], objectives: Sequence[str], seed: int) -> FrozenTrial:
    """The first trial, told to the study when it is done: one that was killed leaves nothing behind."""
    tried = _tried(Recipe(), dates, objectives, seed, lambda _step, _mean: False)
    steps = {step: mean[0] for step, mean in enumerate(tried.means)} if len(objectives) == 1 else None
    return create_trial(
        params=parameters_of(Recipe()),
        distributions=SPACE,
        values=tried.means[-1],
        intermediate_values=steps,
        user_attrs=replace(tried, recipe=Recipe()).attributes(),  # the default settings are wholly themselves
    )


def _tried(
    recipe: Recipe,
    dates: Sequence[Rehearsal],
    objectives: Sequence[str],
    seed: int,
    hopeless: Callable[[int, tuple[float, ...]], bool],
) -> _Tried:
    figures, resampled, rounds, means = [], [], [], []
    for step, rehearsal in enumerate(dates):
        forecast, took = rehearsal.forecast(recipe, seed)
        metrics = [OBJECTIVES[name](rehearsal.outcome, forecast) for name in objectives]
        figures.append([_figure(name, metric, rehearsal) for name, metric in zip(objectives, metrics, strict=True)])
        resampled.append([[metric(weights) for weights in rehearsal.resamples] for metric in metrics])
        rounds.append(took)
        means.append(tuple(map(float, np.mean(figures, axis=0))))
        if hopeless(step, means[-1]):
            break
    # Never fewer trees than usual: the model will learn from more rows and dates than a trial.
    churn, amount = np.maximum(
        np.rint(np.mean(rounds, axis=0)).astype(int), (recipe.churn_trees.rounds, recipe.amount_trees.rounds)
    )
    stopped = replace(
        recipe,
        churn_trees=replace(recipe.churn_trees, rounds=int(churn)),
        amount_trees=replace(recipe.amount_trees, rounds=int(amount)),
    )
    return _Tried(stopped, tuple(means), tuple(map(tuple, np.mean(resampled, axis=0).tolist())))


def _figure(objective: str, metric: Weighted, rehearsal: Rehearsal) -> float:
    figure = metric(np.ones(len(rehearsal.judge)))
    if not np.isfinite(figure):
        raise HistoryError(
            f"{objective} cannot be measured for the customers of {rehearsal.as_of}", hint="choose another --objective"
        )
    return figure


def _told(number: int, trial: FrozenTrial) -> Trial:
    kept = trial.user_attrs
    pruned = trial.state == TrialState.PRUNED
    return Trial(
        number=number,
        parameters=trial.params,
        recipe=Recipe.from_dict(kept["recipe"]),
        figures=tuple(kept["figures"]),
        dates=kept["dates"],
        pruned=pruned,
        resampled=tuple(map(tuple, kept["resampled"])),
    )


def recipe_of(parameters: Mapping[str, Any]) -> Recipe:
    """The recipe that parameters of SPACE stand for; the rest of it is the default's."""
    default = Recipe()
    trees = {
        field: replace(getattr(default, field), **{name: parameters[f"{field}.{name}"] for name in TREES})
        for field in ("churn_trees", "amount_trees")
    }
    return replace(default, **trees, churn_ridge=parameters["churn_ridge"], amount_ridge=parameters["amount_ridge"])


def parameters_of(recipe: Recipe) -> dict[str, Any]:
    """The parameters of SPACE that stand for this recipe.

    >>> recipe_of(parameters_of(Recipe())) == Recipe()
    True
    """
    values = recipe.as_dict()
    trees = {f"{field}.{name}": values[field][name] for field in ("churn_trees", "amount_trees") for name in TREES}
    return trees | {"churn_ridge": values["churn_ridge"], "amount_ridge": values["amount_ridge"]}
