"""How customers were served: complaints, satisfaction and loyalty by tier, each against the target that the policy sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import Field

from decisions.columns import Floats, Texts
from decisions.labels import Tier
from decisions.parts import NotNegative, Part, Share
from decisions.reviews.figures import Between, mean_between, share_between

MET, OPEN, MISSED = "met", "open", "missed"
"""Against a target: reached, missed but not surely, and surely missed."""


class Measure(NamedTuple):
    """A figure that is the mean over `of` (complaints, answers, customers); shares are means of 0 and 1."""

    name: str
    title: str
    of: str
    more_is_better: bool
    is_share: bool = False


MEASURES = (
    Measure("complaints_per_hundred", "Complaints per 100 customers", "customers", more_is_better=False),
    Measure("first_response_hours", "Hours to the first response", "complaints", more_is_better=False),
    Measure("resolve_hours", "Hours to resolve", "complaints", more_is_better=False),
    Measure("recovered_share", "Complaints recovered", "rated complaints", more_is_better=True, is_share=True),
    Measure("complaint_satisfaction", "Satisfaction with the handling, 1 to 5", "rated complaints", more_is_better=True),
    Measure("satisfaction", "Satisfaction, 1 to 10", "answers", more_is_better=True),
    Measure("loyalty", "Likely to buy again, 1 to 10", "answers", more_is_better=True),
    Measure("recommend", "Likely to recommend, 0 to 10", "answers", more_is_better=True),
    Measure("premium_share", "Loyal and attached", "customers", more_is_better=True, is_share=True),
)
"""What a review measures of service; the targets of the policy have the same names."""

OneToTen = Annotated[float, Field(ge=1, le=10)]


class TierTargets(Part):
    """What a tier is to be given; a figure that is left out has no target."""

    complaints_per_hundred: NotNegative | None = None
    """At most so many complaints per 100 customers."""
    first_response_hours: NotNegative | None = None
    """On average at most so many hours from a complaint to the first response."""
    resolve_hours: NotNegative | None = None
    """On average at most so many hours until it is closed."""
    recovered_share: Share | None = None
    """At least this share of the rated complaints closed with a satisfaction of 4 or 5."""
    complaint_satisfaction: Annotated[float, Field(ge=1, le=5)] | None = None
    """At least this mean satisfaction with the handling."""
    satisfaction: OneToTen | None = None
    """At least this mean satisfaction in surveys."""
    loyalty: OneToTen | None = None
    """At least this mean answer to how likely they buy again."""
    recommend: Annotated[float, Field(ge=0, le=10)] | None = None
    """At least this mean answer to how likely they recommend."""
    premium_share: Share | None = None
    """At least this share of the tier loyal and attached (the word `premium` of loyalty)."""


@dataclass(frozen=True)
class Measured:
    """One measure of one tier, `tier` None for all customers: the mean over `count` cases against the target.

    `target` is NaN and `verdict` "" where there is none, or nothing to hold against it.
    """

    measure: str
    tier: str | None
    count: int
    figure: Between
    target: float
    verdict: str


def measured(measure: Measure, tiers: Texts, values: Floats, targets: Mapping[str, TierTargets]) -> tuple[Measured, ...]:
    """One measure over all cases (n,) and by the tier of their customers, best first; tiers without cases are left out."""
    groups = [(None, np.ones(len(values), dtype=bool)), *((str(tier), tiers == str(tier)) for tier in Tier)]
    return tuple(_measured(measure, tier, values[some], targets) for tier, some in groups if some.any())


def _measured(measure: Measure, tier: str | None, values: Floats, targets: Mapping[str, TierTargets]) -> Measured:
    figure = share_between(float(values.sum()), len(values)) if measure.is_share else mean_between(values)
    set_for = targets.get(tier) if tier else None
    target = getattr(set_for, measure.name, None)
    told = float("nan") if target is None else float(target)
    return Measured(measure.name, tier, len(values), figure, told, _verdict(measure, figure, told))


def _verdict(measure: Measure, figure: Between, target: float) -> str:
    """Met where the figure reaches the target, missed where even its better bound does not, else open."""
    if np.isnan(target):
        return ""
    sign = 1 if measure.more_is_better else -1
    if sign * figure.value >= sign * target:
        return MET
    best = figure.high if measure.more_is_better else figure.low
    return MISSED if sign * best < sign * target else OPEN
