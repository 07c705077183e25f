from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.console import charts
from serving.store.records import Event

AS_OF = date(2026, 4, 1)
events = st.lists(
    st.builds(
        Event,
        day=st.dates(date(1970, 1, 1), AS_OF - timedelta(days=1)),
        kind=st.sampled_from([*charts.KINDS, "unknown"]),
        count=st.integers(1, 1000),
        amount=st.none() | st.floats(-1e9, 1e9),
        detail=st.none() | st.text(max_size=5),
    ),
    min_size=1,
    max_size=300,
)


def percent(text: str) -> float:
    assert text.endswith("%")
    return float(text[:-1])


@given(events, st.integers(1, 730))
def test_every_mark_lies_on_the_chart(happened: list[Event], horizon_days: int) -> None:
    chart = charts.timeline(happened, AS_OF, horizon_days)
    assert chart
    for mark in (*chart.bars, *chart.dots):
        assert 0 <= percent(mark.x) <= percent(mark.x) + percent(mark.width) <= percent(chart.ahead_x) + 0.02, (
            "nothing lies ahead"
        )
        assert 0 <= mark.y <= chart.axis_y
        assert 0 < mark.height <= charts.SALES_HEIGHT
    assert percent(chart.ahead_x) + percent(chart.ahead_width) == pytest.approx(100, abs=0.02)


@given(events)
def test_every_event_of_a_known_kind_is_counted_in_one_mark(happened: list[Event]) -> None:
    chart = charts.timeline(happened, AS_OF, 90)
    drawn = {mark.kind for mark in (*chart.bars, *chart.dots)}
    assert drawn == {event.kind for event in happened} & set(charts.KINDS)
    assert len(chart.bars) <= 2 * charts.BARS
    assert len(chart.dots) <= len(charts.DOT_LANES) * charts.BARS


@given(events)
def test_the_order_of_events_changes_nothing_but_ties(happened: list[Event]) -> None:
    whole = [event for event in happened if event.amount is None or event.amount.is_integer()]
    if whole:
        assert charts.timeline(whole, AS_OF, 90).bars == charts.timeline(whole[::-1], AS_OF, 90).bars


def test_nothing_happened_is_no_chart() -> None:
    assert charts.timeline([], AS_OF, 90) is None


def test_a_bar_is_as_high_as_its_sum() -> None:
    sold = [
        Event(AS_OF - timedelta(days=days), "purchase", 1, amount, None) for days, amount in ((1, 50.0), (9, 100.0), (30, 25.0))
    ]
    bars = charts.timeline(sold, AS_OF, 90).bars
    assert [bar.height for bar in bars] == [22.5, 90.0, 45.0]
    assert bars[1].says == "22 Mar 2026 to 23 Mar 2026: 1 purchase, 100.00"


@given(st.integers(1, 20_000), st.integers(1, 730))
def test_a_time_axis_of_any_length_has_few_ticks(span_days: int, horizon_days: int) -> None:
    event = Event(AS_OF - timedelta(days=span_days), "purchase", 1, 1.0, None)
    ticks = charts.ticks(charts.Slots.of([event], AS_OF, horizon_days))
    assert 1 <= len(ticks) <= 10
    places = [percent(tick.x) for tick in ticks]
    assert places == sorted(places)


@given(st.floats(-50, 50), st.floats(0.01, 50))
def test_signed_bars_start_in_the_middle_and_stay_inside(value: float, largest: float) -> None:
    bar = charts.signed_bar(value, largest)
    left, width = percent(bar.x), percent(bar.width)
    assert left >= 0
    assert left + width <= 100.01
    assert left == pytest.approx(50, abs=0.01) if value >= 0 else left + width == pytest.approx(50, abs=0.02)


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.floats(0, 1e6))
def test_an_interval_holds_its_value_on_the_line(low: float, below: float, above: float) -> None:
    drawn = charts.value_range(low, low + below, low + below + above)
    if drawn:
        assert (
            0
            <= percent(drawn.interval.x)
            <= percent(drawn.point)
            <= percent(drawn.interval.x) + percent(drawn.interval.width) + 0.03
        )


def test_no_value_at_all_has_no_line() -> None:
    assert charts.value_range(0.0, 0.0, 0.0) is None
