"""The procedure tried at earlier dates against simple rivals, and the grade that it deserves.

The gain over a rival is the mean of two shares: the churn log loss it saves and the value deviance it saves.

    A   surely more than 2 % better than every simple rival
    B   surely better than every simple rival
    C   not surely better than the best of them
    D   surely worse than one of them, over all dates and at the newest: that rival is handed out in its place

One date is one season, which customers, however many, do not average out: on it alone nobody is handed out in our place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.asof import day_date
from features.campaign import DEFAULT_CAMPAIGN, Campaign
from training.arrays import Flags, Floats, Ints
from training.data import TrainingData
from training.evaluation.outcomes import worth_of
from training.evaluation.rivals import RIVALS, fit_rival, rivals_at
from training.fitting import is_enough
from training.gate import log_losses, value_losses
from training.metrics.intervals import METRICS, Interval, interval, resampled_weights
from training.metrics.weighted import Outcome
from training.procedure import fit_procedure
from training.recipe import Recipe
from training.scorer import Predictions, Scorer, in_a_row
from training.splits import cut_days, study_ends

MOST_FOLDS = 3
CLEARLY = 0.02
LEAST_DATES = 2
"""Dates at which a rival must have been tried to take our place."""

FURTHER_METRICS = ("churn_auc", "churn_log_loss", "churn_calibration_error")
"""What is told of churn over further horizons."""
RIVAL_METRICS = (
    "churn_auc",
    "churn_log_loss",
    "churn_empc",
    "value_campaign_profit",
    "value_gini",
    "value_mae",
    "value_total_ratio",
)


@dataclass(frozen=True)
class Fold:
    """One earlier date: the customers then known, what was forecast, what came, and what the rivals forecast.

    `worth` is what each was worth before (`training.evaluation.outcomes`), None where that is not known. `further_churned` tells
    who left over further horizons (days), NaN where they are not over.
    """

    as_of: date
    customer_id: NDArray[Any]
    matrix: Floats
    churned: Flags
    value: Floats
    predictions: Predictions
    rivals: Mapping[str, Predictions]
    worth: Floats | None = None
    further_churned: Mapping[int, Floats] = field(default_factory=dict)
    campaign: Campaign = DEFAULT_CAMPAIGN

    @property
    def outcome(self) -> Outcome:
        """What came, as metrics want it."""
        return Outcome(self.churned, self.value, self.worth, self.campaign)


@dataclass(frozen=True)
class Backtest:
    """Folds newest first; `gains` is the gain over each rival; `champion` names the rival that replaces a grade D, else "".

    Figures and gains are of all folds together, and by their dates.
    """

    folds: tuple[Fold, ...]
    figures: Mapping[str, Interval]
    rival_figures: Mapping[str, Mapping[str, Interval]]
    gains: Mapping[str, Interval]
    grade: str
    champion: str
    figures_by_date: Mapping[date, Mapping[str, Interval]] = field(default_factory=dict)
    gains_by_date: Mapping[date, Mapping[str, Interval]] = field(default_factory=dict)


NOT_TESTED = Backtest((), {}, {}, {}, "none", "")


def backtest(data: TrainingData, recipe: Recipe, seed: int, most_folds: int = MOST_FOLDS) -> Backtest:
    """Try the procedure one, two ... `most_folds` horizons before `data.as_of`, as far as labels and history allow.

    Each date uses a recipe that has not seen its labels: `recipe` at the newest, the default at those that the study has seen.
    Earlier dates on which less history made another kind of model out of it tell nothing about this one, and are left out.
    """
    days = cut_days(data.labelled_days, data.as_of_day, data.horizon_days, most_folds)
    days = tuple(day for day in days if is_enough(data.at(day)))
    # Dates on which all rivals could learn, too; where there are none, those on which only buy-till-you-die could.
    days = tuple(day for day in days if is_enough(data.known_at(day))) or days
    unseen = {day: recipe if day >= study_ends(data.as_of_day, data.horizon_days) else Recipe() for day in days}
    scorers = {day: fit_procedure(data, day, unseen[day], seed) for day in days}
    days = tuple(day for day in days if scorers[day].info.family == scorers[days[0]].info.family)
    if not days:
        return NOT_TESTED
    folds = tuple(_fold(data, day, scorers[day], unseen[day], seed) for day in days)
    return _judged(folds, [data.at(day).customer for day in days], seed)


def fit_graded(data: TrainingData, tested: Backtest, recipe: Recipe, seed: int) -> Scorer:
    """The scorer to hand out at `data.as_of`: the procedure's, or the rival that surely beats it; with its grade."""
    day = data.as_of_day
    scorer = fit_rival(data, day, tested.champion, recipe, seed) if tested.champion else fit_procedure(data, day, recipe, seed)
    return scorer.graded(tested.grade, len(tested.folds))


def _fold(data: TrainingData, day: int, scorer: Scorer, recipe: Recipe, seed: int) -> Fold:
    rows = data.at(day)
    rivals = {name: fit_rival(data, day, name, recipe, seed).predict(rows.matrix) for name in rivals_at(data, day)}
    return Fold(
        as_of=day_date(day),
        customer_id=rows.customer_id,
        matrix=rows.matrix,
        churned=rows.churned == 1,
        value=rows.value,
        predictions=scorer.predict(rows.matrix),
        rivals=rivals,
        worth=worth_of(rows),
        further_churned=rows.further,
        campaign=data.campaign,
    )


def _judged(folds: tuple[Fold, ...], customers: list[Ints], seed: int) -> Backtest:
    resamples = resampled_weights(np.concatenate(customers), seed)
    by_date = [((fold,), resampled_weights(customer, seed)) for fold, customer in zip(folds, customers, strict=True)]
    outcome, _, rivals = _joined(folds)
    gains = _gains(folds, resamples)
    gains_by_date = {one[0].as_of: _gains(one, weights) for one, weights in by_date}
    grade, champion = graded(gains, gains_by_date[folds[0].as_of], dates=len(folds))
    return Backtest(
        folds=folds,
        figures=_figures(folds, resamples),
        rival_figures={
            name: {metric: interval(METRICS[metric](outcome, rival), resamples) for metric in RIVAL_METRICS}
            for name, rival in rivals.items()
        },
        gains=gains,
        grade=grade,
        champion=champion,
        figures_by_date={one[0].as_of: _figures(one, weights) for one, weights in by_date},
        gains_by_date=gains_by_date,
    )


def _figures(folds: tuple[Fold, ...], resamples: Floats) -> dict[str, Interval]:
    outcome, ours, _ = _joined(folds)
    figures = {name: interval(metric(outcome, ours), resamples) for name, metric in METRICS.items()}
    for days, forecast in ours.further_churn.items():
        churned = np.concatenate([fold.further_churned[days] for fold in folds])
        over = ~np.isnan(churned)
        if over.any():
            figures |= _further_figures(days, churned[over] == 1, forecast[over], resamples[:, over])
    return figures


def _further_figures(days: int, churned: Flags, forecast: Floats, resamples: Floats) -> dict[str, Interval]:
    """The figures of churn over a further horizon, under the names of the metrics and the horizon."""
    outcome = Outcome(churned, np.zeros(len(churned)))
    told = Predictions(forecast, *(outcome.value,) * 4)
    return {f"{name}_{days}d": interval(METRICS[name](outcome, told), resamples) for name in FURTHER_METRICS}


def _gains(folds: tuple[Fold, ...], resamples: Floats) -> dict[str, Interval]:
    outcome, ours, rivals = _joined(folds)
    return {name: _gain(outcome, ours, rival, resamples) for name, rival in rivals.items()}


def graded(gains: Mapping[str, Interval], newest: Mapping[str, Interval], dates: int = LEAST_DATES) -> tuple[str, str]:
    """The grade for the gains over the rivals, and the rival to hand out in place of a grade D, else "".

    A rival must be surely better over all `dates`, LEAST_DATES or more, and at the `newest`, too: what once was better on half
    the history is no reason.

    >>> good, bad = Interval(0.03, 0.01, 0.05), Interval(-0.1, -0.2, -0.05)
    >>> graded({"recency": good, "lifetime": good}, {"recency": good, "lifetime": good})
    ('B', '')
    >>> graded({"recency": good, "lifetime": bad}, {"recency": good, "lifetime": bad})
    ('D', 'lifetime')
    >>> graded({"recency": good, "lifetime": bad}, {"recency": good, "lifetime": bad}, dates=1)
    ('C', '')
    """
    highest = {name: max(gains[name].high, newest[name].high) for name in gains}
    worst = min(highest, key=lambda name: highest[name])
    if highest[worst] < 0 and dates >= LEAST_DATES:
        return "D", worst
    surely = min(gain.low for gain in gains.values())
    return ("A" if surely > CLEARLY else "B" if surely > 0 else "C"), ""


def _gain(outcome: Outcome, ours: Predictions, rival: Predictions, resamples: Floats) -> Interval:
    """The mean share of the rival's churn and value loss that we save."""
    churn = [log_losses(outcome.churned, each.churn_probability) for each in (ours, rival)]
    value = [value_losses(outcome.value, each.expected_value) for each in (ours, rival)]

    def of(weights: Floats) -> float:
        saved = (1 - (weights @ mine) / (weights @ theirs) for mine, theirs in (churn, value))
        return float(sum(saved) / 2)

    return interval(of, resamples)


def _joined(folds: tuple[Fold, ...]) -> tuple[Outcome, Predictions, dict[str, Predictions]]:
    """What came, our forecasts and each rival's, of all folds in a row."""
    churned, value = (np.concatenate([getattr(fold, name) for fold in folds]) for name in ("churned", "value"))
    worth = [fold.worth for fold in folds if fold.worth is not None]
    known = np.concatenate(worth) if len(worth) == len(folds) else None
    outcome = Outcome(churned, value, known, folds[0].campaign)
    common = [name for name in RIVALS if all(name in fold.rivals for fold in folds)]
    rivals = {name: in_a_row([fold.rivals[name] for fold in folds]) for name in common}
    return outcome, in_a_row([fold.predictions for fold in folds]), rivals
