"""Recency, frequency and money: when a customer buys, how often, how much, and how steadily."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from features.asof import Column
from features.definitions import ALL_TIME, WINDOW_DAYS, WINDOWS, Aggregate, Feature, Operations, Window, feature
from features.formulas import MILLION, deviation, deviation_of_small, mean_millionths, ratio, same

AMOUNTS = "transactions.amount"
YEAR_DAYS = 365
SEASON_DAYS = (30, 90, 180)

NO_PURCHASE = "no purchase in the window"
NO_QUANTITY = "no purchase of known quantity in the window"
QUANTITIES_UNKNOWN = "purchases in the window, all of unknown quantity"
NOT_A_YEAR_AGO = "no purchase in those days a year ago"
TOO_FEW = "fewer than two purchase days in the window"
NO_GAP = "bought on one day only"

_rfm = partial(feature, table="transactions", builder="rfm")
_of_money = partial(_rfm, unit="currency")
_of_quantity = partial(_rfm, unit="units", missing=NO_QUANTITY, needs=("transactions.quantity",), low=None)


def _days(window: Window = ALL_TIME, where: str = "") -> Aggregate:
    return Aggregate("purchase_days", "count", window=window, where=where)


def _sum(column: str, window: Window = ALL_TIME) -> Aggregate:
    return Aggregate("purchase_days", "sum", column, window)


def _largest(column: str, window: Window = ALL_TIME, where: str = "") -> Aggregate:
    return Aggregate("purchase_days", "max", column, window, where)


def _spread_of(column: str, days: Aggregate) -> tuple[Aggregate, ...]:
    """What `formulas.deviation` takes: the count of days, the sum of a column, sums of its parts."""
    total = _sum(column, days.window)
    return (days, total, *(_sum(f"{column}_{part}", days.window) for part in ("high", "high_high", "high_low", "low_low")))


def _money(c: Operations, amount: Column) -> Column:
    return c.money(amount, AMOUNTS)


def _net(c: Operations, spend: Column, refunds: Column) -> Column:
    return c.money(spend + refunds, AMOUNTS)


def mean_money(c: Operations, spend: Column, count: Column) -> Column:
    """Spend over a count, in currency units; missing over 0."""
    return c.divide(c.money(spend, AMOUNTS), count)


def _deviation_of_money(c: Operations, *spread: Column) -> Column:
    return c.money(deviation(c, *spread), AMOUNTS)


def _of_a_year(c: Operations, spend: Column, first_purchase_age: Column) -> Column:
    """The spend of those who were customers a year ago."""
    return c.where(first_purchase_age >= YEAR_DAYS, c.money(spend, AMOUNTS))


def _quantity(c: Operations, quantity: Column, days_of_known: Column, days: Column) -> Column:
    """The sum of the known quantities: 0 without a purchase, missing where purchases are all of unknown quantity."""
    return c.where((days_of_known > 0) | (days == 0), c.over(quantity, MILLION))


def _in_units(c: Operations, quantity: Column) -> Column:
    return c.over(quantity, MILLION)


def _deviation_of_quantity(c: Operations, *spread: Column) -> Column:
    return c.over(deviation(c, *spread), MILLION)


def _gap_mean(c: Operations, gap_sum: Column, days: Column) -> Column:
    return c.divide(gap_sum, days - 1)


def _gap_deviation(c: Operations, days: Column, gap_sum: Column, gap_squares: Column) -> Column:
    return deviation_of_small(c, days - 1, gap_sum, gap_squares)


def _overdue_ratio(c: Operations, recency: Column, gap_sum: Column, days: Column) -> Column:
    return c.divide(recency, _gap_mean(c, gap_sum, days))


def _rhythm() -> Iterator[Feature]:
    recency, days, gap_sum = Aggregate("purchase_days", "min", "age"), _days(), _sum("gap")
    of_days = partial(_rfm, unit="days")
    titles = "Days since last purchase", "距上次购买天数"
    yield of_days("recency_days", same, (recency,), titles, "Yesterday is 1.", low=1)
    titles = "Last spend", "最近一次消费额"
    yield _of_money("last_amount", _money, (_sum("spend_change"),), titles, "Spend of the last purchase day.")
    titles, meaning = ("Mean gap between purchases", "平均购买间隔"), "Mean of the days from one purchase day to the next."
    yield of_days("gap_days_mean", _gap_mean, (gap_sum, days), titles, meaning, low=1, missing=NO_GAP)
    titles, meaning = (
        ("Spread of gaps between purchases", "购买间隔标准差"),
        "Sample standard deviation of the gaps between purchase days.",
    )
    inputs = (days, gap_sum, _sum("gap_squared"))
    yield of_days("gap_days_sd", _gap_deviation, inputs, titles, meaning, missing="fewer than three purchase days")
    titles, meaning = ("Longest gap between purchases", "最长购买间隔"), "Most days from one purchase day to the next."
    yield of_days("gap_days_max", same, (_largest("gap"),), titles, meaning, low=1, missing=NO_GAP)
    titles, meaning = (
        ("Overdue against own rhythm", "复购逾期倍数"),
        "Days since the last purchase over the customer's own mean gap; above 1 is late.",
    )
    yield _rfm("overdue_ratio", _overdue_ratio, (recency, gap_sum, days), titles, meaning, unit="ratio", missing=NO_GAP)


def _counts_and_spend(window: Window) -> Iterator[Feature]:
    rfm, money = partial(_rfm, window=window), partial(_of_money, window=window)
    days, spend = _days(window), _sum("spend", window)
    titles = "Purchase days", "购买天数"
    yield rfm("purchase_days", same, (days,), titles, "Days with at least one purchase.", unit="days")
    titles, meaning = ("Orders", "订单数"), "Orders placed, each counted on every day that it has a purchase."
    yield rfm("orders", same, (_sum("orders", window),), titles, meaning, unit="orders")
    yield money("spend", _money, (spend,), ("Spend", "消费额"), "Sum of all purchases, before refunds.")
    inputs: tuple[Aggregate, ...] = (spend, Aggregate("refunds", "sum", "amount", window))
    yield money("net_spend", _net, inputs, ("Net spend", "净消费额"), "Sum of all purchases less all refunds.", low=None)
    inputs, titles = (spend, days), ("Mean spend", "次均消费额")
    yield money("spend_mean", mean_money, inputs, titles, "Spend per purchase day.", missing=NO_PURCHASE)
    inputs, titles = (_largest("spend", window),), ("Largest spend", "单日最高消费额")
    yield money("spend_max", _money, inputs, titles, "Largest spend of one purchase day.", missing=NO_PURCHASE)
    inputs, titles = _spread_of("spend", days), ("Spread of spend", "消费额标准差")
    meaning = "Sample standard deviation of the spend of purchase days."
    yield money("spend_sd", _deviation_of_money, inputs, titles, meaning, missing=TOO_FEW)


def _quantities(window: Window) -> Iterator[Feature]:
    units = partial(_of_quantity, window=window)
    days, total = _days(window, "with_quantity"), _sum("quantity", window)
    inputs: tuple[Aggregate, ...] = (total, days, _days(window))
    yield units("quantity", _quantity, inputs, ("Quantity", "购买件数"), "Units bought.", missing=QUANTITIES_UNKNOWN)
    meaning = "Units per purchase day of known quantity."
    yield units("quantity_mean", mean_millionths, (total, days), ("Mean quantity", "次均件数"), meaning)
    inputs = (_largest("quantity", window, "with_quantity"),)
    yield units("quantity_max", _in_units, inputs, ("Largest quantity", "单日最多件数"), "Most units of one purchase day.")
    inputs, titles = _spread_of("quantity", days), ("Spread of quantity", "件数标准差")
    meaning = "Sample standard deviation of the units of purchase days of known quantity."
    yield units("quantity_sd", _deviation_of_quantity, inputs, titles, meaning, missing=TOO_FEW, low=0)


def _trends(days: int) -> Iterator[Feature]:
    window, before, year_ago = Window(oldest=days), Window(days, 2 * days), Window(YEAR_DAYS, YEAR_DAYS + days)
    label, (en, zh) = window.label, window.titles
    trend = partial(_rfm, formula=ratio, unit="ratio")
    yield trend(
        f"spend_{label}_to_previous",
        inputs=(_sum("spend", window), _sum("spend", before)),
        titles=(f"Spend trend, {en}", f"{zh}消费额环比"),
        meaning="Spend over the spend of the window before.",
        missing="no purchase in the window before",
    )
    yield trend(
        f"purchase_days_{label}_to_previous",
        inputs=(_days(window), _days(before)),
        titles=(f"Frequency trend, {en}", f"{zh}购买天数环比"),
        meaning="Purchase days over those of the window before.",
        missing="no purchase in the window before",
    )
    if days == YEAR_DAYS:
        return  # the same days a year ago are then the window before
    yield trend(
        f"spend_{label}_to_year_ago",
        inputs=(_sum("spend", window), _sum("spend", year_ago)),
        titles=(f"Spend against a year ago, {en}", f"{zh}消费额同比"),
        meaning="Spend over the spend of the same days a year (365 days) ago.",
        missing=NOT_A_YEAR_AGO,
    )
    yield trend(
        f"purchase_days_{label}_to_year_ago",
        inputs=(_days(window), _days(year_ago)),
        titles=(f"Frequency against a year ago, {en}", f"{zh}购买天数同比"),
        meaning="Purchase days over those of the same days a year (365 days) ago.",
        missing=NOT_A_YEAR_AGO,
    )


def _season(days: int) -> Iterator[Feature]:
    """What comes next, if this year goes as the last."""
    before, then = Window(YEAR_DAYS, YEAR_DAYS + days), Window(YEAR_DAYS - days, YEAR_DAYS)
    yield _of_money(
        f"spend_next_{days}d_year_ago",
        _of_a_year,
        (_sum("spend", then), Aggregate("purchase_days", "max", "age")),
        (f"Last year's spend in the {days} days to come", f"去年同期后{days}天消费额"),
        f"Spend in the {days} days from the same day a year (365 days) ago.",
        missing="first purchase less than a year ago",
    )
    yield _rfm(
        f"season_turn_{days}d",
        ratio,
        (_sum("spend", then), _sum("spend", before)),
        (f"Last year's turn of season, {days} days", f"去年同期后{days}天与前{days}天消费比"),
        f"Spend in the {days} days from the same day a year (365 days) ago over that in the {days} days up to it.",
        unit="ratio",
        missing="no purchase in the days up to it",
    )


FEATURES: tuple[Feature, ...] = (
    *_rhythm(),
    *(made for window in WINDOWS for made in (*_counts_and_spend(window), *_quantities(window))),
    *(made for days in WINDOW_DAYS for made in _trends(days)),
    *(made for days in SEASON_DAYS for made in _season(days)),
)
"""All features of this builder, in catalog order."""
