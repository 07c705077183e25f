"""A review in a few lines for the terminal, and how its figures are written."""

from __future__ import annotations

from math import isnan

from commands.tiers import table
from decisions.reviews.figures import Between
from decisions.reviews.measures import MISSED
from decisions.reviews.review import Review

EVERYONE = "all"


def in_words(review: Review) -> str:
    """The review in a few lines; the page has all of it."""
    scored = f"{review.customers:,} customers, version {review.model_version}"
    pieces = [
        f"{review.company}: {review.since} to {review.as_of}, {scored}",
        _promises(review),
        ", ".join(f"{each.customers:,} {each.change}" for each in review.changes),
        "\n".join(f"{each.verdict} {each.facts.action}: {each.why}" for each in review.actions),
        _missed(review),
        f"forecast from {review.forecast.as_of}: {money(review.forecast.total)}" if review.forecast else "",
        "\n".join(f"note: {note}" for note in review.notes),
    ]
    return "\n\n".join(piece for piece in pieces if piece)


def _promises(review: Review) -> str:
    if not review.promises:
        return ""
    header = ("tier", "customers", "churn forecast", "churned", "value forecast", "came", "")
    rows = (
        (
            each.tier or EVERYONE,
            f"{each.customers:,}",
            f"{each.churn_promised:.1%}",
            f"{each.churned.value:.1%}",
            amount(each.value_promised),
            amount(each.value_came),
            each.trouble,
        )
        for each in review.promises
    )
    return table(header, rows)


def _missed(review: Review) -> str:
    missed = [
        f"  {each.measure} of {each.tier}: {each.figure.value:,.3g}, target {each.target:g}"
        for each in review.measures
        if each.verdict == MISSED
    ]
    return "\n".join(["missed targets", *missed]) if missed else ""


def amount(value: float) -> str:
    """An amount without decimals; nothing where it is not known."""
    return "" if isnan(value) else f"{value:,.0f}"


def bounds(figure: Between) -> str:
    """The bounds of an amount in brackets; nothing where there are none."""
    return "" if isnan(figure.low) else f"[{figure.low:,.0f}, {figure.high:,.0f}]"


def money(figure: Between) -> str:
    """An amount with its bounds, or that it is not known."""
    return "not known" if isnan(figure.value) else f"{figure.value:,.0f} {bounds(figure)}".rstrip()


def number(figure: Between, digits: int) -> str:
    """A figure with its bounds and so many decimals."""
    return "" if isnan(figure.value) else f"{figure.value:,.{digits}f}{_square(figure, f',.{digits}f')}"


def percent(figure: Between) -> str:
    """A share with its bounds."""
    return f"{figure.value:.1%}{_square(figure, '.1%')}"


def figure_text(figure: Between, *, is_share: bool) -> str:
    """A share or a number, with its bounds."""
    return percent(figure) if is_share else number(figure, 1)


def _square(figure: Between, form: str) -> str:
    return "" if isnan(figure.low) else f" [{figure.low:{form}}, {figure.high:{form}}]"
