"""Baskets: what a customer buys, of how many kinds, at what price, through which channel, and how it reaches them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from features.asof import Column
from features.builders.rfm import AMOUNTS, NO_PURCHASE, mean_money
from features.definitions import ALL_TIME, QUARTER, SHARE_WINDOWS, WINDOWS, YEAR, Aggregate, Feature, Operations, Window, feature
from features.formulas import difference, ratio, same

LIST_AMOUNTS = "transactions.list_amount"
COSTS = "transactions.cost"

NOTHING_DUE = "no delivery due in the window"
NO_LIST_PRICE = "no purchase of known list price in the window"

_basket = partial(feature, table="transactions", builder="basket")
_delivery = partial(_basket, needs=("transactions.promised_at", "transactions.delivered_at"))
_discount = partial(_basket, unit="share", high=1, missing=NO_LIST_PRICE, needs=(LIST_AMOUNTS,))
_margin = partial(_basket, low=None, needs=(COSTS,))


def _count(view: str, window: Window = ALL_TIME) -> Aggregate:
    return Aggregate(view, "count", window=window)


def _sum(view: str, column: str, window: Window = ALL_TIME) -> Aggregate:
    return Aggregate(view, "sum", column, window)


def _kinds(view: str, window: Window) -> Aggregate:
    """How many different categories, products ... a window has: of each, the last day until `as_of` counts."""
    return Aggregate(view, "count", window=window, where="first_ever" if window == ALL_TIME else "last_yet")


def _given_back(c: Operations, refunds: Column, spend: Column) -> Column:
    return c.divide(0 - refunds, spend)


def _last_late(c: Operations, late_age: Column, due_age: Column) -> Column:
    return c.where(late_age <= due_age, 1, c.where(due_age > 0, 0))


def _discount_share(c: Operations, listed: Column, paid: Column, all_listed: Column) -> Column:
    """`listed` and `paid` are those of lines with a discount."""
    return c.divide(c.money(listed, LIST_AMOUNTS) - c.money(paid, AMOUNTS), c.money(all_listed, LIST_AMOUNTS))


def _less_cost(c: Operations, amount: Column, cost: Column, lines: Column) -> Column:
    return c.where(lines > 0, c.money(amount, AMOUNTS) - c.money(cost, COSTS))


def _margin_share(c: Operations, amount: Column, cost: Column, lines: Column) -> Column:
    return c.divide(_less_cost(c, amount, cost, lines), c.where(amount > 0, c.money(amount, AMOUNTS)))


def _refunds() -> Iterator[Feature]:
    for window in WINDOWS:
        titles, counted = ("Refunds", "退款次数"), (_count("refunds", window),)
        yield _basket("refunds", same, counted, titles, "Lines with a negative amount.", unit="refunds", window=window)
    for window in SHARE_WINDOWS:
        titles, meaning = ("Share given back", "退款金额占比"), "Refunds over spend; above 1 where older purchases came back."
        inputs = (_sum("refunds", "amount", window), _sum("purchase_days", "spend", window))
        yield _basket("refund_share", _given_back, inputs, titles, meaning, unit="share", window=window, missing=NO_PURCHASE)
    titles, counted = ("Days since last refund", "距上次退款天数"), (Aggregate("refunds", "min", "age"),)
    yield _basket("days_since_refund", same, counted, titles, "Yesterday is 1.", unit="days", low=1, missing="no refund yet")


def _late_deliveries(window: Window) -> Feature:
    inputs, titles = (_sum("due_deliveries", "is_late", window),), ("Late deliveries", "配送超时次数")
    meaning = "Order lines that had not come by the end of the promised day; they count on that day."
    return _delivery("late_deliveries", same, inputs, titles, meaning, unit="order lines", window=window)


def _late_share(window: Window) -> Feature:
    inputs = (_sum("due_deliveries", "is_late", window), _count("due_deliveries", window))
    titles, meaning = ("Share of late deliveries", "配送超时率"), "Late deliveries over all whose promised day has passed."
    name, shared = "late_delivery_share", partial(_delivery, unit="share", high=1, missing=NOTHING_DUE)
    return shared(name, ratio, inputs, titles, meaning, window=window)


def _variety() -> Iterator[Feature]:
    of_category = partial(_basket, unit="categories", needs=("transactions.category",))
    of_product = partial(_basket, unit="products", needs=("transactions.product_id",))
    for window in WINDOWS:
        titles, meaning = ("Categories", "购买品类数"), "Different categories bought."
        yield of_category("categories", same, (_kinds("category_days", window),), titles, meaning, window=window)
        titles, meaning = ("Products", "购买商品种数"), "Different products bought."
        yield of_product("products", same, (_kinds("product_days", window),), titles, meaning, window=window)
    inputs = (Aggregate("category_days", "count", window=QUARTER, where="first_ever"),)
    titles, meaning = ("New categories", "新增品类数"), "Categories bought for the first time ever."
    yield of_category("new_categories", same, inputs, titles, meaning, window=QUARTER)
    yield _top_share("category", "品类")
    yield _top_share("product", "商品", "product_id")


def _top_share(kind: str, kind_zh: str, column: str = "") -> Feature:
    """The share of spend in the kind with the most: running totals only grow, so the largest ever is that of today."""
    view = f"{kind}_days"
    return _basket(
        f"top_{kind}_share",
        ratio,
        (Aggregate(view, "max", "spend_so_far"), _sum(view, "spend")),
        (f"Share of top {kind}", f"首选{kind_zh}消费占比"),
        f"Of all spend with known {kind}, the share of the {kind} with the most.",
        unit="share",
        high=1,
        missing=f"no purchase of known {kind}",
        needs=(f"transactions.{column or kind}",),
    )


def _discounts(window: Window) -> Iterator[Feature]:
    def of_days(column: str) -> Aggregate:
        return _sum("purchase_days", column, window)

    discount = partial(_discount, window=window)
    amounts = (of_days("discounted_listed"), of_days("discounted_spend"), of_days("listed"))
    titles, meaning = (
        ("Discount", "折扣率"),
        "Discounts over list prices, of lines that have one; what cost more than its list price had no discount.",
    )
    yield discount("discount_share", _discount_share, amounts, titles, meaning)
    lines = (of_days("discounted_lines"), of_days("listed_lines"))
    titles, meaning = ("Share bought at a discount", "折扣购买占比"), "Of the lines with a list price, the share that cost less."
    yield discount("discounted_line_share", ratio, lines, titles, meaning)


def _sizes(window: Window) -> Iterator[Feature]:
    orders, size = _sum("purchase_days", "orders", window), partial(_basket, window=window, missing=NO_PURCHASE)
    inputs, titles = (_sum("purchase_days", "spend", window), orders), ("Spend per order", "客单价")
    yield size("basket_spend_mean", mean_money, inputs, titles, "Spend over orders.", unit="currency")
    inputs, titles = (_sum("purchase_days", "lines", window), orders), ("Lines per order", "单均商品行数")
    needs = ("transactions.order_id",)
    yield size("basket_lines_mean", ratio, inputs, titles, "Order lines over orders.", unit="order lines", needs=needs)


def _channels() -> Iterator[Feature]:
    for window in (YEAR, ALL_TIME):
        titles, meaning, needs = ("Channels", "购买渠道数"), "Different channels bought through.", ("transactions.channel",)
        inputs = (_kinds("channel_days", window),)
        yield _basket("channels", same, inputs, titles, meaning, unit="channels", window=window, needs=needs)
    yield _top_share("channel", "渠道")


def _margins() -> Iterator[Feature]:
    def of_costed(window: Window) -> tuple[Aggregate, ...]:
        return _sum("costed_lines", "amount", window), _sum("costed_lines", "cost", window), _count("costed_lines", window)

    for window in (YEAR, ALL_TIME):
        titles, meaning = ("Margin", "毛利"), "Amounts less costs, refunds included, of lines of known cost."
        margin = partial(_margin, unit="currency", window=window, missing="no line of known cost in the window")
        yield margin("margin", _less_cost, of_costed(window), titles, meaning)
    titles, meaning = ("Margin rate", "毛利率"), "Margin over the amounts, refunds included, of lines of known cost."
    share = partial(_margin, unit="share", window=YEAR, missing="amounts of known cost do not add up to more than 0")
    yield share("margin_share", _margin_share, of_costed(YEAR), titles, meaning)


LATE = _sum("due_deliveries", "is_late")
ARRIVED_LATE = _sum("deliveries", "is_late")
LAST_LATE_AGE = Aggregate("due_deliveries", "min", "age", where="late")

DELIVERIES: tuple[Feature, ...] = (
    _delivery(
        "deliveries_overdue",
        difference,
        (LATE, ARRIVED_LATE),
        ("Overdue deliveries", "当前超时未送达数"),
        "Order lines whose promised day has passed and that are still not delivered.",
        unit="order lines",
        actionable=True,
    ),
    _delivery(
        "days_since_late_delivery",
        same,
        (LAST_LATE_AGE,),
        ("Days since last late delivery", "距上次配送超时天数"),
        "Days since the last promised day that ended without the delivery.",
        unit="days",
        low=1,
        missing="no delivery was late yet",
    ),
    _delivery(
        "last_delivery_late",
        _last_late,
        (LAST_LATE_AGE, Aggregate("due_deliveries", "min", "age")),
        ("Last due delivery late", "最近一次应达订单是否超时"),
        "1 if an order line of the last promised day was late, else 0.",
        unit="yes or no",
        high=1,
        missing="no delivery due yet",
    ),
    _delivery(
        "delivery_delay_days_mean",
        ratio,
        (_sum("deliveries", "delay"), ARRIVED_LATE),
        ("Mean delay of late deliveries", "平均配送超时天数"),
        "Mean days from the promised day to the delivery, of order lines that came late.",
        unit="days",
        low=1,
        missing="nothing has come late yet",
    ),
    _basket(
        "delivery_days_mean",
        ratio,
        (_sum("deliveries", "wait"), _count("deliveries")),
        ("Mean time to delivery", "平均配送天数"),
        "Mean days from order to delivery, of order lines that are delivered.",
        unit="days",
        missing="nothing delivered yet",
        needs=("transactions.delivered_at",),
    ),
)

FEATURES: tuple[Feature, ...] = (
    *_refunds(),
    *map(_late_deliveries, WINDOWS),
    *map(_late_share, SHARE_WINDOWS),
    *DELIVERIES,
    *_variety(),
    *(made for window in SHARE_WINDOWS for made in _discounts(window)),
    *(made for window in SHARE_WINDOWS for made in _sizes(window)),
    *_channels(),
    *_margins(),
)
"""All features of this builder, in catalog order."""
