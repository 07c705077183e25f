"""When not to trust a model: what its backtest and its data show, in sentences. Nothing is said that was not found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from features.catalog import entry_of
from training.arrays import Flags, Floats
from training.card.words import counted, number_text

if TYPE_CHECKING:
    from training.card.evidence import Evidence
    from training.evaluation.backtest import Backtest, Fold
    from training.scorer import Predictions

FEW_CUSTOMERS = 1_000
WANTED_DATES = 3
TWO_SEASONS_DAYS = 2 * 365
FAIR_TOTAL = (0.85, 1.15)
"""A forecast total within these times of what came is fair."""

LEAST_ROWS, LEAST_GAP, LEAST_ERRORS = 200, 0.05, 3.0
"""A segment is miscalibrated when it has so many rows and its churn was missed by so much, and by so many standard errors."""

UNFAIR_VALUE, LEAST_SHARE = (0.75, 1.33), 0.05
"""Its value was missed when the forecast is not within these times of what came, and it brought such a share of all."""

MOST_SEGMENTS = 4
MANY_BEYOND, MANY_LATE = 0.02, 0.05
SPREAD_OF_TOTALS = 1.3


@dataclass(frozen=True)
class Segment:
    """Customers, in words, and which rows they are: a feature from `low` to `high`, both included."""

    words: str
    feature: str
    low: float
    high: float = np.inf

    def rows(self, matrix: Floats, names: tuple[str, ...]) -> Flags:
        """Which rows (n,) belong to it; none where the feature is not there or missing."""
        if self.feature not in names:
            return np.zeros(len(matrix), dtype=bool)
        column = matrix[:, names.index(self.feature)]
        belong: Flags = (column >= self.low) & (column <= self.high)
        return belong


SEGMENTS = (
    Segment("who bought on one day only", "purchase_days_all", 1, 1),
    Segment("who bought on two to four days", "purchase_days_all", 2, 4),
    Segment("who bought on five days or more", "purchase_days_all", 5),
    Segment("who first bought within the last 90 days", "days_since_first_purchase", 0, 90),
    Segment("who bought within the last 30 days", "recency_days", 0, 30),
    Segment("who were silent for half a year or more", "recency_days", 183),
    Segment("with a complaint in the last 90 days", "complaints_90d", 1),
    Segment("with a refund in the last year", "refunds_365d", 1),
    Segment("with an overdue payment", "payments_overdue", 1),
)


def about_the_backtest(
    tested: Backtest, forecasts: Sequence[Predictions], names: tuple[str, ...], wanted: int = WANTED_DATES
) -> Iterator[str]:
    """What the backtest shows; `forecasts` are the model's, one for each fold, `names` those of its features."""
    if not tested.folds:
        yield "There are too few dates or customers for a backtest: nothing here has been measured."
        return
    if len(tested.folds) < wanted:
        yield f"Only {counted(len(tested.folds), 'backtest date')} of the {wanted} wanted: one season may look like the rule."
    if tested.grade in {"C", "D"}:
        yield f"Grade {tested.grade}: a simple rule does as well; do not read much into single customers."
    ratio = tested.figures.get("value_total_ratio")
    if ratio is not None and not (ratio.low <= FAIR_TOTAL[1] and ratio.high >= FAIR_TOTAL[0]):
        yield f"The total was forecast at {ratio.value:.2f} times what came: trust the order of the customers, not the sum."
    yield from _between_dates(tested, forecasts)
    yield from _by_segment(tested.folds, forecasts, names)


def _between_dates(tested: Backtest, forecasts: Sequence[Predictions]) -> Iterator[str]:
    """Whether level and order held from date to date."""
    for fold, forecast in zip(tested.folds, forecasts, strict=True):
        said, came = float(forecast.churn_probability.mean()), float(fold.churned.mean())
        if abs(said - came) >= LEAST_GAP:
            yield f"As of {fold.as_of}, churn was forecast at {said:.0%} on average and came to {came:.0%}: the level moves."
    ratios = {day: figures["value_total_ratio"].value for day, figures in tested.figures_by_date.items()}
    low, high = (pick(ratios, key=ratios.__getitem__, default=None) for pick in (min, max))
    if low is not None and high is not None and ratios[high] > SPREAD_OF_TOTALS * ratios[low] > 0:
        yield (
            f"The total was forecast at {ratios[low]:.2f} times what came as of {low} and {ratios[high]:.2f} times as of {high}: "
            "it depends on the season or the trend."
        )
    areas = {day: figures["churn_auc"] for day, figures in tested.figures_by_date.items()}
    worst, best = (pick(areas, key=lambda day: areas[day].value, default=None) for pick in (min, max))
    if worst is not None and best is not None and areas[worst].high < areas[best].low:
        yield (
            f"Leavers were told from stayers better as of {best} (AUC {areas[best].value:.2f}) than as of {worst} "
            f"({areas[worst].value:.2f}): one date is no promise for the next."
        )


def _by_segment(folds: tuple[Fold, ...], forecasts: Sequence[Predictions], names: tuple[str, ...]) -> Iterator[str]:
    """The segments whose churn or value was missed, the worst first."""
    said, expected = (
        np.concatenate([getattr(forecast, name) for forecast in forecasts]) for name in ("churn_probability", "expected_value")
    )
    came, value = (np.concatenate([getattr(fold, name) for fold in folds]) for name in ("churned", "value"))
    matrix = np.concatenate([fold.matrix for fold in folds])
    missed = []
    for segment in SEGMENTS:
        rows = segment.rows(matrix, names)
        if rows.sum() >= LEAST_ROWS:
            missed += _missed_churn(segment, said[rows], came[rows])
            missed += _missed_value(segment, float(expected[rows].sum()), float(value[rows].sum()), float(value.sum()))
    yield from (words for _, words in sorted(missed, reverse=True)[:MOST_SEGMENTS])


def _missed_churn(segment: Segment, said: Floats, came: Flags) -> list[tuple[float, str]]:
    gap = float(came.mean() - said.mean())
    error = float(np.sqrt((said * (1 - said)).sum())) / len(said)
    if abs(gap) < max(LEAST_GAP, LEAST_ERRORS * error):
        return []
    words = f"Of customers {segment.words}, {said.mean():.0%} were forecast to leave and {came.mean():.0%} did"
    return [(abs(gap), f"{words} ({len(said):,} forecasts).")]


def _missed_value(segment: Segment, expected: float, value: float, all_value: float) -> list[tuple[float, str]]:
    if value < LEAST_SHARE * all_value or UNFAIR_VALUE[0] <= expected / value <= UNFAIR_VALUE[1]:
        return []
    words = f"Customers {segment.words} were forecast to bring {number_text(expected / value)} times what they brought"
    return [(abs(float(np.log(max(expected, 1e-9) / value))), f"{words}, {value / all_value:.0%} of all.")]


def about_the_data(
    evidence: Evidence, importance: Mapping[str, Mapping[str, float]], horizon_days: int, shown: int
) -> Iterator[str]:
    """What the data show: the horizon, late rows, customers unlike any seen, leaks. `shown` features of each target count."""
    advice = evidence.advice
    if advice is not None and advice.horizon_days is not None and advice.fits and advice.horizon_days != horizon_days:
        yield f"keepwell horizon would take {advice.horizon_days} days, not {horizon_days}: {advice.reasons[0]}."
    for table, share in evidence.late.items():
        if share >= MANY_LATE:
            yield f"{share:.0%} of the last year's {table} became known more than a week late: the newest are not all there yet."
    leading = dict.fromkeys(name for weights in importance.values() for name in list(weights)[:shown])
    beyond = {name: evidence.beyond[name] for name in leading if evidence.beyond.get(name, 0.0) >= MANY_BEYOND}
    if beyond:
        told = ", ".join(f"{share:.0%} in {_title(name)}" for name, share in beyond.items())
        yield f"Some of today's customers lie beyond any that could be learned from, in features that lead: {told}."
    for suspicion in evidence.suspicions or ():
        yield f"It looks like a leak: {suspicion.place}: {suspicion.message}. {suspicion.way_out}."


def always(data_until: object) -> Iterator[str]:
    """What holds of every model."""
    yield f"A forecast for a date long after {data_until} is of a world that may have changed: train again on newer data."
    yield "A market-wide event (a strike, a rival's closure, a pandemic) is not in the model."
    yield "Contributions say what moved the forecast, not what would move the customer: only a holdout measures an action."


def _title(feature: str) -> str:
    entry = entry_of(feature)
    return f'"{entry.title}"' if entry else feature
