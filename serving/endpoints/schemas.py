"""What the endpoints take, as strict models. Rows of history are built from the one list of input tables."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, StringConstraints, create_model, model_validator
from pydantic_core import PydanticCustomError

from decisions.labels import Step
from features.builders.attributes import LONGEST_NAME
from features.tables import EVENT_TABLES, TABLES, Column, Kind, Table
from serving.endpoints.field_types import Day, Identifier, Instant, Number, Strict, Text

MOST_CUSTOMERS = 1_000
"""How many customers one request may name."""

MOST_EXPLAINED = 100
"""How many of them may be explained: that takes far longer than a prediction."""

MOST_EVENTS = 50_000
"""How many rows of one table one customer may have."""

MOST_ATTRIBUTES = 200
"""How many attributes one customer may have."""

LEFT_OUT = frozenset({"customer_id", "name", "birthday", "referred_by", "account_id"})
"""Columns of `customers` that no prediction needs: what is personal is not asked for."""


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
    """Who, as you call them."""
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


class Asked(Strict):
    """What every request for predictions may say of its date. Events at or after `as_of` do not count."""

    as_of: Day | None = Field(None, description="The day that the prediction is made for; left out: today in the company's zone.")
    allow_hindsight: bool = Field(False, description="Predict for a day that the model's training data reach past.")


_MISSING_COLUMNS = Field(
    False, description="Predict without columns that the model has always seen; the answer's note then says which."
)
_HISTORIES = "Who they are, and everything that happened before `as_of`."
_FEATURES = "Feature -> its value for each of `customer_ids`, null = missing: all that the model reads (GET /v1/model), no other."

_STEPS = "; ".join(f"{step}: {step.meaning}" for step in Step)

Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Channel = Annotated[str, StringConstraints(min_length=1, max_length=50)]

FeatureColumns = dict[Annotated[str, StringConstraints(min_length=1, max_length=500)], list[Number | None]]
"""Feature rows column by column."""


CustomerIds = Annotated[list[Identifier], Field(min_length=1, max_length=MOST_CUSTOMERS)]
FewCustomerIds = Annotated[list[Identifier], Field(min_length=1, max_length=MOST_EXPLAINED)]
Histories = Annotated[list[Customer], Field(min_length=1, max_length=MOST_CUSTOMERS, description=_HISTORIES)]
FewHistories = Annotated[list[Customer], Field(min_length=1, max_length=MOST_EXPLAINED, description=_HISTORIES)]


class PredictRequest(Asked):
    """Predict churn and value from raw histories."""

    allow_missing_columns: bool = _MISSING_COLUMNS
    customers: Histories


class PredictRowsRequest(Asked):
    """Predict churn and value from feature rows, as `keepwell features` makes them for `as_of`."""

    customer_ids: CustomerIds
    """Who, one for each value of a feature."""
    features: FeatureColumns = Field(description=_FEATURES)


class ExplainRequest(Asked):
    """Explain forecasts of raw histories, of feature rows, or of the latest batch scores.

    That is: send `customers`; or `customer_ids` and `features`; or `customer_ids` alone, where `as_of` is that of the scores.
    """

    allow_missing_columns: bool = _MISSING_COLUMNS
    customers: FewHistories | None = None
    """Who they are, and everything that happened before `as_of`."""
    customer_ids: FewCustomerIds | None = None
    """Who, where their rows are given or stored."""
    features: FeatureColumns | None = Field(None, description=_FEATURES)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.customers is None) == (self.customer_ids is None):
            raise PydanticCustomError("one_kind", "send either customers or customer_ids")
        if self.features is not None and self.customer_ids is None:
            raise PydanticCustomError("one_kind", "features need customer_ids beside them")
        return self


class ScoresRequest(Strict):
    """Look up the latest batch scores."""

    customer_ids: CustomerIds
    """Who, as the data call them."""


class PlanRequest(Strict):
    """Plan actions for customers by id, under a budget and capacities, from the latest batch scores. Nothing is kept."""

    customer_ids: CustomerIds
    """Who, as the data call them."""
    budget: Amount | None = Field(None, description="Most that all actions may cost together; left out: no limit.")
    capacities: dict[Channel, Amount] = Field({}, description="Channel -> most contacts; one that is not named has no limit.")
    hours: dict[Channel, Amount] = Field({}, description="Channel -> most hours of agents.")
    consenting: Annotated[list[Identifier], Field(max_length=MOST_CUSTOMERS)] = Field(
        [], description="Those of them who have consented to marketing: nobody else gets an action that needs it."
    )


class OutcomeRow(Strict):
    """One thing that happened to one customer."""

    customer_id: Identifier
    """Who, as the data call them."""
    step: Annotated[str, StringConstraints(pattern=f"^({'|'.join(Step)})$")] = Field(description=_STEPS)
    on: Day = Field(description="The day on which it happened, in the company's zone.")
    action: Name | None = Field(None, description="The action that it came of; only what is of the customer as a whole has none.")
    key: Name | None = Field(None, description="Your own key; left out: made of customer, action, day and step.")
    cost: Amount | None = Field(None, description="What it cost, in currency units; left out: what the plan said.")
    reason: Name | None = Field(None, description="Why the customer declined, as the policy names reasons.")
    note: Text | None = None
    """A word of the person who did it."""


class OutcomesRequest(Strict):
    """Record what happened: all of it or nothing. What comes twice under one key counts once."""

    outcomes: Annotated[list[OutcomeRow], Field(min_length=1, max_length=MOST_CUSTOMERS)]
    """Each thing that happened."""
