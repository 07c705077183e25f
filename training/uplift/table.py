"""An experiment in a plain table: one row for each customer that was drawn, columns named by whoever asks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from features.reading.files import open_table
from features.reading.refusals import unreadable
from features.vocabulary import common_values
from keepwell.errors import ConfigError, DataError
from training.arrays import Floats, Ints
from training.uplift.data import CONTROL, Experiment, checked, observed_propensity

TABLE = "experiment"


@dataclass(frozen=True)
class Layout:
    """Which column of the table is what, and what arms cost.

    `control` is the value of `treatment` that stands for nothing done. `propensities` name, by arm, the column with the chance of
    that arm; the arm may be "" where there is one treatment (none: the observed shares). `customer` is the column of whom several
    rows may be. `features` are the columns to learn from (None: all that are nothing else), `without` those to leave out.
    `value` is what one unit of `outcome` is worth, or the column that says so of each customer; `costs` is what a row in an arm
    costs; other arms cost `cost`.
    """

    treatment: str
    outcome: str
    control: str
    propensities: Mapping[str, str] = field(default_factory=dict)
    customer: str | None = None
    features: tuple[str, ...] | None = None
    without: tuple[str, ...] = ()
    value: float | str = 1.0
    cost: float = 0.0
    costs: Mapping[str, float] = field(default_factory=dict)

    @property
    def named(self) -> tuple[str, ...]:
        """The columns that are named, each once."""
        some = [name for name in (self.customer, self.value) if isinstance(name, str)]
        named = (self.treatment, self.outcome, *self.propensities.values(), *some, *(self.features or ()), *self.without)
        return tuple(dict.fromkeys(named))

    def worth(self, frame: pl.DataFrame) -> Floats:
        """What one unit of the outcome is worth of each row (n,). DataError where the column does not say so of every row."""
        if not isinstance(self.value, str):
            return np.full(len(frame), self.value)
        require_columns(frame, [self.value])
        worth = _numbers(frame, self.value).fill_null(np.nan).to_numpy()
        if missing := int((~np.isfinite(worth)).sum()):
            hint = "say of every customer what a unit of the outcome is worth"
            raise DataError(TABLE, self.value, "must be a finite number", hint=hint, rows=missing)
        return worth


@dataclass(frozen=True)
class Encoding:
    """How columns become features: (column, a value of it, or None where it is a number)."""

    columns: tuple[tuple[str, str | None], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the features."""
        return tuple(column if value is None else f"{column}={value}" for column, value in self.columns)

    def matrix(self, frame: pl.DataFrame) -> Floats:
        """The features (n, features) of a table, NaN = missing; a text that was not common has all zeros.

        Raises DataError for a column that is not there, or holds text where numbers were.
        """
        require_columns(frame, dict.fromkeys(column for column, _ in self.columns))
        columns = [
            _numbers(frame, column) if value is None else (frame[column].cast(pl.String) == value).cast(pl.Float64).fill_null(0.0)
            for column, value in self.columns
        ]
        return np.column_stack([each.fill_null(np.nan).to_numpy() for each in columns]) if columns else np.empty((len(frame), 0))


def read_table(path: Path, words: Collection[str | None] = ()) -> pl.DataFrame:
    """The rows of a CSV or Parquet file, texts that are all numbers as numbers, but those of the columns `words`.

    Raises DataError for what cannot be read.
    """
    opened = open_table(TABLE, path)
    try:
        frame = opened.frame.collect()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise unreadable(TABLE, error) from error
    if frame.is_empty():
        raise DataError(TABLE, None, "has no rows", hint="bring one row for each customer that was drawn")
    return frame.with_columns(_typed(column) for column in frame if column.name not in words)


def require_columns(frame: pl.DataFrame, names: Sequence[str] | Mapping[str, object]) -> None:
    """Raise DataError for the first of `names` that the table lacks."""
    for name in names:
        if name not in frame.columns:
            raise DataError(TABLE, name, "is not there", hint=f"columns are {', '.join(frame.columns)}")


def encoding_of(frame: pl.DataFrame, layout: Layout) -> Encoding:
    """How the features of the layout are made: numbers as they are, one for each common value of a text.

    Raises ConfigError for a feature that the layout says to be something else.
    """
    apart = {*layout.without, layout.treatment, layout.outcome, layout.customer, layout.value, *layout.propensities.values()}
    if both := [name for name in layout.features or () if name in apart]:
        hint = "a feature is what was known of a customer before the draw"
        raise ConfigError(f"{both[0]!r} is named as a feature, and as something else", hint=hint)
    chosen = [name for name in layout.features or frame.columns if name not in apart]
    return Encoding(tuple(each for name in chosen for each in _encoded(frame[name])))


def table_experiment(frame: pl.DataFrame, layout: Layout, encoding: Encoding) -> Experiment:
    """The experiment that a table holds, arms in the order of their names.

    Raises DataError for a column that is not there and for values that cannot be, ConfigError for an arm that there is not,
    HistoryError where an arm has too few rows.
    """
    require_columns(frame, layout.named)
    words = frame[layout.treatment].cast(pl.String)
    missing = words.null_count()
    if missing:
        hint = "write the arm into every row, the control's too"
        raise DataError(TABLE, layout.treatment, "is missing in some rows", hint=hint, rows=missing)
    arms = _arms(words, layout)
    arm = words.replace_strict(list(arms), range(len(arms)), return_dtype=pl.Int64).to_numpy()
    ids = pl.Series(range(len(frame))) if layout.customer is None else frame[layout.customer]
    if absent := ids.null_count():
        hint = "write the id of the customer into every row"
        raise DataError(TABLE, layout.customer, "is missing in some rows", hint=hint, rows=absent)
    return checked(
        Experiment(
            name=layout.outcome,
            arms=arms,
            names=encoding.names,
            arm=arm,
            propensity=_propensity(frame, arms, arm, layout),
            outcome=_numbers(frame, layout.outcome).fill_null(np.nan).to_numpy(),
            matrix=encoding.matrix(frame),
            customer=ids.rank("dense").to_numpy().astype(np.int64) - 1,
            worth=layout.worth(frame),
            costs=np.array([0.0, *(layout.costs.get(name, layout.cost) for name in arms[1:])]),
        )
    )


def _arms(words: pl.Series, layout: Layout) -> tuple[str, ...]:
    """The control first, then the others."""
    found = sorted(words.unique())
    if layout.control not in found:
        hint = f"--control names the arm that got nothing: one of {', '.join(map(repr, found[:10]))}"
        raise ConfigError(f"no row has {layout.treatment} {layout.control!r}", hint=hint)
    others = tuple(name for name in found if name != layout.control)
    if not others:
        hint = "an effect is a difference of two arms: bring rows of an arm beside the control"
        raise DataError(TABLE, layout.treatment, f"is {layout.control!r} in every row", hint=hint)
    for option, named in (("--cost", layout.costs), ("--propensity", layout.propensities)):
        if unknown := sorted(set(named) - {"", *others}):
            raise ConfigError(f"{option} names {unknown[0]!r}, which is no arm", hint=f"arms are {', '.join(others)}")
    return (layout.control, *others)


def _propensity(frame: pl.DataFrame, arms: tuple[str, ...], arm: Ints, layout: Layout) -> Floats:
    """The chances (n, arms): of every arm but the control a column, the rest is the control's."""
    if not layout.propensities:
        return observed_propensity(arm, len(arms))
    hint, columns = "say --propensity ARM=COLUMN for every arm but the control", dict(layout.propensities)
    if "" in columns:
        if len(arms) > 2:
            raise ConfigError(f"a propensity is given, but not of which of {len(arms) - 1} arms", hint=hint)
        columns = {arms[1]: columns[""]}
    if lacking := [name for name in arms[1:] if name not in columns]:
        raise ConfigError(f"there is no propensity of {lacking[0]!r}", hint=hint)
    treated = [_numbers(frame, columns[name]).fill_null(np.nan).to_numpy() for name in arms[1:]]
    chances = np.column_stack(treated)
    return np.insert(chances, CONTROL, 1 - chances.sum(axis=1), axis=1)


def _typed(column: pl.Series) -> pl.Series:
    """Texts that are all numbers as numbers; an empty text is missing."""
    if column.dtype != pl.String:
        return column
    texts = column.str.strip_chars().replace("", None)
    numbers = texts.cast(pl.Float64, strict=False)
    return numbers if numbers.null_count() == texts.null_count() else texts


def _numbers(frame: pl.DataFrame, name: str) -> pl.Series:
    column = frame[name]
    if not (column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.Null)):
        example = column.drop_nulls()[0]
        raise DataError(TABLE, name, "must hold numbers", hint="write yes as 1 and no as 0", example=example)
    return column.cast(pl.Float64)


def _encoded(column: pl.Series) -> list[tuple[str, str | None]]:
    """The features of one column; none of a text without common values, as of names and ids."""
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        return [(column.name, None)]
    return [(column.name, value) for value in common_values(column.cast(pl.String))] if column.dtype == pl.String else []
