"""What is counted of contacts: those that took place, and their outcomes from the day on which these are known.

Rows of the control arm are no contacts: whether somebody was held out is chance, and no behaviour.
"""

from __future__ import annotations

from features.asof import Column
from features.definitions import Computed, Operations, Total, View
from features.formulas import known, positive, taken


def _took_place(c: Operations, arm: Column) -> Column:
    return c.is_missing(arm) | (arm != "control")


def _yes(c: Operations, flag: Column) -> Column:
    """1 for yes, 0 for no and for what is missing."""
    return c.where(flag > 0, 1, 0)


CONTACTS = View(
    name="contacts",
    table="contacts",
    keep=Computed(_took_place, ("arm",)),
    columns={"day": taken("contacted_day")},
)

OUTCOME_DAYS = View(
    name="outcome_days",
    table="contacts",
    keep=Computed(_took_place, ("arm",)),
    columns={
        "day": taken("outcome_day"),  # NEVER_DAY, and so before no date, where there is no outcome
        "accepted": Computed(_yes, ("accepted",)),
        "accepted_or_not": Computed(known, ("accepted",)),
        "converted": Computed(_yes, ("converted",)),
    },
    keys=("day",),
    totals={
        "acceptances": Total("sum", "accepted"),
        "replies": Total("sum", "accepted_or_not"),
        "conversions": Total("sum", "converted"),
    },
    running={"replies_so_far": "replies"},
    conditions={"accepting": Computed(positive, ("acceptances",))},
)
