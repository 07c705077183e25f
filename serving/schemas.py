"""What the endpoints take and give, as strict models. Rows of history are built from the one list of input tables."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, create_model
from pydantic_core import PydanticCustomError

from features.attributes import LONGEST_NAME
from features.tables import EVENT_TABLES, TABLES, Column, Kind, Table

MOST_CUSTOMERS = 1_000
"""How many customers one request may name."""

MOST_EVENTS = 50_000
"""How many rows of one table one customer may have."""

MOST_ATTRIBUTES = 200
"""How many attributes one customer may have."""

LEFT_OUT = frozenset({"customer_id", "name", "birthday", "referred_by", "account_id"})
"""Columns of `customers` that no prediction needs: what is personal is not asked for."""

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


Text = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
WholeNumber = Annotated[int, Field(ge=-(2**63), lt=2**63)]
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

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, protected_namespaces=())


class Answer(BaseModel):
    """An answer, or a part of one."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())


def _type_of(column: Column) -> Any:  # noqa: ANN401  # a type, or an annotated one
    if column.choices:
        return Annotated[str, StringConstraints(pattern=f"^({'|'.join(column.choices)})$")]
    if column.low is not None or column.high is not None:
        return Annotated[float, Field(ge=column.low, le=column.high, allow_inf_nan=False)]
    kinds: dict[Kind, Any] = {
        Kind.ID: Identifier,
        Kind.TEXT: Text,
        Kind.TIME: Instant,
        Kind.DATE: Instant,
        Kind.MONEY: Number,
        Kind.NUMBER: Number,
        Kind.FLAG: bool,
    }
    return kinds[column.kind]


def _field(column: Column) -> tuple[Any, Any]:
    kind = _type_of(column)
    return (
        (kind, Field(description=column.meaning)) if column.required else (kind | None, Field(None, description=column.meaning))
    )


def _row_model(table: Table) -> type[Strict]:
    fields: dict[str, Any] = {column.name: _field(column) for column in table.columns if column.name != "customer_id"}
    return create_model(f"{table.name.capitalize()}Row", __base__=Strict, __doc__=table.meaning, **fields)


ROW_MODELS = {name: _row_model(TABLES[name]) for name in EVENT_TABLES}
"""Event table -> the model of one of its rows; the customer is known from around it."""

CUSTOMER_COLUMNS = tuple(column for column in TABLES["customers"].columns if column.name not in LEFT_OUT)
"""The columns of the customers table that a request may give, beside the id."""


def _table_field(name: str) -> tuple[Any, Any]:
    rows = Annotated[list[ROW_MODELS[name]], Field(max_length=MOST_EVENTS)]  # type: ignore[valid-type]  # made above
    if name == "transactions":
        return rows, Field(description=TABLES[name].meaning)
    return rows | None, Field(
        None, description=f"{TABLES[name].meaning} Needed where the model reads them; [] = there were none."
    )


def _no_listed_column(attributes: dict[str, Any]) -> dict[str, Any]:
    listed = sorted(set(attributes) & set(TABLES["customers"].names))
    if listed:
        raise PydanticCustomError("listed", "{name} is no attribute: give it beside the attributes", {"name": listed[0]})
    return attributes


Attributes = Annotated[
    dict[Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME)], bool | Number | Text | None],
    Field(max_length=MOST_ATTRIBUTES),
    AfterValidator(_no_listed_column),
]


class CustomerHistory(Strict):
    """The fields of a customer that no table declares."""

    customer_id: Identifier
    attributes: Attributes | None = Field(
        None,
        description="What the columns of your customers table say beside those listed here: numbers, true or false, texts, dates "
        "as text; null = not known. Needed where the model reads them.",
        examples=[{"plan": "gold", "household_size": 3, "signed_on": "2024-01-31"}],
    )


_CUSTOMER_FIELDS: dict[str, Any] = {column.name: _field(column) for column in CUSTOMER_COLUMNS}
_TABLE_FIELDS: dict[str, Any] = {name: _table_field(name) for name in EVENT_TABLES}

Customer: Any = create_model(
    "Customer",
    __base__=CustomerHistory,
    __doc__="One customer: who they are, and everything that happened before `as_of`.",
    **(_CUSTOMER_FIELDS | _TABLE_FIELDS),
)


class PredictRequest(Strict):
    """Predict churn and value from raw histories. Events at or after `as_of` do not count."""

    as_of: Day | None = Field(None, description="The day that the prediction is made for; left out: today in the company's zone.")
    allow_hindsight: bool = Field(False, description="Predict for a day that the model's training data reach past.")
    customers: Annotated[list[Customer], Field(min_length=1, max_length=MOST_CUSTOMERS)]


class ModelCard(Answer):
    """The model behind an answer."""

    version: str
    family: str
    grade: str = Field(description="A to D: how it did against simple rivals on past dates.")
    horizon_days: int
    labels_until: date | None = Field(description="The training labels end here; null for scores from the store.")
    data_until: date


class FurtherHorizons(Answer):
    """Beside the fields listed, one `churn_probability_<days>d` for each further horizon that the model tells of."""

    model_config = ConfigDict(extra="allow")

    __pydantic_extra__: dict[str, float | None]


class Prediction(FurtherHorizons):
    """One customer's prediction; `note` says what to mind: no purchase, so no figures, or columns that were not given."""

    customer_id: str | int
    churn_probability: float | None = Field(description="Chance of no purchase in the horizon, 0 to 1.")
    expected_value: float | None = Field(description="Expected net revenue in the horizon, in currency units.")
    value_low: float | None = Field(description="10 % quantile of the value.")
    value_high: float | None = Field(description="90 % quantile of the value.")
    value_at_risk: float | None = Field(description="Churn probability times expected value if they stay.")
    note: str | None = None


class PredictAnswer(Answer):
    """Predictions in the order of the request, all from one model version."""

    model: ModelCard
    as_of: date
    stale: bool = Field(description="A whole horizon has passed since the model's training labels end: train again.")
    predictions: list[Prediction]


class ScoresRequest(Strict):
    """Look up the latest batch scores."""

    customer_ids: Annotated[list[Identifier], Field(min_length=1, max_length=MOST_CUSTOMERS)]


class ReasonOut(Answer):
    """One signed contribution."""

    model_config = ConfigDict(from_attributes=True)

    target: str = Field(description="churn: adds up to logit(churn_probability); value: to log(expected_value).")
    feature: str
    name: str
    contribution: float


class Score(FurtherHorizons):
    """One customer's batch scores, as docs/architecture.md describes the columns. Ids are text in the store."""

    model_config = ConfigDict(from_attributes=True, protected_namespaces=())

    customer_id: str
    churn_probability: float
    expected_value: float | None
    value_low: float | None
    value_high: float | None
    value_at_risk: float | None
    current_value: float | None
    potential_value: float | None
    lifetime_value: float | None
    status: str | None
    value_tier: str | None
    quadrant: str | None
    lifecycle: str | None
    loyalty: str | None
    relation: str | None
    credit_grade: str | None
    service_level: str | None
    next_category: str | None
    new_to_category: bool | None = Field(None, description="A customer of long standing who lately came to a category.")
    abc_class: str | None = None
    account_class: str | None = None
    rfm_cell: str | None = Field(None, description="The R, F and M scores, 1 to 5 each and 5 the best, as one text.")
    rfm_segment: str | None = None
    moves: str | None = Field(None, description="Which words changed since the last scoring, and why; null: none.")
    action: str | None = Field(description="The action of the latest plan; null: none.")
    reasons: list[ReasonOut] | None = Field(description="Null where the row was not explained.")


class ScoresAnswer(Answer):
    """Scores in the order of the request; `unknown` lists the ids that the store does not hold."""

    model: ModelCard
    company: str
    as_of: date
    loaded_at: datetime
    age_days: int = Field(description="Days from `as_of` to today, in UTC.")
    stale: bool = Field(description="The scores are older than a week.")
    scores: list[Score]
    unknown: list[str]


class ErrorBody(Answer):
    """What went wrong."""

    code: str = Field(description="A stable word for programs.")
    message: str
    field: str | None = Field(description="The path of the field that is wrong; null: the request as a whole.")
    hint: str = Field(description="What to do.")


class ErrorAnswer(Answer):
    """The one shape of every answer of 400 and above."""

    error: ErrorBody
