"""From a request to its answer: parse, score, decide, answer. No clock, no network."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from keepwell.errors import RequestError
from serving.champion import Champion
from serving.requests import columns_not_given, feature_rows
from serving.schemas import ModelCard, PredictAnswer, Prediction, PredictRequest, Score, ScoresAnswer
from serving.store import Load, ScoreRow

if TYPE_CHECKING:
    from training.registry import ModelInfo, Predictions

STALE_SCORES_DAYS = 7
"""Batch scores older than this are called stale."""


def predict(champion: Champion, request: PredictRequest, today: date) -> PredictAnswer:
    """Predictions for raw histories, in the order of the request, from one model version."""
    info, as_of = champion.scorer.info, request.as_of or today
    _refuse_histories(info)
    _refuse_hindsight(info, as_of, allowed=request.allow_hindsight)
    _refuse_repeated([customer.customer_id for customer in request.customers])
    places, matrix = feature_rows(request.customers, info, as_of)
    further = champion.scorer.further_names
    predictions: list[Prediction] = [_without_purchase(customer.customer_id, further) for customer in request.customers]
    if len(places):
        found = champion.scorer.predict(matrix)
        for row, place in enumerate(places.tolist()):
            customer = request.customers[place]
            note = _note(columns_not_given(customer, info))
            predictions[place] = _prediction(customer.customer_id, found, row, note)
    return PredictAnswer(model=model_card(champion), as_of=as_of, stale=is_stale(info, as_of), predictions=predictions)


def is_stale(info: ModelInfo, as_of: date) -> bool:
    """Whether a whole horizon lies between the model's last labels and `as_of`: a newer model could know more."""
    return as_of > info.labels_until + timedelta(days=info.horizon_days)


def model_card(champion: Champion) -> ModelCard:
    """What an answer tells of its model."""
    info = champion.scorer.info
    return ModelCard(
        version=champion.version,
        family=info.family,
        grade=info.grade,
        horizon_days=info.horizon_days,
        labels_until=info.labels_until,
        data_until=info.data_until,
    )


def stored_scores(load: Load, asked: Sequence[str], found: dict[str, ScoreRow], today: date) -> ScoresAnswer:
    """The answer to a look-up of ids (as text) in one load of the store."""
    age_days = (today - load.as_of).days
    card = ModelCard(
        version=load.model_version,
        family=load.model_family,
        grade=load.grade,
        horizon_days=load.horizon_days,
        labels_until=None,
        data_until=load.data_until,
    )
    return ScoresAnswer(
        model=card,
        company=load.company,
        as_of=load.as_of,
        loaded_at=load.loaded_at,
        age_days=age_days,
        stale=age_days > STALE_SCORES_DAYS,
        scores=[_score(found[customer_id]) for customer_id in asked if customer_id in found],
        unknown=[customer_id for customer_id in asked if customer_id not in found],
    )


def _score(row: ScoreRow) -> Score:
    return Score.model_validate({name: getattr(row, name) for name in Score.model_fields} | dict(row.further_churn))


def _refuse_histories(info: ModelInfo) -> None:
    if info.churn != "purchases":
        learned = "a flat table of customers" if info.churn == "labels" else "contracts"
        raise RequestError(
            f"the model learned from {learned}, and cannot be asked about the raw history of purchases",
            hint="score with `keepwell score`, then ask /v1/scores for customers by id",
            status=422,
            code="no_histories",
        )


def _refuse_hindsight(info: ModelInfo, as_of: date, *, allowed: bool) -> None:
    if as_of < info.labels_until and not allowed:
        raise RequestError(
            f"the model has learned from what happened until {info.labels_until}, which is after {as_of}",
            hint="ask for a later as_of, or set allow_hindsight to true",
            status=422,
            code="hindsight",
            field="as_of",
        )


def _refuse_repeated(customer_ids: Sequence[Any]) -> None:
    first: dict[str, int] = {}
    for place, customer_id in enumerate(map(str, customer_ids)):
        if first.setdefault(customer_id, place) != place:
            raise RequestError(
                f"the customer {customer_id!r} is also at place {first[customer_id]}",
                hint="send each customer once, with all their rows",
                status=422,
                code="repeated_customer",
                field=f"customers[{place}].customer_id",
            )


def _note(not_given: Sequence[str]) -> str | None:
    """A warning where the model must do without what it has always seen: it has not learned what such silence means."""
    if not not_given:
        return None
    return f"the model has learned from {', '.join(not_given)}, not given here: without them the prediction can be far off"


def _prediction(customer_id: str | int, found: Predictions, row: int, note: str | None) -> Prediction:
    churn = float(found.churn_probability[row])
    further: dict[str, Any] = {name: float(column[row]) for name, column in found.further_columns().items()}
    return Prediction(
        customer_id=customer_id,
        churn_probability=churn,
        expected_value=float(found.expected_value[row]),
        value_low=float(found.value_low[row]),
        value_high=float(found.value_high[row]),
        value_at_risk=churn * float(found.value_if_active[row]),
        note=note,
        **further,
    )


def _without_purchase(customer_id: str | int, further: Sequence[str]) -> Prediction:
    figures = ("churn_probability", "expected_value", "value_low", "value_high", "value_at_risk", *further)
    nothing: dict[str, Any] = dict.fromkeys(figures)
    return Prediction(customer_id=customer_id, **nothing, note="no purchase is known before as_of")
