"""Commands about those who have not bought yet: prospects."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from commands import pipeline
from commands.terminal import AS_OF, DATA, TABLE_FILE, Days, require_no_input, today
from keepwell.progress import Steps


@click.command()
@DATA
@click.option("--horizon", type=Days(), required=True, help="The time to look ahead, as 90d.")
@AS_OF
@click.option("--out", type=TABLE_FILE, required=True, help="Where to write: .parquet or .csv.")
def prospects(data: Path, horizon: int, as_of: date | None, out: Path) -> None:
    """List those who joined and never bought, with the chance of a first purchase. They have no scores yet.

    Example: keepwell prospects shop --horizon 90d --as-of 2026-01-01 --out prospects.csv
    """
    from serving.batch.prospects import prospects as listed
    from serving.batch.scoring import write_table

    require_no_input(out, data)
    company = pipeline.read(data, Steps())
    day = as_of or today(company)
    pipeline.tell_what_counts(company, day)
    found = listed(company, day, horizon)
    write_table(found, out)
    expected = found["first_purchase_probability"].sum()
    click.echo(f"{len(found):,} prospects as of {day}; about {expected:,.1f} of them will buy within {horizon} days: {out}")
