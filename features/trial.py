"""The trial of a feature of one's own: the laws that ours keep, on a company made up of random rows in every table.

    time       events at and after a date change nothing, nor does what is filled in later in rows that were known
    order      the order of rows changes nothing
    endpoint   the row of one request is the row of the panel
    engines    the tables on Polars give what the arrays give
    range      values lie in the range that the entry says

What passes is not proven right; what looks ahead is found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache

import numpy as np
import polars as pl

from features.arrays import feature_matrix
from features.asof import NEVER_DAY, NEVER_US, day_number, known_before
from features.company import Company
from features.definitions import Feature
from features.engines import build_frames, to_polars
from features.panel import build_panel
from features.reading.assemble import assemble
from features.tables import TABLES, Column, Kind, Table
from keepwell.errors import ConfigError, KeepwellError

DATES = (date(2024, 3, 1), date(2024, 9, 15))
"""Dates in the midst of the made-up log, so that much lies before and after each."""

CUSTOMERS, ROWS_EACH, SEED = 40, 12, 20
DAYS_BEFORE, DAYS_AFTER, LONGEST_DELAY_DAYS = 800, 300, 60
ACROSS_ENGINES = 1e-9

FILLED_IN_LATER: Mapping[str, tuple[str, ...]] = {
    "delivered": (),
    "first_response": (),
    "closed": ("satisfaction",),
    "paid": (),
    "ended": (),
    "outcome": ("accepted", "converted"),
}
"""Times that a row gets after it became known, and the columns that are told with them."""


def try_features(features: Sequence[Feature]) -> None:
    """ConfigError for the first law that one of the features breaks, with a customer for whom it does."""
    names = [feature.name for feature in features]
    for late in (False, True):
        _try_time(trial_company(late=late), names)
    company = trial_company(late=False)
    panel = _made("build", names, lambda: build_panel(company, DATES, names))
    asked = _made("endpoint", names, lambda: pl.concat(_by_request(company, as_of, names) for as_of in DATES))
    _compare(panel, asked, names, "differs between one request and the panel")
    shuffled = _made("order", names, lambda: build_panel(_shuffled(company), DATES, names))
    _compare(panel, shuffled, names, "changes with the order of rows")
    framed = _made("engines", names, lambda: to_polars(build_frames(company.tables, company.scales, DATES, names)))
    _compare(panel, framed, names, "differs between Polars and NumPy", tolerance=ACROSS_ENGINES)
    for feature in features:
        _refuse_outside(feature, panel[feature.name].drop_nulls())


def _try_time(company: Company, names: Sequence[str]) -> None:
    """ConfigError where a row differs between the whole log and what was known at its date."""
    panel = _made("build", names, lambda: build_panel(company, DATES, names))
    known = {as_of: known_company(company, day_number(as_of)) for as_of in DATES}
    then = _made("time", names, lambda: pl.concat(build_panel(known[as_of], [as_of], names) for as_of in DATES))
    _compare(panel, then, names, "changes when events at or after as_of are added: it looks ahead")


@lru_cache(maxsize=2)
def trial_company(*, late: bool) -> Company:
    """A company with random rows in every table that features may read, before and after the dates of the trial.

    `late`: some rows became known later than they happened, and some were replaced by newer versions.
    """
    rng = np.random.default_rng(SEED)
    frames = {name: _random_table(table, rng) for name, table in TABLES.items() if name != "labels"}
    return assemble({name: frame if late else frame.drop("known_at") for name, frame in frames.items()}, key="trial")


def known_company(company: Company, day: int) -> Company:
    """The company as it was known before `day`: later rows, later corrections and what was filled in later are gone."""
    return replace(company, tables={name: _known_table(company, name, day) for name in company.tables})


def _known_table(company: Company, name: str, day: int) -> pl.DataFrame:
    frame = company.tables[name]
    if "known_day" in frame.columns:
        frame = frame.filter(known_before(day, pl.col("known_day")))
    if "superseded_day" in frame.columns:
        frame = frame.with_columns(_or_never(pl.col("superseded_day") >= day, "superseded_day", frame))
    for stem, told_with in FILLED_IN_LATER.items():
        if f"{stem}_day" in frame.columns:
            later = pl.col(f"{stem}_day") >= day
            times = [column for column in (f"{stem}_day", f"{stem}_us") if column in frame.columns]
            told = [pl.when(~later).then(pl.col(column)).alias(column) for column in told_with if column in frame.columns]
            frame = frame.with_columns(*told, *(_or_never(later, column, frame) for column in times))
    return frame


def _or_never(later: pl.Expr, column: str, frame: pl.DataFrame) -> pl.Expr:
    never = NEVER_US if column.endswith("_us") else NEVER_DAY
    return pl.when(later).then(never).otherwise(pl.col(column)).cast(frame.schema[column]).alias(column)


def _shuffled(company: Company) -> Company:
    tables = {name: frame.sample(fraction=1, shuffle=True, seed=SEED) for name, frame in company.tables.items()}
    return replace(company, tables=tables)


def _by_request(company: Company, as_of: date, names: Sequence[str]) -> pl.DataFrame:
    histories = {name: {column.name: column.to_numpy() for column in frame} for name, frame in company.tables.items()}
    ids, matrix = feature_matrix(histories, company.scales, as_of, names)
    return pl.DataFrame({"customer_id": ids, **dict(zip(names, matrix.T, strict=True))}).with_columns(as_of=pl.lit(as_of))


def _made(step: str, names: Sequence[str], work: Callable[[], pl.DataFrame]) -> pl.DataFrame:
    """What the work makes, in order; ConfigError in words for whatever a stranger's formula raises."""
    try:
        return work().sort("as_of", "customer_id")
    except KeepwellError:
        raise
    except Exception as error:
        told = f"{', '.join(names)}: cannot be computed ({step}: {type(error).__name__}: {error})"
        raise ConfigError(told, hint="formulas take operations first and use only their methods and operators") from error


def _compare(panel: pl.DataFrame, other: pl.DataFrame, names: Sequence[str], law: str, *, tolerance: float = 0.0) -> None:
    keys = ["as_of", "customer_id"]
    both = panel.select(*keys, *names).join(other.select(*keys, pl.col(names).name.suffix(" again")), on=keys, how="left")
    for name in names:
        one, two = (both[column].fill_null(float("nan")).to_numpy() for column in (name, f"{name} again"))
        wrong = np.flatnonzero(~np.isclose(one, two, rtol=tolerance, atol=0, equal_nan=True))
        if wrong.size:
            values = " and ".join("missing" if np.isnan(value) else f"{value:g}" for value in (one[wrong[0]], two[wrong[0]]))
            hint = f"of {len(one)} rows {wrong.size} differ, the first has {values}; docs/extending.md has the laws"
            raise ConfigError(f"the feature {name} {law}", hint=hint)


def _refuse_outside(feature: Feature, values: pl.Series) -> None:
    entry = feature.entry
    outside = values.filter(~values.is_finite())
    if entry.low is not None:
        outside = outside.append(values.filter(values < entry.low))
    if entry.high is not None:
        outside = outside.append(values.filter(values > entry.high))
    if len(outside):
        hint = "correct low= and high= of its entry, or the formula"
        raise ConfigError(f"the feature {entry.name} says {entry.range}, and gave {outside[0]:g}", hint=hint)


def _random_table(table: Table, rng: np.random.Generator) -> pl.DataFrame:
    """Random rows of a table with all its columns; some values are missing where they may be."""
    rows = CUSTOMERS if table.event_time is None else CUSTOMERS * ROWS_EACH
    who, days = np.arange(rows), rng.integers(0, DAYS_BEFORE + DAYS_AFTER, rows)
    if table.event_time:
        pairs = rng.integers(0, rows, (2, rows // 2))  # half of the rows share customer and day with another
        who = rng.integers(0, CUSTOMERS, rows)
        who[pairs[0]], days[pairs[0]] = who[pairs[1]], days[pairs[1]]
    begin = datetime.combine(DATES[0], time.min) - timedelta(DAYS_BEFORE)
    minutes = days * 1_440 + rng.integers(0, 1_440, rows)
    happened = pl.Series([begin + timedelta(minutes=int(each)) for each in minutes], dtype=pl.Datetime("us"))
    columns = {}
    for column in table.columns:
        if column.name == "customer_id":
            columns[column.name] = pl.Series([f"C{number:03}" for number in who])
        elif column.name == table.event_time:
            columns[column.name] = happened
        else:
            missing = pl.Series(rng.random(rows) < (0.0 if column.required else 0.3))
            values = _random_values(table, column, happened, rng)
            columns[column.name] = pl.select(pl.when(~missing).then(values)).to_series()
    return pl.DataFrame(columns)


def _random_values(table: Table, column: Column, happened: pl.Series, rng: np.random.Generator) -> pl.Series:
    rows = len(happened)
    if column.kind in (Kind.TIME, Kind.DATE):
        delay = pl.Series(rng.integers(0, LONGEST_DELAY_DAYS * 1_440, rows) * 60_000_000).cast(pl.Duration("us"))
        return happened + delay if column.kind is Kind.TIME else happened.dt.date()
    if column.kind is Kind.MONEY:
        signs = np.where(rng.random(rows) < (0.1 if column.name == "amount" and table.name == "transactions" else 0.0), -1, 1)
        return pl.Series(signs * rng.integers(1, 20_000, rows) / 100)
    if column.kind is Kind.NUMBER:
        low, high = max(column.low or 0, 0), min(100 if column.high is None else column.high, 100)
        return pl.Series(np.round(rng.uniform(low, high, rows), 1))
    if column.kind is Kind.FLAG:
        return pl.Series(rng.integers(0, 2, rows).astype(bool))
    words = column.choices or tuple(f"{column.name}{number}" for number in range(4 if column.kind is Kind.TEXT else rows // 2))
    return pl.Series(rng.choice(words, rows))
