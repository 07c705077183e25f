"""What the endpoints give, as typed models; the client reads them."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import ConfigDict, Field

from serving.field_types import Answer


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


class ReasonOut(Answer):
    """One signed contribution."""

    model_config = ConfigDict(from_attributes=True)

    target: str = Field(description="churn: adds up to logit(churn_probability); value: to log(expected_value).")
    feature: str
    name: str
    contribution: float


class Explanation(Answer):
    """Why a customer's forecast is what it is; `note` says what to mind, and why there are no figures."""

    customer_id: str | int
    churn_probability: float | None
    expected_value: float | None
    reasons: list[ReasonOut] | None = Field(
        description="Of each target the baseline, the strongest contributions, then all other; null: no forecast. Those of "
        "target value are absent where the expected value is 0 or less."
    )
    note: str | None = None


class ExplainAnswer(Answer):
    """Explanations in the order of the request, all from one model version; `unknown`: ids without stored feature rows."""

    model: ModelCard
    as_of: date
    stale: bool
    explanations: list[Explanation]
    unknown: list[str] = Field(default_factory=list)


class Feature(Answer):
    """One feature that the model reads; `docs/features.md` tells more."""

    name: str
    title: str
    meaning: str
    unit: str
    low: float | None = Field(description="The least it can be; null: no bound.")
    high: float | None
    missing: str = Field(description="What null means.")
    table: str
    actionable: bool


class ModelAnswer(Answer):
    """The model that answers, and what it reads."""

    model: ModelCard
    company: str
    trained_as_of: date
    stale: bool
    churn: str = Field(description="What leaving is: no purchase (purchases), the end of a contract (contracts), or labels.")
    backtest_dates: int
    zone: str = Field(description="Days are days in this time zone.")
    tables: list[str] = Field(description="The input tables that it reads.")
    columns: list[str] = Field(description="The optional columns, as table.column, that it has always seen.")
    features: list[Feature]


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


class PlanLimit(Answer):
    """What a plan may not exceed."""

    name: str
    amount: float | None = Field(description="Null: no limit.")
    used: float
    shadow_price: float = Field(description="What one more unit of it would bring.")


class PlanItem(Answer):
    """What to do for one customer, and why; without an item there is nothing that pays."""

    model_config = ConfigDict(from_attributes=True)

    customer_id: str
    action: str
    title: str
    channel: str
    bond: str
    arm: str = Field(description="treated, or control: left alone, to measure what the action brings.")
    propensity: float = Field(description="The chance that a customer so chosen is treated.")
    cost: float
    expected_net_value: float
    runner_up: str = Field(description="The next best action, or do_nothing.")
    runner_up_net_value: float
    binding_constraint: str | None = Field(description="The limit that keeps the customer from an action worth more.")
    evidence: str = Field(description="What the expected effect rests on.")
    churn_probability: float
    value_at_risk: float
    reason: str
    priority: int = Field(description="1 comes first.")


class PlanAnswer(Answer):
    """The plan of greatest expected net value under the limits, from one load of batch scores. It is not kept."""

    model: ModelCard
    company: str
    as_of: date
    age_days: int = Field(description="Days from `as_of` to today, in UTC.")
    stale: bool = Field(description="The scores are older than a week.")
    cost: float
    expected_net_value: float
    bound: float = Field(description="No plan under the same limits can be expected to bring more.")
    limits: list[PlanLimit]
    items: list[PlanItem] = Field(description="At most one for each customer, the most valuable first, controls last.")
    notes: list[str] = Field(description="Which actions or rules could not be applied, and why.")
    unknown: list[str] = Field(description="Ids without batch scores.")


class OutcomesAnswer(Answer):
    """What was recorded."""

    company: str
    new: int
    known_before: int = Field(description="Were recorded under the same key already, and count once.")
    differing: int = Field(description="Of these, how many said something else than what is recorded, which stays.")
    controls: int = Field(
        description="Of the new ones, how many say that a control was contacted, whom the plan wanted left alone."
    )


class ErrorBody(Answer):
    """What went wrong."""

    code: str = Field(description="A stable word for programs.")
    message: str
    field: str | None = Field(description="The path of the field that is wrong; null: the request as a whole.")
    hint: str = Field(description="What to do.")


class ErrorAnswer(Answer):
    """The one shape of every answer of 400 and above."""

    error: ErrorBody
