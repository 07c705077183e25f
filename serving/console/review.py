"""The page of a review: what was promised for a quarter, what came of it, and what to expect next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan

from decisions.reviews.review import Review
from serving.console import format as show
from serving.console.calibration import Calibration, Group, calibration_chart
from serving.console.frame import Frame
from serving.console.review_sections import Section, sections, share
from serving.console.sentences import said
from serving.console.text import t
from serving.console.urls import Urls


@dataclass(frozen=True)
class Headline:
    """A figure that is to be seen first, and what stands beside it."""

    name: str
    value: str
    note: str


@dataclass(frozen=True)
class ReviewLink:
    """Another review that can be looked at."""

    name: str
    link: str


@dataclass(frozen=True)
class ReviewPage:
    """One review; `notes` say what could not be told. `others` lead to the other reviews."""

    frame: Frame | None
    title: str
    lead: str
    headlines: tuple[Headline, ...]
    calibration: Calibration | None
    sections: tuple[Section, ...]
    notes: tuple[str, ...]
    others: tuple[ReviewLink, ...]


def review_page(frame: Frame | None, review: Review, *, names: Sequence[str], shown: str, urls: Urls) -> ReviewPage:
    """Put the page together; `names` are those of all reviews, `shown` that of this one."""
    days = t("days", count=review.horizon_days)
    return ReviewPage(
        frame=frame,
        title=t("review.title", since=show.day(review.since), until=show.day(review.as_of)),
        lead=t("review.lead", customers=show.number(review.customers), version=review.model_version, days=days),
        headlines=tuple(_headlines(review)),
        calibration=calibration_chart([Group(each.customers, each.churn_promised, each.churned) for each in review.calibration]),
        sections=tuple(sections(review)),
        notes=tuple(map(said, review.notes)),
        others=tuple(ReviewLink(review_name(name), urls.review(name)) for name in names if name != shown),
    )


def review_name(name: str) -> str:
    """The name of a review for people.

    >>> review_name("2026-01-01_2026-04-01_90d")
    '2026-01-01 – 2026-04-01 (90d)'
    """
    since, until, days = name.split("_")
    return f"{since} – {until} ({days})"


def _headlines(review: Review) -> Iterator[Headline]:
    currency = review.currency
    if review.promises:
        whole = review.promises[0]
        promised = t("review.forecast_was", value=share(whole.churn_promised))
        yield Headline(t("review.left"), share(whole.churned.value), promised)
        if not isnan(whole.value_came):
            promised = t("review.forecast_was", value=show.total(whole.value_promised, currency))
            yield Headline(t("review.came"), show.total(whole.value_came, currency), promised)
    if not isnan(review.earned.value):
        spent = t("review.spent", value=show.total(review.spent, currency))
        yield Headline(t("review.earned"), show.total(review.earned.value, currency), spent)
    if review.forecast is not None:
        total = review.forecast.total
        bounds = "" if isnan(total.low) else t("interval", low=show.money(total.low), high=show.money(total.high))
        yield Headline(t("review.expected"), show.total(total.value, currency), bounds)
    if review.equity:
        before = t("review.before", value=show.total(review.equity[0].value_then, currency))
        yield Headline(t("review.equity"), show.total(review.equity[0].value_now, currency), before)
