"""How groups are forecast, as lines for people, as plain values for programs, and as a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from training.document import Block, Bullets, Heading, Paragraph, Table
from training.fairness import FIGURES, LEAST_CUSTOMERS, LEAST_EACH, Group
from training.metrics import CONFIDENCE
from training.run_fairness import FairnessReport
from training.words import counted, interval_text

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
    return f"{report.company}: churn{over} by {report.by}, forecast at {counted(len(report.dates), 'past date')} ({days})"


def chosen_words(report: FairnessReport) -> str:
    """Who counts as chosen."""
    return f"Chosen are the {report.contact_share:.1%} of each date with the highest churn probability."


def lines(report: FairnessReport) -> Iterator[str]:
    """The report as a person reads it: figures of each group, what it is above all others, and what surely matters."""
    told = [group for group in report.groups if group.is_told]
    yield headline(report)
    yield ""
    yield from _table(["", *(group.name for group in told)], _rows(report))
    yield ""
    yield from (_silence(group) for group in report.groups if not group.is_told)
    yield from (f"- {remark}" for remark in report.remarks or (_nothing(report),))
    yield ""
    yield f"{chosen_words(report)} Brackets hold a figure with {CONFIDENCE:.0%} confidence. What each means: docs/privacy.md."


def page(report: FairnessReport) -> list[Block]:
    """The report as a page."""
    told = [group for group in report.groups if group.is_told]
    silent = [_silence(group) for group in report.groups if not group.is_told]
    return [
        Heading(1, f"{report.company}: forecasts by {report.by}"),
        Paragraph(f"{headline(report)}. {chosen_words(report)}"),
        Heading(2, "What differs"),
        Bullets(list(report.remarks or (_nothing(report),))),
        Heading(2, "Every figure"),
        Table(["", *(group.name for group in told)], _rows(report)),
        *([Bullets(silent)] if silent else []),
        Heading(2, "What the figures are"),
        Table(["figure", "what it is"], [[name, _meaning(name)] for name in FIGURES]),
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


def _rows(report: FairnessReport) -> list[list[str]]:
    """Counts, then each figure, and below it what it is above all others."""
    told = [group for group in report.groups if group.is_told]
    rows = [["customers", *(f"{group.customers:,}" for group in told)]]
    for name in FIGURES:
        if any(name in group.figures for group in told):
            rows.append([name, *(interval_text(group.figures.get(name)) for group in told)])
        if any(name in group.differences for group in told):
            rows.append(["  above all others", *(interval_text(group.differences.get(name)) for group in told)])
    return rows


def _silence(group: Group) -> str:
    few = f"{group.name}: {counted(group.customers, 'customer')}, too few to judge"
    return f"{few} (it takes {LEAST_CUSTOMERS}, with {LEAST_EACH} who left and {LEAST_EACH} who stayed)"


def _nothing(report: FairnessReport) -> str:
    if not any(group.differences for group in report.groups):
        return "There are not two groups large enough to compare."
    return "No difference surely matters."


def _meaning(name: str) -> str:
    return " ".join((FIGURES[name].__doc__ or "").split())


def _table(head: list[str], rows: list[list[str]]) -> Iterator[str]:
    """Lines with the first column to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for first, *others in (head, *rows):
        cells = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
        yield "  ".join([first.ljust(widths[0]), *cells]).rstrip()
