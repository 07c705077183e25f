"""What a training or a backtest came to, for the card, for MLflow and for the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from training.card.evidence import Evidence
from training.evaluation.backtest import Backtest
from training.gate import Verdict
from training.loading import Predictor
from training.recipe import Recipe

if TYPE_CHECKING:
    from training.tuning.search import Tuned


@dataclass(frozen=True)
class TrainingResult:
    """What a training came to. `scorer.info.version` is the registered version; `importance`: target -> feature -> weight.

    `evidence` is what the data say beside the figures; None where nobody looked. `card` is the model card as one HTML file.
    """

    scorer: Predictor
    verdict: Verdict
    backtest: Backtest
    importance: Mapping[str, Mapping[str, float]]
    settings: Mapping[str, object]
    customers: int
    history_days: int
    fingerprint: str
    run_id: str
    evidence: Evidence | None = None
    card: str = ""


@dataclass(frozen=True)
class BacktestResult:
    """What a procedure came to at past dates; `wanted` is how many were asked for, `study` what chose its recipe."""

    company: str
    horizon_days: int
    as_of: date
    wanted: int
    tested: Backtest
    recipe: Recipe
    study: Tuned | None
    customers: int
    history_days: int
    settings: Mapping[str, object]
    feature_names: tuple[str, ...]
