"""Commands about data: check, features, simulate."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands.terminal import AS_JSON, DATA, HORIZON, PATH, SEED, TABLE_FILE, Day, Names, to_json, today
from keepwell.errors import ConfigError, HistoryError
from keepwell.progress import Steps

if TYPE_CHECKING:
    from features.company import Company


@click.command()
@DATA
@HORIZON
@AS_JSON
def check(data: Path, horizon: int | None, as_json: bool) -> None:
    """Say what DATA holds, how it was understood, and whether one can train on it.

    Example: keepwell check shop --horizon 90d
    """
    from features.check import check_report
    from features.sources import read_company

    report = check_report(read_company(data), horizon)
    click.echo(to_json(report.as_dict()) if as_json else "\n".join(report.lines()))
    if not report.trainable:
        sys.exit(HistoryError.exit_code)


@click.command()
@click.argument("data", type=PATH, required=False)
@click.option("--as-of", "dates", type=Day(), multiple=True, help="A date; give it again for a panel of several. Default: today.")
@click.option("--out", type=TABLE_FILE, help="Where to write: .parquet or .csv.")
@click.option("--columns", type=Names(), help="The features to write, in this order. Default: all that DATA allows.")
@click.option("--catalog", is_flag=True, help="Print every feature with its meaning instead.")
@AS_JSON
def features(
    data: Path | None, dates: tuple[date, ...], out: Path | None, columns: tuple[str, ...] | None, catalog: bool, as_json: bool
) -> None:
    """Write one row of features per customer and date, sorted by date and customer.

    The rows are written as they are made, so a panel may be larger than the memory.

    Example: keepwell features shop --as-of 2026-01-01 --columns recency_days,spend_90d --out features.parquet
    """
    if catalog:
        click.echo(_catalog(as_json))
    elif data is None or out is None:
        raise click.UsageError("give DATA and --out, or --catalog")
    else:
        _write_features(data, dates, columns, out)


@click.command()
@click.argument("folder", type=PATH)
@click.option("--customers", type=click.IntRange(min=1), default=20_000, show_default=True, help="How many customers.")
@click.option("--months", type=click.IntRange(min=1), default=24, show_default=True, help="How many months of history.")
@SEED
@click.option("--truth", type=PATH, help="Also write what is true of each customer (.parquet), outside FOLDER.")
def simulate(folder: Path, customers: int, months: int, seed: int, truth: Path | None) -> None:
    """Make a company whose truth is known: customers, transactions, complaints, payments, contacts.

    Example: keepwell simulate shop --customers 5000 --truth truth.parquet
    """
    from datasets.simulate import simulate as make_company

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} is there already and not empty", hint="name a folder that does not exist yet")
    made = make_company(folder, customers=customers, months=months, seed=seed)
    if truth is not None:
        made.write(truth)
    click.echo(f"{customers:,} customers and {months} months until {made.until}: {folder}")


def _catalog(for_programs: bool) -> str:
    from features.catalog import CATALOG

    if for_programs:
        return to_json([vars(entry) for entry in CATALOG.values()])
    return "\n".join(f"{entry.name:34} {entry.meaning}" for entry in CATALOG.values())


def _write_features(data: Path, dates: tuple[date, ...], columns: tuple[str, ...] | None, out: Path) -> None:
    from features.check import require_history
    from features.panel import panel_blocks
    from features.sources import read_company
    from features.writing import write_panel

    steps = Steps()
    with steps.step(f"Reading {data}"):
        company = read_company(data)
    names, asked = _names(company, columns), dates or (today(company),)
    for day in asked:
        require_history(company, day)
    with steps.step(f"Building features for {len(asked)} date{'s' if len(asked) > 1 else ''}"):
        rows = write_panel(panel_blocks(company, asked, names, steps), out, steps)
    click.echo(f"{rows:,} rows of {len(names)} features: {out}")


def _names(company: Company, columns: tuple[str, ...] | None) -> tuple[str, ...]:
    """The features asked for, if there are such and the company has what they are made of; all that it allows by default."""
    from features.panel import feature_names
    from features.recipe import recipe

    allowed = feature_names(company)
    if columns is None:
        return allowed
    lacking = [feature for feature in recipe(columns).features if feature.name not in allowed]
    if lacking:
        made_of = ", ".join(lacking[0].needs) or lacking[0].entry.table
        hint = f"it is made from {made_of}; `keepwell check` says what was found"
        raise ConfigError(f"the data do not allow {lacking[0].name}", hint=hint)
    return columns
