"""Tables that are read like maps: who moved from which word to which, and where value and risk meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from decisions.labels import SCHEMES
from decisions.migration import Flow
from serving.console import format as show
from serving.console.query import ALL_BUT_LOST
from serving.console.text import label, t
from serving.console.urls import Urls
from serving.portfolio import Cell

SHADES = 5
"""A cell of the map or of a matrix is shaded in one of so many steps."""


_HAIR = 1e-6


@dataclass(frozen=True)
class MatrixCell:
    """Customers who went from one word to another: how many, their value; `shade` from 0 to SHADES, `stayed` on the diagonal."""

    customers: str
    value: str
    shade: int
    stayed: bool


@dataclass(frozen=True)
class Matrix:
    """A table of moves: the words across, and for each word down its cells."""

    across: tuple[str, ...]
    rows: tuple[tuple[str, tuple[MatrixCell, ...]], ...]


@dataclass(frozen=True)
class MapCell:
    """One field of the map of value and risk, with a link to its customers; `says` tells all of it."""

    link: str
    customers: str
    at_risk: str
    shade: int
    says: str


@dataclass(frozen=True)
class RiskMap:
    """Bands of churn probability across, bands of expected value down, the highest first."""

    across: tuple[str, ...]
    rows: tuple[tuple[str, tuple[MapCell, ...]], ...]


def matrix(flows: Sequence[Flow], column: str) -> Matrix:
    """Words down are those of before, words across those of now; None, for who was not scored, comes last."""
    order = [*map(str, SCHEMES[column]), None]
    taken = {(flow.was, flow.now): flow for flow in flows}
    down = [word for word in order if any(flow.was == word for flow in flows)]
    across = [word for word in order if any(flow.now == word for flow in flows)]
    most = max((flow.customers for flow in flows if not flow.stayed), default=0)
    rows = []
    for was in down:
        cells = tuple(_matrix_cell(taken.get((was, now)), most, stayed=was is not None and was == now) for now in across)
        rows.append((label(column, was) if was else t("portfolio.not_scored"), cells))
    return Matrix(tuple(label(column, word) if word else t("portfolio.no_longer") for word in across), tuple(rows))


def _matrix_cell(flow: Flow | None, most: int, *, stayed: bool) -> MatrixCell:
    if flow is None:
        return MatrixCell("", "", 0, stayed)
    value = flow.value_now if flow.now is not None else flow.value_before
    shade = 0 if stayed else _shade(flow.customers, most)
    return MatrixCell(show.number(flow.customers), show.money(value), shade, stayed)


def _shade(part: float, most: float) -> int:
    """From 0 for nothing to SHADES for the most there is, by square roots: small parts are still told apart.

    >>> _shade(0, 10), _shade(1, 10), _shade(10, 10)
    (0, 2, 5)
    """
    return 0 if part <= 0 or most <= 0 else max(1, round(SHADES * (part / most) ** 0.5))


def risk_map(cells: Sequence[Cell], urls: Urls) -> RiskMap | None:
    """The map; None where no customer has a value."""
    if not cells:
        return None
    bands = list(dict.fromkeys(cell.churn for cell in cells))
    most = max(cell.value_at_risk for cell in cells)
    decimals = show.money_decimals(cell.value_at_risk for cell in cells)
    rows = [cells[start : start + len(bands)] for start in range(0, len(cells), len(bands))]

    def shown(row: Sequence[Cell]) -> tuple[MapCell, ...]:
        return tuple(_map_cell(cell, most, decimals, urls) for cell in row)

    across = tuple(_between_shares(*band) for band in bands)
    return RiskMap(across, tuple((_between_values(*row[0].value), shown(row)) for row in rows))


def _map_cell(cell: Cell, most: float, decimals: int, urls: Urls) -> MapCell:
    asked = {name: f"{bound:.12g}" for name, bound in _bounds(cell).items() if bound is not None}
    customers, at_risk = show.number(cell.customers), show.money(cell.value_at_risk, decimals)
    says = t(
        "portfolio.map.says",
        customers=customers,
        churn=_between_shares(*cell.churn),
        value=_between_values(*cell.value),
        at_risk=at_risk,
    )
    link = urls.customers({**asked, "status": ALL_BUT_LOST}) if cell.customers else ""
    return MapCell(link, customers if cell.customers else "", at_risk, _shade(cell.value_at_risk, most), says)


def _bounds(cell: Cell) -> dict[str, float | None]:
    """What the list is asked for. There a bound belongs to both of its sides, so a band ends a hair below the next one."""
    churn, (low, high) = cell.churn, cell.value
    most = 100 * churn[1] - (_HAIR if churn[1] < 1 else 0)
    above = None if high is None else high - _HAIR
    return {"churn_from": 100 * churn[0], "churn_to": most, "value_from": low, "value_to": above}


def _between_shares(low: float, high: float) -> str:
    return t("interval", low=show.number(100 * low), high=show.percent(high))


def _between_values(low: float | None, high: float | None) -> str:
    if low is None:
        return t("portfolio.below", high=show.plain(high or 0.0)) if high is not None else t("filter.all")
    return t("portfolio.from", low=show.plain(low)) if high is None else t("interval", low=show.plain(low), high=show.plain(high))
