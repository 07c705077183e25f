"""Churn over other horizons than the model's own: one fit tells of all of them.

Over a longer horizon fewer stay silent. Buy-till-you-die knows by how much for each history; the model's own forecast knows the
customer better. A further horizon's log-odds are therefore a weighted sum of the model's own and of the step that
buy-till-you-die makes from the one horizon to the other, both with the weight 1 where nothing else has been learned. Weights
come from forecasts made out of time, the level from buy-till-you-die and from that horizon's own season, as in the model itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from training.arrays import Floats, Ints, probability_of
from training.data import TrainingData
from training.members.kinds import LifetimeMember
from training.members.stack import Blend, fit_churn_blend
from training.season import Windows, log_odds_shift

OWN_AND_STEP = (1.0, 1.0)
"""The weights that are drawn to: the model's own log-odds, and the step of buy-till-you-die as it is."""


def further_column(days: int) -> str:
    """How scores call the churn probability over a further horizon.

    >>> further_column(30)
    'churn_probability_30d'
    """
    return f"churn_probability_{days}d"


@dataclass(frozen=True)
class Further:
    """By horizon in days, ascending, the blend of own log-odds and step; `lifetime` has the model's own horizon."""

    lifetime: LifetimeMember
    blends: Mapping[int, Blend]

    def churn(self, log_odds: Floats, matrix: Floats) -> dict[int, Floats]:
        """Churn probabilities (n,) by horizon, given the model's own log-odds (n,); they never rise with the horizon."""
        steps = lifetime_steps(self.lifetime, tuple(self.blends), matrix)
        free = {
            days: probability_of(blend.combine(np.column_stack([log_odds, steps[days]]))) for days, blend in self.blends.items()
        }
        return _falling(free, self.lifetime.horizon_days, probability_of(log_odds))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"lifetime": self.lifetime.to_dict(), "blends": [(days, asdict(blend)) for days, blend in self.blends.items()]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Further:
        """Read what `to_dict` wrote."""
        return cls(
            LifetimeMember.from_dict(values["lifetime"]), {days: Blend.from_dict(blend) for days, blend in values["blends"]}
        )


def lifetime_steps(lifetime: LifetimeMember, horizons: tuple[int, ...], matrix: Floats) -> dict[int, Floats]:
    """By horizon, what buy-till-you-die adds (n,) to the log-odds of churn over its own horizon."""
    own = lifetime.churn_logit(matrix)
    return {days: over(lifetime, days).churn_logit(matrix) - own for days in horizons}


def over(lifetime: LifetimeMember, days: int) -> LifetimeMember:
    """The same member for another horizon: its parameters do not depend on one."""
    return replace(lifetime, horizon_days=days)


class FurtherTrial(NamedTuple):
    """What is learned from, all (n, horizons): steps of buy-till-you-die, whether customers left (NaN: not known), seasons."""

    steps: Floats
    churned: Floats
    offset: Floats


@dataclass(frozen=True)
class Learned:
    """A trial, and the model's log-odds: `own` of its rows (n,), without their season, `own_now` of the newest customers.

    `outlook` tells of the season to come, `prior_rows` is the strength of OWN_AND_STEP.
    """

    trial: FurtherTrial
    own: Floats
    own_now: Floats
    outlook: Windows
    prior_rows: float


def further_trial(rows: TrainingData, lifetime: LifetimeMember) -> FurtherTrial:
    """Labelled rows as `lifetime`, which has not seen their labels, forecasts them."""
    steps = lifetime_steps(lifetime, tuple(rows.further), rows.matrix)
    seasons = (churn_effects(rows, over(lifetime, days)) for days in rows.further)
    offsets = [effects[np.searchsorted(days, rows.day)] for days, effects in seasons]
    return FurtherTrial(*(_columns(each, len(rows)) for each in (list(steps.values()), list(rows.further.values()), offsets)))


def churn_effects(rows: TrainingData, lifetime: LifetimeMember) -> tuple[Ints, Floats]:
    """The dates of rows, and what each added to the log-odds of churn over the member's horizon; NaN where it is not over."""
    days, churned = np.unique(rows.day), rows.further[lifetime.horizon_days]
    effects = np.full(len(days), np.nan)
    for place, day in enumerate(days):
        there = rows.day == day
        if not np.isnan(churned[there]).any():
            effects[place] = log_odds_shift(lifetime.churn_logit(rows.matrix[there]), float(churned[there].mean()))
    return days, effects


def fit_further(data: TrainingData, day: int, lifetime: LifetimeMember, learned: Learned | None) -> Further:
    """What a model fitted at `day` tells of the other horizons of `data`."""
    if learned is None:
        return Further(lifetime, dict.fromkeys(data.further, Blend(OWN_AND_STEP, 0.0)))
    newest = data.at(day).matrix
    steps = lifetime_steps(lifetime, tuple(data.further), newest)
    blends = {}
    for place, days in enumerate(data.further):
        blend = _blend(learned, place)
        wanted = over(lifetime, days).churn_logit(newest) + learned.outlook.forecast(day, days).mean
        found = blend.combine(np.column_stack([learned.own_now, steps[days]]))
        gap = log_odds_shift(found, float(probability_of(wanted).mean()))
        blends[days] = replace(blend, intercept=blend.intercept + gap)
    return Further(lifetime, blends)


def _blend(learned: Learned, place: int) -> Blend:
    """The weights for one of the horizons of the trial; the level is not that of the customers of today."""
    own, steps, churned, offset = learned.own, *(each[:, place] for each in learned.trial)
    seen = ~np.isnan(churned)
    if not seen.any():
        return Blend(OWN_AND_STEP, 0.0)
    forecasts = np.column_stack([own, steps])[seen]
    return fit_churn_blend(forecasts, churned[seen], offset[seen], learned.prior_rows, OWN_AND_STEP)


def _columns(columns: list[Floats], n: int) -> Floats:
    return np.array(columns).reshape(len(columns), n).T


def _falling(churn: Mapping[int, Floats], own_days: int, own: Floats) -> dict[int, Floats]:
    """The probabilities, held between their neighbours: upwards and downwards from the model's own, which is not moved."""
    held: dict[int, Floats] = {}
    bound = own
    for days in sorted((days for days in churn if days < own_days), reverse=True):
        bound = held[days] = np.maximum(churn[days], bound)
    bound = own
    for days in sorted(days for days in churn if days > own_days):
        bound = held[days] = np.minimum(churn[days], bound)
    return {days: held[days] for days in churn}
