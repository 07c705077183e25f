"""Why a score is what it is: a model's contributions as short lists of plain names that add up."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from features.attributes import parsed
from features.catalog import entry_of

if TYPE_CHECKING:
    from training.registry import Predictions, Scorer

Floats = npt.NDArray[np.float64]

REASONS = pl.List(pl.Struct({"target": pl.String, "feature": pl.String, "name": pl.String, "contribution": pl.Float64}))
"""The type of the scores' column `reasons`."""

MOST_SHOWN = 6
BASELINE, ALL_OTHER = "baseline", "all_other"
_NAMES = {BASELINE: "Where every customer starts", ALL_OTHER: "All other"}
_WINDOW = re.compile(r"_(\d+d|all)(?=_|$)")


def reasons_of(scorer: Scorer, matrix: Floats, predictions: Predictions, explained: npt.NDArray[np.intp]) -> pl.Series:
    """The reasons of the rows `explained`, null for all others; a series beside the rows of `matrix`.

    A list begins with the baseline, then come at most MOST_SHOWN features by strength, then "all other"; those of target `churn`
    sum to logit(churn_probability), those of target `value` to log(expected_value) (absent where that is 0 or less). Windows of
    one thing (spend of 30, 90 ... days) are one reason, as are the values of one attribute, named after the one that does most.
    """
    found = scorer.explain(matrix[explained])
    churn, value = predictions.churn_probability[explained], predictions.expected_value[explained]
    with np.errstate(divide="ignore", invalid="ignore"):
        logit, log_value = np.log(churn / (1 - churn)), np.log(value)
    names = scorer.info.feature_names
    parts = [
        _listed("churn", names, found.churn, found.churn_baseline, logit),
        _listed("value", names, found.value, found.value_baseline, log_value),
    ]
    lists = pl.concat(parts).sort("row", maintain_order=True).group_by("row", maintain_order=True)
    packed = lists.agg(reasons=pl.struct("target", "feature", "name", "contribution"))
    places = pl.Series("row", explained[packed["row"].to_numpy()])
    whole = pl.DataFrame({"row": np.arange(len(matrix))})
    return whole.join(packed.with_columns(places), on="row", how="left", maintain_order="left")["reasons"].cast(REASONS)


def reasons_as_json(reasons: pl.Series) -> pl.Series:
    """A series of reasons as JSON texts, null where there are none.

    >>> reason = {"target": "churn", "feature": "x", "name": "X", "contribution": 0.5}
    >>> reasons_as_json(pl.Series([[reason], None])).to_list()
    ['[{"target": "churn", "feature": "x", "name": "X", "contribution": 0.5}]', None]
    """
    texts = [None if value is None else json.dumps(list(value), ensure_ascii=False) for value in reasons]
    return pl.Series(reasons.name, texts, dtype=pl.String)


def _listed(target: str, names: tuple[str, ...], contributions: Floats, baseline: float, total: Floats) -> pl.DataFrame:
    """One line for each reason: row, target, feature, name, contribution; rows without a finite total have none."""
    groups = _groups(names)
    sums = contributions @ groups
    strongest = np.argsort(-np.abs(sums), axis=1, kind="stable")[:, :MOST_SHOWN]
    shown = np.take_along_axis(sums, strongest, axis=1)
    rest = total - baseline - shown.sum(axis=1)
    features = np.array([*names, BASELINE, ALL_OTHER])
    faces = _faces(contributions, groups, sums, strongest)
    rows, columns = len(total), shown.shape[1] + 2
    edge = np.full((rows, 1), len(names))
    feature = features[np.hstack([edge, faces, edge + 1])]
    frame = pl.DataFrame(
        {
            "row": np.repeat(np.arange(rows), columns),
            "target": [target] * (rows * columns),
            "feature": feature.ravel(),
            "contribution": np.hstack([np.full((rows, 1), baseline), shown, rest[:, None]]).ravel(),
            "known": np.repeat(np.isfinite(total), columns),
        }
    )
    kept = frame.filter("known", (pl.col("contribution") != 0) | (pl.col("feature") == ALL_OTHER))
    titles = {name: entry.title for name in names if (entry := entry_of(name))} | _NAMES
    return kept.select("row", "target", "feature", pl.col("feature").replace(titles).alias("name"), "contribution")


def _groups(names: tuple[str, ...]) -> Floats:
    """(features, groups) of 0 and 1: features that differ only by their window, or the value of an attribute, are one group."""
    stems = [_stem(name) for name in names]
    different = list(dict.fromkeys(stems))
    return np.array([[float(stem == group) for group in different] for stem in stems])


def _stem(name: str) -> str:
    attribute = parsed(name)
    return f"customers.{attribute.column}" if attribute else _WINDOW.sub("", name)


def _faces(contributions: Floats, groups: Floats, sums: Floats, chosen: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """The feature (rows, chosen) that stands for each chosen group: the one that does most in the group's direction."""
    faces = np.empty(chosen.shape, dtype=np.intp)
    for column in range(chosen.shape[1]):
        group = chosen[:, column]
        direction = np.sign(np.take_along_axis(sums, group[:, None], axis=1))
        does = np.where(groups[:, group].T > 0, contributions * direction, -np.inf)
        faces[:, column] = does.argmax(axis=1)
    return faces
