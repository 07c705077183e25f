"""What a training came to, for the card, for MLflow and for the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from training.backtest import Backtest
from training.evidence import Evidence
from training.gate import Verdict
from training.loading import Predictor


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
