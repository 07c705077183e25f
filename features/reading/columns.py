"""One column at a time: ids, texts, numbers, flags and money, from what the user has to what Keepwell keeps."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from features.reading.numerals import MISSING_WORDS, TEXTUAL, read_floats
from features.reading.refusals import Place, refuse
from features.reading.times import read_dates
from features.tables import Column, Kind
from keepwell.errors import DataError

TRUE_WORDS, FALSE_WORDS = ("1", "1.0", "true", "t", "yes", "y"), ("0", "0.0", "false", "f", "no", "n")

MOST_DECIMALS, CENTS = 6, 2
LARGEST_WHOLE_FLOAT = 2**53
LARGEST_SUM = 2.0**62
LARGEST_SUM_OF_SQUARES = 2.0**52
"""Of amounts / 2**20: room for the exact sums of squares that features take, a thousand lines a day included."""

PLAIN_NUMBER = r"^[+-]?((0|[1-9]\d*)(\.\d+)?|\.\d+)([eE][+-]?\d+)?$"
"""A number without leading zeros: what has them is a code."""

ISO_DATE = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?$"
"""A day, with a time of day or without; a time with an offset is left as text."""


class Money(NamedTuple):
    """A column of money: `minor` int64 (null = missing), its `decimals`, and how many rows had to be rounded to them."""

    minor: pl.Series
    decimals: int
    rounded: int


def read_ids(place: Place, raw: pl.Series) -> pl.Series:
    """Ids as they came: String, or Int64 for integers (also whole floats, which is how integers with gaps arrive)."""
    if raw.dtype in TEXTUAL:
        return raw.cast(pl.String).replace("", None)
    if raw.dtype.is_integer():
        return _whole(place, raw, raw.cast(pl.Int64, strict=False), raw.is_null())
    if raw.dtype.is_float() or raw.dtype.is_decimal():
        values = raw.cast(pl.Float64).fill_nan(None)
        whole = (values == values.round()) & (values.abs() < LARGEST_WHOLE_FLOAT)
        return _whole(place, raw, values.cast(pl.Int64, strict=False).zip_with(whole, _nulls(raw, pl.Int64)), values.is_null())
    raise DataError(*place, f"must be text or whole numbers, not {raw.dtype}", hint="write the ids as text")


def read_texts(place: Place, raw: pl.Series, choices: tuple[str, ...] = ()) -> pl.Series:
    """Texts; numbers and truth values are written out. With `choices`, lower-cased and refused if none of them."""
    if raw.dtype.is_float():
        raw = raw.fill_nan(None)
        raw = raw.cast(pl.Int64, strict=False) if bool((raw == raw.round()).all()) else raw
    if not (raw.dtype in TEXTUAL or raw.dtype.is_numeric() or raw.dtype == pl.Boolean):
        raise DataError(*place, f"must be text, not {raw.dtype}", hint="write it as text")
    texts = raw.cast(pl.String).replace("", None)
    if not choices:
        return texts
    lowered = texts.str.strip_chars().str.to_lowercase()
    hint = f"leave them empty, or name your words in company.yaml: values: {{{place.column}: {{YOURS: {choices[0]}}}}}"
    refuse(place, raw, ~lowered.is_in(choices), f"must be one of {', '.join(choices)}", hint)
    return lowered


def read_numbers(place: Place, raw: pl.Series, column: Column) -> pl.Series:
    """Float64 within the column's range, null = missing. NaN is missing where a value may be, and an error where it must not."""
    numbers = read_floats(place, raw)
    if column.required:
        refuse(place, raw, numbers.is_nan(), "must be a number, not NaN", "correct or remove these rows")
    numbers = numbers.fill_nan(None)
    refuse(place, raw, numbers.is_infinite(), "must be finite", "correct or remove these rows")
    low = -np.inf if column.low is None else column.low
    high = np.inf if column.high is None else column.high
    refuse(
        place, raw, ~numbers.is_between(low, high), f"must lie in {low:g} to {high:g}", "correct these values or leave them empty"
    )
    return numbers


def read_summed_numbers(place: Place, raw: pl.Series, column: Column) -> pl.Series:
    """The same of numbers whose sums and squares features keep exact, in whole millionths: DataError where they leave 64 bits."""
    numbers = read_numbers(place, raw, column)
    millionths = numbers.fill_null(0.0).to_numpy() * 10.0**MOST_DECIMALS
    _refuse_overflow(place, raw, millionths, "millionths", "correct these values, or give all in thousands")
    return numbers


def read_flags(place: Place, raw: pl.Series) -> pl.Series:
    """0.0 and 1.0, null = missing; from truth values, 0 and 1, or yes and no."""
    if raw.dtype in TEXTUAL:
        words = raw.cast(pl.String).str.strip_chars().str.to_lowercase()
        flags = words.is_in(TRUE_WORDS).cast(pl.Float64)
        missing = words.is_in(MISSING_WORDS) | words.is_null()
        unread = ~(words.is_in(TRUE_WORDS) | words.is_in(FALSE_WORDS) | missing)
        flags = flags.zip_with(~missing, _nulls(flags, pl.Float64))
    else:
        flags = read_floats(place, raw).fill_nan(None)
        unread = ~flags.is_in([0.0, 1.0])
    translation = f"values: {{{place.column}: {{YOURS: yes, YOURS: no}}}}"
    hint = f"write true and false, or 1 and 0, or name your words in company.yaml: {translation}"
    refuse(place, raw, unread, "must be yes or no", hint)
    return flags


def read_money(place: Place, raw: pl.Series, column: Column, decimals: int | None = None) -> Money:
    """Integer minor units with the fewest decimals that reproduce all amounts, or with the `decimals` given.

    Amounts that 6 decimals do not reproduce are rounded to 6, or to fewer, but never below 2, where their sums would not fit.
    Raises DataError where exact sums would leave 64 bits even so.
    """
    amounts = read_numbers(place, raw, column)
    values = amounts.fill_null(0.0).to_numpy()
    noise = float_noise(values, raw.dtype)
    with np.errstate(over="ignore", invalid="ignore"):  # too large an amount is refused just below
        scale = fitting_decimals(values, fewest_decimals(values, noise)) if decimals is None else decimals
        scaled = np.rint(values * 10.0**scale)
        hint = "correct these amounts, round all to fewer decimals, or give them in thousands"
        _refuse_overflow(place, raw, scaled, "minor units", hint)
    rounded = int((np.abs(scaled / 10.0**scale - values) > noise).sum())
    minor = pl.Series(raw.name, scaled.astype(np.int64))
    return Money(minor.zip_with(amounts.is_not_null(), _nulls(minor, pl.Int64)), scale, rounded)


def read_attribute(place: Place, raw: pl.Series, *, typeless: bool) -> pl.Series | None:
    """Float64, String or, of dates, Int32 (days from 1970-01-01), null = missing; None for a type that is none, as a list.

    With `typeless`, texts that are all plain numbers become numbers, but codes such as 007 stay text; those that are all ISO
    dates become dates.
    """
    textual = raw.dtype in TEXTUAL
    if isinstance(raw.dtype, pl.Date | pl.Datetime) or (textual and typeless and _all_iso_dates(raw.cast(pl.String))):
        return read_dates(place, raw).to_physical()
    if raw.dtype.is_numeric() or raw.dtype == pl.Boolean or (textual and typeless and _all_plain_numbers(raw.cast(pl.String))):
        return read_numbers(place, raw, Column(place.column, Kind.NUMBER, "an attribute"))
    return read_texts(place, raw) if textual else None


def _all_plain_numbers(texts: pl.Series) -> bool:
    """Whether there are values, and each is a plain number."""
    words = texts.str.strip_chars().drop_nulls()
    numbers = words.filter(~words.str.to_lowercase().is_in(MISSING_WORDS))
    return len(numbers) > 0 and bool(numbers.str.contains(PLAIN_NUMBER).all())


def _all_iso_dates(texts: pl.Series) -> bool:
    """Whether there are values, and each is a day or a time of a day that there is."""
    words = texts.str.strip_chars().replace("", None).drop_nulls()
    looks_iso = len(words) > 0 and bool(words.str.contains(ISO_DATE).all())
    return looks_iso and words.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False).null_count() == 0


def fewest_decimals(values: np.ndarray, noise: np.ndarray) -> int:
    """The least d in 0..6 for which rounding to d decimals moves no value by more than its `noise`; 6 if none does.

    >>> values = np.array([0.1 + 0.2, 19.99, 5.0])
    >>> fewest_decimals(values, np.full(3, 1e-9))
    2
    """
    for decimals in range(MOST_DECIMALS):
        unit = 10.0**decimals
        if (np.abs(np.rint(values * unit) / unit - values) <= noise).all():
            return decimals
    return MOST_DECIMALS


def float_noise(values: np.ndarray, dtype: pl.DataType | type[pl.DataType] = pl.Float64) -> np.ndarray:
    """How far a sum or product of decimal fractions strays: a few units in the last place, and 1e-9 near zero."""
    relative = 2.5e-7 if dtype == pl.Float32 else 1e-12
    noise: np.ndarray = 1e-9 + relative * np.abs(values)
    return noise


def fitting_decimals(values: np.ndarray, decimals: int) -> int:
    """As many of the decimals as exact sums have room for; 2 at least, for cents are never rounded away."""
    while decimals > CENTS and not fits_exactly(values * 10.0**decimals):
        decimals -= 1
    return decimals


def fits_exactly(minor: np.ndarray) -> bool:
    """Whether whole numbers (amounts in minor units) can be summed, and squared and summed, in 64 bits."""
    return bool(np.abs(minor).sum() < LARGEST_SUM and np.square(minor / 2**20).sum() < LARGEST_SUM_OF_SQUARES)


def _refuse_overflow(place: Place, raw: pl.Series, scaled: np.ndarray, units: str, hint: str) -> None:
    if fits_exactly(scaled):
        return
    largest = np.abs(scaled) == np.abs(scaled).max()
    refuse(place, raw, pl.Series(largest), f"is too large to be summed exactly in 64-bit {units}", hint)


def _whole(place: Place, raw: pl.Series, integers: pl.Series, missing: pl.Series) -> pl.Series:
    refuse(place, raw, integers.is_null() & ~missing, "must be whole numbers below 2**63", "write the ids as text")
    return integers


def _nulls(like: pl.Series, dtype: type[pl.DataType]) -> pl.Series:
    return pl.repeat(None, len(like), dtype=dtype, eager=True)
