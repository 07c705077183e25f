"""Scores of a past date held against what came and against the peers: eleven figures, each with bounds over customers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import polars as pl

from features.asof import day_date, day_number
from features.checks.check import day_after_last_transaction, first_purchase_day, require_history
from features.company import Company
from keepwell.errors import HistoryError
from keepwell.progress import Progress, Silent
from training.arrays import Floats
from training.data import TrainingData, only_customers, training_data
from training.evaluation.peers import peer_forecasts
from training.fitting import LEAST_CLASS, LEAST_ROWS
from training.labels import labels, money_scale, worth
from training.metrics.intervals import METRICS, Interval, bounded, direction, resampled_weights
from training.metrics.weighted import Outcome, Weighted
from training.run import known_until, one_blas_thread
from training.scorer import Predictions
from training.splits import sampled_customers

FIGURES = (
    "churn_auc",
    "churn_average_precision",
    "churn_log_loss",
    "churn_brier_loss",
    "churn_calibration_error",
    "value_rank_correlation",
    "value_gini",
    "value_top_decile_captured",
    "value_mae",
    "value_rmse",
    "value_total_ratio",
)
OURS = "keepwell"
Drawn = Mapping[str, Floats]
"""The figures of a forecaster by name: as they are, and then with each resample's weights."""

USUAL_DAYS, SHORT_DAYS, HORIZONS_WANTED = 90, 28, 5
"""The horizon where the history holds five of them: one to judge, and some to learn and to try from; else the short one."""


@dataclass(frozen=True)
class Gain:
    """How much better our figure is than a peer's, in its own unit; of a ratio, how much nearer to 1 by its logarithm.

    `verdict` is "ahead" or "behind" where the bounds leave 0 out, else "level".
    """

    by: Interval
    verdict: str


@dataclass(frozen=True)
class Comparison:
    """What came of one company: `figures` by forecaster and figure, `gains` by peer and figure.

    `family` and `grade` are those of the model that was handed out; `outside` says which share of the customers came out above
    `value_high` and below `value_low`.
    """

    company: str
    as_of: date
    horizon_days: int
    customers: int
    churned_share: float
    value_mean: float
    family: str
    grade: str
    figures: Mapping[str, Mapping[str, Interval]]
    gains: Mapping[str, Mapping[str, Gain]]
    outside: Mapping[str, float]

    @property
    def peers(self) -> tuple[str, ...]:
        """Everybody but us."""
        return tuple(self.gains)

    def best_peer(self, name: str) -> str:
        """The peer with the best figure: the one by which we gain least."""
        return min(self.peers, key=lambda peer: self.gains[peer][name].by.value)


def usual_horizon(company: Company) -> int:
    """The days to look ahead where nobody says. Raises HistoryError without a purchase."""
    require_history(company, date.max)
    days = day_number(_end(company)) - first_purchase_day(company, date.max)
    return USUAL_DAYS if days >= HORIZONS_WANTED * USUAL_DAYS else SHORT_DAYS


def some_customers(company: Company, most: int) -> Company:
    """The company with about `most` of those who are in its transactions, the same ones each time."""
    customers = company.tables["transactions"]["customer_id"].unique().sort()
    keep = sampled_customers(np.arange(len(customers)), most)
    return only_customers(company, customers.filter(pl.Series(keep)))


def last_whole_horizon(company: Company, horizon_days: int) -> date:
    """The newest date whose horizon is over when the data end.

    Raises HistoryError where there are no transactions, or too little before that date to learn from.
    """
    require_history(company, date.max)
    as_of = _end(company) - timedelta(days=horizon_days)
    if day_number(as_of) - first_purchase_day(company, date.max) <= horizon_days:
        first = day_date(first_purchase_day(company, date.max))
        raise HistoryError(
            f"from {first} until {_end(company)} there are no two horizons of {horizon_days} days, one to learn and one to judge",
            hint="try a shorter --horizon, or bring more history",
        )
    return as_of


def _end(company: Company) -> date:
    """The first day that the data say nothing of."""
    end = day_after_last_transaction(company)
    assert end is not None, "a company with customers has transactions"
    return end


def compared(
    company: Company, horizon_days: int, as_of: date, scores: pl.DataFrame, *, seed: int, progress: Progress = Silent()
) -> Comparison:
    """Hold `scores` of `as_of`, as `keepwell score` writes them, against what came.

    The peers learn from what was known before `as_of`; what came is in `company`. Raises HistoryError where the horizon is not
    over, and as `require_peers` does.
    """
    require_peers(company, horizon_days, as_of)
    with one_blas_thread():
        data = training_data(known_until(company, as_of), horizon_days, as_of, progress)
        now = data.at(data.as_of_day)
        outcome = _came(company, horizon_days, as_of, now)
        with progress.step("peers"):
            forecasts = {OURS: _in_order(scores, now), **peer_forecasts(data, seed, kept_share(known_until(company, as_of)))}
        with progress.step("bounds of the figures"):
            weights = np.vstack([np.ones(len(now)), resampled_weights(now.customer, seed)])
            drawn = {who: _drawn(outcome, forecast, weights) for who, forecast in forecasts.items()}
            return Comparison(
                company=company.key,
                as_of=as_of,
                horizon_days=horizon_days,
                customers=len(now),
                churned_share=float(outcome.churned.mean()),
                value_mean=float(outcome.value.mean()),
                family=scores["model_family"][0],
                grade=scores["grade"][0],
                figures={who: {name: _bounded(each) for name, each in draws.items()} for who, draws in drawn.items()},
                gains={peer: gains(drawn[OURS], draws) for peer, draws in drawn.items() if peer != OURS},
                outside=_outside(outcome, forecasts[OURS]),
            )


def kept_share(known: Company) -> float:
    """What a company has kept of each coin spent, after costs where its lines have them; 1 where nothing was spent."""
    table = known.tables["transactions"]
    spent = table["amount"].sum() / 10 ** known.scales["transactions.amount"]
    return worth(known, table)["worth"].sum() / 10 ** money_scale(known) / spent if spent > 0 else 1.0


def require_peers(company: Company, horizon_days: int, as_of: date) -> None:
    """Raise HistoryError unless peers have enough to learn from: customers of a horizon before, who stayed and who left."""
    learned = labels(company, [as_of - timedelta(days=horizon_days)], horizon_days, as_of)["churned"]
    left = int(learned.sum())
    if len(learned) < LEAST_ROWS or min(left, len(learned) - left) < LEAST_CLASS:
        raise HistoryError(
            f"a horizon before {as_of} there were {len(learned):,} customers, of whom {left:,} left: too few for the peers",
            hint=f"they need {LEAST_ROWS}, of whom {LEAST_CLASS} left and {LEAST_CLASS} stayed: try another --horizon",
        )


def gains(ours: Drawn, theirs: Drawn) -> dict[str, Gain]:
    """Our figures beside a peer's, on the same resamples, so that what meets both cancels out."""
    return {name: _gain(_goodness(name, ours[name]) - _goodness(name, theirs[name])) for name in FIGURES}


def _gain(difference: Floats) -> Gain:
    by = _bounded(difference)
    return Gain(by, "ahead" if by.low > 0 else "behind" if by.high < 0 else "level")


def _goodness(name: str, figures: Floats) -> Floats:
    """The figures, turned so that more is better; of a ratio, how near it is to 1, by its logarithm."""
    sign = direction(name)
    return sign * figures if sign else -np.abs(np.log(np.maximum(figures, 1e-9)))


def _bounded(drawn: Floats) -> Interval:
    return bounded(float(drawn[0]), drawn[1:])


def _drawn(outcome: Outcome, forecast: Predictions, weights: Floats) -> Drawn:
    """Each figure (k,) with each of the weights (k, n)."""
    metrics = {name: figure(name, outcome, forecast) for name in FIGURES}
    return {name: np.array([metric(each) for each in weights]) for name, metric in metrics.items()}


def figure(name: str, outcome: Outcome, forecast: Predictions) -> Weighted:
    """One of FIGURES. Whom a forecast holds alike is ranked at random: to expect 0 of most customers is to rank few of them."""
    return METRICS[name](outcome, _untied(forecast) if name == "value_rank_correlation" else forecast)


def _untied(forecast: Predictions) -> Predictions:
    """Each expected value replaced by its rank, ties in random order."""
    chance = np.random.default_rng(0).random(len(forecast.expected_value))
    rank = np.empty(len(chance))
    rank[np.lexsort((chance, forecast.expected_value))] = np.arange(len(chance))
    return replace(forecast, expected_value=rank)


def _came(company: Company, horizon_days: int, as_of: date, now: TrainingData) -> Outcome:
    truth = _joined(labels(company, [as_of], horizon_days, _end(company)), now)
    return Outcome(truth["churned"].to_numpy(), truth["value"].to_numpy())


def _in_order(scores: pl.DataFrame, now: TrainingData) -> Predictions:
    """The scores in the order of the rows."""
    told = _joined(scores, now)
    nothing = np.full(len(now), np.nan)
    columns = ("churn_probability", "expected_value", "value_low", "value_high")
    churn, value, low, high = (told[name].to_numpy() for name in columns)
    return Predictions(churn, value, nothing, low, high)


def _joined(frame: pl.DataFrame, now: TrainingData) -> pl.DataFrame:
    return pl.DataFrame({"customer_id": now.customer_id}).join(frame, on="customer_id", how="left", maintain_order="left")


def _outside(outcome: Outcome, ours: Predictions) -> dict[str, float]:
    plain = np.ones(len(outcome.churned))
    names = ("value_above_high_share", "value_below_low_share")
    return {name: METRICS[name](outcome, ours)(plain) for name in names}
