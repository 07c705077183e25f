"""The one home of MLflow: runs are logged here, models are registered here and champions are read from here."""

from training.registry.client import Registry, model_name
from training.registry.run import Run

__all__ = ["Registry", "Run", "model_name"]
