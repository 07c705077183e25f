"""How many whole horizons a history holds, and what that allows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

USUAL_HORIZONS = (30, 60, 90, 180, 365)
"""Days; those that `keepwell check` looks at when it is told none."""

SHORT_HORIZONS = (7, 14)
"""Days; proposed where the history is too short for the usual ones."""

ENOUGH_HORIZONS = 3
"""One to learn from, one to calibrate on, one to test on."""

ENOUGH_CUSTOMERS = 200
"""Below, intervals are so wide that any model looks like any other: a rule of thumb."""


@dataclass(frozen=True)
class HorizonCheck:
    """How many whole horizons of `days` have passed since the first purchase, and what that allows: "yes", "thin" or "no".

    `lacking_days` of history and `lacking_customers` more would make it "yes".
    """

    days: int
    complete: int
    verdict: str
    lacking_days: int
    lacking_customers: int


def whole_horizons(history_days: int, horizon_days: int) -> int:
    """How many horizons end at or before `as_of`, one after the other, each after the first purchase.

    >>> whole_horizons(history_days=270, horizon_days=90), whole_horizons(history_days=271, horizon_days=90)
    (2, 3)
    """
    return max(0, history_days - 1) // horizon_days


def horizon_check(days: int, first: date, as_of: date, customers: int) -> HorizonCheck:
    """What a horizon of `days` comes to, for a history from `first` to `as_of` of so many customers."""
    history = (as_of - first).days
    complete = whole_horizons(history, days)
    lacking_days = max(0, ENOUGH_HORIZONS * days + 1 - history)
    lacking_customers = max(0, ENOUGH_CUSTOMERS - customers)
    enough = not lacking_days and not lacking_customers
    return HorizonCheck(days, complete, "yes" if enough else "thin" if complete else "no", lacking_days, lacking_customers)


def horizon_answer(horizons: tuple[HorizonCheck, ...]) -> str:
    """For which horizons one can train, in words."""
    good = [f"{horizon.days}d" for horizon in horizons if horizon.verdict == "yes"]
    if good:
        return f"Yes, for a horizon of {', '.join(good)}."
    thin = [horizon for horizon in horizons if horizon.verdict == "thin"]
    why = (
        f"only {thin[0].complete} of {ENOUGH_HORIZONS} whole horizons have passed"
        if thin[0].lacking_days
        else f"only {ENOUGH_CUSTOMERS - thin[0].lacking_customers:,} customers"
    )
    return f"Yes, but the evidence will be thin for {', '.join(f'{horizon.days}d' for horizon in thin)}: {why}."


def horizon_way_out(horizons: tuple[HorizonCheck, ...]) -> str | None:
    """What would make the answer a plain yes for the first horizon; None when one is."""
    if any(horizon.verdict == "yes" for horizon in horizons):
        return None
    first = horizons[0]
    days, customers = _wanted(first)
    fits = first.days - first.lacking_days / ENOUGH_HORIZONS
    shorter = max((each for each in SHORT_HORIZONS + USUAL_HORIZONS if each <= fits), default=None)
    days = f"{days}, or a horizon of {shorter}d" if days and shorter else days
    return f"for a plain yes at {first.days}d: {'; and '.join(filter(None, (days, customers)))}"


def _wanted(horizon: HorizonCheck) -> tuple[str, str]:
    """What a horizon lacks in days and in customers, in words; empty where it lacks none."""
    days = f"{_some(horizon.lacking_days, 'more day')} of history" if horizon.lacking_days else ""
    return days, _some(horizon.lacking_customers, "more customer") if horizon.lacking_customers else ""


def _some(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def horizon_line(horizon: HorizonCheck) -> str:
    """One horizon, for people."""
    passed = f"{_some(horizon.complete, 'whole horizon')} passed"
    wanted = f"; a yes takes {' and '.join(filter(None, _wanted(horizon)))}" if horizon.verdict != "yes" else ""
    return f"  {horizon.days:>4}d  {horizon.verdict:<4} ({passed}{wanted})"
