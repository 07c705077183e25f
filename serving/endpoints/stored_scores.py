"""Batch scores of the store as an answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from serving.endpoints.answer_schemas import ModelCard, Score, ScoresAnswer
from serving.store import Load, ScoreRow

STALE_SCORES_DAYS = 7
"""Batch scores older than this are called stale."""


def stored_scores(load: Load, asked: Sequence[str], found: dict[str, ScoreRow], today: date) -> ScoresAnswer:
    """The answer to a look-up of ids (as text) in one load of the store."""
    age_days = (today - load.as_of).days
    return ScoresAnswer(
        model=load_card(load),
        company=load.company,
        as_of=load.as_of,
        loaded_at=load.loaded_at,
        age_days=age_days,
        stale=age_days > STALE_SCORES_DAYS,
        scores=[_score(found[customer_id]) for customer_id in asked if customer_id in found],
        unknown=[customer_id for customer_id in asked if customer_id not in found],
    )


def load_card(load: Load) -> ModelCard:
    """What an answer tells of the model behind stored scores."""
    return ModelCard(
        version=load.model_version,
        family=load.model_family,
        grade=load.grade,
        horizon_days=load.horizon_days,
        labels_until=None,
        data_until=load.data_until,
    )


def _score(row: ScoreRow) -> Score:
    return Score.model_validate({name: getattr(row, name) for name in Score.model_fields} | dict(row.further_churn))
