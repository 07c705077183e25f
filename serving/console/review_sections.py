"""The sections of a review as tables of finished texts; a section that a review cannot tell is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import isnan

from decisions.labels import Tier
from decisions.migration import Flow
from decisions.reviews.actions import KEEP, START, STOP, ActionReview
from decisions.reviews.figures import Between
from decisions.reviews.measures import MEASURES, Measured
from decisions.reviews.review import Forecast, Review
from decisions.rollup import Group
from serving.console import format as show
from serving.console.actions import action_title
from serving.console.text import label, t

SHARES = frozenset(measure.name for measure in MEASURES if measure.is_share)


@dataclass(frozen=True)
class Section:
    """A table under its title; `words` is how many columns from the left hold words, the others hold figures.

    `said` are sentences below it.
    """

    key: str
    title: str
    lead: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1
    said: tuple[str, ...] = ()


def sections(review: Review) -> Iterator[Section]:
    """All that the review tells."""
    if review.promises:
        yield _promises(review)
    if review.changes:
        yield _changes(review)
    if review.tier_moves:
        yield _moves(review)
    if review.actions:
        yield _actions(review)
    if review.measures:
        yield _measures(review)
    if review.reasons:
        yield _reasons(review)
    if review.forecast is not None:
        yield from _forecasts(review.forecast)
    if review.equity:
        yield _equity(review)


def _promises(review: Review) -> Section:
    rows = (
        (
            _tier(each.tier),
            show.number(each.customers),
            share(each.churn_promised),
            between(each.churned, share),
            show.money(each.value_promised),
            show.money(each.value_came),
            _troubles(each.trouble),
        )
        for each in review.promises
    )
    columns = ("tier", "customers", "churn_promised", "churned", "value_promised", "value_came", "kept")
    return _section("promises", columns, rows)


def _troubles(trouble: str) -> str:
    """Where a promise was broken: reviews keep it as English phrases with semicolons between them."""
    return t("list_joint").join(label("trouble", each) for each in trouble.split("; ")) if trouble else t("review.as_forecast")


def _changes(review: Review) -> Section:
    rows = (
        (label("change", each.change), show.number(each.customers), show.money(each.value_before), show.money(each.value_after))
        for each in review.changes
    )
    return _section("changes", ("change", "customers", "before", "after"), rows)


def _moves(review: Review) -> Section:
    """From tier to tier, as a matrix: rows are where customers were, columns where they are."""
    cells = {(flow.was, flow.now): flow for flow in review.tier_moves}
    met = [set(words) for words in zip(*cells, strict=True)]
    rows_of, columns_of = (
        [*(str(tier) for tier in Tier if str(tier) in found), *([None] if None in found else [])] for found in met
    )
    head = (t("review.column.was"), *map(_known_tier, columns_of))
    rows = ((_known_tier(was), *(_cell(cells.get((was, now))) for now in columns_of)) for was in rows_of)
    return Section("moves", t("review.moves"), t("review.moves.lead"), head, tuple(rows))


def _cell(flow: Flow | None) -> str:
    return "" if flow is None else show.number(flow.customers)


def _actions(review: Review) -> Section:
    rows = (
        (
            action_title(each.facts.action, each.facts.title),
            label("verdict", each.verdict),
            *(show.number(count) for count in (each.facts.planned, each.facts.controls, each.facts.done, each.facts.accepted)),
            show.money(each.facts.cost),
            between(each.facts.incremental_value, show.money),
        )
        for each in review.actions
    )
    columns = ("action", "verdict", "planned", "controls", "done", "accepted", "cost", "earned")
    return _section("actions", columns, rows, words=2, said=map(_why, review.actions))


def _why(action: ActionReview) -> str:
    """Why an action gets its verdict, in a sentence."""
    facts, value = action.facts, action.facts.incremental_value
    known = {KEEP: "keep", STOP: "stop"}.get(action.verdict, "measure")
    if action.verdict == START:
        known = "start" if facts.wanted else "start.planned"
    elif isnan(value.value):
        known = "unknown"
    amounts = {"low": value.low, "high": value.high, "cost": facts.measured_cost, "wanted_value": facts.wanted_value}
    told = {name: show.money(amount) for name, amount in amounts.items()}
    counts = {name: show.number(getattr(facts, name)) for name in ("wanted", "planned", "controls", "done")}
    return t(f"review.why.{known}", action=action_title(facts.action, facts.title), **told, **counts)


def _measures(review: Review) -> Section:
    rows = (
        (
            label("measure", each.measure),
            _tier(each.tier),
            show.number(each.count),
            _measured(each, each.figure.value),
            show.MISSING if isnan(each.target) else _measured(each, each.target),
            label("target", each.verdict) if each.verdict else "",
        )
        for each in review.measures
    )
    return _section("measures", ("measure", "tier", "cases", "figure", "target", "reached"), rows, words=2)


def _measured(each: Measured, value: float) -> str:
    return share(value) if each.measure in SHARES else show.number(value, 1)


def _reasons(review: Review) -> Section:
    rows = (
        (label("decline", each.reason), show.number(each.customers), show.number(each.left), show.money(each.current_value))
        for each in review.reasons
    )
    return _section("reasons", ("reason", "customers", "left", "brought"), rows)


def _forecasts(forecast: Forecast) -> Iterator[Section]:
    lead = t("review.forecast.lead", as_of=show.day(forecast.as_of), days=t("days", count=forecast.horizon_days))
    yield _section("forecast", ("tier", "customers", "expected"), _groups(forecast.by_tier, _known_tier), lead=lead)
    if forecast.by_owner:
        owners = _groups(forecast.by_owner, lambda name: name or t("review.nobody"))
        yield _section("owners", ("owner", "customers", "expected"), owners)
    if forecast.past:
        past = (
            (show.day(each.as_of), show.number(each.customers), show.money(each.promised), show.money(each.came))
            for each in forecast.past
        )
        yield _section("past", ("from", "customers", "value_promised", "value_came"), past)


def _groups(groups: Iterable[Group], named: Callable[[str | None], str]) -> Iterator[tuple[str, ...]]:
    return ((named(each.name), show.number(each.customers), show.money(each.expected_value)) for each in groups)


def _equity(review: Review) -> Section:
    rows = (
        (
            _tier(each.tier),
            *(show.number(each.customers_then), show.money(each.value_then)),
            *(show.number(each.customers_now), show.money(each.value_now)),
        )
        for each in review.equity
    )
    return _section("equity", ("tier", "customers_then", "value_then", "customers_now", "value_now"), rows)


def _section(
    key: str,
    columns: Iterable[str],
    rows: Iterable[tuple[str, ...]],
    *,
    words: int = 1,
    said: Iterable[str] = (),
    lead: str | None = None,
) -> Section:
    """A section by its key in the catalogue."""
    head = tuple(t(f"review.column.{column}") for column in columns)
    told = t(f"review.{key}.lead") if lead is None else lead
    return Section(key, t(f"review.{key}"), told, head, tuple(rows), words, tuple(said))


def share(value: float | None) -> str:
    """A share of one with a decimal: two quarters differ by less than a percent.

    >>> share(0.0525)
    '5.2 %'
    """
    return show.MISSING if value is None or isnan(value) else f"{show.number(100 * value, 1)} %"


def between(figure: Between, shown: Callable[[float | None], str]) -> str:
    """A figure with its bounds in brackets, where it has any; a dash where it is not known."""
    if isnan(figure.value) or isnan(figure.low):
        return shown(figure.value)
    return t("review.between", value=shown(figure.value), low=shown(figure.low), high=shown(figure.high))


def _tier(tier: str | None) -> str:
    """A tier; None is all customers together."""
    return t("review.everyone") if tier is None else label("value_tier", tier)


def _known_tier(tier: str | None) -> str:
    """A tier; None is having none, for want of a score."""
    return t("review.not_scored") if tier is None else label("value_tier", tier)
