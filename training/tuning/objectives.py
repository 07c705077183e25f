"""What a study may seek: every metric that says which way is better, and the loss that is sought by default."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from keepwell.errors import ConfigError
from training.arrays import Floats
from training.gate import SMALLEST_VALUE, log_losses, value_losses
from training.metrics.intervals import METRICS, direction
from training.metrics.weighted import Outcome, Weighted
from training.scorer import Predictions

DEFAULT = "overall_loss"
MOST_OBJECTIVES = 2

SURE = 0.9
"""The share of the resamples of customers in which other settings must be better than the default ones to replace them."""


def overall_loss(outcome: Outcome, forecast: Predictions) -> Weighted:
    """Churn log loss plus value deviance (Poisson), each as a share of what the mean would lose; 2 is a guess."""
    churn, value = log_losses(outcome.churned, forecast.churn_probability), value_losses(outcome.value, forecast.expected_value)

    def of(weights: Floats) -> float:
        rate, mean = (np.full(len(churn), np.average(each, weights=weights)) for each in (outcome.churned, outcome.value))
        guessed = log_losses(outcome.churned, rate), value_losses(outcome.value, np.maximum(mean, SMALLEST_VALUE))
        return sum(float(weights @ lost / (weights @ guess)) for lost, guess in zip((churn, value), guessed, strict=True))

    return of


OBJECTIVES: Mapping[str, Callable[[Outcome, Predictions], Weighted]] = {
    DEFAULT: overall_loss,
    **{name: metric for name, metric in METRICS.items() if direction(name) != 0},
}


def checked(objectives: Sequence[str]) -> tuple[str, ...]:
    """The objectives, once each; ConfigError for an unknown one, for none, or for more than MOST_OBJECTIVES.

    >>> checked(["churn_auc", "churn_auc"])
    ('churn_auc',)
    """
    names = tuple(dict.fromkeys(objectives))
    unknown = [name for name in names if name not in OBJECTIVES]
    if unknown:
        raise ConfigError(f"there is no objective {unknown[0]!r}", hint=f"choose from {', '.join(OBJECTIVES)}")
    if not 1 <= len(names) <= MOST_OBJECTIVES:
        raise ConfigError(f"a study seeks one objective or two, not {len(names)}", hint="give --objective once or twice")
    return names


def choose(figures: Floats, objectives: Sequence[str]) -> tuple[tuple[int, ...], int]:
    """(the trials that no other beats in every objective, the one of them to take) from figures (trials, objectives).

    With one objective the best trial is taken. With two, each is put on a scale from 0, the worst of the front, to 1, the best
    of it; the trial nearest to being best in both is taken. The earliest trial wins ties.

    >>> choose(np.array([[0.8, 10.0], [0.7, 30.0], [0.78, 28.0], [0.6, 20.0]]), ["churn_auc", "churn_empc"])
    ((0, 1, 2), 2)
    """
    upward = figures * [direction(name) for name in objectives]
    front = tuple(place for place, each in enumerate(upward) if not _beaten(each, upward))
    best, worst = upward[list(front)].max(axis=0), upward[list(front)].min(axis=0)
    short_of_best = (best - upward[list(front)]) / np.where(best > worst, best - worst, 1.0)
    return front, front[int(np.argmin((short_of_best**2).sum(axis=1)))]


def surely_better(figures: Floats, defaults: Floats, objectives: Sequence[str]) -> bool:
    """Whether a recipe is better than the default one in an objective, and not worse in another, for all that is known.

    Both arrays (objectives, resamples) are figures of the same resamples of customers; SURE of them must agree.

    >>> rising = np.array([[0.7, 0.71, 0.72]])
    >>> surely_better(rising + 0.1, rising, ["churn_auc"]), surely_better(rising + [[0.1, -0.1, 0.1]], rising, ["churn_auc"])
    (True, False)
    """
    gains = (figures - defaults) * np.array([[direction(name)] for name in objectives])
    better, worse = (gains > 0).mean(axis=1) >= SURE, (gains < 0).mean(axis=1) >= SURE
    return bool(better.any() and not worse.any())


def _beaten(one: Floats, all_of_them: Floats) -> bool:
    return bool(((all_of_them >= one).all(axis=1) & (all_of_them > one).any(axis=1)).any())
