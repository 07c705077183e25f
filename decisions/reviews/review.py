"""A review as one object: what was promised at a date, what was done since, what came of it, and what to expect next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from datetime import date
from math import isnan
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from decisions.migration import Flow
from decisions.reviews.actions import ActionReview
from decisions.reviews.changes import Change, Equity
from decisions.reviews.figures import Between
from decisions.reviews.forecast import PastTotal
from decisions.reviews.measures import Measured
from decisions.reviews.promises import Calibrated, Promise
from decisions.rollup import Group


@dataclass(frozen=True)
class Reason:
    """A reason that customers gave for not staying or not buying: how many gave it, how many of them left, what they brought.

    `left` is None while the horizon is not over. `current_value` is what they had brought in the year before the review began.
    """

    reason: str
    customers: int
    left: int | None
    current_value: float


@dataclass(frozen=True)
class Forecast:
    """Sales that the customers of `as_of` are expected to bring in the horizon from it; the interval is of the total alone.

    `past` are the totals that the interval was learned from. `by_owner` is empty where nobody is said to look after anybody.
    """

    as_of: date
    horizon_days: int
    total: Between
    by_tier: tuple[Group, ...]
    by_owner: tuple[Group, ...]
    past: tuple[PastTotal, ...]


@dataclass(frozen=True)
class Review:
    """What `keepwell review` tells. A section that cannot be told is empty, and `notes` say why.

    `as_of` is the date until which it is judged, `now_as_of` that of the later scoring (None: there is none), `model_version`
    made the promises.
    """

    company: str
    currency: str | None
    since: date
    as_of: date
    now_as_of: date | None
    horizon_days: int
    model_version: str
    customers: int
    promises: tuple[Promise, ...]
    calibration: tuple[Calibrated, ...]
    tier_moves: tuple[Flow, ...]
    changes: tuple[Change, ...]
    actions: tuple[ActionReview, ...]
    earned: Between
    spent: float
    measures: tuple[Measured, ...]
    reasons: tuple[Reason, ...]
    forecast: Forecast | None
    equity: tuple[Equity, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values; what is not known is None."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Review:
        """The review that `as_dict` made plain, also by way of JSON. Raises KeyError, TypeError, ValueError for another dict."""
        return _made(cls, plain)  # type: ignore[no-any-return]  # of the kind that it is asked for


def _made(kind: Any, value: Any) -> Any:  # noqa: ANN401  # any of the kinds that reviews are made of
    """A plain value as what a field is declared to be."""
    if get_origin(kind) is UnionType:
        return None if value is None else _made(get_args(kind)[0], value)
    if get_origin(kind) is tuple:
        return tuple(_made(get_args(kind)[0], each) for each in value)
    if is_dataclass(kind):
        kinds = get_type_hints(kind)
        return kind(**{field.name: _made(kinds[field.name], value[field.name]) for field in fields(kind)})  # type: ignore[operator]
    if kind is date:
        return value if isinstance(value, date) else date.fromisoformat(value)
    return kind("nan" if value is None and kind is float else value)


def _plain(value: Any) -> Any:  # noqa: ANN401  # plain values, however nested
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and isnan(value) else value
