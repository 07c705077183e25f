"""What the model would say of a customer with other figures: sliders on what somebody can still change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from features.builders.attributes import parsed
from features.catalog import entry_of
from serving.console import format as show
from serving.console.language import spoken
from serving.console.text import t
from serving.store.records import Load, ScoreRow

Features = Mapping[str, float | None]

PREFIX = "if."
"""Before the name of a feature in the URL."""

MOST_SLIDERS = 6
_STEPS = 20

_LESS_IS_BETTER = ("complaints_open", "complaints_unanswered", "deliveries_overdue", "payments_overdue")
"""What can be settled, down to none."""

_ANSWERS = (
    *("complaint_satisfaction_last", "survey_satisfaction_last", "survey_quality_last", "survey_perceived_value_last"),
    "contract_price",
)
"""What can be made better, within its range."""

LEVERS = (*_LESS_IS_BETTER, *_ANSWERS)
"""The features of the catalog that somebody can still change. The rest of what is actionable tells of the past."""

_GONE_WITH_THE_LAST: Mapping[str, str] = {
    "complaints_open": "oldest_open_complaint_days",
    "payments_overdue": "oldest_overdue_payment_days",
}


@dataclass(frozen=True)
class Forecast:
    """What a model says of one row of features; a value is None where the model tells none."""

    churn_probability: float
    expected_value: float | None


@dataclass(frozen=True)
class Forecasts:
    """What the champion says of rows of features, in their order, and which version it is."""

    version: str
    rows: tuple[Forecast, ...]


Foresee = Callable[[Load, Sequence[Features]], Forecasts | None]
"""Asks the champion of a load's company and horizon; None where there is none, or it reads other features than are kept."""


@dataclass(frozen=True)
class Slider:
    """One figure: from `low` to `high` in steps, `value` is the one asked for, `now` says what it is."""

    parameter: str
    name: str
    low: str
    high: str
    step: str
    value: str
    now: str


@dataclass(frozen=True)
class WhatIf:
    """The sliders, and what would be expected; `results` are empty as long as nothing was moved."""

    customer_id: str
    sliders: tuple[Slider, ...]
    results: tuple[str, ...]
    note: str


def what_if(row: ScoreRow, load: Load, features: Features, asked: Mapping[str, str], foresee: Foresee | None) -> WhatIf | None:
    """The section of one customer; None where no model answers, or nothing of the customer can be changed.

    `asked` are the parameters of the URL: those that are no figure, or out of range, count as not moved.
    """
    levers = tuple(_levers(row, features))
    if not levers or foresee is None:
        return None
    moved = {name: value for name in levers if (value := _wanted(name, features, asked)) is not None}
    found = foresee(load, [features, changed(features, moved)])
    if found is None:
        return None
    return WhatIf(
        customer_id=row.customer_id,
        sliders=tuple(_slider(name, features, moved) for name in levers),
        results=tuple(_results(found.rows[0], found.rows[1], load)) if moved else (),
        note="" if found.version == load.model_version else t("if.other_model", version=found.version),
    )


def changed(features: Features, moved: Mapping[str, float]) -> dict[str, float | None]:
    """The features with those in `moved` at their new values, and with what follows from them.

    Of complaints that are closed none is unanswered; what is overdue costs in proportion; without any there is no oldest one.

    >>> changed({"complaints_open": 2.0, "oldest_open_complaint_days": 9.0}, {"complaints_open": 0.0})
    {'complaints_open': 0.0, 'oldest_open_complaint_days': None}
    """
    after: dict[str, float | None] = {**features, **moved}
    unanswered, open_ones = after.get("complaints_unanswered"), after.get("complaints_open")
    if unanswered is not None and open_ones is not None:
        after["complaints_unanswered"] = min(unanswered, open_ones)
    amount, invoices = features.get("payment_amount_overdue"), features.get("payments_overdue")
    if "payments_overdue" in moved and amount is not None and invoices:
        after["payment_amount_overdue"] = amount * moved["payments_overdue"] / invoices
    gone = [oldest for name, oldest in _GONE_WITH_THE_LAST.items() if moved.get(name) == 0 and oldest in after]
    return after | dict.fromkeys(gone)


def _levers(row: ScoreRow, features: Features) -> Iterable[str]:
    """The strongest reasons that can be acted on, then what else can be changed, MOST_SLIDERS at most."""
    reasons = sorted(row.reasons or (), key=lambda reason: -abs(reason.contribution))
    names = dict.fromkeys([*(reason.feature for reason in reasons), *LEVERS])
    return [name for name in names if _can_change(name, features.get(name))][:MOST_SLIDERS]


def _can_change(name: str, value: float | None) -> bool:
    attribute = parsed(name)
    if attribute is not None:
        return attribute.how == "number" and bool(value)
    return value is not None and name in LEVERS and (value > 0 or name not in _LESS_IS_BETTER)


def _range(name: str, now: float) -> tuple[float, float, float]:
    """The lowest and the highest figure of a slider, and its step; whatever it is now is one of its places."""
    entry = entry_of(name)
    if name in _LESS_IS_BETTER:
        return 0.0, now, 1.0
    if name in LEVERS and entry is not None and entry.low is not None and entry.high is not None:
        return float(entry.low), float(entry.high), 0.1 if now % 1 else 1.0
    low, high = sorted((0.5 * now, 1.5 * now))
    return low, high, (high - low) / _STEPS


def _wanted(name: str, features: Features, asked: Mapping[str, str]) -> float | None:
    """The figure that the URL asks for, where it is another one than now and within the range."""
    now = features[name]
    assert now is not None, "only what is known can be changed"
    low, high, step = _range(name, now)
    try:
        value = float(asked.get(f"{PREFIX}{name}", ""))
    except ValueError:
        return None
    return value if low <= value <= high and abs(value - now) > 0.001 * step else None


def _slider(name: str, features: Features, moved: Mapping[str, float]) -> Slider:
    now = features[name]
    assert now is not None, "only what is known can be changed"
    entry, (low, high, step) = entry_of(name), _range(name, now)
    attribute = parsed(name)
    title = attribute.title if attribute else "" if entry is None else entry.title if spoken() == "en" else entry.title_zh
    return Slider(
        parameter=f"{PREFIX}{name}",
        name=title,
        low=_plain(low),
        high=_plain(high),
        step=_plain(step),
        value=_plain(moved.get(name, now)),
        now=t("if.now", value=show.plain(now)),
    )


def _plain(figure: float) -> str:
    """A figure as fields of forms take it.

    >>> _plain(2.0), _plain(1234567.5)
    ('2', '1234567.5')
    """
    return f"{figure:.10g}"


def _results(before: Forecast, after: Forecast, load: Load) -> Iterable[str]:
    yield t("if.churn", then=_percent(after.churn_probability), now=_percent(before.churn_probability))
    if before.expected_value is not None and after.expected_value is not None:
        decimals = show.money_decimals([before.expected_value, after.expected_value])
        now, then = (show.total(each.expected_value, load.currency, decimals) for each in (before, after))
        yield t("if.value", then=then, now=now)


def _percent(share: float) -> str:
    """With a decimal: a slider moves a probability by less than a point, too."""
    return f"{show.number(100 * share, 1)} %"
