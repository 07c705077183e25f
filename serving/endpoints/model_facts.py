"""What answers tell of the model behind them."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from features.catalog import entry_of
from features.definitions import Entry
from serving.champion import Champion
from serving.endpoints.answer_schemas import Feature, ModelAnswer, ModelCard
from serving.endpoints.requests import columns_read

if TYPE_CHECKING:
    from training.registry import ModelInfo


def model_card(champion: Champion) -> ModelCard:
    """What every answer tells of its model."""
    info = champion.scorer.info
    return ModelCard(
        version=champion.version,
        family=info.family,
        grade=info.grade,
        horizon_days=info.horizon_days,
        labels_until=info.labels_until,
        data_until=info.data_until,
    )


def model_answer(champion: Champion, today: date) -> ModelAnswer:
    """All that a client must know of the model, and of every feature that it reads."""
    info = champion.scorer.info
    return ModelAnswer(
        model=model_card(champion),
        company=champion.company,
        trained_as_of=info.trained_as_of,
        stale=is_stale(info, today),
        churn=info.churn,
        backtest_dates=info.backtest_dates,
        zone=info.zone,
        tables=list(info.tables),
        columns=list(columns_read(info.feature_names)),
        features=[_told(entry) for entry in entries(info.feature_names)],
    )


def is_stale(info: ModelInfo, as_of: date) -> bool:
    """Whether a whole horizon lies between the model's last labels and `as_of`: a newer model could know more."""
    return as_of > info.labels_until + timedelta(days=info.horizon_days)


@lru_cache(maxsize=8)
def entries(names: tuple[str, ...]) -> tuple[Entry, ...]:
    """The catalog's entries of a model's features; a champion in place has only such as there are."""
    return tuple(entry for name in names if (entry := entry_of(name)) is not None)


def _told(entry: Entry) -> Feature:
    return Feature.model_validate({name: getattr(entry, name) for name in Feature.model_fields})
