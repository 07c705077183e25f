"""What a value of `company.yaml` may be: zones, encodings, numbers by example, and words as people write them in YAML."""

from __future__ import annotations

import codecs
from datetime import date, datetime
from typing import Annotated, Any

import polars as pl
from pydantic import AfterValidator, BeforeValidator, Field

from features.reading.numerals import number_format


def iana_zone(zone: str) -> str:
    """The zone as it came; ValueError for one that Polars does not know."""
    try:
        pl.Series([0]).cast(pl.Datetime("us")).dt.replace_time_zone(zone)
    except (pl.exceptions.PolarsError, ValueError) as error:
        raise ValueError(f"{zone!r} is no IANA time zone, as Europe/Berlin or UTC") from error
    return zone


def text_encoding(name: str) -> str:
    """The usual name of an encoding; ValueError for one that is not of text, or unknown."""
    try:
        "".encode(name)  # codecs that are no encodings of text, as hex, are refused here
        return codecs.lookup(name).name
    except (LookupError, ValueError) as error:
        raise ValueError(f"{name!r} is no encoding, as utf-8, windows-1252 or utf-16") from error


def number_example(example: str) -> str:
    """The example as it came; ValueError when it does not write 1234.56."""
    number_format(example)
    return example


def word(value: Any) -> str | None:  # noqa: ANN401  # what YAML gives
    """A word as text, None for null; ValueError for a list or a mapping.

    >>> word(7.0), word(True), word(datetime(9999, 12, 31)), word(None)
    ('7', 'true', '9999-12-31', None)
    """
    match value:
        case None | str():
            return value
        case bool():
            return str(value).lower()
        case datetime():
            return value.isoformat(" ").removesuffix(" 00:00:00")
        case int() | float() | date():
            return str(int(value) if isinstance(value, float) and value.is_integer() else value)
        case _:
            raise ValueError(f"{value!r} is no word")


def spellings(value: Any) -> tuple[str, ...]:  # noqa: ANN401  # what YAML gives
    """A word in lower case, "" for null; for true and false all the words that YAML reads so.

    >>> spellings("Ja"), spellings(False)
    (('ja',), ('false', 'no', 'off'))
    """
    if isinstance(value, bool):
        return ("true", "yes", "on") if value else ("false", "no", "off")
    return ((word(value) or "").lower(),)


def _translation(words: Any) -> Any:  # noqa: ANN401  # what YAML gives
    if not isinstance(words, dict):
        return words  # the type that follows refuses it
    return {spelling: word(ours) for yours, ours in words.items() for spelling in spellings(yours)}


def _word_list(words: Any) -> list[str]:  # noqa: ANN401  # what YAML gives
    return [spelling for one in (words if isinstance(words, list) else [words]) for spelling in spellings(one)]


Zone = Annotated[str, AfterValidator(iana_zone)]
Encoding = Annotated[str, AfterValidator(text_encoding)]
NumberExample = Annotated[str, AfterValidator(number_example)]
Divisor = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Word = Annotated[str, BeforeValidator(word)]
Words = Annotated[tuple[str, ...], BeforeValidator(_word_list)]
"""One word or several, in all their spellings."""
Translation = Annotated[dict[str, str | None], BeforeValidator(_translation)]
"""The user's words, in all their spellings, to ours; None: missing."""
