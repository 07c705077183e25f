"""Commands about data: check, features, simulate."""

from __future__ import annotations

import sys
import warnings
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands.terminal import (
    AS_JSON,
    DATA,
    ENGINE,
    HORIZON,
    PATH,
    SEED,
    TABLE_FILES,
    Day,
    Names,
    require_no_input,
    require_unused,
    to_json,
    today,
)
from keepwell.errors import ConfigError, HistoryError
from keepwell.progress import Steps

if TYPE_CHECKING:
    from features.company import Company
    from features.definitions import Entry


@click.command()
@DATA
@HORIZON
@AS_JSON
def check(data: Path, horizon: int | None, as_json: bool) -> None:
    """Say what DATA holds, whether one can train on it, what is lacking, and what looks like a leak.

    Example: keepwell check shop --horizon 90d
    """
    from features.checks.check import check_report
    from features.flat import is_flat
    from features.reading.sources import read_company
    from training.flat.labels import flat_check
    from training.leaks.search import leaks

    steps = Steps()
    with steps.step(f"Reading {data}"):
        company = read_company(data)
    with steps.step("Looking for leaks"):
        found = leaks(company, horizon)
    report = check_report(company, horizon, found, flat_check(company) if is_flat(company) else None)
    click.echo(to_json(report.as_dict()) if as_json else "\n".join(report.lines()))
    if not report.trainable:
        sys.exit(HistoryError.exit_code)


@click.command()
@click.argument("data", type=PATH, required=False)
@click.option("--as-of", "dates", type=Day(), multiple=True, help="A date; give it again for a panel of several. Default: today.")
@click.option("--out", type=TABLE_FILES, help="Where to write: .parquet or .csv.")
@ENGINE
@click.option("--columns", type=Names(), help="The features to write, in this order. Default: all that DATA allows.")
@click.option("--catalog", is_flag=True, help="Print every feature with its meaning instead.")
@AS_JSON
def features(
    data: Path | None,
    dates: tuple[date, ...],
    out: Path | None,
    engine: str,
    columns: tuple[str, ...] | None,
    catalog: bool,
    as_json: bool,
) -> None:
    """Write one row of features per customer and date, sorted by date and customer.

    Attributes of customers that are known of the day of the export alone are there for a single date, and left out of several.
    With --catalog, DATA adds the features of its attributes to the list.

    The rows are written as they are made, so a panel may be larger than the memory. The other engines give the same rows by
    the same definitions; Spark writes a folder of Parquet files, in no order (docs/spark.md).

    Example: keepwell features shop --as-of 2026-01-01 --columns recency_days,spend_90d --out features.parquet
    """
    if catalog:
        click.echo(_catalog(_described(data, dates), as_json))
    elif data is None or out is None:
        raise click.UsageError("give DATA and --out, or --catalog")
    else:
        _write_features(data, dates, columns, engine, out)


@click.command()
@click.argument("folder", type=PATH)
@click.option("--customers", type=click.IntRange(min=1), default=20_000, show_default=True, help="How many customers.")
@click.option("--months", type=click.IntRange(min=1), default=24, show_default=True, help="How many months of history.")
@SEED
@click.option("--truth", type=PATH, help="Also write what is true of each customer (.parquet), outside FOLDER.")
def simulate(folder: Path, customers: int, months: int, seed: int, truth: Path | None) -> None:
    """Make a company of known truth: customers, transactions, complaints, payments, contacts, surveys.

    Example: keepwell simulate shop --customers 5000 --truth truth.parquet
    """
    from datasets.simulate import simulate as make_company

    require_unused(folder)
    made = make_company(folder, customers=customers, months=months, seed=seed)
    if truth is not None:
        made.write(truth)
    click.echo(f"{customers:,} customers and {months} months until {made.until}: {folder}")


def _described(data: Path | None, dates: tuple[date, ...]) -> list[Entry]:
    """The entries of the catalog and, with DATA, of its attributes."""
    from features.catalog import CATALOG, find, own_names
    from features.reading.sources import read_company
    from features.vocabulary import attribute_names

    entries = list(CATALOG.values())
    if data is None:
        return entries
    company = read_company(data)
    attributes = attribute_names(company, max(dates, default=today(company)), timely=len(dates) > 1)
    names = (*own_names(company), *attributes)
    return [*entries, *(find(name).entry for name in names)]


def _catalog(entries: list[Entry], for_programs: bool) -> str:
    if for_programs:
        return to_json([vars(entry) for entry in entries])
    return "\n".join(line for entry in entries for line in _entry_lines(entry))


def _entry_lines(entry: Entry) -> tuple[str, str]:
    missing = f"missing: {entry.missing}" if entry.missing else "never missing"
    facts = f"{entry.unit}, {entry.range}; of {entry.table}; {missing}{'; actionable' if entry.actionable else ''}"
    return f"{entry.name}: {entry.title}. {entry.meaning}", f"    {facts}"


def _write_features(data: Path, dates: tuple[date, ...], columns: tuple[str, ...] | None, engine: str, out: Path) -> None:
    from features.checks.check import require_history
    from features.engines import start, write_panel_of
    from features.reading.sources import read_company
    from features.vocabulary import left_out

    steps = Steps()
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")  # Arrow goes in and out, no pandas
    warnings.filterwarnings("ignore", "DataFrame is highly fragmented")  # Narwhals on pandas; nothing that the user could change
    require_no_input(out, data)
    start(engine, out)
    with steps.step(f"Reading {data}"):
        company = read_company(data)
    asked = tuple(sorted(set(dates))) or (today(company),)
    for day in asked:
        require_history(company, day)
    names = _names(company, columns, asked)
    if columns is None:
        for note in left_out(company, asked[-1], timely=len(asked) > 1):
            click.echo(f"  {note}", err=True)
    rows = write_panel_of(company, out, engine, dates=asked, names=names, progress=steps)
    click.echo(f"{rows:,} rows of {len(names)} features: {out}")


def _names(company: Company, columns: tuple[str, ...] | None, dates: tuple[date, ...]) -> tuple[str, ...]:
    """The features asked for, if there are such and the company has what they are made of; all that it allows by default."""
    from features.catalog import allows, find, is_timely, panel_names

    if columns is None:
        return panel_names(company, dates)
    for feature in map(find, columns):
        if not allows(company, feature.name):
            made_of = ", ".join(feature.needs) or feature.entry.table
            hint = f"it is made from {made_of}; `keepwell check` says what was found"
            raise ConfigError(f"the data do not allow {feature.name}", hint=hint)
        if len(dates) > 1 and not is_timely(company, feature.name):
            hint = "ask for one date, give customers a known_at, or name what never changes under static: in company.yaml"
            raise ConfigError(f"{feature.name} is known of the day of the export alone, not of several dates", hint=hint)
    return columns
