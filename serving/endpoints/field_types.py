"""The types of which requests and answers are made: what is not plainly one of them is refused by name."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

_YEAR = r"(19\d\d|20\d\d|2100)"
_DAY_OF_YEAR = r"-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_DAY_PATTERN = _YEAR + _DAY_OF_YEAR
_CLOCK_PATTERN = r"([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)?)?"


_INSTANT = re.compile(_DAY_PATTERN + _CLOCK_PATTERN)
_DATE = re.compile(r"\d{4}" + _DAY_OF_YEAR + _CLOCK_PATTERN)


def is_date(text: str) -> bool:
    """Whether a text is a day that there is, of any year, with a time of day or without.

    >>> is_date("1899-12-31"), is_date("2023-02-29"), is_date("29/02/2024")
    (True, False, False)
    """
    try:
        return bool(_DATE.fullmatch(text) and datetime.fromisoformat(text))
    except ValueError:
        return False


def _instant(text: str) -> str:
    """Refuse what is no time, or lies outside the years that tables may hold."""
    if not _INSTANT.fullmatch(text):
        raise PydanticCustomError("instant", "write a time as YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ, from 1900 to 2100")
    if not is_date(text):
        raise PydanticCustomError("instant", "there is no such day")
    return text


def _whole(value: object) -> object:
    """A whole number as JSON may write it: 7.0 is 7."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Text = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
WholeNumber = Annotated[int, BeforeValidator(_whole), Field(ge=-(2**63), lt=2**63)]
Identifier = Text | WholeNumber
Number = Annotated[float, Field(allow_inf_nan=False)]
Instant = Annotated[
    str,
    AfterValidator(_instant),
    Field(json_schema_extra={"pattern": f"^{_DAY_PATTERN}{_CLOCK_PATTERN}$"}, examples=["2024-02-29", "2024-02-29T17:45:00Z"]),
]
Day = Annotated[
    date,
    Field(
        ge=date(1900, 1, 1), le=date(2100, 12, 31), json_schema_extra={"pattern": f"^{_DAY_PATTERN}$"}, examples=["2024-03-01"]
    ),
]


class Strict(BaseModel):
    """A request, or a part of one: unknown fields, NaN, infinity and wrong types are refused by name."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, protected_namespaces=(), use_attribute_docstrings=True)


class Answer(BaseModel):
    """An answer, or a part of one."""

    model_config = ConfigDict(frozen=True, protected_namespaces=(), use_attribute_docstrings=True)
