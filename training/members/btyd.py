"""Buy-till-you-die models: how often a customer buys while active, when they silently leave, and what a purchase is worth.

A customer's history is three numbers in one unit of time: `x` repeat purchases, the last of them at `tx` after the first
purchase, watched until `T` after it. While active they buy at a rate drawn from Gamma(r, alpha); after a purchase they leave
for good with a probability drawn from Beta(a, b). BG/NBD lets nobody leave before the first repeat purchase, MBG/NBD does.

Sources: Fader, Hardie and Lee (2005), "Counting your customers the easy way" (BG/NBD); Batislam, Denizel and Filiztekin
(2007) (MBG/NBD); Fader and Hardie (2013), "The Gamma-Gamma model of monetary value".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import brentq, minimize
from scipy.special import betaincinv, betaln, digamma, expit, gammaln

from training.arrays import Floats

Kind = Literal["bgnbd", "mbgnbd"]
Objective = Callable[[Floats], tuple[float, Floats]]

STARTS = ((0.5, 1.0, 0.8, 2.5), (1.5, 0.3, 0.3, 3.0), (0.2, 3.0, 2.0, 2.0))
"""Starts for (r, alpha in units of the mean T, a, b): a plain shop, frequent loyal buyers, many who try once."""

PRIOR = 1e-7
"""Strength of the prior on the logarithms of the parameters, per customer: it only holds a flat direction in place."""

USUAL = (
    ((1.0, -1.0, 0.0, 0.0), 0.7, 1.0),  # repeat purchases in the mean T, while active: about 2
    ((1.0, 0.0, 0.0, 0.0), -0.4, 0.7),  # how alike customers buy: r about 0.7
    ((0.0, 0.0, 1.0, -1.0), -1.2, 1.0),  # leaving after a purchase: about one in four
    ((0.0, 0.0, 1.0, 1.0), 0.6, 1.2),  # how alike they leave: a b about 1.8
)
"""What a company is like before its customers have told: weights of (log r, log alpha, log a, log b), their sum's mean and sd."""

USUAL_SHAPE, USUAL_FREEDOM = 1.4, 2.0
"""The logarithm of Gamma-Gamma's p: own purchases deviate by half their mean; and how many deviations it counts as."""

USUAL_TAIL, USUAL_SD = 0.9, 0.7
"""The logarithm of q - 1, and the deviation of what is usual of Gamma-Gamma."""

LOGARITHMS = (-9.0, 9.0)
"""Bounds of the logarithms of all parameters."""

START_ROWS = 4_000
"""Rows on which the starts compete; the best one is then finished on all rows."""

NODES = 32
"""Equal-probability nodes of the leaving probability in `expected_purchases`."""


@dataclass(frozen=True)
class PurchaseModel:
    """A fitted BG/NBD or MBG/NBD; `alpha` is in the unit of time of the histories, `log_likelihood` a natural logarithm."""

    kind: Kind
    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float

    def alive_probability(self, x: Floats, tx: Floats, T: Floats) -> Floats:
        """The probability that the customer has not left for good, in (0, 1]; shape of the inputs.

        >>> model = PurchaseModel("bgnbd", 0.243, 4.414, 0.793, 2.426, 0.0)
        >>> model.alive_probability(np.array([0.0, 2.0]), np.array([0.0, 30.43]), np.array([38.86, 38.86])).round(3)
        array([1.   , 0.727])
        """
        later = (self.r + x) * (np.log(self.alpha + T) - np.log(self.alpha + tx))
        if self.kind == "mbgnbd":
            return np.asarray(expit(np.log(self.b + x) - np.log(self.a) - later))
        stay = np.log(self.b + np.maximum(x, 1) - 1) - np.log(self.a) - later
        return np.where(x > 0, expit(stay), 1.0)

    def active_probability(self, x: Floats, tx: Floats, T: Floats, horizon: float) -> Floats:
        """The probability of at least one purchase in the next `horizon`, in [0, 1): alive, and then not silent.

        Given that the customer is alive their rate is Gamma(r + x, alpha + T), so silence has a closed form.
        """
        silent = np.exp(-(self.r + x) * np.log1p(horizon / (self.alpha + T)))
        return np.asarray(self.alive_probability(x, tx, T) * (1 - silent))

    def expected_purchases(self, x: Floats, tx: Floats, T: Floats, horizon: float) -> Floats:
        """The expected number of purchases in the next `horizon`, counting that the customer may leave within it.

        For a leaving probability p it is (1 - ((alpha + T) / (alpha + T + p horizon)) ** (r + x)) / p; the mean over
        p ~ Beta(a, b + x) is taken at equal-probability nodes, which never overflows where the closed form (2F1) does.
        """
        counts, place = np.unique(x, return_inverse=True)
        levels = (np.arange(NODES) + 0.5) / NODES
        more = 1.0 if self.kind == "mbgnbd" else 0.0
        nodes = np.maximum(betaincinv(self.a, self.b + counts[:, None] + more, levels), 1e-12)
        total = np.zeros(np.shape(x))
        for p in nodes[place.reshape(np.shape(x))].T:
            # log1p, since p * horizon may be too small a part of alpha + T to be seen in a difference of logarithms.
            total += -np.expm1(-(self.r + x) * np.log1p(p * horizon / (self.alpha + T))) / p
        return self.alive_probability(x, tx, T) * total / NODES


@dataclass(frozen=True)
class SpendModel:
    """A fitted Gamma-Gamma: the mean spend per purchase varies between customers; `v` is in currency units."""

    p: float
    q: float
    v: float

    def expected_spend(self, purchases: Floats, mean_spend: Floats) -> Floats:
        """The expected spend of a further purchase: the customer's own mean, drawn towards everyone's by how few it rests on."""
        return self.p * (self.v + purchases * mean_spend) / (self.p * purchases + self.q - 1)


def fit_purchases(x: Floats, tx: Floats, T: Floats, kind: Kind | None = None, *, usual: bool = False) -> PurchaseModel:
    """Fit by maximum likelihood, to histories in any one unit of time; the likelier of the two kinds unless `kind` is given.

    With `usual`, the parameters are also drawn to those of a usual company: a handful of customers, or many of whom none has come
    back, then tell nothing with certainty. The pull is that of a single observation, and lost among a thousand customers.

    Equal histories are counted once, time is rescaled to the mean T, and parameters are sought as logarithms, so that
    the search can not leave their range. Histories are arrays of one shape, at least one of them, 0 <= tx <= T.
    """
    rows, weights = np.unique(np.column_stack([x, tx, T]), axis=0, return_counts=True)
    scale = float(max(np.average(rows[:, 2], weights=weights), 1e-9))
    scaled = rows / (1.0, scale, scale)
    kinds: tuple[Kind, ...] = ("bgnbd", "mbgnbd") if kind is None else (kind,)
    fits = [_fit_kind(scaled, weights.astype(float), scale, each, usual) for each in kinds]
    return max(fits, key=lambda model: model.log_likelihood)


def _fit_kind(rows: Floats, weights: Floats, scale: float, kind: Kind, usual: bool) -> PurchaseModel:
    some = np.linspace(0, len(rows) - 1, min(len(rows), START_ROWS)).astype(int)
    rough = [_minimum(_purchase_objective(rows[some], weights[some], kind, usual), np.log(start)) for start in STARTS]
    best = min(rough, key=lambda found: found[1])[0]
    theta, _ = _minimum(_purchase_objective(rows, weights, kind, usual), best)
    log_likelihood = float(weights @ log_likelihoods(rows, theta, kind)[0])
    # A density in scaled time: each of the x purchases carries one unit of time.
    log_likelihood -= float(weights @ rows[:, 0]) * np.log(scale)
    r, alpha, a, b = np.exp(theta)
    return PurchaseModel(kind, float(r), float(alpha * scale), float(a), float(b), log_likelihood)


def _minimum(objective: Objective, start: Floats) -> tuple[Floats, float]:
    bounds = [LOGARITHMS] * len(start)
    options = {"maxiter": 500, "ftol": 1e-13, "gtol": 1e-9}
    found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return found.x, float(found.fun)


def _purchase_objective(rows: Floats, weights: Floats, kind: Kind, usual: bool) -> Objective:
    total = weights.sum()
    sums, means, deviations = (np.array(part) for part in zip(*USUAL, strict=True))

    def objective(theta: Floats) -> tuple[float, Floats]:
        values, slopes = log_likelihoods(rows, theta, kind)
        loss = -(weights @ values) / total + PRIOR * theta @ theta
        slope = -(slopes @ weights) / total + 2 * PRIOR * theta
        if usual:
            away = (sums @ theta - means) / deviations
            loss += away @ away / (2 * total)
            slope += (away / deviations) @ sums / total
        return float(loss), slope

    return objective


def log_likelihoods(rows: Floats, theta: Floats, kind: Kind) -> tuple[Floats, Floats]:
    """The log-likelihood of each row (n,), and its slopes in the logarithms of r, alpha, a, b (4, n).

    The likelihood is the sum of two stories, alive at T and gone after the last purchase; `gone` is the share of the second.
    """
    x, tx, T = rows.T
    r, alpha, a, b = np.exp(theta)
    more = 1.0 if kind == "mbgnbd" else 0.0
    last = b + x + more - 1 if kind == "mbgnbd" else b + np.maximum(x, 1) - 1
    log_T, log_tx = np.log(alpha + T), np.log(alpha + tx)
    alive = betaln(a, b + x + more) - (r + x) * log_T
    left = betaln(a + 1, last) - (r + x) * log_tx
    if kind == "bgnbd":
        left = np.where(x > 0, left, -np.inf)
    common = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - betaln(a, b)
    both = np.logaddexp(alive, left)
    gone = np.exp(left - both)
    slope_r = digamma(r + x) - digamma(r) + np.log(alpha) - (1 - gone) * log_T - gone * log_tx
    slope_alpha = r / alpha - (r + x) * ((1 - gone) / (alpha + T) + gone / (alpha + tx))
    sum_both = digamma(a + b + x + more)  # both stories have a + b + x (+ 1) trials
    ends = digamma(a + b) - sum_both
    slope_a = (1 - gone) * digamma(a) + gone * digamma(a + 1) - digamma(a) + ends
    slope_b = (1 - gone) * digamma(b + x + more) + gone * digamma(last) - digamma(b) + ends
    return common + both, np.stack([slope_r * r, slope_alpha * alpha, slope_a * a, slope_b * b])


def fit_spend(purchases: Floats, mean_spend: Floats, spend_sd: Floats | None = None) -> SpendModel:
    """Fit Gamma-Gamma by maximum likelihood to customers' number of purchases (at least 1) and mean spend (above 0).

    How much a customer's own purchases differ, `p`, hardly shows in means alone, and not at all where all have bought equally
    often: where `spend_sd`, the deviation of each customer's own purchases (NaN: not known), is given, it tells. A usual company
    speaks where neither does.
    """
    scale = float(np.exp(np.mean(np.log(mean_spend))))
    counts, log_mean = purchases.astype(float), np.log(mean_spend / scale)
    shape = (USUAL_SHAPE, USUAL_SD) if spend_sd is None else _own_shape(counts, spend_sd / mean_spend)
    # What is drawn to: p, q - 1, and everyone's mean, p v / (q - 1), to that of these customers.
    sums = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, -1.0, 1.0]])
    wanted, sd = np.array([shape, (USUAL_TAIL, USUAL_SD), (0.0, USUAL_SD)]).T

    def objective(theta: Floats) -> tuple[float, Floats]:
        values, slopes = _spend_likelihoods(counts, log_mean, theta)
        away = (sums @ theta - wanted) / sd
        return (away @ away / 2 - float(values.sum())) / len(counts), ((away / sd) @ sums - slopes.sum(axis=1)) / len(counts)

    starts = (np.log((2.0, 2.0, 2.0)), np.log((6.0, 3.0, 15.0)))
    theta, _ = min((_minimum(objective, start) for start in starts), key=lambda found: found[1])
    p, above_one, v = np.exp(theta)
    return SpendModel(float(p), float(1 + above_one), float(v * scale))


def _own_shape(counts: Floats, relative_sd: Floats) -> tuple[float, float]:
    """The logarithm of the shape p of customers' own purchases, from their relative deviations, and how surely it is known (sd).

    For n purchases from one gamma distribution the squared relative deviation is 1 / (p + 1 / n) in the mean, whatever their
    level (Lukacs' theorem). A usual company counts as USUAL_FREEDOM further purchases.
    """
    known = (counts > 1) & np.isfinite(relative_sd)
    n, squared = counts[known], relative_sd[known] ** 2
    freedom, usual = n - 1, np.exp(-USUAL_SHAPE)

    def excess(log_p: float) -> float:
        p = np.exp(log_p)
        return float(freedom @ (squared - 1 / (p + 1 / n)) + USUAL_FREEDOM * (usual - 1 / p))

    low, high = LOGARITHMS
    log_p = high if excess(high) <= 0 else low if excess(low) >= 0 else float(brentq(excess, low, high))
    return log_p, float(np.sqrt(2 / (freedom.sum() + USUAL_FREEDOM)))


def _spend_likelihoods(n: Floats, log_m: Floats, theta: Floats) -> tuple[Floats, Floats]:
    """As `log_likelihoods`, for log p, log(q - 1), log v: q stays above 1, where the mean spend is finite."""
    p, above_one, v = np.exp(theta)
    q, shape, whole = 1 + above_one, p * n, v + n * np.exp(log_m)
    values = gammaln(shape + q) - gammaln(shape) - gammaln(q) + q * np.log(v) - (shape + q) * np.log(whole)
    values += (shape - 1) * log_m + shape * np.log(n)
    slope_p = n * (digamma(shape + q) - digamma(shape) - np.log(whole) + log_m + np.log(n))
    slope_q = digamma(shape + q) - digamma(q) + np.log(v) - np.log(whole)
    slope_v = q / v - (shape + q) / whole
    return values, np.stack([slope_p * p, slope_q * above_one, slope_v * v])
