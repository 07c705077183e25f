"""How members are put together: a weighted sum on the scale of the link, never with a negative weight.

Weights and level are learnt from forecasts made out of time, and drawn towards equal weights as if `prior_rows` further rows had
spoken for them: a few dates cannot tell members apart that differ by less than the next season.

Of a customer who came once, buy-till-you-die knows hardly more than how long ago; of one who came often it knows most of what
there is to know. A churn blend may therefore have weights of its own for each habit of buying, drawn to those of everyone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from training.arrays import Flags, Floats, Ints

Slopes = Callable[[Floats], tuple[float, Floats]]
"""A loss and its slopes (n,), as a function of forecasts (n,)."""

ROW_CURVATURE = 0.1
"""What one row weighs: about p (1 - p) of a churn forecast."""


ENOUGH_CUSTOMERS = 1_000
"""With fewer customers the blend leans on buy-till-you-die."""

HABITS = (1.5, 3.5)
"""Where habits of buying part: on one day so far, on two or three, on more."""

HABIT_PULL = 5.0
"""A habit's own weights are drawn to those of everyone as if so many times `prior_rows` rows had spoken for them."""


def habit_of(purchase_days: Floats) -> Ints:
    """The habit (n,), from 0, of customers who have bought on so many days; one that is missing counts as many.

    >>> habit_of(np.array([1.0, 2.0, 3.0, 40.0]))
    array([0, 1, 1, 2])
    """
    return np.searchsorted(np.array(HABITS), purchase_days)


@dataclass(frozen=True)
class Blend:
    """`intercept` + weights . members, plus `shift`: what the coming season adds to a usual one.

    `own` says for each habit what is added to the weights of the members and, last, to the level; without it all are alike.
    """

    weights: tuple[float, ...]
    intercept: float
    shift: float = 0.0
    own: tuple[tuple[float, ...], ...] = ()

    def combine(self, forecasts: Floats, habit: Ints | None = None) -> Floats:
        """The blend (n,) of the members' forecasts (n, members) for customers of a `habit` (n,); None: as everyone's."""
        everyone = np.asarray(self.intercept + self.shift + np.einsum("nm,m->n", forecasts, self.weights))
        if habit is None or not self.own:
            return everyone
        own = np.array(self.own)[habit]
        return np.asarray(everyone + np.einsum("nm,nm->n", forecasts, own[:, :-1]) + own[:, -1])

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Blend:
        """Read what `asdict` gave."""
        own = tuple(tuple(each) for each in values.get("own", ()))
        return cls(tuple(values["weights"]), values["intercept"], values["shift"], own)


def equal_blend(members: int) -> Blend:
    """What is used where there is nothing to learn weights from.

    >>> equal_blend(2).weights
    (0.5, 0.5)
    """
    return Blend((1 / members,) * members, 0.0)


def leaning(members: int, customers: int, own: int = 0) -> tuple[float, ...]:
    """The weights that blends are drawn to: equal ones, and the fewer customers there are, the more the last member's.

    That is buy-till-you-die, which needs little to learn from. The `own` members before it, one's own, begin with nothing.

    >>> leaning(3, 250)
    (0.0833..., 0.0833..., 0.8333...)
    >>> leaning(4, 2_000, own=1)
    (0.3333..., 0.3333..., 0.0, 0.3333...)
    """
    each = min(1.0, customers / ENOUGH_CUSTOMERS) / (members - own)
    ours = members - own - 1
    return (*(each,) * ours, *(0.0,) * own, 1 - each * ours)


def fit_churn_blend(
    logits: Floats, churned: Floats, offset: Floats, prior_rows: float, prior: Sequence[float] | None = None
) -> Blend:
    """Weights and level that minimise the log loss of churned in {0, 1} (n,), given the members' log-odds (n, members).

    The weights are drawn to `prior`, equal ones that sum to 1 where it is left out.
    """
    drawn_to = _equal(logits.shape[1]) if prior is None else np.array(prior)
    return _fit_blend(logits, offset, _log_loss(churned), prior_rows * ROW_CURVATURE, drawn_to)


def fit_habits(whole: Blend, logits: Floats, churned: Floats, offset: Floats, *, habit: Ints, prior_rows: float) -> Blend:
    """The churn blend `whole`, with weights and a level of their own for customers of each `habit` (n,).

    They minimise the log loss of these customers and are drawn to those of everyone. Other arguments are as in `fit_churn_blend`.
    """
    strength, everyone = HABIT_PULL * prior_rows * ROW_CURVATURE, np.array(whole.weights)

    def own(rows: Flags) -> tuple[float, ...]:
        if not rows.any():
            return (0.0,) * (len(everyone) + 1)
        level = offset[rows] + whole.intercept
        found = _fit_blend(logits[rows], level, _log_loss(churned[rows]), strength, everyone, level_strength=strength)
        return (*map(float, np.array(found.weights) - everyone), found.intercept)

    return replace(whole, own=tuple(own(habit == each) for each in range(len(HABITS) + 1)))


def _log_loss(churned: Floats) -> Slopes:
    """The log loss of churned in {0, 1} (n,) and its slopes (n,), as functions of the log-odds (n,)."""

    def slopes(log_odds: Floats) -> tuple[float, Floats]:
        losses = np.logaddexp(0, log_odds) - churned * log_odds
        return float(losses.sum()), expit(log_odds) - churned

    return slopes


def fit_amount_blend(
    log_amounts: Floats, value: Floats, offset: Floats, prior_rows: float, prior: Sequence[float] | None = None
) -> Blend:
    """Weights and level that minimise the Tweedie deviance (power 1.5) of value (n,), given the members' log amounts.

    The deviance is right for the mean of any distribution; the power lies between counting every customer alike (2) and
    counting every coin alike (1), where the largest customer would decide alone. Values below 0 count as 0. `prior` is as in
    `fit_churn_blend`.
    """
    scale = max(float(np.mean(np.maximum(value, 0))), 1e-9)
    paid = np.maximum(value, 0) / scale

    def slopes(log_amount: Floats) -> tuple[float, Floats]:
        half = np.clip((log_amount - np.log(scale)) / 2, -20, 20)
        down, up = paid * np.exp(-half), np.exp(half)
        return float(2 * (down + up).sum()), up - down

    drawn_to = _equal(log_amounts.shape[1]) if prior is None else np.array(prior)
    return _fit_blend(log_amounts, offset, slopes, prior_rows, drawn_to)


def _equal(members: int) -> Floats:
    return np.full(members, 1 / members)


def _fit_blend(
    forecasts: Floats, offset: Floats, slopes: Slopes, strength: float, prior: Floats, *, level_strength: float = 0.0
) -> Blend:
    """Weights drawn to `prior` by `strength`, and a level drawn to that of `prior` by `level_strength`."""
    n, members = forecasts.shape
    # Weights move the forecasts' spread, not their level, which is the intercept's.
    centre = forecasts.mean(axis=0)
    Z = forecasts - centre

    def loss(theta: Floats) -> tuple[float, Floats]:
        weights, level = theta[:-1], theta[-1]
        total, slope = slopes(level + Z @ weights + centre @ prior + offset)
        distance = weights - prior
        gradient = np.append(slope @ Z + strength * distance, slope.sum() + level_strength * level)
        penalty = strength / 2 * float(distance @ distance) + level_strength / 2 * float(level) ** 2
        return (total + penalty) / n, gradient / n

    bounds = [(0.0, None)] * members + [(None, None)]
    found = minimize(loss, np.append(prior, 0.0), jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-12})
    weights = found.x[:-1]
    return Blend(tuple(map(float, weights)), float(found.x[-1] + centre @ (prior - weights)))
