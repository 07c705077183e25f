"""The model as MLflow runs it from code: a frame of features in, a frame of predictions out. MLflow executes this file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel

from training.loading import load_predictor

PREDICTIONS = ("churn_probability", "expected_value", "value_if_active", "value_low", "value_high")


class KeepwellModel(PythonModel):
    """A scorer behind MLflow's interface."""

    def load_context(self, context: Any) -> None:  # noqa: ANN401  # MLflow's own context object
        """Read the scorer from the artifacts: JSON and LightGBM text."""
        self.scorer = load_predictor(Path(context.artifacts["scorer"]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:  # noqa: ANN401, ARG002  # MLflow's
        """One row of predictions for each row of features; a missing feature value is NaN or None."""
        names = list(self.scorer.info.feature_names)
        predictions = self.scorer.predict(np.ascontiguousarray(model_input[names].to_numpy(dtype=np.float64)))
        return pd.DataFrame({name: getattr(predictions, name) for name in PREDICTIONS})


set_model(KeepwellModel())
