"""Ratings by day: the one shape of view from which the last, the mean and the trend of a rating are made."""

from __future__ import annotations

from features.definitions import Computed, Total, View
from features.formulas import change, known


def rating_days(name: str, table: str, *, keep: Computed, day: Computed, millionths: Computed) -> View:
    """One row per customer and day with ratings: their sum (`points`, in millionths), their number, and the changes of both.

    `keep` must leave no row without a rating. The sum of changes before a date is the last day's, so ratings of one day are
    averaged whatever their order.
    """
    return View(
        name=name,
        table=table,
        keep=keep,
        columns={"day": day, "millionths": millionths, "one": Computed(known, millionths.inputs[:1])},
        keys=("day",),
        totals={"points": Total("sum", "millionths"), "ratings": Total("sum", "one")},
        previous={"previous_points": "points", "previous_ratings": "ratings"},
        later={
            "points_change": Computed(change, ("points", "previous_points")),
            "ratings_change": Computed(change, ("ratings", "previous_ratings")),
        },
    )
