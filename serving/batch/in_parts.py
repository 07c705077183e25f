"""Batch scoring in parts: the scores of `serving.batch.scoring`, to the last bit, made for some customers at a time.

    part_rows      a part's company  ->  one row per customer: forecasts, and what decisions read
    figures, steps those rows        ->  what all customers together must know: figures to compare, steps between categories
    part_scores    rows, and what all together say  ->  score columns
    part_reasons   the company of those who get reasons  ->  their reasons

Nothing here knows where the parts lie, or in which order they come.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from decisions.columns import number
from decisions.decide import OPTIONAL, PREVIOUS, TEXTS, decide
from decisions.policy import Policy
from decisions.population import COMPARED, FIGURES, Population
from decisions.schemes.next_category import Steps, next_after, steps_of
from decisions.schemes.quadrants import potential_value
from features.company import Company
from features.panel import build_panel, feature_names
from serving.batch.decision_inputs import PATHS, category_codes, category_paths, own_inputs, previous_words
from serving.batch.reasons import REASONS, reasons_of
from serving.batch.scoring import model_matrix, score_table

if TYPE_CHECKING:
    from training.registry import ModelInfo, Predictor

LINK = "value_if_active"
"""A forecast that decisions read and scores do not show."""
FORECASTS = ("churn_probability", "expected_value", LINK, "value_low", "value_high")
FURTHER = "churn_probability_"
NUMBERS = tuple(name for name in OPTIONAL if name not in TEXTS)
WORDS = ("kind", *PREVIOUS.values())
EXPLAINED_AT_ONCE = 10_000
"""Customers whose contributions are in memory together."""
STEP_TYPES = {"a": pl.String, "b": pl.String, "parts": pl.Int64, "times": pl.Int64}


@dataclass(frozen=True)
class Together:
    """What all customers together say: their cuts, the `categories` in order with the steps between them, what all rows share."""

    among: Population
    categories: pl.Series
    steps: Steps
    run: Mapping[str, Any]


def row_types(customer_id: Any, further: Iterable[str]) -> dict[str, Any]:  # noqa: ANN401  # a type of Polars
    """The columns of `part_rows` and their types, for the columns of the model's `further` horizons."""
    floats = dict.fromkeys((*FORECASTS, *further, "value_at_risk", "current_value", "potential_value", *NUMBERS), pl.Float64)
    return {"customer_id": customer_id, "as_of": pl.Date, **floats, **dict.fromkeys(WORDS, pl.String), **PATHS}


def part_rows(company: Company, scorer: Predictor, as_of: date, previous: pl.DataFrame | None) -> pl.DataFrame:
    """What a part of the customers tells of itself: the columns of `row_types` for those who bought before `as_of`, by id.

    `company` holds all rows of these customers, in the minor units of the whole; `previous` the scores of an earlier date.
    """
    info = scorer.info
    read = [name for name in feature_names(company) if name in NUMBERS]
    panel = build_panel(company, [as_of], tuple(dict.fromkeys((*read, *info.feature_names))))
    ids = panel["customer_id"]
    forecast = scorer.predict(model_matrix(panel, info.feature_names))
    told: dict[str, npt.NDArray[Any]] = {
        **{name: panel[name].to_numpy() for name in read},  # null becomes NaN
        **own_inputs(company, ids, as_of),
        **({} if previous is None else previous_words(previous, ids)),
        **{name: getattr(forecast, name) for name in FORECASTS},
        **forecast.further_columns(),
        "value_at_risk": forecast.churn_probability * forecast.value_if_active,
    }
    told |= _worth(told, panel.height, info)
    types = row_types(ids.dtype, forecast.further_columns())
    paths = category_paths(company, ids, as_of)
    known = {"customer_id": ids, "as_of": panel["as_of"], **{name: paths[name] for name in PATHS}}
    columns = [known[name] if name in known else _column(name, told.get(name), dtype, len(ids)) for name, dtype in types.items()]
    return pl.DataFrame(columns)


def _worth(told: Mapping[str, npt.NDArray[Any]], rows: int, info: ModelInfo) -> dict[str, npt.NDArray[np.float64]]:
    """Current and potential value, by which customers are compared, as decisions make them."""
    current, wallet = (number(told, name, rows) for name in ("net_spend_365d", "wallet"))
    horizon = np.full(rows, float(info.horizon_days))
    return {"current_value": current, "potential_value": potential_value(wallet, current, told["expected_value"], horizon)}


def _column(name: str, values: npt.NDArray[Any] | None, dtype: Any, rows: int) -> pl.Series:  # noqa: ANN401  # a type of Polars
    """The values as a column, null where missing; all null for None."""
    if values is None:
        return pl.Series(name, [None] * rows, dtype=dtype)
    return pl.Series(name, values.tolist(), dtype, nan_to_null=True, strict=False)


def figures(rows: pl.DataFrame, protected: Collection[str]) -> pl.DataFrame:
    """The columns of some rows that all customers are compared by; ids, as text, of the `protected` ones alone."""
    mine = pl.col("customer_id").cast(pl.String)
    compared = [name for name in COMPARED if rows[name].null_count() < rows.height]
    return rows.select(*FIGURES, *compared, *([pl.when(mine.is_in(list(protected))).then(mine)] if protected else []))


def as_columns(gathered: pl.DataFrame) -> dict[str, npt.NDArray[Any]]:
    """What `figures` gave of all parts, as `decisions.population` reads it."""
    numbers = {name: _floats(gathered, name) for name in FIGURES}
    texts = [name for name in gathered.columns if name not in FIGURES]
    return {**numbers, **{name: np.array(gathered[name].to_list(), dtype=object) for name in texts}}


def part_steps(rows: pl.DataFrame) -> pl.DataFrame:
    """The steps between categories of some rows, as counts to be added up: STEP_TYPES, `b` null for the customers of `a`."""
    names = rows["categories"].explode().drop_nulls().unique().sort()
    if names.is_empty():
        return pl.DataFrame(schema=STEP_TYPES)
    steps = steps_of(*_path(rows, names), customers=rows.height, categories=len(names))
    after = pl.DataFrame(steps.follows, schema=[("a", pl.Int64), ("b", pl.Int64), ("parts", pl.Int64), ("times", pl.Int64)])
    follows = after.with_columns(a=names.gather(after["a"]), b=names.gather(after["b"]))
    customers = pl.DataFrame({"a": names, "times": steps.customers_of}).with_columns(b=None, parts=0)
    return pl.concat([frame.select(pl.col(n).cast(t) for n, t in STEP_TYPES.items()) for frame in (follows, customers)])


def steps_together(counted: pl.DataFrame, customers: int) -> tuple[pl.Series, Steps]:
    """All categories in order, and the steps between them, from the counts of all parts."""
    counts = counted.group_by("a", "b", "parts").agg(pl.col("times").sum())
    of_category = counts.filter(pl.col("b").is_null()).sort("a")
    names, follows = of_category["a"], counts.filter(pl.col("b").is_not_null())
    places = [category_codes(follows[name], names) for name in ("a", "b")]
    rows = np.column_stack([*places, follows["parts"].to_numpy(), follows["times"].to_numpy()])
    return names, Steps(rows, of_category["times"].to_numpy(), customers)


def part_scores(rows: pl.DataFrame, info: ModelInfo, policy: Policy, together: Together) -> pl.DataFrame:
    """The score columns of some rows; `reasons` is null."""
    predicted = {name: _floats(rows, name) for name in _forecasts(rows)}
    columns = {
        **{name: _floats(rows, name) for name in NUMBERS},
        **{name: np.array(rows[name].to_list(), dtype=object) for name in WORDS},
        **predicted,
        "horizon_days": np.full(rows.height, info.horizon_days),
        "customer_id": rows["customer_id"].to_numpy(),
        "next_category": _next(rows, together),
    }
    decided = decide(columns, policy, info.edges, together.among)
    nothing = pl.Series("reasons", [None] * rows.height, dtype=REASONS)
    return score_table(rows, {name: predicted[name] for name in predicted if name != LINK}, decided, nothing, together.run)


def part_reasons(company: Company, scorer: Predictor, as_of: date) -> pl.DataFrame:
    """Columns customer_id and reasons, for everybody in `company` who bought before `as_of`."""
    names = scorer.info.feature_names
    panel = build_panel(company, [as_of], names)
    lists = []
    for some in panel.iter_slices(EXPLAINED_AT_ONCE):
        matrix = model_matrix(some, names)
        lists.append(reasons_of(scorer, matrix, scorer.predict(matrix), np.arange(some.height)))
    return panel.select("customer_id").with_columns(reasons=pl.concat(lists))


def _forecasts(rows: pl.DataFrame) -> list[str]:
    """The columns that the model has made, those of further horizons last."""
    return [*FORECASTS, *(name for name in rows.columns if name.startswith(FURTHER))]


def _next(rows: pl.DataFrame, together: Together) -> npt.NDArray[Any]:
    names = together.categories
    best = next_after(*_path(rows, names), customers=rows.height, steps=together.steps)
    return np.array([*names, None], dtype=object)[best]


def _path(rows: pl.DataFrame, names: pl.Series) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The first purchases in each category: place of the customer, day, place of the category among `names`."""
    known = rows.select(*PATHS).with_row_index("place").drop_nulls().explode(*PATHS)
    codes = category_codes(known["categories"], names)
    return known["place"].to_numpy().astype(np.int64), known["category_days"].to_numpy().astype(np.int64), codes


def _floats(rows: pl.DataFrame, name: str) -> npt.NDArray[np.float64]:
    """A column of numbers, NaN = missing."""
    return rows[name].fill_null(float("nan")).to_numpy()
