"""Baskets and seasons: laws over random companies, and small cases whose figures are plain to see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.builders.basket import FEATURES
from features.catalog import feature_names
from features.company import Company
from features.panel import build_panel
from features.reading.normalise import Reading, normalise
from features.tables import TABLES
from tests.features.strategies import Story, stories

AS_OF = date(2024, 3, 1)
NAMES = [feature.name for feature in FEATURES]
law = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])

Line = Mapping[str, Any]


def ago(days: int, hour: int = 12) -> datetime:
    """Noon (or another hour) of the day so many days before AS_OF; negative: after it."""
    return datetime.combine(AS_OF - timedelta(days), datetime.min.time()).replace(hour=hour)


def line(days_ago: int, amount: float = 10.0, **columns: object) -> Line:
    return {"customer_id": "a", "ordered_at": ago(days_ago), "amount": amount, **columns}


def company_of(*lines: Line) -> Company:
    made = normalise(TABLES["transactions"], pl.from_dicts([dict(one) for one in lines], infer_schema_length=None), Reading())
    scales = {f"transactions.{column}": decimals for column, decimals in made.decimals.items()}
    return Company("shop", "UTC", {"transactions": made.frame}, scales, {}, ())


def value(name: str, *lines: Line, as_of: date = AS_OF) -> float | None:
    """The feature of the one customer."""
    found: float | None = build_panel(company_of(*lines), [as_of], [name])[name].item()
    return found


def lines_by_customer(story: Story) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Each row of the panel with the customer's known lines, from normalised tables."""
    company = story.company()
    known = company.known_rows("transactions", (story.as_of - date(1970, 1, 1)).days)
    for row in build_panel(company, [story.as_of], NAMES).to_dicts():
        yield row, known.filter(pl.col("customer_id") == row["customer_id"]).to_dicts()


# Laws


@law
@given(story=stories())
def test_variety_counts_different_kinds_and_the_top_share_is_that_of_the_largest(story: Story) -> None:
    for row, lines in lines_by_customer(story):
        for kind, count in (("category", "categories"), ("product_id", "products"), ("channel", "channels")):
            spend: Counter[str] = Counter()
            for bought in lines:
                if bought["amount"] > 0 and bought.get(kind) is not None:
                    spend[bought[kind]] += bought["amount"]
            share = max(spend.values()) / spend.total() if spend else None
            assert row[f"{count}_all"] == len(spend)
            assert row[f"top_{kind.removesuffix('_id')}_share"] == (share if share is None else pytest.approx(share, rel=1e-12))


@law
@given(story=stories(late=False), days=st.sampled_from((30, 90, 180, 365)))
def test_variety_in_a_window_is_that_of_the_log_of_the_window(story: Story, days: int) -> None:
    start = datetime.combine(story.as_of - timedelta(days), datetime.min.time())
    recent = story.tables["transactions"].filter(pl.col("ordered_at") >= start)
    within = {
        row["customer_id"]: row for row, _ in lines_by_customer(Story({**story.tables, "transactions": recent}, story.as_of))
    }
    for row, _ in lines_by_customer(story):
        for count in ("categories", "products"):
            inside = within.get(row["customer_id"], {f"{count}_all": 0.0})
            assert row[f"{count}_{days}d"] == inside[f"{count}_all"]


@law
@given(story=stories(late=False), later=st.integers(1, 400))
def test_what_was_late_stays_late(story: Story, later: int) -> None:
    company, dates = story.company(), [story.as_of, story.as_of + timedelta(later)]
    panel = build_panel(company, dates, ["late_deliveries_all", "deliveries_overdue"])
    before, after = (panel.filter(pl.col("as_of") == day) for day in dates)
    both = before.join(after, on="customer_id", suffix="_after")
    assert (both["late_deliveries_all"] <= both["late_deliveries_all_after"]).all()
    assert (panel["deliveries_overdue"] <= panel["late_deliveries_all"]).all()


@law
@given(story=stories())
def test_a_delivery_is_overdue_when_its_promised_day_is_over_and_nothing_has_come(story: Story) -> None:
    today = (story.as_of - date(1970, 1, 1)).days
    for row, lines in lines_by_customer(story):
        due = [one for one in lines if one["amount"] > 0 and one.get("promised_day", today) < today]
        waiting = [one for one in due if one.get("delivered_day", today) >= today]
        assert row["deliveries_overdue"] == len(waiting)
        assert row["deliveries_overdue"] <= row["late_deliveries_all"] <= len(due)


# Refunds


def test_refunds_count_apart_from_purchases_and_may_be_more_than_the_spend_of_their_window() -> None:
    lines = line(200, 100.0), line(20, 40.0), line(10, -60.0), line(10, -20.0)
    assert value("refunds_30d", *lines) == 2
    assert value("refund_share_90d", *lines) == pytest.approx(2.0)
    assert value("refund_share_all", *lines) == pytest.approx(80 / 140)
    assert value("days_since_refund", *lines) == 10


def test_without_a_refund_the_count_and_share_are_0_and_the_time_since_is_missing() -> None:
    assert value("refunds_all", line(5)) == 0
    assert value("refund_share_all", line(5)) == 0
    assert value("days_since_refund", line(5)) is None


def test_without_a_purchase_in_the_window_the_share_given_back_is_missing() -> None:
    assert value("refund_share_90d", line(200), line(10, -5.0)) is None


# Deliveries


def promised(days_ago: int, delivered: int | None, *, ordered: int = 20) -> Line:
    return line(ordered, promised_at=ago(days_ago), delivered_at=None if delivered is None else ago(delivered))


@pytest.mark.parametrize(
    ("promise", "delivery", "late"),
    [
        (5, 5, 0),  # on the promised day, by the calendar
        (5, 6, 0),
        (5, 4, 1),
        (5, None, 1),
        (5, -3, 1),  # comes after as_of: not yet known, and late all the same
        (0, None, 0),  # promised for as_of itself: not yet due
        (-5, None, 0),
    ],
)
def test_a_line_is_late_when_its_promised_day_ended_before_it_came(promise: int, delivery: int | None, late: int) -> None:
    other = line(20, delivered_at=ago(19), promised_at=None)  # nothing was promised
    assert value("late_deliveries_all", promised(promise, delivery), other) == late
    assert value("late_deliveries_30d", promised(promise, delivery), other) == late


def test_lateness_counts_on_the_promised_day_and_not_on_that_of_the_order() -> None:
    old_order = promised(30, None, ordered=200)
    assert value("late_deliveries_30d", old_order) == 1
    assert value("late_deliveries_30d", promised(31, None, ordered=200)) == 0
    assert value("days_since_late_delivery", old_order) == 30


def test_an_order_that_was_promised_for_a_day_before_it_is_due_on_its_own() -> None:
    assert value("days_since_late_delivery", promised(50, None, ordered=20)) == 20


def test_the_late_share_is_of_what_was_due() -> None:
    lines = promised(9, 9), promised(8, 8), promised(7, 6), promised(-4, None)
    assert value("late_delivery_share_all", *lines) == pytest.approx(1 / 3)
    assert value("late_delivery_share_90d", promised(-4, None), promised(300, 300, ordered=310)) is None


def test_the_last_delivery_is_the_one_whose_promised_day_passed_last() -> None:
    on_time, late, open_still = promised(9, 9), promised(5, 3), promised(-1, None)
    assert value("last_delivery_late", on_time, late, open_still) == 1
    assert value("last_delivery_late", promised(3, 3), late, open_still) == 0
    assert value("last_delivery_late", open_still, promised(-2, None)) is None


def test_delays_are_known_once_it_came() -> None:
    lines = promised(10, 6), promised(9, 7), promised(8, 8), promised(7, None), promised(6, -1)
    assert value("delivery_delay_days_mean", *lines) == pytest.approx(3.0)
    assert value("deliveries_overdue", *lines) == 2
    assert value("delivery_delay_days_mean", promised(7, None), promised(8, 8)) is None


def test_the_time_to_delivery_is_that_of_all_that_came() -> None:
    lines = line(20, delivered_at=ago(17)), line(10, delivered_at=ago(9)), line(10, delivered_at=None)
    assert value("delivery_days_mean", *lines) == pytest.approx(2.0)
    assert value("delivery_days_mean", line(20, delivered_at=ago(25)), line(9, delivered_at=None)) == 0


def test_a_delivery_that_is_told_later_is_late_only_until_then() -> None:
    """A new version of the line corrects the old one from the day on which it is known."""
    first = line(20, order_id="o", product_id="p", promised_at=ago(10), delivered_at=None, known_at=ago(20))
    told = {**first, "delivered_at": ago(11), "known_at": ago(4)}
    assert value("deliveries_overdue", first, told, as_of=AS_OF - timedelta(5)) == 1
    assert value("deliveries_overdue", first, told) == 0
    assert value("late_deliveries_all", first, told) == 0


# Variety


def test_a_kind_bought_before_the_window_and_in_it_counts_once_in_each() -> None:
    lines = (
        line(100, category="books"),
        line(20, category="books"),
        line(10, category="books"),
        line(10, category="music"),
        line(5, -9.0, category="tools"),  # given back, not bought
        line(3, category=None),
    )
    assert [value(f"categories_{window}", *lines) for window in ("30d", "90d", "all")] == [2, 2, 2]
    assert value("categories_30d", *lines[:1]) == 0
    assert value("new_categories_90d", *lines) == 1


def test_the_top_share_is_of_spend_and_may_change_hands() -> None:
    lines = line(30, 60.0, category="books"), line(20, 50.0, category="music"), line(10, 90.0, category="music")
    assert value("top_category_share", *lines) == pytest.approx(140 / 200)
    assert value("top_category_share", *lines, as_of=AS_OF - timedelta(10)) == pytest.approx(60 / 110)
    assert value("top_category_share", line(5, category=None), line(-5, category="books")) is None


def test_products_may_be_numbers() -> None:
    lines = line(5, 10.0, product_id=7), line(4, 20.0, product_id=8), line(3, 30.0, product_id=7)
    assert value("products_all", *lines) == 2
    assert value("top_product_share", *lines) == pytest.approx(40 / 60)


# Prices


def test_money_columns_of_different_decimals_meet_as_currency_units() -> None:
    lines = line(9, 10.5, list_amount=12.125), line(8, 7.0, list_amount=7.0), line(7, 3.25, list_amount=None)
    assert company_of(*lines).scales == {"transactions.amount": 2, "transactions.list_amount": 3}
    assert value("discount_share_all", *lines) == pytest.approx(1.625 / 19.125)
    assert value("discounted_line_share_all", *lines) == pytest.approx(1 / 2)


def test_paying_more_than_the_list_price_is_no_negative_discount() -> None:
    lines = line(9, 15.0, list_amount=10.0), line(8, 5.0, list_amount=10.0)
    assert value("discount_share_all", *lines) == pytest.approx(0.25)


@pytest.mark.parametrize("list_amount", [None, 0.0, -3.0])
def test_what_has_no_price_on_the_list_has_no_discount(list_amount: float | None) -> None:
    unpriced = line(9, 15.0, list_amount=list_amount)
    assert value("discount_share_all", unpriced, line(-3, list_amount=1.0)) is None
    assert value("discount_share_all", unpriced, line(8, 5.0, list_amount=10.0)) == pytest.approx(0.5)


def test_margin_is_net_of_refunds_and_of_lines_whose_cost_is_known() -> None:
    lines = line(9, 20.0, cost=12.5), line(8, 99.0, cost=None), line(7, -5.0, cost=-2.5)
    assert value("margin_all", *lines) == pytest.approx(5.0)
    assert value("margin_share_365d", *lines) == pytest.approx(5 / 15)
    assert value("margin_all", *lines[1:2], line(-1, cost=1.0)) is None
    assert value("margin_share_365d", line(9, 5.0, cost=None), line(8, -5.0, cost=1.0)) is None


# Orders and channels


def test_baskets_are_orders_and_lines_without_an_order_are_orders_of_their_own() -> None:
    lines = line(9, 20.0, order_id="x"), line(9, 10.0, order_id="x"), line(9, 30.0, order_id=None), line(5, 40.0, order_id=None)
    assert value("basket_spend_mean_all", *lines) == pytest.approx(100 / 3)
    assert value("basket_lines_mean_all", *lines) == pytest.approx(4 / 3)
    assert value("basket_lines_mean_90d", line(200, order_id="x")) is None


def test_channels_are_counted_and_weighed_by_spend() -> None:
    lines = line(400, 70.0, channel="shop"), line(9, 20.0, channel="web"), line(8, 10.0, channel="web")
    assert (value("channels_365d", *lines), value("channels_all", *lines)) == (1, 2)
    assert value("top_channel_share", *lines) == pytest.approx(0.7)


# Seasons


def test_the_next_days_of_last_year_are_those_from_the_same_day_on() -> None:
    lines = line(366, 3.0), line(365, 5.0), line(336, 7.0), line(335, 11.0)
    assert value("spend_next_30d_year_ago", *lines) == pytest.approx(12.0)
    assert value("season_turn_30d", *lines) == pytest.approx(4.0)
    assert value("spend_next_90d_year_ago", *lines) == pytest.approx(23.0)


def test_who_was_no_customer_a_year_ago_has_no_season() -> None:
    assert value("spend_next_30d_year_ago", line(364)) is None
    assert value("spend_next_30d_year_ago", line(400)) == 0
    assert value("season_turn_30d", line(364)) is None
    assert value("season_turn_30d", line(400), line(350)) is None
    assert value("season_turn_30d", line(380)) == 0


def test_purchase_days_compare_with_the_same_days_a_year_ago() -> None:
    lines = line(390), line(380), line(20), line(10), line(5)
    assert value("purchase_days_30d_to_year_ago", *lines) == pytest.approx(1.5)
    assert value("purchase_days_30d_to_year_ago", line(300), line(5)) is None


# Columns that are not there


@pytest.mark.parametrize(
    ("columns", "allowed"),
    [
        ({}, {"refunds_all", "basket_spend_mean_90d"}),
        ({"category": "books"}, {"categories_30d", "top_category_share"}),
        ({"delivered_at": ago(1)}, {"delivery_days_mean"}),
        ({"delivered_at": ago(1), "promised_at": ago(2)}, {"late_deliveries_all", "deliveries_overdue"}),
        ({"order_id": "x"}, {"basket_lines_mean_90d"}),
        ({"list_amount": 3.0}, {"discount_share_all"}),
        ({"channel": "web"}, {"channels_all", "top_channel_share"}),
        ({"cost": 3.0}, {"margin_all"}),
    ],
)
def test_a_feature_is_offered_where_its_columns_are(columns: Line, allowed: set[str]) -> None:
    offered, bare = set(feature_names(company_of(line(3, **columns)))), set(feature_names(company_of(line(3))))
    assert allowed <= offered
    assert not columns or not allowed & bare


def test_features_of_columns_that_are_not_there_are_missing_or_count_nothing() -> None:
    row = build_panel(company_of(line(3)), [AS_OF], NAMES).to_dicts()[0]
    assert {row["discount_share_all"], row["margin_all"], row["top_channel_share"], row["delivery_days_mean"]} == {None}
    assert {row["late_deliveries_all"], row["categories_all"], row["deliveries_overdue"]} == {0.0}
