from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.asof import NEVER_DAY, NEVER_US, day_date, day_number
from features.reading.refusals import Place
from features.reading.times import read_dates, read_times
from keepwell.errors import DataError

PLACE = Place("transactions", "ordered_at")
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Shanghai", "Australia/Lord_Howe"])
WALL_TIMES = st.datetimes(datetime(1900, 1, 2), datetime(2099, 12, 30))  # the clocks of Polars know no summer time after 2099
EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)


def exists(wall: datetime, zone: str) -> bool:
    """Whether a clock in the zone ever shows this time."""
    local = wall.replace(tzinfo=ZoneInfo(zone))
    return local.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == wall


def microseconds(moment: datetime) -> int:
    return (moment - EPOCH_UTC) // timedelta(microseconds=1)


@given(st.lists(WALL_TIMES, min_size=1, max_size=5), ZONES)
def test_a_naive_time_is_local_to_the_zone(walls, zone) -> None:
    times = read_times(PLACE, pl.Series(walls, dtype=pl.Datetime("us")), zone)
    assert [day_date(day) for day in times.day] == [wall.date() for wall in walls]
    for wall, us in zip(walls, times.us, strict=True):
        if exists(wall, zone):  # PEP 495: the first of two equal clock times is fold=0
            assert us == microseconds(wall.replace(tzinfo=ZoneInfo(zone)))


@given(st.lists(WALL_TIMES, min_size=1, max_size=5), ZONES, ZONES)
def test_an_aware_time_is_converted_to_the_zone(walls, from_zone, to_zone) -> None:
    moments = [wall.replace(tzinfo=UTC) for wall in walls]
    aware = pl.Series(moments, dtype=pl.Datetime("us", "UTC")).dt.convert_time_zone(from_zone)
    times = read_times(PLACE, aware, to_zone)
    assert [day_date(day) for day in times.day] == [moment.astimezone(ZoneInfo(to_zone)).date() for moment in moments]
    assert times.us.to_list() == [microseconds(moment) for moment in moments]


@given(st.lists(WALL_TIMES, min_size=1, max_size=5), ZONES, st.sampled_from([" ", "T"]))
def test_iso_text_reads_as_the_time_it_writes(walls, zone, between) -> None:
    typed = read_times(PLACE, pl.Series(walls, dtype=pl.Datetime("us")), zone)
    text = read_times(PLACE, pl.Series([wall.isoformat(sep=between) for wall in walls]), zone)
    assert text.day.equals(typed.day)
    assert text.us.equals(typed.us)
    assert text.guessed_format is None


def test_iso_texts_may_be_mixed_and_carry_offsets() -> None:
    texts = [
        "2020-01-01",
        "2020-01-01 10:00",
        "2020-01-01T23:30:00Z",
        "2020-01-01 23:30:00.5 -05:00",
        " 2020-01-01 10:00:00 ",
        None,
    ]
    times = read_times(PLACE, pl.Series(texts), "Europe/Berlin")
    new_year = day_number(date(2020, 1, 1))
    assert times.day.to_list() == [new_year, new_year, new_year + 1, new_year + 2 - 1, new_year, NEVER_DAY]
    assert times.us[1] == microseconds(datetime(2020, 1, 1, 9, tzinfo=UTC))
    assert times.us[3] == microseconds(datetime(2020, 1, 2, 4, 30, 0, 500_000, tzinfo=UTC))
    assert times.us[5] == NEVER_US


def test_a_time_that_clocks_skip_is_an_hour_later_and_keeps_its_day() -> None:
    times = read_times(PLACE, pl.Series(["2020-03-29 02:30"]), "Europe/Berlin")
    assert times.us.to_list() == [microseconds(datetime(2020, 3, 29, 1, 30, tzinfo=UTC))]


def test_a_day_that_the_calendar_skips_still_has_an_instant() -> None:
    times = read_times(PLACE, pl.Series(["2011-12-30 10:00"]), "Pacific/Apia")
    assert day_date(times.day[0]) == date(2011, 12, 30)
    assert times.us[0] != NEVER_US


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_every_unit_of_a_datetime_gives_the_same(unit) -> None:
    times = read_times(PLACE, pl.Series([datetime(2020, 1, 1, 12)], dtype=pl.Datetime(unit)), "UTC")
    assert (times.day[0], times.us[0]) == (18262, 18262 * 86_400_000_000 + 43_200_000_000)


@pytest.mark.parametrize(
    ("text", "day", "time_format"),
    [
        ("13/02/2020", date(2020, 2, 13), "%d/%m/%Y"),
        ("12/13/2010 7:45", date(2010, 12, 13), "%m/%d/%Y %H:%M"),
        ("13.02.2020 08:00:00", date(2020, 2, 13), "%d.%m.%Y %H:%M:%S"),
        ("2020/02/13", date(2020, 2, 13), "%Y/%m/%d"),
        ("20200213", date(2020, 2, 13), "%Y%m%d"),
        ("12/13/10 7:45 PM", date(2010, 12, 13), "%m/%d/%y %I:%M %p"),
    ],
)
def test_another_format_is_guessed_when_only_one_fits_and_said(text, day, time_format) -> None:
    times = read_times(PLACE, pl.Series([text]), "UTC")
    assert day_date(times.day[0]) == day
    assert times.guessed_format == time_format


def test_whole_numbers_are_read_as_year_month_day() -> None:
    assert day_date(read_times(PLACE, pl.Series([20200213]), "UTC").day[0]) == date(2020, 2, 13)


def test_a_given_format_holds_for_whole_numbers_too() -> None:
    times = read_times(PLACE, pl.Series([20112012]), "UTC", "%d%m%Y")
    assert (day_date(times.day[0]), times.guessed_format) == (date(2012, 11, 20), None)


def test_a_text_that_two_formats_read_differently_is_refused() -> None:
    with pytest.raises(
        DataError, match=r"ordered_at: can be read as %d/%m/%Y and as %m/%d/%Y \(2 rows, for example '01/02/2020'\)"
    ):
        read_times(PLACE, pl.Series(["01/02/2020", "03/04/2020"]), "UTC")


def test_a_given_format_settles_it() -> None:
    times = read_times(PLACE, pl.Series(["01/02/2020"]), "UTC", "%d/%m/%Y")
    assert day_date(times.day[0]) == date(2020, 2, 1)
    assert times.guessed_format is None


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        (["2020-01-01", "soon"], r"must be a date or time \(1 row, for example 'soon'\)"),
        (["soon"], r"must be a date or time \(1 row, for example 'soon'\)"),
        (["2020-02-30"], r"must be a date or time \(1 row, for example '2020-02-30'\)"),
        (["1899-12-31", "2101-01-01"], r"must lie in 1900 to 2100 \(2 rows, for example '1899-12-31'\)"),
        ([date(1899, 12, 31)], r"must lie in 1900 to 2100 \(1 row"),
        ([datetime(2101, 1, 1)], r"must lie in 1900 to 2100 \(1 row"),
        ([1_600_000_000], r"must be a time in the format %Y%m%d \(1 row"),
        ([1.5], "must hold dates or times, not Float64"),
        ([[1]], "must hold dates or times, not List"),
    ],
)
def test_what_is_no_time_is_refused(values, rule) -> None:
    with pytest.raises(DataError, match=rf"transactions\.ordered_at: {rule}"):
        read_times(PLACE, pl.Series(values), "UTC")


@pytest.mark.parametrize(
    "series",
    [
        pl.Series([2**62]).cast(pl.Datetime("us")),
        pl.Series([-(2**62)]).cast(pl.Datetime("ms", "Europe/Berlin")),
        pl.Series([2**31 - 1], dtype=pl.Int32).cast(pl.Date),
    ],
)
def test_the_ends_of_the_64_bit_range_are_refused_and_shown_as_years(series) -> None:
    with pytest.raises(DataError, match=r"must lie in 1900 to 2100 \(1 row, for example 'the year -?\d+'\)"):
        read_times(PLACE, series, "Europe/Berlin")


def test_the_first_and_last_day_of_the_range_are_read() -> None:
    times = read_times(PLACE, pl.Series([date(1900, 1, 1), date(2100, 12, 31)]), "America/New_York")
    assert [day_date(day) for day in times.day] == [date(1900, 1, 1), date(2100, 12, 31)]


def test_a_birthday_may_be_any_valid_date() -> None:
    expected = [date(1822, 6, 1), None]
    assert read_dates(PLACE, pl.Series(expected)).to_list() == expected
    assert read_dates(PLACE, pl.Series(["1822-06-01", None])).to_list() == expected
    with pytest.raises(DataError, match="must be a date or time"):
        read_dates(PLACE, pl.Series(["1822-06-31"]))
