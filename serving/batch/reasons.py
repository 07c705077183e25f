"""Why a score is what it is: a model's contributions as short lists of plain names that add up."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from features.builders.attributes import parsed
from features.catalog import entry_of
from features.facts import fact_of, tells

if TYPE_CHECKING:
    from training.registry import Predictions, Predictor

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]
Texts = npt.NDArray[np.str_]

REASONS = pl.List(pl.Struct({"target": pl.String, "feature": pl.String, "name": pl.String, "contribution": pl.Float64}))
"""The type of the scores' column `reasons`."""

MOST_SHOWN = 6
BASELINE, ALL_OTHER = "baseline", "all_other"
_NAMES = {BASELINE: "Where every customer starts", ALL_OTHER: "All other"}


@dataclass(frozen=True)
class _Words:
    """How the features of a model are spoken of, each array (features,) but the last two, which are (features, facts).

    `titles` tell the value of an attribute, `general` titles do not; `of_texts` are values of an attribute that is a text.
    `groups` is 1 where a feature tells a fact, else 0; `tellers` says after which features a fact may be named.
    """

    names: Texts
    titles: Texts
    general: Texts
    of_texts: Flags
    groups: Floats
    tellers: Flags


@lru_cache(maxsize=8)
def _words(names: tuple[str, ...]) -> _Words:
    entries, attributes = [entry_of(name) for name in names], [parsed(name) for name in names]
    titles = [entry.title if entry else name for name, entry in zip(names, entries, strict=True)]
    general = [attribute.title if attribute else title for title, attribute in zip(titles, attributes, strict=True)]
    of_texts = [attribute is not None and attribute.how == "text" for attribute in attributes]
    groups = _groups(names)
    flags = np.array(of_texts, dtype=bool)
    return _Words(np.array(names), np.array(titles), np.array(general), flags, groups, _tellers(names, groups))


def reasons_of(scorer: Predictor, matrix: Floats, predictions: Predictions, explained: Places) -> pl.Series:
    """The reasons of the rows `explained`, null for all others; a series beside the rows of `matrix`.

    A list begins with the baseline, then come at most MOST_SHOWN features by strength, then "all other"; those of target `churn`
    sum to logit(churn_probability), those of target `value` to log(expected_value) (absent where that is 0 or less). Features
    that tell one fact (spend of 30, 90 ... days, net of refunds, in the mean) are one reason, named after the one that does most;
    the values of one attribute are one, named after the value that the customer holds.
    """
    if len(explained) == 0:
        return pl.Series("reasons", [None] * len(matrix), dtype=REASONS)
    parts = [_frame(each) for each in _both(scorer, matrix[explained], predictions, explained)]
    lists = pl.concat(parts).sort("row", maintain_order=True).group_by("row", maintain_order=True)
    packed = lists.agg(reasons=pl.struct("target", "feature", "name", "contribution"))
    places = pl.Series("row", explained[packed["row"].to_numpy()])
    whole = pl.DataFrame({"row": np.arange(len(matrix))})
    return whole.join(packed.with_columns(places), on="row", how="left", maintain_order="left")["reasons"].cast(REASONS)


def reason_lists(scorer: Predictor, matrix: Floats, predictions: Predictions) -> list[list[dict[str, Any]]]:
    """The same reasons of a few rows, each as plain values, without a data frame: a request should not wait for one."""
    lists: list[list[dict[str, Any]]] = [[] for _ in matrix]
    for shown in _both(scorer, matrix, predictions, np.arange(len(matrix))):
        columns = (shown.features.tolist(), shown.names.tolist(), shown.contributions.tolist())
        for row, column in np.argwhere(shown.kept).tolist():
            feature, name, contribution = (values[row][column] for values in columns)
            lists[row].append({"target": shown.target, "feature": feature, "name": name, "contribution": contribution})
    return lists


def reasons_as_json(reasons: pl.Series) -> pl.Series:
    """A series of reasons as JSON texts, null where there are none.

    >>> reason = {"target": "churn", "feature": "x", "name": "X", "contribution": 0.5}
    >>> reasons_as_json(pl.Series([[reason], None])).to_list()
    ['[{"target": "churn", "feature": "x", "name": "X", "contribution": 0.5}]', None]
    """
    texts = [None if value is None else json.dumps(list(value), ensure_ascii=False) for value in reasons]
    return pl.Series(reasons.name, texts, dtype=pl.String)


class _Shown(NamedTuple):
    """What is shown for one target, arrays (rows, shown); `kept` is False for what does nothing, and without a forecast."""

    target: str
    features: Texts
    names: Texts
    contributions: Floats
    kept: Flags


def _both(scorer: Predictor, rows: Floats, predictions: Predictions, places: Places) -> tuple[_Shown, _Shown]:
    """What is shown of the forecasts at `places`, whose features are `rows`: of churn and of value."""
    found, words = scorer.explain(rows), _words(tuple(scorer.info.feature_names))
    churn, value = predictions.churn_probability[places], predictions.expected_value[places]
    with np.errstate(divide="ignore", invalid="ignore"):
        logit, log_value = np.log(churn / (1 - churn)), np.log(value)
    held = words.of_texts & (rows == 1)
    of_churn = _shown("churn", words, held, found.churn, baseline=found.churn_baseline, total=logit)
    return of_churn, _shown("value", words, held, found.value, baseline=found.value_baseline, total=log_value)


def _shown(target: str, words: _Words, held: Flags, contributions: Floats, *, baseline: float, total: Floats) -> _Shown:
    sums = contributions @ words.groups
    strongest = np.argsort(-np.abs(sums), axis=1, kind="stable")[:, :MOST_SHOWN]
    shown = np.take_along_axis(sums, strongest, axis=1)
    faces = _faces(contributions, held, words.tellers, sums, strongest)
    framed = _framed(baseline, shown, total - baseline - shown.sum(axis=1))
    kept = np.isfinite(total)[:, None] & (framed != 0)
    kept[:, -1] = np.isfinite(total)
    titles = _framed(_NAMES[BASELINE], _titles(words, held, faces), _NAMES[ALL_OTHER])
    return _Shown(target, _framed(BASELINE, words.names[faces], ALL_OTHER), titles, framed, kept)


def _frame(shown: _Shown) -> pl.DataFrame:
    """One line for each reason that is kept: row, target, feature, name, contribution."""
    kept = shown.kept
    columns = {"feature": shown.features[kept], "name": shown.names[kept], "contribution": shown.contributions[kept]}
    return pl.DataFrame({"row": np.nonzero(kept)[0], **columns}).with_columns(target=pl.lit(shown.target))


def _framed(first: object, shown: npt.NDArray[Any], last: object) -> npt.NDArray[Any]:
    """What is shown of each row (rows, shown) with what comes before and after it."""
    before, after = (np.broadcast_to(np.asarray(edge), len(shown)) for edge in (first, last))
    return np.column_stack([before, shown, after])


def _titles(words: _Words, held: Flags, faces: Places) -> Texts:
    """The titles (rows, shown) of the faces; a value of an attribute that the customer does not hold is not named."""
    named = held | ~words.of_texts
    return np.where(np.take_along_axis(named, faces, axis=1), words.titles[faces], words.general[faces])


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
