"""The one home of MLflow: runs are logged here, models are registered here and champions are read from here."""

from typing import TYPE_CHECKING

from training.registry.client import Registry
from training.registry.folder import ModelFolder, prepare_to_load
from training.registry.mlflow_home import model_name
from training.registry.run import Run

if TYPE_CHECKING:  # what the registry hands out, by name; LightGBM is for those who load a model
    from training.explanation import Explanation as Explanation
    from training.loading import Predictor as Predictor
    from training.scorer import ModelInfo as ModelInfo
    from training.scorer import Predictions as Predictions

__all__ = ["ModelFolder", "Registry", "Run", "model_name", "prepare_to_load"]
