"""The command that makes scores in files the ones that console and service read: load."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands.terminal import PATH, now
from keepwell.errors import DataError
from keepwell.progress import Steps
from keepwell.settings import Settings

if TYPE_CHECKING:
    import polars as pl

    from serving.store import Load, Store


@click.command()
@click.argument("scores", type=PATH)
@click.option("--data", type=PATH, required=True, help="The company that the scores are of: its key, and its customers' names.")
@click.pass_obj
def load(settings: Settings, scores: Path, data: Path) -> None:
    """Make SCORES, a Parquet file or a folder of them, the scores that console, service and plan read.

    For scores that were made elsewhere, as on Spark: they are read some at a time, so ten million take no more memory than their
    ids and a list. Feature rows and timelines do not come with them, so the console shows no history of a customer then.

    Example: keepwell load scores.parquet --data shop
    """
    from serving.store import Store

    steps, store = Steps(), Store(settings.resolved_store_url)
    with steps.step(f"Loading {scores}"):
        store.migrate()
        made = loaded(store, scores, data)
    told = f"{made.customers:,} customers as of {made.as_of}, scored by version {made.model_version}"
    click.echo(f"{told}: in the store of {made.company}")


def loaded(store: Store, scores: Path, data: Path) -> Load:
    """Load scores that lie in files, with the names, owners and kinds of the customers of `data`."""
    from features.reading.sources import read_config_of, read_key
    from serving.batch.score_files import score_blocks

    key, currency, people = read_key(data), read_config_of(data).currency, _people(data)
    return store.load_blocks(score_blocks(scores), company=key, loaded_at=now(), people=people, currency=currency)


def _people(data: Path) -> pl.DataFrame | None:
    """The names, owners and kinds of customers; None where there is no such table."""
    from features.reading.assemble import customers_alone
    from features.reading.sources import opened_customers

    try:
        opened, config = opened_customers(data)
    except DataError as error:
        if error.rule == "is not there":
            return None
        raise
    return customers_alone(opened.frame, config, typeless=opened.typeless).frame
