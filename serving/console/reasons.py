"""Why a score is what it is, in words: "Last purchase 74 days ago", not `recency_days = 74`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from features.builders.attributes import Attribute, parsed
from features.catalog import entry_of
from serving.batch.reasons import ALL_OTHER, BASELINE
from serving.console import charts
from serving.console import format as show
from serving.console.language import spoken
from serving.console.text import known, t
from serving.store.records import Reason

_WINDOW = re.compile(r"_(?:(\d+)d|all)(?=_|$)")
THE_CATALOGS = "en"
"""The language in which the feature catalog has whole sentences; names it has in Chinese too."""

SHORT_LIST = 2
"""How many reasons a line of a list has room for."""

MOST_RAISING, MOST_LOWERING = 4, 3
"""How many reasons of each direction the page of a customer shows."""


@dataclass(frozen=True)
class ReasonBar:
    """One reason: what is known about the customer, its effect as a multiplier, which way it goes and how far (`bar`).

    `direction` is up or down; on a churn score up is the bad way, on a value the good one.
    """

    words: str
    effect: str
    direction: str
    bar: charts.Span


@dataclass(frozen=True)
class ReasonGroup:
    """The reasons of one direction, which `title` says in words."""

    title: str
    bars: tuple[ReasonBar, ...]


def short_reasons(reasons: Iterable[Reason], features: Mapping[str, float | None]) -> tuple[str, ...]:
    """What raises the churn probability most, in words, strongest first."""
    raising = [reason for reason in reasons if reason.target == "churn" and reason.contribution > 0 and _is_feature(reason)]
    strongest = sorted(raising, key=lambda reason: -reason.contribution)[:SHORT_LIST]
    return tuple(in_words(reason, features) for reason in strongest)


def reason_groups(reasons: Iterable[Reason], target: str, features: Mapping[str, float | None]) -> tuple[ReasonGroup, ...]:
    """The reasons of one target (churn, value) as signed bars: those that raise it, then those that lower it.

    Each group has its strongest first; "all other", which takes in what is not shown, stands last in the group of its direction.
    Contributions add up on a log scale (log odds of leaving, log of the value), so each acts as a multiplier: its exponential.
    The baseline is not a reason of this customer's and is left out.
    """
    chosen = _shown([reason for reason in reasons if reason.target == target and reason.feature != BASELINE], target)
    largest = max((abs(reason.contribution) for reason in chosen), default=0.0)
    groups = []
    for direction in ("up", "down"):
        bars = (_bar(reason, features, largest) for reason in chosen)
        if same := tuple(bar for bar in bars if bar.direction == direction):
            groups.append(ReasonGroup(t(f"effect.{target}.{direction}"), same))
    return tuple(groups)


def _shown(reasons: list[Reason], target: str) -> list[Reason]:
    """The strongest of each direction, and the sum of all others as one more reason where there are any."""
    strongest = sorted((reason for reason in reasons if _is_feature(reason)), key=lambda reason: -abs(reason.contribution))
    raising = [reason for reason in strongest if reason.contribution > 0][:MOST_RAISING]
    lowering = [reason for reason in strongest if reason.contribution < 0][:MOST_LOWERING]
    shown = raising + lowering
    rest = sum(reason.contribution for reason in reasons if reason not in shown)
    return shown if rest == 0 else [*shown, Reason(target, ALL_OTHER, t("reasons.all_other"), rest)]


def in_words(reason: Reason, features: Mapping[str, float | None]) -> str:
    """What is known about a customer: a sentence where the catalogue has one for the feature, else its name and value.

    >>> in_words(Reason("churn", "recency_days", "Days since last purchase", 0.4), {"recency_days": 74.0})
    'Last purchase 74 days ago'
    >>> in_words(Reason("churn", "gap_days_mean", "Mean gap", 0.1), {"gap_days_mean": None})
    'Bought on one day only'
    >>> in_words(Reason("churn", "spend_90d", "Spend, last 90 days", 0.1), {"spend_90d": 0.0})
    'Spent nothing in the last 90 days'
    """
    if reason.feature not in features:
        return _name(reason)
    value, unit, attribute = features[reason.feature], _unit(reason.feature), parsed(reason.feature)
    return _of_attribute(attribute, value, unit) if attribute else _of_catalog(reason, value, unit)


def _of_catalog(reason: Reason, value: float | None, unit: str) -> str:
    key, days = f"reason.{_WINDOW.sub('', reason.feature)}", _days(reason.feature)
    window = t("window", days=days) if days else t("window.all")
    if value is None:
        return t(f"{key}.missing", window=window, days=days) if known(f"{key}.missing") else _not_known(reason)
    if known(special := f"{key}.{value:g}"):
        return t(special, window=window)
    if known(f"{key}.one"):
        return t(key, count=int(value), value=show.number(value), window=window)
    if known(key):
        return t(key, value=show.measured(value, "" if unit == "days" else unit), window=window)
    return t("reason", name=_name(reason), value=show.measured(value, unit))


def _of_attribute(attribute: Attribute, value: float | None, unit: str) -> str:
    """What is known of an attribute.

    >>> _of_attribute(Attribute("plan", "text", "gold"), 0.0, ""), _of_attribute(Attribute("renewal", "days"), -3.0, "days")
    ('Plan: not gold', 'Renewal: in 3 days')
    """
    if value is None:
        return t("reason", name=attribute.title, value=t("not_known"))
    if attribute.how == "text":
        return t("attribute.is" if value else "attribute.is_not", name=attribute.title, value=attribute.value)
    if attribute.how == "days":
        key = "attribute.past" if value > 0 else "attribute.to_come"
        return t(key, name=attribute.title, days=show.measured(abs(value), "days"))
    return t("reason", name=attribute.title, value=show.measured(value, unit))


def _not_known(reason: Reason) -> str:
    """What the feature catalog says of a missing value, which is a fact of its own; "not known" where it says nothing."""
    entry = entry_of(reason.feature)
    why = entry.missing if entry and spoken() == THE_CATALOGS else ""
    return f"{why[0].upper()}{why[1:]}" if why else t("reason", name=_name(reason), value=t("not_known"))


def _name(reason: Reason) -> str:
    """The feature's name in the language of the page; the stored one where the feature catalog does not know the feature."""
    entry = entry_of(reason.feature)
    return reason.name if spoken() == THE_CATALOGS or entry is None else entry.title_zh


def _bar(reason: Reason, features: Mapping[str, float | None], largest: float) -> ReasonBar:
    direction = "up" if reason.contribution > 0 else "down"
    return ReasonBar(
        words=in_words(reason, features),
        effect=show.factor(math.exp(min(reason.contribution, 50.0))),
        direction=direction,
        bar=charts.signed_bar(reason.contribution, largest),
    )


def _is_feature(reason: Reason) -> bool:
    return reason.feature not in (BASELINE, ALL_OTHER)


def _unit(feature: str) -> str:
    entry = entry_of(feature)
    return entry.unit if entry else ""


def _days(feature: str) -> str:
    """The length of a feature's window, empty where it has none or sees all time."""
    found = _WINDOW.search(feature)
    return (found[1] or "") if found else ""
