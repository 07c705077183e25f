"""The page of all customers together: the pyramid, the forecast, who moved, where value and risk meet, who stayed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan

from decisions.reviews.changes import LOST, WON, WON_BACK, Change, Equity
from decisions.reviews.figures import Between
from decisions.rollup import Group
from serving.console import charts
from serving.console import format as show
from serving.console.curves import Curve, curve
from serving.console.customers import Tag, tag
from serving.console.frame import Frame
from serving.console.plan_trial import Figure
from serving.console.portfolio_maps import Matrix, RiskMap, matrix, risk_map
from serving.console.text import label, t
from serving.console.urls import Urls
from serving.portfolio import GONE, Cohort, Portfolio, Since


@dataclass(frozen=True)
class GroupLine:
    """Customers of one tier, stage or owner; `polygon` is a tier's slice of the pyramid, "" for the others."""

    word: Tag
    link: str
    polygon: str
    customers: str
    share: str
    churn: str
    expected: str
    at_risk: str
    lifetime: str


@dataclass(frozen=True)
class ChangeLine:
    """Who changed in one way since the scoring before, with the expected values of both."""

    name: str
    means: str
    customers: str
    before: str
    now: str


@dataclass(frozen=True)
class EquityLine:
    """Lifetime values of one tier, or of all, at both scorings."""

    name: str
    then: str
    now: str
    change: str


@dataclass(frozen=True)
class CohortLine:
    """Those who bought first in one month, and who of them is still there."""

    month: str
    customers: str
    kept: str
    kept_bar: charts.Span
    active: str
    expected: str


@dataclass(frozen=True)
class PortfolioPage:
    """`since` names the scoring before, "" where none is kept: `changes`, `equity`, `moves` and `flow` are then empty or None."""

    frame: Frame
    figures: tuple[Figure, ...]
    tiers: tuple[GroupLine, ...]
    owners: tuple[GroupLine, ...]
    lifecycle: tuple[GroupLine, ...]
    lorenz: Curve | None
    lorenz_words: tuple[str, ...]
    since: str
    changes: tuple[ChangeLine, ...]
    equity: tuple[EquityLine, ...]
    moves: Matrix | None
    flow: Matrix | None
    map: RiskMap | None
    cohorts: tuple[CohortLine, ...]


def portfolio_page(frame: Frame, found: Portfolio, *, total: Between | None, currency: str | None, urls: Urls) -> PortfolioPage:
    """Put the page together; `total` is the forecast of all sales with its interval, None where nobody knows one."""
    since = found.since
    return PortfolioPage(
        frame=frame,
        figures=tuple(_figures(found, total, currency)),
        tiers=tuple(_group_lines(found.tiers, "value_tier", urls)),
        owners=tuple(_group_lines(found.owners, "owner", urls)),
        lifecycle=tuple(_group_lines(found.lifecycle, "lifecycle", urls)),
        lorenz=_lorenz(found),
        lorenz_words=tuple(_concentrated(found)),
        since=show.day(since.as_of) if since else "",
        changes=tuple(map(_change_line, since.changes)) if since else (),
        equity=tuple(_equity_lines(since)) if since else (),
        moves=matrix(since.tiers, "value_tier") if since else None,
        flow=matrix(since.lifecycle, "lifecycle") if since else None,
        map=risk_map(found.cells, urls),
        cohorts=tuple(map(_cohort_line, found.cohorts)),
    )


def _figures(found: Portfolio, total: Between | None, currency: str | None) -> Iterable[Figure]:
    expected = sum(group.expected_value for group in found.tiers)
    yield Figure(t("portfolio.customers"), show.number(found.customers), t("portfolio.customers.note"))
    between = t("portfolio.forecast.unknown")
    if total is not None and not isnan(total.low):
        between = t("portfolio.forecast.between", low=show.total(total.low, currency), high=show.total(total.high, currency))
    yield Figure(t("portfolio.forecast"), show.total(expected, currency), between)
    yield Figure(t("portfolio.equity"), show.total(found.lifetime_value, currency), _equity_note(found.since))
    yield Figure(t("portfolio.half"), show.percent(found.concentration.customers.get(0.5)), t("portfolio.half.note"))


def _equity_note(since: Since | None) -> str:
    if since is None or not since.equity or not since.equity[0].value_then:
        return t("portfolio.equity.note")
    return t("portfolio.equity.change", change=_signed(since.equity[0].value_now / since.equity[0].value_then - 1))


def _group_lines(groups: Sequence[Group], column: str, urls: Urls) -> Iterable[GroupLine]:
    everybody = sum(group.customers for group in groups)
    decimals = show.money_decimals(amount for group in groups for amount in (group.expected_value, group.lifetime_value))
    slices = charts.pyramid_slices(len(groups)) if column == "value_tier" else ("",) * len(groups)
    for group, polygon in zip(groups, slices, strict=True):
        yield GroupLine(
            word=Tag(group.name or "", group.name or t("portfolio.nobody"), "") if column == "owner" else tag(column, group.name),
            link=urls.customers({column: group.name}) if group.name else "",
            polygon=polygon,
            customers=show.number(group.customers),
            share=show.percent(group.customers / everybody if everybody else None),
            churn=show.percent(group.churn_probability),
            expected=show.money(group.expected_value, decimals),
            at_risk=show.money(group.value_at_risk, decimals),
            lifetime=show.money(group.lifetime_value, decimals),
        )


def _lorenz(found: Portfolio) -> Curve | None:
    customers, value = found.lorenz
    words = t("portfolio.lorenz.says", share=show.percent(found.concentration.customers.get(0.5)))
    return curve(customers, value, named=(show.percent, show.percent), says=words)


def _concentrated(found: Portfolio) -> Iterable[str]:
    for share, customers in found.concentration.customers.items():
        if not isnan(customers):
            yield t("portfolio.concentrated", customers=show.percent(customers), value=show.percent(share))
    yield t("portfolio.gini", gini=show.number(found.concentration.gini, 2))


_CHANGES: Mapping[str, tuple[str, str]] = {
    WON: ("portfolio.won", "portfolio.won.means"),
    LOST: ("portfolio.lost", "portfolio.lost.means"),
    WON_BACK: ("portfolio.won_back", "portfolio.won_back.means"),
    GONE: ("portfolio.gone", "portfolio.gone.means"),
    "upgraded": ("portfolio.upgraded", "portfolio.upgraded.means"),
    "downgraded": ("portfolio.downgraded", "portfolio.downgraded.means"),
}


def _change_line(change: Change) -> ChangeLine:
    name, means = _CHANGES[change.change]
    decimals = show.money_decimals([change.value_before, change.value_after])
    before = show.MISSING if change.change == WON else show.money(change.value_before, decimals)
    now = show.MISSING if change.change == GONE else show.money(change.value_after, decimals)
    return ChangeLine(t(name), t(means), show.number(change.customers), before, now)


def _equity_lines(since: Since) -> Iterable[EquityLine]:
    decimals = show.money_decimals(amount for each in since.equity for amount in (each.value_then, each.value_now))
    for each in since.equity:
        yield EquityLine(
            name=label("value_tier", each.tier) if each.tier else t("portfolio.all"),
            then=show.money(each.value_then, decimals),
            now=show.money(each.value_now, decimals),
            change=_grown(each),
        )


def _grown(each: Equity) -> str:
    return _signed(each.value_now / each.value_then - 1) if each.value_then > 0 else show.MISSING


def _signed(change: float) -> str:
    """A change as a share with its sign.

    >>> _signed(0.034), _signed(-0.2)
    ('+3.4 %', '−20.0 %')
    """
    return f"{'+' if change > 0 else ''}{show.number(100 * change, 1)} %"


def _cohort_line(cohort: Cohort) -> CohortLine:
    return CohortLine(
        month=show.month(cohort.month),
        customers=show.number(cohort.customers),
        kept=show.percent(cohort.kept / cohort.customers),
        kept_bar=charts.share_bar(cohort.kept / cohort.customers),
        active=show.percent(cohort.active / cohort.customers),
        expected=show.money(cohort.expected_value),
    )
