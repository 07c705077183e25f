"""Why a score is what it is, in words: "Last purchase 74 days ago", not `recency_days = 74`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from features.catalog import CATALOG
from serving.console import charts
from serving.console import format as show
from serving.console.text import known, t
from serving.reasons import ALL_OTHER, BASELINE
from serving.store.records import Reason

_WINDOW = re.compile(r"_(?:(\d+)d|all)(?=_|$)")
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


def short_reasons(reasons: Iterable[Reason], features: Mapping[str, float | None]) -> tuple[str, ...]:
    """What raises the churn probability most, in words, strongest first."""
    raising = [reason for reason in reasons if reason.target == "churn" and reason.contribution > 0 and _is_feature(reason)]
    strongest = sorted(raising, key=lambda reason: -reason.contribution)[:SHORT_LIST]
    return tuple(in_words(reason, features) for reason in strongest)


def reason_bars(reasons: Iterable[Reason], target: str, features: Mapping[str, float | None]) -> tuple[ReasonBar, ...]:
    """The reasons of one target (churn, value) as signed bars, strongest first and "all other" last.

    Contributions add up on a log scale (log odds of leaving, log of the value), so each acts as a multiplier: its exponential.
    The baseline is not a reason of this customer's and is left out.
    """
    chosen = [reason for reason in reasons if reason.target == target and reason.feature != BASELINE]
    chosen.sort(key=lambda reason: (not _is_feature(reason), -abs(reason.contribution)))
    largest = max((abs(reason.contribution) for reason in chosen), default=0.0)
    return tuple(_bar(reason, features, largest) for reason in chosen)


def in_words(reason: Reason, features: Mapping[str, float | None]) -> str:
    """What is known about a customer: a sentence where the catalogue has one for the feature, else its name and value.

    >>> in_words(Reason("churn", "recency_days", "Days since last purchase", 0.4), {"recency_days": 74.0})
    'Last purchase 74 days ago'
    >>> in_words(Reason("churn", "gap_days_mean", "Mean gap", 0.1), {"gap_days_mean": None})
    'Mean gap: bought on one day only'
    """
    entry = CATALOG.get(reason.feature)
    if reason.feature not in features:
        return reason.name
    value = features[reason.feature]
    if value is None:
        return t("reason", name=reason.name, value=entry.missing if entry and entry.missing else t("not_known"))
    unit = entry.unit if entry else ""
    key = f"reason.{_WINDOW.sub('', reason.feature)}"
    if known(f"{key}.one"):
        return t(key, count=int(value), value=show.number(value), window=_window(reason.feature))
    if known(key):
        return t(key, value=show.measured(value, "" if unit == "days" else unit), window=_window(reason.feature))
    return t("reason", name=reason.name, value=show.measured(value, unit))


def _bar(reason: Reason, features: Mapping[str, float | None], largest: float) -> ReasonBar:
    direction = "up" if reason.contribution > 0 else "down"
    return ReasonBar(
        words=in_words(reason, features),
        effect=show.factor(math.exp(min(reason.contribution, 50.0))),
        effect_in_words=t(f"effect.{reason.target}.{direction}"),
        direction=direction,
        bar=charts.signed_bar(reason.contribution, largest),
    )


def _is_feature(reason: Reason) -> bool:
    return reason.feature not in (BASELINE, ALL_OTHER)


def _window(feature: str) -> str:
    found = _WINDOW.search(feature)
    if found is None or found[1] is None:
        return t("window.all")
    return t("window", days=found[1])
