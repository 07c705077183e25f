"""A model's figures as plain values, kept beside its card: what the console shows of a version."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np

from training.card.plots import BINS
from training.card.report import handed_out

if TYPE_CHECKING:
    from training.evaluation.backtest import Backtest
    from training.result import TrainingResult

FILE = "card.json"


def card_figures(result: TrainingResult, warnings: Sequence[str]) -> dict[str, Any]:
    """What a card tells in figures; None is what is not known.

    `figures` are value, low and high bound of each; `calibration` are customers of like risk at the newest date of the backtest:
    how many, the mean that was promised, how many left; `warnings` say when not to trust the model.
    """
    tested = result.backtest
    figures = {name: [each.value, each.low, each.high] for name, each in tested.figures.items()}
    return {
        "customers": result.customers,
        "backtest_dates": [str(fold.as_of) for fold in tested.folds],
        "figures": {name: [None if isnan(value) else float(value) for value in values] for name, values in figures.items()},
        "calibration": _calibration(tested),
        "warnings": list(warnings),
    }


def _calibration(tested: Backtest) -> list[dict[str, float]]:
    if not tested.folds:
        return []
    fold = tested.folds[0]
    promised = handed_out(tested, fold).churn_probability
    groups = (group for group in np.array_split(np.argsort(promised, kind="stable"), BINS) if len(group))
    return [
        {"customers": len(group), "promised": float(promised[group].mean()), "left": int(fold.churned[group].sum())}
        for group in groups
    ]
