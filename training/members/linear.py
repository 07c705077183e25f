"""The linear member: a sum of one curve per feature on a logarithmic scale, with a ridge penalty.

Every feature enters as `sign(x) log(1 + |x| / unit)`, standardised and held within the range seen in training, as a straight line
and two hinges that let it bend; a missing value has a weight of its own. The prediction is the sum over features, so the
explanation is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit

from training.arrays import Floats

Singles: TypeAlias = NDArray[np.float32]

BASES = 4
"""Columns a feature turns into: missing or not, a line, a bend at the first and one at the second third of its values."""

ROWS_AT_ONCE = 10_000
"""Rows whose columns are held in memory at a time."""

ROWS_IN_CACHE = 128
"""Rows that are predicted at a time: what is made of them stays in the processor's cache."""

STEPS = 30
HALVINGS = 20
TOLERANCE = 1e-6
"""Loss saved per row below which the search ends."""

LEAST_CURVATURE = 1e-4
"""Floor of p (1 - p): where nearly everyone or no one churns, Newton's steps would overshoot."""


@dataclass(frozen=True)
class Encoder:
    """How features become columns; each field has one number per feature, in the feature's own order."""

    unit: Floats
    centre: Floats
    spread: Floats
    low: Floats
    high: Floats
    first_bend: Floats
    second_bend: Floats

    def columns(self, matrix: Floats) -> Floats:
        """Columns (n, BASES, features) of a matrix (n, features) whose missing values are NaN; no NaN comes out."""
        missing = np.isnan(matrix)
        z = np.clip((_logarithmic(matrix, self.unit) - self.centre) / self.spread, self.low, self.high)
        z[missing] = 0.0
        bends = (np.where(missing, 0.0, np.maximum(z - bend, 0)) for bend in (self.first_bend, self.second_bend))
        return np.stack([missing, z, *bends], axis=1)


def fit_encoder(matrix: Floats, unit: Floats | None = None) -> Encoder:
    """Learn centres and bends from a matrix (n, features), and units unless they are given (features,).

    A feature without two different values encodes to zero.
    """
    units = [_unit(column) for column in matrix.T] if unit is None else unit
    per_feature = [_feature_encoding(column[~np.isnan(column)], each) for column, each in zip(matrix.T, units, strict=True)]
    return Encoder(*np.ascontiguousarray(np.array(per_feature).reshape(-1, 7).T))


def _unit(column: Floats) -> float:
    """What keeps small and large values apart whatever currency or measure they come in."""
    sizes = np.abs(column[(column != 0) & ~np.isnan(column)])
    return float(np.quantile(sizes, 0.1)) if len(sizes) else 1.0


def _feature_encoding(known: Floats, unit: float) -> tuple[float, ...]:
    values = _logarithmic(known, unit)
    spread = float(values.std()) if len(values) else 0.0
    if spread < 1e-9:
        return unit, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0
    centre = float(values.mean())
    z = (values - centre) / spread
    first, second = np.quantile(z, (1 / 3, 2 / 3))
    return unit, centre, spread, float(z.min()), float(z.max()), float(first), float(second)


def _logarithmic(x: Floats, unit: Floats | float) -> Floats:
    return np.copysign(np.log1p(np.abs(x) / unit), x)


@dataclass(frozen=True)
class LinearModel:
    """A fitted sum of curves: `weights` (features, BASES) and `intercept`, on the scale of the link (logit or log).

    `means` (features,) are the mean contributions over the training rows.
    """

    encoder: Encoder
    weights: Floats
    intercept: float
    means: Floats

    def contributions(self, matrix: Floats) -> Floats:
        """What each feature adds (n, features); with `intercept` they sum to the prediction."""
        parts = np.array_split(matrix, max(1, -(-len(matrix) // ROWS_AT_ONCE)))
        return np.concatenate([np.einsum("nbf,fb->nf", self.encoder.columns(part), self.weights) for part in parts])

    def predict(self, matrix: Floats) -> Floats:
        """The prediction (n,) on the scale of the link."""
        return np.asarray(predictions((self,), matrix)[0])

    def centred_contributions(self, matrix: Floats) -> tuple[Floats, float]:
        """What each feature adds beyond its mean (n, features), and the prediction for the mean of the training rows."""
        return self.contributions(matrix) - self.means, self.intercept + float(self.means.sum())

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, for JSON."""
        encoder = {name: values.tolist() for name, values in asdict(self.encoder).items()}
        return {"encoder": encoder, "weights": self.weights.tolist(), "intercept": self.intercept, "means": self.means.tolist()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> LinearModel:
        """Read what `to_dict` wrote."""
        encoder = Encoder(**{name: np.array(each) for name, each in values["encoder"].items()})
        return cls(encoder, np.array(values["weights"]), float(values["intercept"]), np.array(values["means"]))


def predictions(models: Sequence[LinearModel], matrix: Floats) -> Floats:
    """The predictions (models, n) of several models; of those that share their units, logarithms are taken once."""
    curves = [_curves(model) for model in models]
    found = np.empty((len(models), len(matrix)))
    for start in range(0, len(matrix), ROWS_IN_CACHE):
        rows = matrix[start : start + ROWS_IN_CACHE]
        missing = np.isnan(rows).astype(float)
        unit, logarithms = None, rows
        for place, (model, curve) in enumerate(zip(models, curves, strict=True)):
            if unit is None or not np.array_equal(unit, model.encoder.unit):
                unit = model.encoder.unit
                logarithms = _logarithmic(rows, unit)
            found[place, start : start + ROWS_IN_CACHE] = curve.sums(logarithms, missing)
    return found


@dataclass(frozen=True)
class _Curves:
    """A linear model as bent lines in the logarithms themselves: the same sums in a third of the steps.

    A line begins at `low` and ends at `high`; it has the first of the `slopes` (3, features), and more of it beyond each of the
    `knots` (2, features). `missing` (features,) is what a missing value adds to one at `low`, `start` what all lines begin with.
    """

    low: Floats
    high: Floats
    knots: Floats
    slopes: Floats
    missing: Floats
    start: float

    def sums(self, logarithms: Floats, missing: Floats) -> Floats:
        """The predictions (n,) for logarithms (n, features), NaN where `missing` (n, features) is 1 and not 0."""
        held = np.fmin(np.fmax(logarithms, self.low), self.high)
        line, *bends = self.slopes
        bent = sum(_weighted(np.maximum(held, knot), slope) for knot, slope in zip(self.knots, bends, strict=True))
        return np.asarray(self.start + _weighted(held, line) + _weighted(missing, self.missing) + bent)


def _weighted(columns: Floats, weights: Floats) -> Floats:
    """The weighted sums (n,) of columns (n, features): each row's, unlike by BLAS, whatever rows there are beside it."""
    return np.asarray(np.einsum("nf,f->n", columns, weights))


def _curves(model: LinearModel) -> _Curves:
    encoder, (missing, *weights) = model.encoder, model.weights.T
    ends = np.stack([encoder.low, encoder.high, encoder.first_bend, encoder.second_bend])
    low, high, *knots = encoder.centre + encoder.spread * ends
    slopes = np.stack(weights) / encoder.spread
    start = model.intercept - float((slopes * np.stack([encoder.centre, *knots])).sum())
    # No bend lies below the lowest value.
    return _Curves(low, high, np.stack(knots), slopes, missing - weights[0] * encoder.low, start)


def fit_logistic(matrix: Floats, y: Floats, offset: Floats, weight: Floats, ridge: float) -> LinearModel:
    """Logistic regression of y in {0, 1} by Newton's method; `offset` (n,) is added to the log-odds, `ridge` > 0 the penalty."""
    encoder = fit_encoder(matrix)
    Z = _design(encoder, matrix)
    theta = np.zeros(Z.shape[1])
    # Start at the base rate, where Newton's method cannot overshoot.
    rate = float(np.clip(np.average(y, weights=weight), 1e-3, 1 - 1e-3))
    theta[-1] = np.log(rate / (1 - rate)) - float(np.average(offset, weights=weight))
    log_odds, loss = _penalised_loss(Z, theta, y, offset, weight=weight, ridge=ridge)
    for _ in range(STEPS):
        p = expit(log_odds)
        curvature = weight * np.maximum(p * (1 - p), LEAST_CURVATURE)
        step = _newton_step(Z, weight * (p - y), curvature, theta, ridge)
        for _ in range(HALVINGS):  # a whole step may overshoot, a short one along it never does
            log_odds, new_loss = _penalised_loss(Z, theta - step, y, offset, weight=weight, ridge=ridge)
            if new_loss <= loss:
                break
            step = step / 2
        theta, gain, loss = theta - step, loss - new_loss, new_loss
        if gain < TOLERANCE * len(y):
            break
    return _model(encoder, theta, Z)


def _penalised_loss(
    Z: Singles, theta: Floats, y: Floats, offset: Floats, *, weight: Floats, ridge: float
) -> tuple[Floats, float]:
    """The log-odds (n,) at theta, and their log loss with the penalty."""
    log_odds = Z @ theta.astype(np.float32) + offset
    loss = float(weight @ (np.logaddexp(0, log_odds) - y * log_odds))
    return log_odds, loss + ridge / 2 * float(theta[:-1] @ theta[:-1])


def fit_ridge(matrix: Floats, y: Floats, weight: Floats, ridge: float, unit: Floats | None = None) -> LinearModel:
    """Least squares of y (n,) with the ridge penalty: one Newton step from the mean. `unit` as in `fit_encoder`."""
    encoder = fit_encoder(matrix, unit)
    Z = _design(encoder, matrix)
    theta = np.zeros(Z.shape[1])
    theta[-1] = np.average(y, weights=weight)
    return _model(encoder, theta - _newton_step(Z, weight * (theta[-1] - y), weight, theta, ridge), Z)


def _newton_step(Z: Singles, slope: Floats, curvature: Floats, theta: Floats, ridge: float) -> Floats:
    """The step from theta, for the loss's slope and curvature (n,) in the prediction."""
    penalty = np.full(len(theta), ridge)
    penalty[-1] = 1e-6  # the intercept is free
    gradient, hessian = penalty * theta, np.diag(penalty)
    # Part by part: sums of single precision stay short, and the weighted copy of Z small.
    for start in range(0, len(Z), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        gradient += Z[part].T @ slope[part].astype(np.float32)
        half = Z[part] * np.sqrt(curvature[part]).astype(np.float32)[:, None]
        hessian += half.T @ half
    return np.asarray(cho_solve(cho_factor(hessian), gradient))


def _design(encoder: Encoder, matrix: Floats) -> Singles:
    """All columns and a last one of ones (n, features * BASES + 1), in single precision."""
    Z = np.ones((len(matrix), matrix.shape[1] * BASES + 1), dtype=np.float32)
    for start in range(0, len(matrix), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        Z[part, :-1] = encoder.columns(matrix[part]).reshape(len(matrix[part]), -1)
    return Z


def _model(encoder: Encoder, theta: Floats, Z: Singles) -> LinearModel:
    weights, mean = theta[:-1].reshape(BASES, -1).T, Z[:, :-1].mean(axis=0, dtype=np.float64)
    means = (weights * mean.reshape(BASES, -1).T).sum(axis=1)
    return LinearModel(encoder, np.ascontiguousarray(weights), float(theta[-1]), means)
