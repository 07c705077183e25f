"""The answer of `keepwell horizon`: the facts of every horizon, and which one an experienced analyst would take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from features.asof import day_date, day_number
from features.checks.check import first_purchase_day
from features.checks.horizons import ENOUGH_CUSTOMERS, ENOUGH_HORIZONS, USUAL_HORIZONS
from features.company import Company
from keepwell.errors import HistoryError
from keepwell.progress import Progress, Silent
from training.horizon import DAYS_A_MONTH, HorizonFacts, StatusRule, gap_quantiles, horizon_facts
from training.silence import purchases

MOST_RETURNED = 0.2
"""Of the customers that a horizon calls lost, so many may come back by themselves: with more, the word is wrong too often."""

SHORT_LOOK_DAYS = 120
"""Whoever looks for a shorter time misses many who come back."""

LEAST_CHURNED = 0.02
"""Below (or with so few who stay), there is next to nothing to tell apart."""

GAP_SHARES = tuple(part / 20 for part in range(1, 20))
TOLD_GAPS = ("50%", "75%", "90%", "95%")

HORIZON_HEAD = (
    "horizon",
    "churned",
    "by date",
    "come back",
    "of all",
    "gaps within",
    "customers",
    "dates",
    "whole",
    "months used",
)
STATUS_HEAD = ("horizon", "new", "active", "lapsing", "lost", "lapsing after", "lost after")
LEGEND = (
    "churned      of the customers with a purchase before a date, those who bought nothing in the horizon: mean over the dates",
    "come back    of those who bought in the horizon before and nothing in it, those who bought again later (Kaplan-Meier)",
    "of all       the same of all who churned, those who had left long before included",
    "gaps within  gaps between purchases that are over within the horizon",
    "customers    with a purchase before the newest date; dates are those that training would learn from",
    "whole        horizons that have passed; training uses up three, to learn, to calibrate and to test",
)


@dataclass(frozen=True)
class Advice:
    """Which horizon to take: `fits` says whether it does, or is only the nearest (None: none can be judged yet)."""

    horizon_days: int | None
    fits: bool
    reasons: tuple[str, ...]
    way_out: str | None = None


@dataclass(frozen=True)
class HorizonReport:
    """What `keepwell horizon` says. `gap_days` are quantiles of the gaps between purchases, by share: empty without a gap."""

    company: str
    as_of: date
    first_purchase: date
    history_days: int
    customers: int
    repeat_share: float
    gap_days: Mapping[str, int]
    horizons: tuple[HorizonFacts, ...]
    advice: Advice

    def lines(self) -> list[str]:
        """The report for people."""
        head = f"{self.advice.horizon_days}d" if self.advice.horizon_days else "none can be judged yet"
        answer = [
            f"Which horizon?  {head}{'' if self.advice.fits or not self.advice.horizon_days else ', the nearest; none fits'}"
        ]
        answer += [f"  - {reason}" for reason in self.advice.reasons]
        answer += [f"  -> {self.advice.way_out}"] if self.advice.way_out else []
        return [
            *answer,
            "",
            *self._facts(),
            "",
            *_table(HORIZON_HEAD, [_horizon_row(one) for one in self.horizons]),
            "",
            *LEGEND,
            "",
            f"status at {self.as_of} from silence alone, without a model; nobody is dropped, the lost are scored as well",
            *_table(STATUS_HEAD, [_status_row(one) for one in self.horizons]),
        ]

    def _facts(self) -> list[str]:
        gaps = ", ".join(f"{share} within {self.gap_days[share]} days" for share in TOLD_GAPS if share in self.gap_days)
        return [
            f"company    {self.company}, as of {self.as_of}",
            f"history    {self.history_days / DAYS_A_MONTH:.1f} months, since {self.first_purchase}",
            f"customers  {self.customers:,}, of whom {self.repeat_share:.0%} bought on more than one day",
            f"gaps       between purchases: {gaps or 'none yet'} (each customer counts once)",
        ]


def horizon_report(
    company: Company,
    as_of: date,
    *,
    horizons: Sequence[int] = USUAL_HORIZONS,
    rule: StatusRule = StatusRule(),
    progress: Progress = Silent(),
) -> HorizonReport:
    """What each of the `horizons` (days) would mean for `company`, from what was known before `as_of`, and which to take.

    HistoryError where there are no transactions, or no purchase is known before `as_of`.
    """
    if "transactions" not in company.tables:
        raise HistoryError(
            "a horizon is chosen from the gaps between purchases, and there are no transactions",
            hint="labels and contracts say themselves when a customer has left: ask whoever made them for their horizon",
        )
    first_day, day = first_purchase_day(company, as_of), day_number(as_of)
    with progress.step("Sorting the purchases"):
        bought = purchases(company, day)
    with progress.step("Looking back and ahead from past dates"):
        facts = horizon_facts(bought, first_day, day, horizons, rule)
    known = bought.at(day).known
    return HorizonReport(
        company=company.key,
        as_of=as_of,
        first_purchase=day_date(first_day),
        history_days=day - first_day,
        customers=int(known.sum()),
        repeat_share=float((np.diff(bought.start)[known] > 1).mean()),
        gap_days=dict(zip((f"{share:.0%}" for share in GAP_SHARES), gap_quantiles(bought, GAP_SHARES), strict=False)),
        horizons=facts,
        advice=advise(facts, day - first_day),
    )


def advise(horizons: Sequence[HorizonFacts], history_days: int) -> Advice:
    """The shortest horizon that few of those it calls lost come back from, and that leaves enough history; else the nearest.

    `horizons` are in ascending order.
    """
    ready = [one for one in horizons if _ready(one)]
    fitting = [one for one in ready if (one.returned or 0) <= MOST_RETURNED]
    if fitting:
        return _fitting(fitting[0], horizons, ready)
    if ready:
        return _nearest(min(ready, key=lambda one: one.returned or 0), horizons, history_days)
    return _too_early(horizons, history_days)


def _ready(one: HorizonFacts) -> bool:
    """Whether a horizon can be judged at all."""
    if one.churned is None or one.returned is None:
        return False
    watched = one.watched_days >= one.days
    told_apart = LEAST_CHURNED <= one.churned <= 1 - LEAST_CHURNED
    return watched and told_apart and one.complete >= ENOUGH_HORIZONS and one.customers >= ENOUGH_CUSTOMERS


def _fitting(best: HorizonFacts, horizons: Sequence[HorizonFacts], ready: Sequence[HorizonFacts]) -> Advice:
    shorter, longer = [one for one in ready if one.days < best.days], [one for one in horizons if one.days > best.days]
    reasons = [f"{_came_back(best)}: few enough to call the silent ones lost"]
    if shorter:
        reasons.append(f"at {shorter[-1].days}d it is {shorter[-1].returned:.0%}, too many")
    reasons.append(f"{best.complete} whole horizons have passed, where {ENOUGH_HORIZONS} are needed")
    if best.looked_days < SHORT_LOOK_DAYS:
        reasons.append(f"nobody could be watched for longer than {best.looked_days} days yet: ask again when more have passed")
    if longer:
        reasons.append(f"a longer one, as {longer[0].days}d, would only tell later")
    return Advice(best.days, fits=True, reasons=tuple(reasons))


def _nearest(best: HorizonFacts, horizons: Sequence[HorizonFacts], history_days: int) -> Advice:
    reasons = [f"{_came_back(best)}: customers here pause and return; at most {MOST_RETURNED:.0%} would do"]
    longer = [one for one in horizons if one.days > best.days and one.complete < ENOUGH_HORIZONS]
    if longer:
        promising = [one for one in longer if one.returned is not None and one.returned <= MOST_RETURNED]
        one = (promising or longer)[0]
        what = f"{one.days}d may fit ({one.returned:.0%} so far), but" if promising else f"a longer one, {one.days}d,"
        reasons.append(f"{what} needs {ENOUGH_HORIZONS * one.days + 1 - history_days:,} more days of history")
    way_out = f"take {best.days}d, and read churn as a long pause rather than a goodbye"
    return Advice(best.days, fits=False, reasons=tuple(reasons), way_out=way_out)


def _too_early(horizons: Sequence[HorizonFacts], history_days: int) -> Advice:
    """No horizon can be judged: say what is lacking for the one that lacks least."""
    best = next((one for one in reversed(horizons) if one.complete >= ENOUGH_HORIZONS), horizons[0])
    lacking = ENOUGH_HORIZONS * best.days + 1 - history_days
    if lacking > 0:
        reason, way_out = f"{best.complete} of {ENOUGH_HORIZONS} whole horizons have passed at {best.days}d", _more_days(lacking)
    elif best.customers < ENOUGH_CUSTOMERS:
        reason = f"{best.customers:,} customers tell too little"
        way_out = f"bring {ENOUGH_CUSTOMERS - best.customers:,} more customers"
    elif best.churned is not None and best.churned < LEAST_CHURNED:
        reason = f"at {best.days}d, {best.churned:.1%} of the customers stay away: hardly anyone leaves"
        way_out = "forecast what customers will spend; there is next to no churn to forecast"
    else:
        reason = (
            f"at {best.days}d, {_percent(best.churned)} churned, {best.newly_gone:,} of whom had bought just before: too few to "
            "watch for long enough"
        )
        way_out = "look again when more customers have bought twice"
    return Advice(None, fits=False, reasons=(reason,), way_out=way_out)


def _more_days(lacking: int) -> str:
    return f"bring {lacking:,} more days of history"


def _came_back(one: HorizonFacts) -> str:
    """The sentence that a horizon stands or falls with."""
    return (
        f"of those who bought within {one.days} days before a date and then nothing for {one.days} days, {one.returned:.0%} "
        f"came back within {one.looked_days} more"
    )


def _horizon_row(one: HorizonFacts) -> tuple[str, ...]:
    low, high = one.churned_range or (None, None)
    return (
        f"{one.days}d",
        _percent(one.churned),
        f"{_percent(low)} to {_percent(high)}" if low is not None else "-",
        f"{_percent(one.returned)} in {one.looked_days} days" if one.returned is not None else "-",
        _percent(one.returned_of_all),
        _percent(one.gaps_within),
        f"{one.customers:,}",
        str(len(one.dates)),
        str(one.complete),
        f"{one.months_used:.1f}",
    )


def _status_row(one: HorizonFacts) -> tuple[str, ...]:
    after = ("-" if days is None else f"{days} days" for days in (one.lapsing_after_days, one.lost_after_days))
    return (f"{one.days}d", *(f"{one.statuses[status]:,}" for status in STATUS_HEAD[1:5]), *after)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with the columns aligned to the right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *rows)]
