"""What a scoring leaves in MLflow: which model made which scores."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from training.registry import Registry, model_name

if TYPE_CHECKING:
    import polars as pl

EXPERIMENT = "keepwell/score"

_TOTALS = ("expected_value", "value_at_risk", "lifetime_value")


def log_scoring(registry: Registry, company: str, scores: pl.DataFrame, written: Path) -> str:
    """Log one scoring as a run that names its model, and the SHA-256 of the file `written`; the run's id.

    `scores` are at least one row of score columns, all of one model, date and horizon; none of them is logged.
    """
    with written.open("rb") as file:
        fingerprint = hashlib.file_digest(file, "sha256").hexdigest()
    first = scores.row(0, named=True)
    horizon_days, version, as_of = first["horizon_days"], first["model_version"], first["as_of"]
    name = f"{model_name(company, horizon_days)} version {version} as of {as_of}"
    with registry.run(EXPERIMENT, name) as run:
        run.log_model_used(company, horizon_days, version)
        run.log_params({"company": company, "horizon_days": horizon_days, "version": version, "as_of": as_of})
        run.log_params({"data_until": first["data_until"], "model_family": first["model_family"], "grade": first["grade"]})
        run.log_metrics(_figures(scores))
        run.log_tags({"company": company, "horizon_days": horizon_days, "scores_sha256": fingerprint})
    return run.id


def _figures(scores: pl.DataFrame) -> dict[str, float]:
    """Customers, the mean chance to leave, and the totals in money that the models know."""
    known = [name for name in _TOTALS if scores[name].null_count() < len(scores)]
    churn = scores.select("churn_probability").mean().item()
    return {"customers": len(scores), "churn_probability_mean": churn, **{f"{name}_total": scores[name].sum() for name in known}}
