"""Numbers, money and dates as the pages show them; the only place that decides how a value looks.

A missing value (None or NaN) is shown as a dash, never as 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, date, datetime

from serving.console.text import t

MISSING = "–"
MINUS = "−"  # the typographic minus is as wide as a plus, so that columns of signed figures line up


def number(value: float | None, decimals: int = 0) -> str:
    """A number with thousands separators.

    >>> number(1234567), number(-0.5, 1), number(None)
    ('1,234,567', '−0.5', '–')
    """
    if _is_missing(value):
        return MISSING
    text = f"{value:,.{decimals}f}"
    is_minus_zero = text.startswith("-") and not text.strip("-0.,")
    return text[1:] if is_minus_zero else text.replace("-", MINUS)


def money_decimals(amounts: Iterable[float | None]) -> int:
    """Decimals that suit amounts shown together: none once the largest reaches 1,000, else two.

    >>> money_decimals([3.5, 12000]), money_decimals([3.5, None])
    (0, 2)
    """
    largest = max((abs(amount) for amount in amounts if amount is not None and not math.isnan(amount)), default=0.0)
    return 0 if largest >= 1000 else 2


def money(value: float | None, decimals: int | None = None) -> str:
    """An amount whose currency goes without saying; by default with the decimals that suit it alone.

    >>> money(1234.56), money(12.5)
    ('1,235', '12.50')
    """
    return number(value, money_decimals([value]) if decimals is None else decimals)


def total(value: float | None, currency: str | None, decimals: int | None = None) -> str:
    """An amount with its currency after it, where that is known.

    >>> total(340183.2, "EUR"), total(12.5, None), total(None, "EUR")
    ('340,183 EUR', '12.50', '–')
    """
    shown = money(value, decimals)
    return shown if currency is None or shown == MISSING else t("total", amount=shown, currency=currency)


def percent(share: float | None) -> str:
    """A share of one as whole percent; what is not quite none or all does not look like it.

    >>> percent(0.734), percent(0.002), percent(0.999), percent(1.0)
    ('73 %', '<1 %', '>99 %', '100 %')
    """
    if share is None or math.isnan(share):
        return MISSING
    if 0 < share <= 0.005:
        return "<1 %"
    if 0.995 <= share < 1:
        return ">99 %"
    return f"{number(100 * share)} %"


def factor(value: float) -> str:
    """A multiplier; beyond a hundred either way its size says nothing that a reader could use.

    >>> factor(2.34), factor(0.5), factor(31.6), factor(0.0001), factor(102974.0)
    ('× 2.3', '× 0.50', '× 32', '× <0.01', '× >100')
    """
    if value > 100:
        return "× >100"
    if value < 0.01:
        return "× <0.01"
    return f"× {number(value, 0 if value >= 10 else 1 if value >= 1 else 2)}"


def plain(value: float | None) -> str:
    """A number with as many decimals as it needs, two at most.

    >>> plain(3.0), plain(2.346), plain(0.5)
    ('3', '2.35', '0.5')
    """
    text = number(value, 2)
    return text.rstrip("0").rstrip(".") if "." in text else text


_DAYS_FROM_HOURS = 72
"""So many hours are told in days."""


def measured(value: float, unit: str) -> str:
    """A feature's value with the unit that the feature catalog gives it; an unknown unit is left out.

    >>> measured(74.0, "days"), measured(0.25, "share"), measured(3.52, "ratio"), measured(1250.0, "currency")
    ('74 days', '25 %', '3.5 times', '1,250')
    >>> measured(1.0, "yes or no"), measured(0.0, "yes or no")
    ('yes', 'no')
    >>> measured(36.0, "hours"), measured(1796.4, "hours")
    ('36 hours', '75 days')
    >>> measured(0.04, "ratio")  # "4 % as much" is plainer than "0.0 times as much"
    '4 %'
    """
    if unit == "hours" and value >= _DAYS_FROM_HOURS:
        return measured(float(round(value / 24)), "days")
    if unit in ("days", "hours"):
        return t(f"amount.{unit}", count=value, value=plain(value))
    if unit == "ratio":
        return percent(value) if 0 <= value < 1 else t("times", value=number(value, 0 if value >= 10 else 1))
    if unit == "yes or no" and value in {0, 1}:
        return t("yes" if value else "no")
    return money(value) if unit == "currency" else percent(value) if unit == "share" else plain(value)


def day(value: date | None) -> str:
    """A date, written so that no country reads it the other way round.

    >>> day(date(2026, 4, 1))
    '1 Apr 2026'
    """
    return MISSING if value is None else t("day", day=value.day, month=t(f"month.{value.month}"), year=value.year)


def moment(value: datetime) -> str:
    """An instant, to the minute, in UTC.

    >>> moment(datetime(2026, 4, 1, 9, 5, tzinfo=UTC))
    '1 Apr 2026, 09:05 UTC'
    """
    at = value.astimezone(UTC)
    return t("moment", day=day(at.date()), time=f"{at:%H:%M}")


def month(value: date) -> str:
    """A month of a year.

    >>> month(date(2026, 4, 1))
    'Apr 2026'
    """
    return t("month", month=t(f"month.{value.month}"), year=value.year)


def _is_missing(value: float | None) -> bool:
    return value is None or math.isnan(value)
