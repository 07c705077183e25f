"""Why a score is what it is, in words: "Last purchase 74 days ago", not `recency_days = 74`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from serving.console import charts
from serving.console import format as show
from serving.console.text import known, t
from serving.store.records import Reason

_WINDOW = re.compile(r"_(?:(\d+)d|all)(?=_|$)")
_NOT_A_FEATURE = ("baseline", "all_other")
_SHOWN = {"money": show.money, "percent": show.percent, "number": show.plain}
"""How the catalogue's phrases show their value, by the word in their key; those of `count` also choose between one and many."""

SHORT_LIST = 2
"""How many reasons a line of a list has room for."""


@dataclass(frozen=True)
class ReasonBar:
    """One reason: what is known about the customer, its effect as a multiplier, which way it goes and how far (`bar`).

    `direction` is up or down; on a churn score up is the bad way, on a value the good one.
    """

    words: str
    effect: str
    effect_in_words: str
    direction: str
    bar: charts.Span


def short_reasons(reasons: Iterable[Reason]) -> tuple[str, ...]:
    """The names of what raises the churn probability most, strongest first."""
    raising = [reason for reason in reasons if reason.target == "churn" and reason.contribution > 0 and _is_feature(reason)]
    return tuple(reason.name for reason in sorted(raising, key=lambda reason: -reason.contribution)[:SHORT_LIST])


def reason_bars(reasons: Iterable[Reason], target: str, features: Mapping[str, float | None]) -> tuple[ReasonBar, ...]:
    """The reasons of one target (churn, value) as signed bars, strongest first and "all other" last.

    Contributions add up on a log scale (log odds of leaving, log of the value), so each acts as a multiplier: its exponential.
    The baseline is not a reason of this customer's and is left out.
    """
    chosen = [reason for reason in reasons if reason.target == target and reason.feature != "baseline"]
    chosen.sort(key=lambda reason: (not _is_feature(reason), -abs(reason.contribution)))
    largest = max((abs(reason.contribution) for reason in chosen), default=0.0)
    return tuple(_bar(reason, features.get(reason.feature), largest) for reason in chosen)


def in_words(feature: str, name: str, value: float | None) -> str:
    """What is known about a customer: a sentence where the catalogue has one for the feature, else its name and value.

    >>> in_words("recency_days", "Days since last purchase", 74.0)
    'Last purchase 74 days ago'
    >>> in_words("spend_90d", "Spend, 90 days", 1250.0), in_words("loudness", "Loudness", None)
    ('Spent 1,250 in the last 90 days', 'Loudness')
    """
    if value is None or math.isnan(value):
        return name
    base, window = _WINDOW.sub("", feature), _window(feature)
    if known(f"reason.count.{base}.one"):
        return t(f"reason.count.{base}", count=int(value), value=show.number(value), window=window)
    for way, shown in _SHOWN.items():
        if known(f"reason.{way}.{base}"):
            return t(f"reason.{way}.{base}", value=shown(value), window=window)
    return t("reason", name=name, value=show.plain(value))


def _bar(reason: Reason, value: float | None, largest: float) -> ReasonBar:
    direction = "up" if reason.contribution > 0 else "down"
    return ReasonBar(
        words=in_words(reason.feature, reason.name, value),
        effect=show.factor(math.exp(min(reason.contribution, 50.0))),
        effect_in_words=t(f"effect.{reason.target}.{direction}"),
        direction=direction,
        bar=charts.signed_bar(reason.contribution, largest),
    )


def _is_feature(reason: Reason) -> bool:
    return reason.feature not in _NOT_A_FEATURE


def _window(feature: str) -> str:
    found = _WINDOW.search(feature)
    if found is None or found[1] is None:
        return t("window.all")
    return t("window", days=found[1])
