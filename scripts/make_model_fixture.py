"""Make the small model that tests keep for every later version: `tests/fixtures/model-v<FORMAT>/`.

    .venv/bin/python scripts/make_model_fixture.py

Run it once for each new format of the scorer, and never again for an old one: an old version must have made its fixture.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import fields
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from datasets.simulate import simulate
from features.asof import day_number
from features.reading.sources import read_company
from training.data import training_data
from training.members.trees import TreeSettings
from training.procedure import fit_procedure
from training.recipe import Recipe
from training.run import one_blas_thread
from training.scorer import FORMAT, Predictions

AS_OF, HORIZON_DAYS = date(2025, 12, 1), 30
CUSTOMERS, SHOWN_CUSTOMERS = 500, 12
FEW_TREES = TreeSettings(rounds=8, leaves=4)
"""Every kind of member is in the model, in a few tens of kilobytes."""

FIXTURE = Path(__file__).parents[1] / "tests" / "fixtures" / f"model-v{FORMAT}"


def main() -> None:
    """Train, save, and write beside the model what it says of a few customers."""
    if FIXTURE.exists():
        sys.exit(f"{FIXTURE} is there already: an older version made it, and it stays")
    with tempfile.TemporaryDirectory() as folder, one_blas_thread():
        simulate(Path(folder), customers=CUSTOMERS, months=14, seed=7)
        keep_little(Path(folder))
        data = training_data(read_company(folder), HORIZON_DAYS, AS_OF)
        recipe = Recipe(churn_trees=FEW_TREES, amount_trees=FEW_TREES)
        scorer = fit_procedure(data, day_number(AS_OF), recipe, seed=0).graded("none", 0)
    scorer.save(FIXTURE / "scorer")
    matrix = data.at(day_number(AS_OF)).matrix
    rows = matrix[:: len(matrix) // SHOWN_CUSTOMERS][:SHOWN_CUSTOMERS]
    predicted = scorer.predict(rows)
    arrays = {field.name: getattr(predicted, field.name) for field in fields(Predictions) if field.name != "further_churn"}
    expected = {name: values.tolist() for name, values in (arrays | predicted.further_columns()).items()}
    told = {"rows": [[None if np.isnan(value) else value for value in row] for row in rows.tolist()], "predictions": expected}
    (FIXTURE / "expected.json").write_text(json.dumps(told) + "\n", encoding="utf-8")


def keep_little(folder: Path) -> None:
    """Leave purchases and one attribute: fewer features, a smaller fixture."""
    for file in folder.glob("*.parquet"):
        if file.stem not in {"transactions", "customers"}:
            file.unlink()
    purchases = pl.read_parquet(folder / "transactions.parquet", columns=["customer_id", "ordered_at", "amount"])
    purchases.write_parquet(folder / "transactions.parquet")
    (folder / "company.yaml").write_text("company: fixture\ncurrency: EUR\nstatic: [city]\n", encoding="utf-8")
    pl.read_parquet(folder / "customers.parquet", columns=["customer_id", "city"]).write_parquet(folder / "customers.parquet")


if __name__ == "__main__":
    main()
