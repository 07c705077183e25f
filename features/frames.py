"""The executor for tables: Narwhals expressions on whatever engine the tables live in.

Views are built once where every row was known on its own day; where rows came late or were replaced by newer versions, they
are built again for each date from the rows known before it. Then each date takes one group-by per view.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import reduce
from operator import and_
from typing import Any, TypeAlias

import narwhals as nw

from features.asof import NEVER_DAY, Column, day_number, known_before
from features.definitions import Aggregate, Computed, Feature, View, absent
from features.recipe import Recipe, event_day, is_text

Frame: TypeAlias = nw.LazyFrame[Any]
"""A table of any engine."""


class FrameOperations:
    """`Operations` on Narwhals expressions; missing is null."""

    def __init__(self, decimals: Mapping[str, int], as_of_day: int) -> None:
        self.as_of_day, self._decimals = as_of_day, decimals

    def divide(self, numerator: Column, denominator: Column) -> Column:
        """See `Operations`."""
        return nw.when(denominator != 0).then(numerator / denominator)

    def where(self, condition: Column, value: Column, otherwise: Column = None) -> Column:
        """See `Operations`."""
        branch = nw.when(condition).then(value)
        return branch if otherwise is None else branch.otherwise(otherwise)

    def is_missing(self, column: Column) -> Column:
        """See `Operations`."""
        return column.is_null()

    def whole(self, column: Column) -> Column:
        """See `Operations`."""
        return column.floor().cast(nw.Int64)

    def root(self, column: Column) -> Column:
        """See `Operations`."""
        return column.sqrt()

    def over(self, column: Column, number: int) -> Column:
        """See `Operations`. Not over a scalar: there Polars multiplies by the inverse, which rounds twice."""
        return column / (column * 0 + number)

    def once(self, column: Column) -> Column:
        """See `Operations`. Columns of views are computed where they stand."""
        return column

    def all_below(self, _column: Column, _bound: float) -> bool:
        """See `Operations`. An expression has no values yet."""
        return False

    def money(self, minor_units: Column, amounts: str) -> Column:
        """See `Operations`."""
        return self.over(minor_units, 10 ** self._decimals.get(amounts, 0))  # a column that is not there has none

    def evaluate(self, computed: Computed) -> Column:
        """The formula over columns of the frame."""
        return computed.formula(self, *map(nw.col, computed.inputs))


class LayeredOperations(FrameOperations):
    """Operations that set aside what is computed once, as further columns: a layer may build on those before it."""

    def __init__(self, decimals: Mapping[str, int], as_of_day: int) -> None:
        super().__init__(decimals, as_of_day)
        self.layers: list[list[Column]] = []
        self._depth = 0

    def once(self, column: Column) -> Column:
        """See `Operations`."""
        if self._depth == len(self.layers):
            self.layers.append([])
        layer = self.layers[self._depth]
        name = f"step_{self._depth}_{len(layer)}"
        layer.append(column.alias(name))
        self._depth += 1
        return nw.col(name)

    def evaluated(self, feature: Feature) -> Column:
        """The column of a feature."""
        self._depth = 0
        return feature.formula(self, *(nw.col(one.name) for one in feature.inputs)).cast(nw.Float64).alias(feature.name)


class PanelFrames:
    """The panel of a recipe over one company's normalised tables, date by date.

    `settle` makes a view that serves many dates ready once, where an engine needs that.
    """

    def __init__(
        self,
        tables: Mapping[str, Frame],
        decimals: Mapping[str, int],
        recipe: Recipe,
        settle: Callable[[Frame], Frame] = lambda frame: frame,
    ) -> None:
        self._decimals, self._recipe = decimals, recipe
        used = {view.table for view in recipe.views.values()} & set(tables)
        self._tables = {name: _typed(tables[name]) for name in used}
        self._late = {name for name in used if _any_late(self._tables[name], event_day(name))}
        self._ready = {
            name: settle(self._built(view, self._tables[view.table]))
            for name, view in recipe.views.items()
            if view.table in used and (view.all_versions or view.table not in self._late)
        }

    def at(self, as_of: date) -> Frame:
        """The rows of one date: customer_id, as_of and the features, in no order."""
        operations = FrameOperations(self._decimals, day_number(as_of))
        parts = [self._taken(name, operations) for name, view in self._recipe.views.items() if view.table in self._tables]
        rows = reduce(lambda left, right: left.join(right, on="customer_id", how="left"), parts)
        layered = LayeredOperations(self._decimals, operations.as_of_day)
        features = [layered.evaluated(feature) for feature in self._recipe.features]
        rows = rows.select("customer_id", *self._filled())
        for layer in layered.layers:
            rows = rows.select(nw.all(), *layer)  # not with_columns: pandas would insert one by one
        return rows.select("customer_id", nw.lit(as_of).cast(nw.Date).alias("as_of"), *features)

    def _taken(self, name: str, operations: FrameOperations) -> Frame:
        """The aggregates of one view by customer."""
        view, aggregates = self._recipe.views[name], self._recipe.aggregates[name]
        rows = self._ready[name] if name in self._ready else self._built(view, self._known(view.table, operations.as_of_day))
        rows = rows.filter(nw.col("day") < operations.as_of_day).with_columns(age=operations.as_of_day - nw.col("day"))
        masked = rows.select("customer_id", *(_masked(one, view, operations) for one in aggregates))
        return masked.group_by("customer_id").agg(*(_summary(one) for one in aggregates))

    def _known(self, table: str, as_of_day: int) -> Frame:
        """The versions of rows that counted at `as_of`; rows that are no events have no versions."""
        superseded = nw.col("superseded_day") if event_day(table) else nw.lit(NEVER_DAY)
        return self._tables[table].filter(known_before(as_of_day, nw.col("known_day"), superseded))

    def _built(self, view: View, rows: Frame) -> Frame:
        """The rows of a view from the rows of its table."""
        never = FrameOperations(self._decimals, as_of_day=0)  # view columns do not depend on the date
        present = rows.collect_schema().names()
        rows = rows.with_columns("customer_id", *(_absent(view, name) for name in sorted(view.sources()) if name not in present))
        if view.keep:
            rows = rows.filter(never.evaluate(view.keep))
        rows = rows.select("customer_id", *(never.evaluate(made).alias(name) for name, made in view.columns.items()))
        if view.keys:
            rows = rows.group_by("customer_id", *view.keys).agg(
                *(_total(name, one.how, one.column) for name, one in view.totals.items())
            )
        neighbours = {name: nw.col(source).shift(1) for name, source in view.previous.items()}
        neighbours |= {name: nw.col(source).shift(-1) for name, source in view.following.items()}
        neighbours |= {name: nw.col(source).cum_sum() for name, source in view.running.items()}
        rows = rows.with_columns(
            "customer_id", *(made.over(*view.within, order_by="day").alias(name) for name, made in neighbours.items())
        )
        for layer in _layers(view.later):
            rows = rows.with_columns(*(never.evaluate(made).alias(name) for name, made in layer.items()))
        return rows

    def _filled(self) -> list[Column]:
        """Counts and sums of customers without a row are 0 where the table exists, and missing where it does not."""
        columns = []
        for name, aggregates in self._recipe.aggregates.items():
            exists = self._recipe.views[name].table in self._tables
            for one in aggregates:
                column = nw.col(one.name) if exists else nw.lit(None, dtype=nw.Float64)
                counted = exists and one.how in ("count", "sum")
                columns.append((column.fill_null(0).cast(nw.Int64) if counted else column.cast(nw.Float64)).alias(one.name))
        return columns


def _typed(frame: Frame) -> Frame:
    """The same rows with 64-bit integers, so that nothing overflows on the way."""
    integers = [name for name, kind in frame.collect_schema().items() if kind.is_integer() and name != "customer_id"]
    return frame.with_columns(nw.col(*integers).cast(nw.Int64)) if integers else frame


def _any_late(frame: Frame, event_day: str | None) -> bool:
    """Whether a row became known after its day, or was replaced by a newer version; what is no event, whether a date is told."""
    if event_day is None:
        return "known_day" in frame.collect_schema().names()
    late = frame.filter((nw.col("known_day") > nw.col(event_day)) | (nw.col("superseded_day") < NEVER_DAY))
    return len(late.head(1).collect()) > 0


def _absent(view: View, name: str) -> Column:
    """The column of a view's table that does not have it."""
    if is_text(view.table, name, [view]):
        return nw.lit(None, dtype=nw.String).alias(name)
    value = absent(name)
    return nw.lit(value, dtype=nw.Float64 if value is None else nw.Int64).alias(name)


def _layers(later: Mapping[str, Computed]) -> list[dict[str, Computed]]:
    """The columns in as few steps as can be: each builds on those of the steps before."""
    layers: list[dict[str, Computed]] = []
    depths: dict[str, int] = {}
    for name, made in later.items():
        depths[name] = max((depths[given] + 1 for given in made.inputs if given in depths), default=0)
        layers += [{}] if depths[name] == len(layers) else []
        layers[depths[name]][name] = made
    return layers


def _total(name: str, how: str, column: str) -> Column:
    """One column of a grouped view."""
    source = nw.col(column)
    return {"sum": source.sum, "min": source.min, "distinct": source.n_unique}[how]().alias(name)


def _masked(one: Aggregate, view: View, operations: FrameOperations) -> Column:
    """What each row gives to the aggregate: its value where it counts, else 0 or missing."""
    value = nw.lit(1) if one.how == "count" else nw.col(one.column)
    conditions = [operations.evaluate(view.conditions[one.where])] if one.where else []
    if one.window.newest > 0:
        conditions.append(nw.col("age") > one.window.newest)
    if one.window.oldest is not None:
        conditions.append(nw.col("age") <= one.window.oldest)
    if not conditions:
        return value.alias(one.name)
    return operations.where(reduce(and_, conditions), value, 0 if one.how in ("count", "sum") else None).alias(one.name)


def _summary(one: Aggregate) -> Column:
    """The masked column of an aggregate brought together for a customer."""
    column = nw.col(one.name)
    return {"count": column.sum, "sum": column.sum, "min": column.min, "max": column.max}[one.how]()
