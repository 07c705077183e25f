"""Reading a stored model of any kind, and what all kinds can do."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, Self

from training.arrays import Floats
from training.explanation import Explanation
from training.flat.model import FILE as FLAT_FILE
from training.flat.model import FlatScorer
from training.scorer import ModelInfo, Predictions, Scorer


class Settings(Protocol):
    """What a study has chosen."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""


class Predictor(Protocol):
    """A fitted model, of histories (`Scorer`) or a flat table (`FlatScorer`); matrices are (n, features), NaN = missing."""

    @property
    def info(self) -> ModelInfo:
        """What a reader must know of it."""

    @property
    def recipe(self) -> Settings:
        """What its study has chosen."""

    @property
    def further_names(self) -> tuple[str, ...]:
        """The names under which predictions tell of further horizons."""

    def predict(self, matrix: Floats) -> Predictions:
        """Forecasts for the rows of a matrix."""

    def explain(self, matrix: Floats) -> Explanation:
        """Contributions of the features that add up to the forecasts."""

    def versioned(self, version: str) -> Self:
        """The same model with the version that the registry gave."""

    def save(self, folder: Path) -> None:
        """Write it into `folder`, without pickles."""


def load_predictor(folder: Path) -> Scorer | FlatScorer:
    """Read what either kind's `save` wrote; ModelError when it is absent or of another format."""
    return FlatScorer.load(folder) if (folder / FLAT_FILE).exists() else Scorer.load(folder)
