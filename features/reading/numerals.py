"""Numbers as people write them: with a decimal comma, separators of thousands, a currency, a minus behind, in brackets."""

from __future__ import annotations

import re
from typing import NamedTuple

import polars as pl

from features.reading.refusals import Place, refuse
from keepwell.errors import DataError

EXAMPLE = re.compile(
    r"(?P<before>[^\d.,'’\s-]*)\s*1(?P<thousands>[.,'’]|\s|)234(?P<decimal>[.,])56\s*(?P<after>[^\d.,'’\s-]*)", re.UNICODE
)
ANY_SPACE = r"[ \u00a0\u202f]"
"""A plain, a no-break and a narrow no-break space: exports use any of them between thousands."""


MISSING_WORDS = ("", "na", "n/a", "nan", "null", "none", "nat")
"""Texts that mean "no number", in lower case. In ids and texts only the empty one does."""

TEXTUAL = (pl.String, pl.Categorical, pl.Enum, pl.Null)


NOTATIONS = ("1.234,56", "1,234.56", "1 234,56", "1'234.56")
"""How people write 1234.56: what is looked for where a column holds no plain numbers."""

AROUND = re.compile(r"(?P<before>[^\d.,'’\s()+-]*\s?)[(+-]?[.,]?\d.*?(?P<after>\s?[^\d.,'’\s()+-]*)", re.UNICODE)
"""A number among the words that may stand before and behind it."""


class NumberFormat(NamedTuple):
    """How a table writes 1234.56, as regular expressions ("" = no separator), and the words that may stand around a number."""

    thousands: str
    decimal: str
    around: tuple[str, ...]


def number_format(example: str) -> NumberFormat:
    """The format of an example that writes 1234.56; ValueError when it does not.

    >>> number_format("1 234,56 EUR").around
    ('EUR',)
    """
    match = EXAMPLE.fullmatch(example.strip())
    if match is None or match["thousands"] == match["decimal"]:
        raise ValueError(f"{example!r} must show how 1234.56 is written, as 1.234,56 or $1,234.56")
    thousands = ANY_SPACE if match["thousands"].isspace() else re.escape(match["thousands"])
    return NumberFormat(thousands, re.escape(match["decimal"]), tuple(word for word in (match["before"], match["after"]) if word))


def plain_numbers(texts: pl.Series, written: NumberFormat) -> pl.Series:
    """Texts in the notation `written` as plain numbers, still text; null for what is not well-formed in it.

    A separator must stand between thousands: "1.5" is no number where the point separates them. Negative are -5, 5- and (5).

    >>> plain_numbers(pl.Series(["-1.234,5 EUR", "12", "1.5", "(7,25)"]), number_format("1.234,56 EUR")).to_list()
    ['-1234.5', '12', None, '-7.25']
    """
    bare = texts.str.replace_all("\u2212", "-", literal=True)
    for word in written.around:
        bare = bare.str.replace_all(word, "", literal=True)
    bare = bare.str.replace(r"^\s*([+-]?)\s*(.*?)\s*$", "$1$2").str.replace(r"^\((.+)\)$|^([^-].*)-$", "-$1$2")
    grouped = rf"|\d{{1,3}}(?:{written.thousands}\d{{3}})+" if written.thousands else ""
    fraction = rf"(?:{written.decimal}\d*)?"
    formed = bare.str.contains(rf"^[+-]?(?:(?:\d+{grouped}){fraction}|{written.decimal}\d+)$")
    plain = bare.str.replace_all(written.thousands, "") if written.thousands else bare
    plain = plain.str.replace(written.decimal, ".")
    return plain.zip_with(formed.fill_null(value=False), pl.repeat(None, len(texts), dtype=pl.String, eager=True))


def read_floats(place: Place, raw: pl.Series) -> pl.Series:
    """Float64; NaN and infinities as they came, null where missing or a word for it. Raises DataError for what is no number."""
    if raw.dtype.is_numeric() or raw.dtype == pl.Boolean:
        return raw.cast(pl.Float64)
    if raw.dtype not in TEXTUAL:
        raise DataError(*place, f"must be a number, not {raw.dtype}", hint="write plain numbers, as 1234.50")
    text = raw.cast(pl.String).str.strip_chars()
    numbers = text.cast(pl.Float64, strict=False)
    if numbers.null_count() > text.null_count():
        unread = numbers.is_null() & ~text.str.to_lowercase().is_in(MISSING_WORDS)
        if unread.any():
            refuse(place, raw, unread, "must be a number", _numbers_hint(place.table, text))
    return numbers


def likely_notation(numbers: pl.Series) -> str | None:
    """How these texts write 1234.56; None where no usual notation reads them all, or two do and differ.

    >>> likely_notation(pl.Series(["1.234,50 €", "7,95 €"])), likely_notation(pl.Series(["7.950 €"]))
    ('1.234,56 €', None)
    """
    around = AROUND.fullmatch(str(numbers.first() or ""))
    before, after = around.group("before", "after") if around else ("", "")
    readings = {example: plain_numbers(numbers, number_format(example)) for example in (f"{before}{n}{after}" for n in NOTATIONS)}
    fitting = {example: plain for example, plain in readings.items() if plain.null_count() == 0}
    first = next(iter(fitting), None)
    return first if all(plain.equals(fitting[first]) for plain in fitting.values() if first) else None


def _numbers_hint(table: str, text: pl.Series) -> str:
    """How to be understood: by the notation that reads all values, where there is one."""
    written = text.filter(~text.str.to_lowercase().is_in(MISSING_WORDS)).drop_nulls()
    example = likely_notation(written)
    where = f'tables: {{{table}: {{numbers: "{example}"}}}}' if example else 'as numbers: "1.234,56"'
    return f"write plain numbers, as 1234.50, or say in company.yaml how yours are written: {where}"
