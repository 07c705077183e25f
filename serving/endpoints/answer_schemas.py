"""What the endpoints give, as typed models; the client reads them."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import ConfigDict, Field

from serving.endpoints.field_types import Answer


class ModelCard(Answer):
    """The model behind an answer."""

    version: str
    """Its number in the registry."""
    family: str
    """Of which kind it is: an ensemble, buy-till-you-die alone, or a simple rule that was better."""
    grade: str = Field(description="A to D: how it did against simple rivals on past dates.")
    horizon_days: int
    """How far it looks ahead; 0: its labels do not say."""
    labels_until: date | None = Field(description="The training labels end here; null for scores from the store.")
    data_until: date
    """The day of the last event that was known."""


class OfModel(Answer):
    """An answer that one model stands behind."""

    model: ModelCard
    """The model that it comes from."""


class FurtherHorizons(Answer):
    """Beside the fields listed, one `churn_probability_<days>d` for each further horizon that the model tells of."""

    model_config = ConfigDict(extra="allow")

    __pydantic_extra__: dict[str, float | None]


class Prediction(FurtherHorizons):
    """One customer's prediction; `note` says what to mind: no purchase, so no figures, or columns that were not given."""

    customer_id: str | int
    """As it was asked."""
    churn_probability: float | None = Field(description="Chance of no purchase in the horizon, 0 to 1.")
    expected_value: float | None = Field(description="Expected net revenue in the horizon, in currency units.")
    value_low: float | None = Field(description="10 % quantile of the value.")
    value_high: float | None = Field(description="90 % quantile of the value.")
    value_at_risk: float | None = Field(description="Churn probability times expected value if they stay.")
    note: str | None = None
    """What to mind; null: nothing."""


class PredictAnswer(OfModel):
    """Predictions in the order of the request, all from one model version."""

    as_of: date
    """The day that it is of: only what was known before counts."""
    stale: bool = Field(description="A whole horizon has passed since the model's training labels end: train again.")
    predictions: list[Prediction]
    """One for each customer, in the order of the request."""


class ReasonOut(Answer):
    """One signed contribution."""

    model_config = ConfigDict(from_attributes=True)

    target: str = Field(description="churn: adds up to logit(churn_probability); value: to log(expected_value).")
    feature: str
    """The feature that does most in this entry, or baseline, or all_other."""
    name: str
    """The same in plain words."""
    contribution: float
    """What it adds; negative: takes away."""


class Explanation(Answer):
    """Why a customer's forecast is what it is; `note` says what to mind, and why there are no figures."""

    customer_id: str | int
    """As it was asked."""
    churn_probability: float | None
    """Chance of no purchase in the horizon, 0 to 1; null: no forecast."""
    expected_value: float | None
    """Expected net revenue in the horizon; null: no forecast."""
    reasons: list[ReasonOut] | None = Field(
        description="Of each target the baseline, the strongest contributions, then all other; null: no forecast. Those of "
        "target value are absent where the expected value is 0 or less."
    )
    note: str | None = None
    """What to mind; null: nothing."""


class ExplainAnswer(OfModel):
    """Explanations in the order of the request, all from one model version; `unknown`: ids without stored feature rows."""

    as_of: date
    """The day that it is of: only what was known before counts."""
    stale: bool
    """A whole horizon has passed since the model's training labels end: train again."""
    explanations: list[Explanation]
    """One for each customer, in the order of the request."""
    unknown: list[str] = Field(default_factory=list)
    """Ids without stored feature rows."""


class Feature(Answer):
    """One feature that the model reads; `docs/features.md` tells more."""

    name: str
    """As columns and requests call it."""
    title: str
    """The same for people."""
    meaning: str
    """What it says."""
    unit: str
    """What it counts in."""
    low: float | None = Field(description="The least it can be; null: no bound.")
    high: float | None
    """The most it can be; null: no bound."""
    missing: str = Field(description="What null means.")
    table: str
    """The input table that it is made from."""
    actionable: bool
    """Whether something can be done about it."""


class ModelAnswer(OfModel):
    """The model that answers, and what it reads."""

    company: str
    """The company's key."""
    trained_as_of: date
    """It learned from what was known before this day."""
    stale: bool
    """A whole horizon has passed since its training labels end: train again."""
    churn: str = Field(description="What leaving is: no purchase (purchases), the end of a contract (contracts), or labels.")
    backtest_dates: int
    """How many past dates its grade rests on."""
    zone: str = Field(description="Days are days in this time zone.")
    tables: list[str] = Field(description="The input tables that it reads.")
    columns: list[str] = Field(description="The optional columns, as table.column, that it has always seen.")
    features: list[Feature]
    """What a feature row must hold."""


class Score(FurtherHorizons):
    """One customer's batch scores, as docs/architecture.md describes the columns. Ids are text in the store."""

    model_config = ConfigDict(from_attributes=True, protected_namespaces=())

    customer_id: str
    """Who, as text."""
    churn_probability: float
    """Chance of no purchase in the horizon, 0 to 1."""
    expected_value: float | None
    """Expected net revenue in the horizon, in currency units."""
    value_low: float | None
    """10 % quantile of that value."""
    value_high: float | None
    """90 % quantile of that value."""
    value_at_risk: float | None
    """Churn probability times expected value if they stay."""
    current_value: float | None
    """Net spend of the last 365 days."""
    potential_value: float | None
    """What they could bring in the next 365 days."""
    lifetime_value: float | None
    """Expected value of the years ahead, discounted."""
    status: str | None
    """How near to leaving: new, active, lapsing, lost."""
    value_tier: str | None
    """By expected value: VIP, major, ordinary, small."""
    quadrant: str | None
    """Current against potential value: gold, star, stream, burden."""
    lifecycle: str | None
    """How far the relation has come."""
    loyalty: str | None
    """What holds them."""
    relation: str | None
    """relational or transactional."""
    credit_grade: str | None
    """How they pay their invoices, A to D; null: no invoices."""
    service_level: str | None
    """How closely they are looked after."""
    next_category: str | None
    """The most likely next new category; null: none is known."""
    new_to_category: bool | None = Field(None, description="A customer of long standing who lately came to a category.")
    abc_class: str | None = None
    """Who brings most of the expected value: A, B, C, negative."""
    account_class: str | None = None
    """Key accounts: core, key, promising, other."""
    rfm_cell: str | None = Field(None, description="The R, F and M scores, 1 to 5 each and 5 the best, as one text.")
    rfm_segment: str | None = None
    """The name of the R, F and M cell."""
    moves: str | None = Field(None, description="Which words changed since the last scoring, and why; null: none.")
    action: str | None = Field(description="The action of the latest plan; null: none.")
    reasons: list[ReasonOut] | None = Field(description="Null where the row was not explained.")


class ScoresAnswer(OfModel):
    """Scores in the order of the request; `unknown` lists the ids that the store does not hold."""

    company: str
    """The company's key."""
    as_of: date
    """The day that the scores are of."""
    loaded_at: datetime
    """When the store took them."""
    age_days: int = Field(description="Days from `as_of` to today, in UTC.")
    stale: bool = Field(description="The scores are older than a week.")
    scores: list[Score]
    """Of the ids that the store holds, in the order of the request."""
    unknown: list[str]
    """The ids that it does not hold."""


class PlanLimit(Answer):
    """What a plan may not exceed."""

    name: str
    """As `budget`, `call contacts`, `call hours` or `win_back_call capacity`."""
    amount: float | None = Field(description="Null: no limit.")
    used: float
    """What the plan takes of it."""
    shadow_price: float = Field(description="What one more unit of it would bring.")


class PlanItem(Answer):
    """What to do for one customer, and why; without an item there is nothing that pays."""

    model_config = ConfigDict(from_attributes=True)

    customer_id: str
    """Who, as text."""
    action: str
    """What to do, as the policy names it."""
    title: str
    """The same for people."""
    channel: str
    """How the customer is reached."""
    bond: str
    """What ties the customer: financial, social or structural."""
    arm: str = Field(description="treated, or control: left alone, to measure what the action brings.")
    propensity: float = Field(description="The chance that a customer so chosen is treated.")
    cost: float
    """What it costs, in currency units."""
    expected_net_value: float
    """What it is expected to bring, less its cost."""
    runner_up: str = Field(description="The next best action, or do_nothing.")
    runner_up_net_value: float
    """What that would have brought."""
    binding_constraint: str | None = Field(description="The limit that keeps the customer from an action worth more.")
    evidence: str = Field(description="What the expected effect rests on.")
    churn_probability: float
    """Chance of no purchase in the horizon, if nothing is done."""
    value_at_risk: float
    """What could be lost."""
    reason: str
    """Why this action for this customer, in words."""
    priority: int = Field(description="1 comes first.")


class PlanAnswer(OfModel):
    """The plan of greatest expected net value under the limits, from one load of batch scores. It is not kept."""

    company: str
    """The company's key."""
    as_of: date
    """The day that the scores are of."""
    age_days: int = Field(description="Days from `as_of` to today, in UTC.")
    stale: bool = Field(description="The scores are older than a week.")
    cost: float
    """What all of it costs, in currency units."""
    expected_net_value: float
    """What all of it is expected to bring, less the cost."""
    bound: float = Field(description="No plan under the same limits can be expected to bring more.")
    limits: list[PlanLimit]
    """The budget and every capacity: how much is used."""
    items: list[PlanItem] = Field(description="At most one for each customer, the most valuable first, controls last.")
    notes: list[str] = Field(description="Which actions or rules could not be applied, and why.")
    unknown: list[str] = Field(description="Ids without batch scores.")


class OutcomesAnswer(Answer):
    """What was recorded."""

    company: str
    """The company's key."""
    new: int
    """How many were not known before."""
    known_before: int = Field(description="Were recorded under the same key already, and count once.")
    differing: int = Field(description="Of these, how many said something else than what is recorded, which stays.")
    controls: int = Field(
        description="Of the new ones, how many say that a control was contacted, whom the plan wanted left alone."
    )
