"""When customers buy again, against the labels, against scipy, and on companies small enough to check by eye."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import CensoredData, ecdf

from features.asof import ALWAYS_DAY, NEVER_DAY, day_date, day_number
from features.reading.assemble import assemble
from tests.features.strategies import Story, stories
from training.horizon import gap_quantiles
from training.labels import labels
from training.silence import Purchases, Quiet, Watch, purchases, watch

START = date(2024, 1, 1)


def bought(days: dict[str, list[int]], as_of: int = 10_000) -> Purchases:
    """The purchases of customers who bought on such days after START."""
    rows = [(customer, START + timedelta(days=day), 1.0) for customer, each in days.items() for day in each]
    frame = pl.DataFrame(rows, schema=["customer_id", "ordered_at", "amount"], orient="row")
    return purchases(assemble({"transactions": frame}, key="shop"), day_number(START) + as_of)


@settings(max_examples=60, deadline=None)
@given(stories(), st.integers(1, 400), st.integers(0, 800))
def test_who_stays_away_is_whom_the_labels_call_churned(story: Story, horizon_days: int, days_before: int) -> None:
    """With late rows, corrections and refunds: the two modules that look ahead never disagree."""
    company, until = story.company(), day_number(story.as_of)
    day = until - horizon_days - days_before
    truth = labels(company, [day_date(day)], horizon_days, story.as_of)["churned"]
    moment = purchases(company, until).at(day)
    away = moment.next[moment.known] >= day + horizon_days
    assert sorted(away) == sorted(truth)


@settings(max_examples=60, deadline=None)
@given(stories())
def test_the_last_day_is_before_the_date_and_the_next_is_not(story: Story) -> None:
    day = day_number(story.as_of) - 100
    moment = purchases(story.company(), day + 100).at(day)
    assert (moment.last < day).all()
    assert (moment.next >= day).all()


def test_a_purchase_on_the_date_is_the_next_one() -> None:
    moment = bought({"a": [3, 10, 20]}).at(day_number(START) + 10)
    assert (moment.last - day_number(START)).tolist() == [3]
    assert (moment.next - day_number(START)).tolist() == [10]


def test_what_is_not_known_at_as_of_was_never_bought() -> None:
    moment = bought({"a": [3, 10, 20]}, as_of=20).at(day_number(START) + 15)
    assert moment.next.tolist() == [NEVER_DAY]
    assert bought({"a": [3], "b": [30]}, as_of=20).customers == 1


def test_who_has_not_bought_yet_has_no_last_day_and_is_not_known() -> None:
    moment = bought({"a": [10]}).at(day_number(START) + 10)
    assert moment.last.tolist() == [ALWAYS_DAY]
    assert moment.known.tolist() == [False]


def test_a_heavy_buyer_has_no_more_say_on_gaps_than_another() -> None:
    daily = bought({"heavy": list(range(0, 100)), "light": [0, 50]})
    assert gap_quantiles(daily, (0.49, 0.51, 1.0)) == (1, 50, 50)
    gaps, weights = daily.gaps
    assert len(gaps) == 100
    assert weights.sum() == pytest.approx(2.0)


def test_a_gap_needs_two_days() -> None:
    assert gap_quantiles(bought({"a": [1], "b": [2, 2]}), (0.5,)) == ()


def counted(days: list[int], seen: list[bool]) -> Watch:
    size = max(days) + 1
    back = np.bincount([day for day, was in zip(days, seen, strict=True) if was], minlength=size)
    return Watch(back, np.bincount([day for day, was in zip(days, seen, strict=True) if not was], minlength=size))


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=1, max_size=60), st.integers(1, 31))
def test_the_share_back_is_kaplan_and_meiers(customers: list[tuple[int, bool]], within: int) -> None:
    """scipy counts from the end of day t, and holds who was last seen on day t to have been there then."""
    days, back = [day for day, _ in customers], [was for _, was in customers]
    share = counted(days, back).share_back(within)
    assume(share is not None)
    ours_as_theirs = [day + 0.5 if was else float(day) for day, was in customers]
    censored = CensoredData(
        uncensored=[day for day, was in zip(ours_as_theirs, back, strict=True) if was],
        right=[day for day, was in zip(ours_as_theirs, back, strict=True) if not was],
    )
    assert share == pytest.approx(1 - ecdf(censored).sf.evaluate(within - 0.25), abs=1e-12)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=60), st.integers(1, 31))
def test_when_all_are_watched_to_the_end_the_share_back_is_a_plain_share(days: list[int], within: int) -> None:
    everyone = counted([*days, 31], [True] * len(days) + [False])
    assert everyone.share_back(within) == pytest.approx(sum(day < within for day in days) / (len(days) + 1))


def test_a_share_back_that_nobody_could_see_is_missing() -> None:
    assert counted([5, 5], [False, False]).share_back(6) is None
    assert counted([5, 5], [False, False]).share_back(5) == 0
    assert counted([5], [False]).share_back(0) is None


def test_watching_ends_where_the_data_end() -> None:
    log = bought({"a": [0, 25], "b": [0], "c": [0, 15]}, as_of=30)
    day = day_number(START) + 10
    seen = watch(log.at(day), np.array([True, True, True]), day + 5, day_number(START) + 30, size := 31)
    assert (seen.customers, len(seen.back)) == (3, size)
    assert np.flatnonzero(seen.back).tolist() == [0, 10]
    assert np.flatnonzero(seen.unseen).tolist() == [15]


def test_a_silence_is_judged_by_enough_customers_only() -> None:
    few = Quiet(asked=np.array([0, 100, 20]), away=np.array([0, 0, 20]))
    assert few.days_to(0.9) is None
    assert few.days_to(0.0) == 1
    assert Quiet(asked=np.array([0, 0]), away=np.array([0, 0])).days_to(0.5) is None


@given(st.lists(st.tuples(st.integers(0, 200), st.floats(0, 1)), min_size=1, max_size=40), st.floats(0.01, 0.98))
def test_a_higher_share_away_never_takes_a_shorter_silence(groups: list[tuple[int, float]], share: float) -> None:
    asked = np.array([count for count, _ in groups])
    seen = Quiet(asked, np.array([int(count * part) for count, part in groups]))
    low, high = seen.days_to(share), seen.days_to(min(share + 0.02, 1.0))
    assert high is None or (low is not None and low <= high)
