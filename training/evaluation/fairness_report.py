"""How groups are forecast, as lines for people, as plain values for programs, and as a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from training.card.document import Block, Bullets, Heading, Paragraph, Table
from training.card.words import counted, interval_text
from training.evaluation.fairness import FIGURES, LEAST_CUSTOMERS, LEAST_EACH, Group, Judged
from training.evaluation.run_fairness import FairnessReport
from training.metrics.intervals import CONFIDENCE
from training.metrics.weighted import Weighted

LIMITS = (
    "A difference is a reason to look, not a verdict: groups may differ in what they do, and figures that all should be equal "
    "cannot all be where the groups leave at different rates.",
    "Among many groups one or two differ by chance.",
    "Whether an action helps or harms who gets it is not in these figures: missed leavers matter where it is a favour, false "
    "alarms where it is a burden.",
)


def headline(report: FairnessReport) -> str:
    """One line: whose forecasts, by what, at which dates."""
    over = f" over {report.horizon_days} days" if report.horizon_days else ""
    days = ", ".join(map(str, report.dates))
    return f"{report.company}: churn{over} by {report.by}, judged at {counted(len(report.dates), 'date')} ({days})"


def chosen_words(report: FairnessReport) -> str:
    """Who counts as chosen."""
    return f"Chosen are the {report.contact_share:.1%} of each date with the highest churn probability."


def lines(report: FairnessReport) -> Iterator[str]:
    """The report as a person reads it: by figure each group and what it is above all others, then what surely matters."""
    wide = max((len(group.name) for group in report.groups), default=0)
    yield headline(report)
    for name, metric in FIGURES.items():
        if rows := _rows(report, name):
            yield from ("", f"{name}: {_meaning(metric)}")
            yield from (f"  {group:<{wide}}  {figure:<30}  {difference}".rstrip() for group, figure, difference in rows)
    yield ""
    yield from (_silence(group) for group in report.groups if not group.is_told)
    yield from (f"- {remark}" for remark in report.remarks or (_nothing(report),))
    yield ""
    yield f"{chosen_words(report)} Brackets hold a figure with {CONFIDENCE:.0%} confidence; the last column is what the group"
    yield "is above all others together. How to read it: docs/privacy.md."


def page(report: FairnessReport) -> list[Block]:
    """The report as a page."""
    silent = [_silence(group) for group in report.groups if not group.is_told]
    counts = [f"{group.name}: {counted(group.customers, 'customer')}" for group in report.groups if group.is_told]
    head = [report.by, "figure", "above all others"]
    figures = [
        block
        for name, metric in FIGURES.items()
        if (rows := _rows(report, name))
        for block in (Heading(3, name), Paragraph(_meaning(metric)), Table(head, rows))
    ]
    return [
        Heading(1, f"{report.company}: forecasts by {report.by}"),
        Paragraph(f"{headline(report)}. {chosen_words(report)}"),
        Heading(2, "What differs"),
        Bullets(list(report.remarks or (_nothing(report),))),
        Heading(2, "Who was judged"),
        Bullets([*counts, *silent]),
        Heading(2, "Every figure"),
        Paragraph(f"Brackets hold a figure with {CONFIDENCE:.0%} confidence, by bootstrap over customers."),
        *figures,
        Heading(2, "How to read it"),
        Bullets(list(LIMITS)),
    ]


def as_dict(report: FairnessReport) -> dict[str, Any]:
    """The report as plain values: a figure is its value and bounds, null for a group too small to judge."""
    groups = [
        {
            "group": group.name,
            "customers": group.customers,
            "rows": group.rows,
            "figures": {name: vars(each) for name, each in group.figures.items()} or None,
            "differences": {name: vars(each) for name, each in group.differences.items()} or None,
        }
        for group in report.groups
    ]
    names = ("company", "by", "horizon_days", "dates", "contact_share")
    return {**{name: getattr(report, name) for name in names}, "groups": groups, "remarks": list(report.remarks)}


def _rows(report: FairnessReport, name: str) -> list[list[str]]:
    """Each group that is told of, one figure of it, and what that is above all others."""
    told = [group for group in report.groups if name in group.figures]
    return [[group.name, *(interval_text(each.get(name)) for each in (group.figures, group.differences))] for group in told]


def _silence(group: Group) -> str:
    few = f"{group.name}: {counted(group.customers, 'customer')}, too few to judge"
    return f"{few} (it takes {LEAST_CUSTOMERS}, with {LEAST_EACH} who left and {LEAST_EACH} who stayed)"


def _nothing(report: FairnessReport) -> str:
    if not any(group.differences for group in report.groups):
        return "There are not two groups large enough to compare."
    return "No difference surely matters."


def _meaning(metric: Callable[[Judged], Weighted]) -> str:
    return " ".join((metric.__doc__ or "").split())
