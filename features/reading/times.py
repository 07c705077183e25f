"""Times of all shapes into a day in the company's zone and an instant in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from itertools import product
from types import MappingProxyType
from typing import NamedTuple

import polars as pl

from features.asof import EPOCH, NEVER_DAY, NEVER_US, day_number
from features.reading.numerals import read_floats
from features.reading.refusals import Place, plain, refuse, units_a_day
from keepwell.errors import DataError

FIRST_DAY, LAST_DAY = day_number(date(1900, 1, 1)), day_number(date(2100, 12, 31))
"""The days that a time may lie in, both included."""

WRITE_ISO = "write YYYY-MM-DD or YYYY-MM-DD HH:MM:SS"
RANGE_RULE = "must lie in 1900 to 2100"

ISO_CLOCKS = (" %H:%M", " %H:%M:%S%.f", "T%H:%M", "T%H:%M:%S%.f")
ISO_NAIVE = ("%Y-%m-%d", *(f"%Y-%m-%d{clock}" for clock in ISO_CLOCKS))
ISO_AWARE = tuple(f"%Y-%m-%d{clock}%z" for clock in ISO_CLOCKS)

WHOLE_NUMBER_DATE = "%Y%m%d"

OTHER_DATES = (
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%Y%m%d",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d-%b-%Y",
    "%d %B %Y",
    "%B %d, %Y",
)
OTHER_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
OTHER_FORMATS = tuple(day + clock for day, clock in product(OTHER_DATES, OTHER_CLOCKS))
"""Formats tried when a text column is not ISO 8601: one of them must fit every value."""


EPOCH_STEPS: Mapping[str, int] = MappingProxyType({"seconds": 1_000_000, "milliseconds": 1_000, "microseconds": 1})
"""Formats of instants as numbers since 1970-01-01 in UTC, and how many microseconds a step of each is."""


class Times(NamedTuple):
    """A column of times: `day` int32 (NEVER_DAY = missing), `us` int64 (NEVER_US = missing), the format if it was guessed."""

    day: pl.Series
    us: pl.Series
    guessed_format: str | None


def read_times(place: Place, raw: pl.Series, zone: str, time_format: str | None = None, written_in: str | None = None) -> Times:
    """Days in `zone` and instants of a column of times, dates or texts; naive times are local to `written_in`, else to `zone`.

    A column of days, all at midnight, is never moved to another zone: a day is a day.
    A local time that a change of clocks skips is read an hour later; one that happens twice is the first of the two.
    Raises DataError for another type, a text that is no time, or a time outside 1900 to 2100.
    """
    wall, aware, guessed = _parsed(place, raw, time_format)
    if written_in is not None and bool((wall.dt.time() != time()).any()):
        wall, aware = _moved(wall, aware, written_in)
    day, us = _local(wall, zone)
    if aware is not None:
        aware_day, aware_us = _zoned(aware, zone)
        day, us = day.zip_with(wall.is_not_null(), aware_day), us.zip_with(wall.is_not_null(), aware_us)
    outside = ~day.is_between(FIRST_DAY, LAST_DAY)
    refuse(place, raw, outside, RANGE_RULE, "correct or remove these rows; leave the value empty where it never happened")
    return Times(day.fill_null(NEVER_DAY), us.fill_null(NEVER_US), guessed)


def read_dates(place: Place, raw: pl.Series, time_format: str | None = None) -> pl.Series:
    """Calendar days (pl.Date, null = missing) of a column that takes part in no window, as a birthday; any valid year will do."""
    if raw.dtype == pl.Date:
        return raw
    wall, aware, _ = _parsed(place, raw, time_format)
    own_day = wall if aware is None else wall.zip_with(wall.is_not_null(), aware.dt.replace_time_zone(None))
    return own_day.dt.date()


def _parsed(place: Place, raw: pl.Series, time_format: str | None) -> tuple[pl.Series, pl.Series | None, str | None]:
    """(naive times, aware times in UTC or None, guessed format); each row is in one of the two or in neither if missing."""
    dtype = raw.dtype
    if isinstance(dtype, pl.Datetime | pl.Date):
        return _typed(place, raw)
    if time_format is not None and time_format in EPOCH_STEPS:
        return *_since_1970(place, raw, time_format), None
    if dtype.is_integer():
        used = time_format or WHOLE_NUMBER_DATE
        return *_from_text(place, raw.cast(pl.String), used), None if time_format else used
    if dtype in (pl.Categorical, pl.Enum, pl.Null):
        raw = raw.cast(pl.String)
    if raw.dtype != pl.String:
        raise DataError(
            *place, f"must hold dates or times, not {dtype}", hint=f"{WRITE_ISO}; numbers since 1970 need time_format: seconds"
        )
    text = raw.str.strip_chars().replace("", None)
    if time_format is None and not _looks_iso(text):
        time_format = _only_format(place, text)
        return *_from_text(place, text, time_format), time_format
    return *_from_text(place, text, time_format), None


def _typed(place: Place, raw: pl.Series) -> tuple[pl.Series, pl.Series | None, None]:
    units = units_a_day(raw.dtype)
    physical = raw.to_physical().cast(pl.Int64)
    outside = ~physical.is_between((FIRST_DAY - 1) * units, (LAST_DAY + 2) * units)
    refuse(place, raw, outside, RANGE_RULE, "correct or remove these rows; leave the value empty where it never happened")
    zone = getattr(raw.dtype, "time_zone", None)
    times = raw.cast(pl.Datetime("us", zone))
    if zone is None:
        return times, None, None
    return _no_times(len(raw)), times.dt.convert_time_zone("UTC"), None


def _since_1970(place: Place, raw: pl.Series, unit: str) -> tuple[pl.Series, pl.Series]:
    """(no naive times, instants) of numbers since 1970 in `unit`."""
    numbers, steps, day = read_floats(place, raw).fill_nan(None), EPOCH_STEPS[unit], 86_400_000_000
    outside = ~numbers.is_between((FIRST_DAY - 1) * day // steps, (LAST_DAY + 2) * day // steps)
    refuse(
        place, raw, outside, RANGE_RULE, f"check that these are {unit} since 1970-01-01, or correct time_format: in company.yaml"
    )
    exact = raw.cast(pl.Int64) if raw.dtype.is_integer() else numbers
    return _no_times(len(raw)), (exact * steps).round().cast(pl.Int64).cast(pl.Datetime("us", "UTC"))


def _moved(wall: pl.Series, aware: pl.Series | None, zone: str) -> tuple[pl.Series, pl.Series]:
    """Naive times that are local to `zone` as instants beside those that are aware already."""
    instants = _local(wall, zone)[1].cast(pl.Datetime("us", "UTC"))
    return _no_times(len(wall)), instants if aware is None else aware.zip_with(aware.is_not_null(), instants)


def _no_times(length: int) -> pl.Series:
    return pl.repeat(None, length, dtype=pl.Datetime("us"), eager=True)


def _from_text(place: Place, text: pl.Series, time_format: str | None) -> tuple[pl.Series, pl.Series | None]:
    aware = None
    if time_format is not None:
        wall = _strptime(text, time_format)
    else:
        wall = _first_that_fits(text, ISO_NAIVE)
        if wall.null_count() > text.null_count():
            offsets = text.str.replace(r"\s*[zZ]$", "+00:00").str.replace(r"\s+([+-]\d\d(:?\d\d)?)$", "$1")
            offsets = offsets.str.replace(r"(:\d\d(?:\.\d+)?[+-]\d\d)$", "$1:00")  # as PostgreSQL writes whole hours
            aware = _first_that_fits(offsets, ISO_AWARE, "UTC")
    unread = text.is_not_null() & wall.is_null() & (aware.is_null() if aware is not None else True)
    wanted = f"must be a time in the format {time_format}" if time_format else "must be a date or time"
    refuse(place, text, unread, wanted, f"{WRITE_ISO}, or say time_format: in company.yaml")
    return wall, aware


def _strptime(text: pl.Series, time_format: str, zone: str | None = None) -> pl.Series:
    return text.str.to_datetime(time_format, strict=False, exact=True, time_unit="us", time_zone=zone)


def _first_that_fits(text: pl.Series, formats: tuple[str, ...], zone: str | None = None) -> pl.Series:
    """Each text by the first format that reads it; formats are tried while any text is unread, those of the first text first."""
    first = text.drop_nulls().head(1)
    likely = sorted(formats, key=lambda time_format: _strptime(first, time_format, zone).null_count())
    read = _strptime(text, likely[0], zone)
    for time_format in likely[1:]:
        if read.null_count() == text.null_count():
            break
        read = read.zip_with(read.is_not_null(), _strptime(text, time_format, zone))
    return read


def _looks_iso(text: pl.Series) -> bool:
    """Whether some value begins as ISO 8601 does (a column without values does)."""
    return text.null_count() == len(text) or bool(text.str.contains(r"^\d{4}-\d{2}-\d{2}").any())


def _strange(place: Place, values: pl.Series) -> DataError:
    """What to say of texts that no format reads throughout: where one reads most of them, which it does not read."""
    unread = {time_format: ~_read_by(values, time_format) for time_format in OTHER_FORMATS}
    likely = min(OTHER_FORMATS, key=lambda time_format: int(unread[time_format].sum()))
    broken = values.filter(unread[likely])
    rule, hint = "must be a date or time", f"{WRITE_ISO}, or say time_format: in company.yaml"
    if len(broken) <= len(values) / 2:
        rule, hint = f"must be written as {likely} throughout, as most are", f"{WRITE_ISO}, all of them alike"
    elif values.str.contains(r"^\d+(\.\d+)?$").all():
        hint = (
            f"{WRITE_ISO}; seconds since 1970 need time_format: seconds, and a spreadsheet's numbers must be formatted as dates"
        )
    return DataError(*place, rule, hint=hint, rows=len(broken), example=plain(broken))


def _only_format(place: Place, text: pl.Series) -> str:
    """The one format that reads every text; DataError when none does, or two read the texts differently."""
    values = text.drop_nulls()
    sample = values.head(1_000)
    fitting = [f for f in OTHER_FORMATS if _reads_all(sample, f) and _reads_all(values, f)]
    readings = [_strptime(values, time_format) for time_format in fitting]
    if not fitting:
        raise _strange(place, values)
    if any(not reading.equals(readings[0]) for reading in readings[1:]):
        raise DataError(
            *place,
            f"can be read as {' and as '.join(fitting)}",
            hint=f'say which in company.yaml, for example time_format: "{fitting[0]}"',
            rows=len(values),
            example=plain(values),
        )
    return fitting[0]


def _reads_all(values: pl.Series, time_format: str) -> bool:
    return bool(_read_by(values, time_format).all())


def _read_by(values: pl.Series, time_format: str) -> pl.Series:
    """Which of `values`, none of them missing, the format reads as a time since 1900."""
    return (_strptime(values, time_format).dt.year() >= EPOCH.year - 70).fill_null(value=False)


def _local(wall: pl.Series, zone: str) -> tuple[pl.Series, pl.Series]:
    """(day, instant) of naive times that are local to `zone`; null where missing."""
    instant = wall.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    for skipped in ("1h", "1d"):  # clocks go forward by an hour at most; whole days are skipped where the date line moves
        if instant.null_count() == wall.null_count():
            break
        later = wall.dt.offset_by(skipped).dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        instant = instant.zip_with(instant.is_not_null(), later)
    return _day(wall), instant.to_physical()


def _zoned(aware: pl.Series, zone: str) -> tuple[pl.Series, pl.Series]:
    """(day in `zone`, instant) of aware times; null where missing."""
    return _day(aware.dt.convert_time_zone(zone).dt.replace_time_zone(None)), aware.to_physical()


def _day(wall: pl.Series) -> pl.Series:
    return wall.dt.date().to_physical().cast(pl.Int32)
