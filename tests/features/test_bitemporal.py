"""What was known when, from the user's own tables to the panel: zones, changes of clocks, midnight, corrections,
fields told later.

The judge is Python's own `zoneinfo` and plain loops, which share no code with `features`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.panel import build_panel
from features.reading.assemble import assemble
from features.reading.config import CompanyConfig

AS_OF = date(2024, 4, 1)
BEFORE = datetime(2024, 3, 31, 23, 59, 59, 999_999)
AT = datetime(2024, 4, 1)

ZONES = (
    "UTC",
    "Europe/Berlin",  # clocks change on the night before as_of
    "America/New_York",
    "America/Santiago",  # clocks go forward at midnight itself
    "Asia/Kolkata",  # half an hour off
    "Asia/Shanghai",
    "Australia/Lord_Howe",  # clocks change by half an hour
    "Pacific/Apia",  # 30 December 2011 never was
    "Pacific/Kiritimati",
)
CHANGES = (
    date(2024, 3, 31),  # Berlin forward
    date(2024, 10, 27),  # Berlin back
    date(2024, 3, 10),  # New York forward
    date(2024, 11, 3),  # New York back
    date(2024, 9, 8),  # Santiago forward, at midnight
    date(2024, 4, 7),  # Santiago and Lord Howe back
    date(2011, 12, 31),  # Apia skipped the day before
    date(2024, 1, 1),
)
MINUTES = st.one_of(st.integers(-3 * 1_440, 3 * 1_440), st.sampled_from((-1, 0, 1, 59, 60, 61, 120, 1_439, 1_440)))


def company(zone: str = "UTC", **tables: pl.DataFrame):
    return assemble(tables, key="test", config=CompanyConfig(zone=zone))


def purchases(times: list[datetime], **columns: list) -> pl.DataFrame:
    return pl.DataFrame({"customer_id": ["a"] * len(times), "ordered_at": times, "amount": [1.0] * len(times), **columns})


BOUGHT = purchases([datetime(2023, 1, 1)])


def value(feature: str, as_of: date = AS_OF, zone: str = "UTC", **tables: pl.DataFrame) -> float | None:
    return build_panel(company(zone, **{"transactions": BOUGHT, **tables}), [as_of], [feature])[feature].item()


@settings(max_examples=150)
@given(zone=st.sampled_from(ZONES), change=st.sampled_from(CHANGES), minutes=st.lists(MINUTES, min_size=1, max_size=6))
def test_an_instant_counts_from_the_local_midnight_after_it(zone: str, change: date, minutes: list[int]) -> None:
    instants = [datetime.combine(change, time.min, UTC) + timedelta(minutes=offset) for offset in minutes]
    days = sorted(instant.astimezone(ZoneInfo(zone)).date() for instant in instants)
    dates = [days[-1] + timedelta(days=after) for after in (0, 1, 30)]
    panel = build_panel(company(zone, transactions=purchases(instants)), dates, ["spend_all", "recency_days", "spend_30d"])
    for as_of in dates:
        row = panel.filter(pl.col("as_of") == as_of).to_dicts()
        known = [day for day in days if day < as_of]
        recent = [day for day in known if day >= as_of - timedelta(days=30)]
        expected = {"spend_all": float(len(known)), "spend_30d": float(len(recent))}
        assert len(row) == bool(known)
        for found in row:
            assert found.items() >= (expected | {"recency_days": float((as_of - max(known)).days)}).items()


@settings(max_examples=60)
@given(zone=st.sampled_from(ZONES), change=st.sampled_from(CHANGES), minutes=st.lists(MINUTES, min_size=1, max_size=6))
def test_a_naive_time_belongs_to_the_day_that_it_shows(zone: str, change: date, minutes: list[int]) -> None:
    walls = [datetime.combine(change, time.min) + timedelta(minutes=offset) for offset in minutes]
    as_of = max(walls).date()
    panel = build_panel(company(zone, transactions=purchases(walls)), [as_of, as_of + timedelta(days=1)], ["spend_all"])
    assert panel.filter(pl.col("as_of") > as_of)["spend_all"].to_list() == [float(len(walls))]
    before = sum(wall.date() < as_of for wall in walls)
    assert panel.filter(pl.col("as_of") == as_of)["spend_all"].to_list() == ([float(before)] if before else [])


@pytest.mark.parametrize("clock_hours", [23, 24, 25])
def test_a_day_of_23_or_25_hours_is_one_day(clock_hours: int) -> None:
    midnight = {23: date(2024, 3, 31), 24: date(2024, 4, 2), 25: date(2024, 10, 27)}[clock_hours]
    start = datetime.combine(midnight, time.min, ZoneInfo("Europe/Berlin")).astimezone(UTC)
    end = datetime.combine(midnight + timedelta(days=1), time.min, ZoneInfo("Europe/Berlin")).astimezone(UTC)
    assert end - start == timedelta(hours=clock_hours)
    bought = purchases([start, end - timedelta(microseconds=1)])
    made = build_panel(company("Europe/Berlin", transactions=bought), [midnight + timedelta(days=1)], ["purchase_days_all"])
    assert made["purchase_days_all"].to_list() == [1.0]


def complaint(**fields: object) -> pl.DataFrame:
    row = {"customer_id": "a", "opened_at": datetime(2024, 1, 1), "complaint_id": "c", "first_response_at": None} | {
        "closed_at": None,
        "satisfaction": None,
    }
    times = dict.fromkeys(("opened_at", "first_response_at", "closed_at", "known_at"), pl.Datetime("us"))
    schema = {name: kind for name, kind in (times | {"satisfaction": pl.Float64}).items() if name in row | fields}
    return pl.DataFrame([row | fields], schema_overrides=schema)


def payment(**fields: object) -> pl.DataFrame:
    return pl.DataFrame(
        [{"customer_id": "a", "due_at": datetime(2024, 2, 1), "amount": 5.0, "paid_at": None} | fields],
        schema_overrides={"paid_at": pl.Datetime("us")},
    )


def contract(**fields: object) -> pl.DataFrame:
    return pl.DataFrame(
        [{"customer_id": "a", "started_at": datetime(2024, 1, 1), "ended_at": None} | fields],
        schema_overrides={"ended_at": pl.Datetime("us")},
    )


def contact(**fields: object) -> pl.DataFrame:
    return pl.DataFrame([{"customer_id": "a", "contacted_at": datetime(2024, 1, 1), "accepted": 1, "converted": 1} | fields])


def order(**fields: object) -> pl.DataFrame:
    return purchases(
        [datetime(2024, 1, 1)], promised_at=[datetime(2024, 1, 5)], **{name: [given] for name, given in fields.items()}
    )


LATER_FIELDS = {
    "first_response_at": (lambda at: {"complaints": complaint(first_response_at=at)}, "complaints_unanswered", 0.0, 1.0),
    "closed_at": (lambda at: {"complaints": complaint(closed_at=at)}, "complaints_open", 0.0, 1.0),
    "complaint satisfaction": (
        lambda at: {"complaints": complaint(closed_at=at, satisfaction=5.0)},
        "complaint_satisfaction_last",
        5.0,
        None,
    ),
    "paid_at": (lambda at: {"payments": payment(paid_at=at)}, "payments_overdue", 0.0, 1.0),
    "ended_at": (lambda at: {"subscriptions": contract(ended_at=at)}, "contracts_running", 0.0, 1.0),
    "delivered_at": (lambda at: {"transactions": order(delivered_at=at)}, "deliveries_overdue", 0.0, 1.0),
    "accepted": (lambda at: {"contacts": contact(known_at=at)}, "contact_acceptances_all", 1.0, 0.0),
    "converted": (lambda at: {"contacts": contact(known_at=at)}, "contact_conversions_all", 1.0, 0.0),
}
"""Field -> (tables in which it happened at a time, a feature, its value from then on, its value before)."""


@pytest.mark.parametrize("field", LATER_FIELDS)
def test_a_field_that_becomes_true_later_counts_only_from_then(field: str) -> None:
    tables_at, feature, after, before = LATER_FIELDS[field]
    assert value(feature, **tables_at(BEFORE)) == after
    assert value(feature, **tables_at(AT)) == before
    assert value(feature, **tables_at(AT + timedelta(days=400))) == before


@pytest.mark.parametrize("feature", ["contact_acceptances_all", "contact_conversions_all"])
def test_an_outcome_that_nobody_dated_is_known_when_the_days_of_attribution_have_passed(feature: str) -> None:
    contacted = datetime(2024, 3, 1, 12)
    known_from = contacted.date() + timedelta(days=31)  # 30 days, and the midnight after them
    tables = {"contacts": contact(contacted_at=contacted)}
    assert value(feature, known_from, **tables) == 1.0
    assert value(feature, known_from - timedelta(days=1), **tables) == 0.0


CORRECTION = purchases(
    [datetime(2024, 1, 1), datetime(2024, 1, 1), datetime(2024, 1, 1)],
    order_id=["o"] * 3,
    product_id=["p"] * 3,
    known_at=[datetime(2024, 1, 2), AT, BEFORE],
).with_columns(amount=pl.Series([10.0, 30.0, 20.0]))


def test_a_correction_counts_from_the_day_after_it_became_known_and_its_elder_until_then() -> None:
    found = [value("spend_all", day, transactions=CORRECTION) for day in (date(2024, 1, 3), date(2024, 3, 31), AS_OF)]
    assert found == [10.0, 10.0, 20.0]
    assert value("spend_all", AS_OF + timedelta(days=1), transactions=CORRECTION) == 30.0


def test_a_purchase_that_is_corrected_away_leaves_no_customer() -> None:
    undone = CORRECTION.with_columns(amount=pl.Series([10.0, 0.0, 0.0]))
    assert build_panel(company(transactions=undone), [date(2024, 1, 3)], ["spend_all"]).height == 1
    assert build_panel(company(transactions=undone), [AS_OF], ["spend_all"]).height == 0


@pytest.mark.parametrize("shuffled", range(4))
def test_of_versions_that_became_known_at_one_midnight_the_latest_instant_counts(shuffled: int) -> None:
    rows = pl.concat(
        [
            complaint(known_at=datetime(2024, 3, 2)),
            complaint(known_at=datetime(2024, 3, 2, 0, 0, 0, 1), closed_at=datetime(2024, 3, 1)),
            complaint(known_at=datetime(2024, 3, 1, 23, 59)),
        ]
    )
    assert value("complaints_open", complaints=rows.sample(fraction=1, shuffle=True, seed=shuffled)) == 0.0


def test_an_event_told_before_it_happens_counts_when_it_has_happened() -> None:
    told_early = purchases([AT, datetime(2024, 1, 1)], known_at=[datetime(2024, 1, 1)] * 2)
    assert value("spend_all", transactions=told_early) == 1.0
    assert value("spend_all", AS_OF + timedelta(days=1), transactions=told_early) == 2.0
