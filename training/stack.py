"""How members are put together: a weighted sum on the scale of the link, never with a negative weight.

Weights and level are learnt from forecasts made out of time, and drawn towards equal weights as if `prior_rows` further rows had
spoken for them: a few dates cannot tell members apart that differ by less than the next season.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from training.arrays import Floats

ROW_CURVATURE = 0.1
"""What one row weighs: about p (1 - p) of a churn forecast."""


ENOUGH_CUSTOMERS = 1_000
"""With fewer customers the blend leans on buy-till-you-die."""


@dataclass(frozen=True)
class Blend:
    """`intercept` + weights . members, plus `shift`: what the coming season adds to a usual one."""

    weights: tuple[float, ...]
    intercept: float
    shift: float = 0.0

    def combine(self, forecasts: Floats) -> Floats:
        """The blend (n,) of the members' forecasts (n, members)."""
        return np.asarray(self.intercept + self.shift + np.einsum("nm,m->n", forecasts, self.weights))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Blend:
        """Read what `asdict` gave."""
        return cls(tuple(values["weights"]), values["intercept"], values["shift"])


def equal_blend(members: int) -> Blend:
    """What is used where there is nothing to learn weights from.

    >>> equal_blend(2)
    Blend(weights=(0.5, 0.5), intercept=0.0, shift=0.0)
    """
    return Blend((1 / members,) * members, 0.0)


def leaning(members: int, customers: int) -> tuple[float, ...]:
    """The weights that blends are drawn to: equal ones, and the fewer customers there are, the more the last member's.

    That is buy-till-you-die, which needs little to learn from.

    >>> leaning(3, 250)
    (0.0833..., 0.0833..., 0.8333...)
    """
    each = min(1.0, customers / ENOUGH_CUSTOMERS) / members
    return (*(each,) * (members - 1), 1 - each * (members - 1))


def fit_churn_blend(
    logits: Floats, churned: Floats, offset: Floats, prior_rows: float, prior: Sequence[float] | None = None
) -> Blend:
    """Weights and level that minimise the log loss of churned in {0, 1} (n,), given the members' log-odds (n, members).

    The weights are drawn to `prior`, equal ones that sum to 1 where it is left out.
    """

    def slopes(log_odds: Floats) -> tuple[float, Floats]:
        losses = np.logaddexp(0, log_odds) - churned * log_odds
        return float(losses.sum()), expit(log_odds) - churned

    drawn_to = _equal(logits.shape[1]) if prior is None else np.array(prior)
    return _fit_blend(logits, offset, slopes, prior_rows * ROW_CURVATURE, drawn_to)


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
    forecasts: Floats, offset: Floats, slopes: Callable[[Floats], tuple[float, Floats]], strength: float, prior: Floats
) -> Blend:
    n, members = forecasts.shape
    # Weights move the forecasts' spread, not their level, which is the intercept's.
    centre = forecasts.mean(axis=0)
    Z = forecasts - centre

    def loss(theta: Floats) -> tuple[float, Floats]:
        weights, level = theta[:-1], theta[-1]
        total, slope = slopes(level + Z @ weights + centre @ prior + offset)
        distance = weights - prior
        gradient = np.append(slope @ Z + strength * distance, slope.sum())
        return (total + strength / 2 * float(distance @ distance)) / n, gradient / n

    bounds = [(0.0, None)] * members + [(None, None)]
    found = minimize(loss, np.append(prior, 0.0), jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-12})
    weights = found.x[:-1]
    return Blend(tuple(map(float, weights)), float(found.x[-1] + centre @ (prior - weights)))
