"""What is expected of one customer: how it looked before, further ahead, and over the years."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from decisions.lifetimes.lifetime import lifetime_interval
from decisions.policy import LifetimePolicy
from serving.console import charts
from serving.console import format as show
from serving.console.customers import Interval, interval
from serving.console.small_charts import Line, line
from serving.console.text import t
from serving.store.past import PastScore
from serving.store.records import Load, ScoreRow

_HORIZON = re.compile(r"churn_probability_(\d+)d")


@dataclass(frozen=True)
class Horizon:
    """The churn probability over a number of days, and what that means."""

    name: str
    churn: str
    bar: charts.Span


@dataclass(frozen=True)
class History:
    """The churn probability at earlier scorings and now; `change` says in words how it moved since the one before."""

    line: Line
    change: str
    first: str
    last: str


@dataclass(frozen=True)
class Lifetime:
    """What the customer is expected to bring over the years, and how much of it in the time ahead and later."""

    value: str
    interval: Interval | None
    soon_name: str
    soon: str
    later: str
    soon_bar: charts.Span | None
    command: str


def horizons(row: ScoreRow, load: Load) -> tuple[Horizon, ...]:
    """All horizons that were scored, the nearest first; empty where there is but the one of the load."""
    further = {int(found[1]): churn for name, churn in row.further_churn.items() if (found := _HORIZON.fullmatch(name))}
    if not further:
        return ()
    told = sorted({**further, load.horizon_days: row.churn_probability}.items())
    # Who buys nothing for long buys nothing for a shorter time, too; a contract that ends soon has ended later, too.
    words = "horizons.within" if told[0][1] < told[-1][1] else "horizons.silent"
    return tuple(
        Horizon(t(words, days=t("days", count=days)), show.percent(churn), charts.share_bar(churn)) for days, churn in told
    )


def history(row: ScoreRow, load: Load, before: Sequence[PastScore]) -> History | None:
    """How the churn probability came to be what it is; None where no earlier scoring is kept."""
    told = [(past.as_of, past.churn_probability) for past in before] + [(load.as_of, row.churn_probability)]
    drawn = line([(day.toordinal(), churn, _said(show.day(day), churn)) for day, churn in told])
    if drawn is None:
        return None
    last = before[-1]
    points = round(100 * row.churn_probability) - round(100 * last.churn_probability)
    way = "same" if points == 0 else "up" if points > 0 else "down"
    change = t(f"outlook.{way}", count=abs(points), before=show.percent(last.churn_probability), day=show.day(last.as_of))
    return History(drawn, change, show.day(told[0][0]), show.day(load.as_of))


def _said(day: str, churn: float) -> str:
    return t("outlook.point", day=day, churn=show.percent(churn))


def lifetime(row: ScoreRow, load: Load, terms: LifetimePolicy) -> Lifetime | None:
    """The lifetime value with what the scores alone tell of it; None where it is not known.

    Its six parts (first purchase, repeats, cross-sell ...) need the data, which `command` reads.
    """
    whole, soon = row.lifetime_value, row.expected_value
    if whole is None or soon is None:
        return None
    low, high = _bounds(row, load, terms)
    decimals = show.money_decimals([whole, high])
    return Lifetime(
        value=show.total(whole, load.currency, decimals),
        interval=interval(low, high, decimals),
        soon_name=t("days", count=load.horizon_days),
        soon=show.money(min(soon, whole), decimals),
        later=show.money(max(0.0, whole - soon), decimals),
        soon_bar=charts.share_bar(soon / whole) if whole > 0 else None,
        command=t("command.lifetime"),
    )


def _bounds(row: ScoreRow, load: Load, terms: LifetimePolicy) -> tuple[float | None, float | None]:
    """The interval that 8 of 10 such customers end in, where the scores hold what it takes."""
    if row.value_high is None or not load.horizon_days:
        return None, None
    churn, expected, high = (
        np.array([each], dtype=np.float64) for each in (row.churn_probability, row.expected_value, row.value_high)
    )
    rate, years = terms.discount_rate, terms.years
    bounds = lifetime_interval(churn, expected, high, load.horizon_days, yearly_rate=rate, years=years)
    least, most = (float(bound[0]) for bound in bounds)
    return (least, most) if np.isfinite([least, most]).all() else (None, None)
