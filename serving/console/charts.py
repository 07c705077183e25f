"""The geometry of the charts; `templates/_charts.html` draws it as SVG.

Horizontal places are percentages of the chart's width and vertical ones are pixels, so that a chart fits any screen
and its words keep their size. However many events there are, a chart holds a bounded number of marks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from serving.console import format as show
from serving.console.text import t
from serving.store.records import Event

BARS = 100
"""About how many slots a timeline is cut into."""

SALES_HEIGHT, REFUND_HEIGHT, LANE_HEIGHT, LABEL_HEIGHT, AXIS_HEIGHT = 90, 26, 24, 20, 22
DOT_LANES = ("complaint", "enquiry", "contact", "payment")
KINDS = ("purchase", "refund", *DOT_LANES)
"""The kinds of events that the timeline draws."""
_SHORTEST_SPAN_DAYS = 180
_TICK_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)
_MOST_TICKS = 9


@dataclass(frozen=True)
class Mark:
    """A bar (`width`, `height`) or a dot (`height` is its diameter) of one kind of event, with what it says when pointed at."""

    kind: str
    x: str
    y: float
    width: str
    height: float
    says: str


@dataclass(frozen=True)
class Lane:
    """A named strip of the timeline; `y` is the baseline of its name."""

    name: str
    y: float


@dataclass(frozen=True)
class Tick:
    """A date below the timeline; every second one is `minor` and left out on narrow screens, one near the `edge` ends there."""

    x: str
    name: str
    minor: bool
    edge: bool


@dataclass(frozen=True)
class Timeline:
    """Events from the first one to `as_of`, and the horizon ahead of it (`ahead_x` to the right edge)."""

    height: float
    axis_y: float
    sales_y: float
    lanes: tuple[Lane, ...]
    bars: tuple[Mark, ...]
    dots: tuple[Mark, ...]
    ticks: tuple[Tick, ...]
    ahead_x: str
    ahead_width: str
    days_per_bar: int


@dataclass(frozen=True)
class Span:
    """A piece of a horizontal scale, in percent of its width."""

    x: str
    width: str


@dataclass(frozen=True)
class Range:
    """An expected value on the line from nothing to the upper end of its interval."""

    interval: Span
    point: str


@dataclass(frozen=True)
class Slots:
    """The time axis: the days from `first` to `last` cut into slots of `days` days."""

    first: date
    last: date
    days: int

    @classmethod
    def of(cls, events: Sequence[Event], as_of: date, horizon_days: int) -> Slots:
        """The axis that shows all events before `as_of` and the horizon ahead."""
        oldest = min(event.day for event in events)
        span = max((as_of - oldest).days, _SHORTEST_SPAN_DAYS)
        days = -(-span // BARS)
        # Whole slots back from as_of, so that none reaches into the time ahead.
        first = as_of - timedelta(days=-(-span // days) * days)
        return cls(first, as_of + timedelta(days=horizon_days), days)

    def start(self, day: date) -> date:
        """The first day of the slot that holds `day`."""
        return self.first + timedelta(days=(day - self.first).days // self.days * self.days)

    def x(self, day: date) -> float:
        """Where `day` begins, in percent of the width."""
        return 100 * (day - self.first).days / (self.last - self.first).days

    @property
    def width(self) -> float:
        """The width of a slot, in percent."""
        return 100 * self.days / (self.last - self.first).days

    def name(self, start: date) -> str:
        """The days of the slot that begins at `start`, in words."""
        if self.days == 1:
            return show.day(start)
        return t("days.range", first=show.day(start), last=show.day(start + timedelta(days=self.days - 1)))


def timeline(events: Sequence[Event], as_of: date, horizon_days: int) -> Timeline | None:
    """The timeline of one customer; None when nothing has happened yet. Events of other kinds than KINDS are left out."""
    if not events:
        return None
    slots = Slots.of(events, as_of, horizon_days)
    by_kind: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        by_kind[event.kind].append(event)
    sales_y = LABEL_HEIGHT + SALES_HEIGHT
    lanes = [Lane(t("lane.purchase"), LABEL_HEIGHT - 6)]
    dots: list[Mark] = []
    bottom = sales_y + (REFUND_HEIGHT if by_kind["refund"] else 6)
    for kind in (kind for kind in DOT_LANES if by_kind[kind]):
        lanes.append(Lane(t(f"lane.{kind}"), bottom + LABEL_HEIGHT - 6))
        dots += _dots(by_kind[kind], slots, bottom + LABEL_HEIGHT + LANE_HEIGHT / 2 - 4)
        bottom += LABEL_HEIGHT + LANE_HEIGHT
    return Timeline(
        height=bottom + AXIS_HEIGHT,
        axis_y=bottom,
        sales_y=sales_y,
        lanes=tuple(lanes),
        bars=tuple(_bars(by_kind["purchase"], by_kind["refund"], slots, sales_y)),
        dots=tuple(dots),
        ticks=tuple(ticks(slots)),
        ahead_x=_at(slots.x(as_of)),
        ahead_width=_at(100 - slots.x(as_of)),
        days_per_bar=slots.days,
    )


def ticks(slots: Slots) -> list[Tick]:
    """First days of months, few enough to be read; the first of a year says which year it is."""
    months = (slots.last.year - slots.first.year) * 12 + slots.last.month - slots.first.month
    step = next((step for step in _TICK_MONTHS if months / step <= _MOST_TICKS), _TICK_MONTHS[-1])
    counted = range(slots.first.year * 12 + slots.first.month, slots.last.year * 12 + slots.last.month)
    starts = [date(count // 12, count % 12 + 1, 1) for count in counted if count % step == 0]
    names = [show.month(day) if day.month <= step or day == starts[0] else t(f"month.{day.month}") for day in starts]
    places = [(slots.x(day), name) for day, name in zip(starts, names, strict=True)]
    # A name that begins near the right edge would be cut off.
    return [Tick(_at(x), name, minor=index % 2 == 1, edge=x > 80) for index, (x, name) in enumerate(places) if x <= 93]


def share_bar(share: float) -> Span:
    """The filled part of a bar from 0 to 1."""
    return Span("0%", _at(100 * min(1.0, max(0.0, share))))


def signed_bar(value: float, largest: float) -> Span:
    """A bar from the middle to the right for a positive value, to the left for a negative one; `largest` reaches the edge.

    >>> signed_bar(-1.0, 2.0)
    Span(x='25.00%', width='25.00%')
    """
    width = 50 * min(1.0, abs(value) / largest) if largest > 0 else 0.0
    return Span(_at(50 - width if value < 0 else 50), _at(width))


def value_range(low: float, expected: float, high: float) -> Range | None:
    """The interval of a value on a scale that ends a little past it; None when it has no width to show."""
    left, right = min(0.0, low), 1.05 * max(high, expected)
    if right <= left:
        return None
    low_x, high_x, point = (100 * (value - left) / (right - left) for value in (low, high, expected))
    return Range(Span(_at(low_x), _at(high_x - low_x)), _at(point))


def pyramid_slices(count: int) -> tuple[str, ...]:
    """The polygons of a pyramid cut into `count` slices of equal height, each in a box of 100 by 100, from the top.

    >>> pyramid_slices(2)
    ('50,0 50,0 75,100 25,100', '25,0 75,0 100,100 0,100')
    """
    edges = [50 * index / max(count, 1) for index in range(count + 1)]
    corners = ((50 - top, 50 + top, 50 + bottom, 50 - bottom) for top, bottom in pairwise(edges))
    return tuple(f"{a:g},0 {b:g},0 {c:g},100 {d:g},100" for a, b, c, d in corners)


def _bars(purchases: Iterable[Event], refunds: Iterable[Event], slots: Slots, sales_y: float) -> list[Mark]:
    """Purchases stand on the line at `sales_y`, refunds hang below it."""
    sold, returned = _by_slot(purchases, slots), _by_slot(refunds, slots)
    tallest = max((abs(amount) for _, amount in [*sold.values(), *returned.values()]), default=0.0)
    marks = []
    for kind, sums, room in (("purchase", sold, SALES_HEIGHT), ("refund", returned, REFUND_HEIGHT)):
        for start, (count, amount) in sorted(sums.items()):
            # The smallest sale is still a visible line; a refund that outgrows its strip is cut there, its words tell its size.
            height = min(room, max(2.0, SALES_HEIGHT * abs(amount) / tallest)) if tallest else 2.0
            y = sales_y - height if kind == "purchase" else sales_y + 1
            says = t(f"mark.{kind}", count=count, when=slots.name(start), amount=show.money(abs(amount)))
            marks.append(Mark(kind, _at(slots.x(start)), round(y, 1), _at(0.8 * slots.width), round(height, 1), says))
    return marks


def _dots(events: Iterable[Event], slots: Slots, y: float) -> list[Mark]:
    """One dot for each slot in which something happened, larger for more of it."""
    by_start: dict[date, list[Event]] = defaultdict(list)
    for event in events:
        by_start[slots.start(event.day)].append(event)
    marks = []
    for start, here in sorted(by_start.items()):
        count, kind = sum(event.count for event in here), here[0].kind
        only = here[0].detail if len(here) == 1 else None
        says = t(f"mark.{kind}", count=count, when=show.day(here[0].day) if len(here) == 1 else slots.name(start))
        diameter = min(18.0, 8.0 + 2.0 * (count - 1))
        marks.append(Mark(kind, _at(slots.x(start) + slots.width / 2), y, "0%", diameter, f"{says}: {only}" if only else says))
    return marks


def _by_slot(events: Iterable[Event], slots: Slots) -> dict[date, tuple[int, float]]:
    """Number and amount of the events in each slot."""
    sums: dict[date, tuple[int, float]] = defaultdict(lambda: (0, 0.0))
    for event in events:
        count, amount = sums[slots.start(event.day)]
        sums[slots.start(event.day)] = count + event.count, amount + (event.amount or 0.0)
    return sums


def _at(percent: float) -> str:
    return f"{percent:.2f}%"
