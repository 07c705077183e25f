"""What models cost beside the bare library, in a process of its own: both in turns, on the same rows.

    python -m benchmarks.model_jobs JOB FOLDER ROWS REPEATS

FOLDER is a company that `keepwell simulate` made. Prints one line of JSON: name -> seconds and processor seconds of the best of
the repeats, peak memory of the whole process, rows and columns. Where ours and the library's results differ, it ends.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np

from benchmarks.child import timed
from benchmarks.company import UNTIL
from features.arrays.cores import cores
from features.reading.sources import read_company
from serving.batch.reasons import reasons_of
from training.arrays import Floats
from training.data import TrainingData, training_data
from training.fitting import members_at, positive_values, season_at
from training.members.kinds import Member, TreeMember
from training.members.trees import parameters
from training.procedure import fit_procedure
from training.recipe import Recipe
from training.run import one_blas_thread
from training.scorer import Scorer

Works = Mapping[str, Callable[[], object]]
LIGHTGBM, OURS, PROCEDURE = "lightgbm", "keepwell", "procedure"
AS_OF, HORIZON_DAYS, SEED = UNTIL, 90, 0


def fit(data: TrainingData, model: Path, _: int) -> Works:
    """The members fitted to all complete dates, and the whole procedure, which fits them at two earlier dates as well.

    What comes of the procedure is the model that the other jobs use.
    """
    day, recipe = data.as_of_day, Recipe()
    known, season = data.known_at(day), season_at(data, day)
    active = known.rows(known.churned == 0)
    churn_offset, amount_offset = season.offsets(known.day)[0], season.offsets(active.day)[1]
    ours = _trees(members_at(data, day, recipe, SEED))

    def library() -> list[lgb.Booster]:
        churn = lgb.Dataset(known.matrix, known.churned, init_score=churn_offset + ours.churn.base)
        amount = lgb.Dataset(active.matrix, positive_values(active.value), init_score=amount_offset + ours.amount.base)
        churn_parameters = parameters(len(known), "binary", recipe.churn_trees, SEED)
        amount_parameters = parameters(len(active), "gamma", recipe.amount_trees, SEED)
        return [
            lgb.train(churn_parameters, churn, recipe.churn_trees.rounds),
            lgb.train(amount_parameters, amount, recipe.amount_trees.rounds),
        ]

    if [each.model_to_string() for each in library()] != [each.booster.model_to_string() for each in (ours.churn, ours.amount)]:
        raise SystemExit("the library alone makes other trees: the times say nothing")
    return {
        LIGHTGBM: library,
        OURS: lambda: members_at(replace(data, memo={}), day, recipe, SEED),
        PROCEDURE: lambda: fit_procedure(replace(data, memo={}), day, recipe, SEED).save(model),
    }


def predict(data: TrainingData, model: Path, rows: int) -> Works:
    """All predictions of all members, blended, with quantiles and further horizons, and LightGBM's of the same trees."""
    scorer, matrix = Scorer.load(model), _rows(data, rows)
    return {LIGHTGBM: _library(scorer, matrix, raw_score=True), OURS: lambda: scorer.predict(matrix)}


def explain(data: TrainingData, model: Path, rows: int) -> Works:
    """The reasons of customers as they are listed, and LightGBM's exact contributions of the same trees."""
    scorer, matrix = Scorer.load(model), _rows(data, rows)
    predictions = scorer.predict(matrix)
    ours = partial(reasons_of, scorer, matrix, predictions, np.arange(rows))
    return {LIGHTGBM: _library(scorer, matrix, pred_contrib=True), OURS: ours}


JOBS: Mapping[str, Callable[[TrainingData, Path, int], Works]] = {"fit": fit, "predict": predict, "explain": explain}


def _trees(members: Sequence[Member]) -> TreeMember:
    (trees,) = (member for member in members if isinstance(member, TreeMember))
    return trees


def _library(scorer: Scorer, matrix: Floats, **what: bool) -> Callable[[], object]:
    """What LightGBM alone makes of the trees of a scorer."""
    trees = _trees(scorer.members)
    return lambda: [each.booster.predict(matrix, num_threads=cores(), **what) for each in (trees.churn, trees.amount)]


def _rows(data: TrainingData, rows: int) -> Floats:
    """As many rows as asked for: those of the panel, again and again."""
    return np.ascontiguousarray(data.matrix[np.arange(rows) % len(data)])


def measure(works: Works, repeats: int) -> dict[str, dict[str, float]]:
    """The best of the repeats of each work; they take turns, so that a busy moment of the machine meets all of them."""
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            done = timed(work, 1)
            runs[name].append((done.seconds, done.processor))
    return {
        name: {what: min(values) for what, values in zip(("seconds", "processor"), zip(*runs[name], strict=True), strict=True)}
        for name in works
    }


def main(job: str, folder: Path, rows: int, repeats: int) -> None:
    """Print what a job measures."""
    with one_blas_thread():
        data = training_data(read_company(folder), HORIZON_DAYS, AS_OF)
        told: dict[str, Any] = measure(JOBS[job](data, folder / "model", rows), repeats)
    shape = {"rows": rows or len(data.known_at(data.as_of_day)), "columns": len(data.names)}
    print(json.dumps(told | shape | {"peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
