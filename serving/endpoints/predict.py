"""Predictions from a request: its rows of features, scored by one model version. No clock, no network."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from serving.champion import Champion
from serving.endpoints.answer_schemas import PredictAnswer, Prediction
from serving.endpoints.asked_rows import AskedRows, known, rows_of_features, rows_of_histories
from serving.endpoints.model_facts import is_stale, model_card
from serving.endpoints.schemas import PredictRequest, PredictRowsRequest

if TYPE_CHECKING:
    from training.registry import Predictions

FIGURES = ("churn_probability", "expected_value", "value_low", "value_high", "value_at_risk")


def predict(champion: Champion, request: PredictRequest, today: date) -> PredictAnswer:
    """Predictions for raw histories, in the order of the request."""
    as_of = request.as_of or today
    return _answer(champion, rows_of_histories(request, champion.scorer.info, as_of), as_of)


def predict_rows(champion: Champion, request: PredictRowsRequest, today: date) -> PredictAnswer:
    """Predictions for feature rows, in the order of the request."""
    info, as_of = champion.scorer.info, request.as_of or today
    rows = rows_of_features(request.customer_ids, request.features, info, as_of, allow_hindsight=request.allow_hindsight)
    return _answer(champion, rows, as_of)


def _answer(champion: Champion, rows: AskedRows, as_of: date) -> PredictAnswer:
    nothing: dict[str, Any] = dict.fromkeys((*FIGURES, *champion.scorer.further_names))
    figures = [nothing] * len(rows.customer_ids)
    if len(rows.places):
        for place, found in zip(rows.places, _figures(champion.predict(rows.matrix, as_of)), strict=True):
            figures[place] = found
    told = zip(rows.customer_ids, figures, rows.notes, strict=True)
    predictions = [Prediction(customer_id=customer_id, **found, note=note) for customer_id, found, note in told]
    return PredictAnswer(
        model=model_card(champion), as_of=as_of, stale=is_stale(champion.scorer.info, as_of), predictions=predictions
    )


def _figures(found: Predictions) -> list[dict[str, Any]]:
    """The figures of each row by name; None where the model tells none."""
    columns = {name: getattr(found, name) for name in FIGURES if name != "value_at_risk"}
    columns |= {"value_at_risk": found.churn_probability * found.value_if_active, **found.further_columns()}
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return [{name: known(value) for name, value in zip(columns, row, strict=True)} for row in rows]
