"""Why a score is what it is: a model's contributions as short lists of plain names that add up."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from features.attributes import parsed
from features.catalog import entry_of
from features.facts import fact_of, tells

if TYPE_CHECKING:
    from training.registry import Predictions, Predictor

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]

REASONS = pl.List(pl.Struct({"target": pl.String, "feature": pl.String, "name": pl.String, "contribution": pl.Float64}))
"""The type of the scores' column `reasons`."""

MOST_SHOWN = 6
BASELINE, ALL_OTHER = "baseline", "all_other"
_NAMES = {BASELINE: "Where every customer starts", ALL_OTHER: "All other"}


def reasons_of(scorer: Predictor, matrix: Floats, predictions: Predictions, explained: Places) -> pl.Series:
    """The reasons of the rows `explained`, null for all others; a series beside the rows of `matrix`.

    A list begins with the baseline, then come at most MOST_SHOWN features by strength, then "all other"; those of target `churn`
    sum to logit(churn_probability), those of target `value` to log(expected_value) (absent where that is 0 or less). Features
    that tell one fact (spend of 30, 90 ... days, net of refunds, in the mean) are one reason, named after the one that does most;
    the values of one attribute are one, named after the value that the customer holds.
    """
    if len(explained) == 0:
        return pl.Series("reasons", [None] * len(matrix), dtype=REASONS)
    found = scorer.explain(matrix[explained])
    churn, value = predictions.churn_probability[explained], predictions.expected_value[explained]
    with np.errstate(divide="ignore", invalid="ignore"):
        logit, log_value = np.log(churn / (1 - churn)), np.log(value)
    names = scorer.info.feature_names
    held = _of_texts(names) & (matrix[explained] == 1)
    parts = [
        _listed(names, held, found.churn, found.churn_baseline, logit).with_columns(target=pl.lit("churn")),
        _listed(names, held, found.value, found.value_baseline, log_value).with_columns(target=pl.lit("value")),
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


def _listed(names: tuple[str, ...], held: Flags, contributions: Floats, baseline: float, total: Floats) -> pl.DataFrame:
    """One line for each reason: row, feature, name, contribution; rows without a finite total have none."""
    groups = _groups(names)
    sums = contributions @ groups
    strongest = np.argsort(-np.abs(sums), axis=1, kind="stable")[:, :MOST_SHOWN]
    shown = np.take_along_axis(sums, strongest, axis=1)
    faces = _faces(contributions, held, _tellers(names, groups), sums, strongest)
    rows, columns = len(total), shown.shape[1] + 2
    frame = pl.DataFrame(
        {
            "row": np.repeat(np.arange(rows), columns),
            "feature": _framed(BASELINE, np.array(names)[faces], ALL_OTHER),
            "name": _framed(_NAMES[BASELINE], _titles(names, held, faces), _NAMES[ALL_OTHER]),
            "contribution": _framed(baseline, shown, total - baseline - shown.sum(axis=1)),
            "known": np.repeat(np.isfinite(total), columns),
        }
    )
    kept = frame.filter("known", (pl.col("contribution") != 0) | (pl.col("feature") == ALL_OTHER))
    return kept.drop("known")


def _framed(first: object, shown: npt.NDArray[Any], last: object) -> npt.NDArray[Any]:
    """What is shown of each row with what comes before and after it, row by row."""
    edges = (np.broadcast_to(np.asarray(edge), len(shown)) for edge in (first, last))
    before, after = edges
    return np.column_stack([before, shown, after]).ravel()


def _titles(names: tuple[str, ...], held: Flags, faces: Places) -> npt.NDArray[np.str_]:
    """The titles (rows, shown) of the faces; a value of an attribute that the customer does not hold is not named."""
    entries, attributes = [entry_of(name) for name in names], [parsed(name) for name in names]
    titles = np.array([entry.title if entry else name for name, entry in zip(names, entries, strict=True)])
    general = np.array([attribute.title if attribute else title for title, attribute in zip(titles, attributes, strict=True)])
    named = held | ~_of_texts(names)
    return np.where(np.take_along_axis(named, faces, axis=1), titles[faces], general[faces])


def _of_texts(names: tuple[str, ...]) -> Flags:
    """Which features (features,) are values of an attribute."""
    return np.array([(attribute := parsed(name)) is not None and attribute.how == "text" for name in names], dtype=bool)


def _groups(names: tuple[str, ...]) -> Floats:
    """(features, facts) of 0 and 1: which features tell which fact."""
    facts = [fact_of(name) for name in names]
    different = list(dict.fromkeys(facts))
    return np.array([[float(fact == group) for group in different] for fact in facts])


def _tellers(names: tuple[str, ...], groups: Floats) -> Flags:
    """(features, facts): after which features a fact may be named; where none of a fact reads right, after all of it."""
    telling = (groups > 0) & np.array([tells(name) for name in names])[:, None]
    return np.where(telling.any(axis=0), telling, groups > 0)


def _faces(contributions: Floats, held: Flags, tellers: Flags, sums: Floats, chosen: Places) -> Places:
    """The feature (rows, chosen) that stands for each chosen group: the value held, else what does most in its direction."""
    faces = np.empty(chosen.shape, dtype=np.intp)
    for column in range(chosen.shape[1]):
        group = chosen[:, column]
        direction = np.sign(np.take_along_axis(sums, group[:, None], axis=1))
        does = np.where(tellers[:, group].T, np.where(held, np.inf, contributions * direction), -np.inf)
        faces[:, column] = does.argmax(axis=1)
    return faces
