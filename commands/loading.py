"""The command that makes scores in files the ones that console and service read: load."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
    ids, those of DATA, and a list. Nothing is loaded where no customer of the scores is in the tables of DATA, or one of them is
    left out by its company.yaml. Feature rows and timelines do not come with them, so the console shows no history of a customer
    then.

    Example: keepwell load scores.parquet --data shop
    """
    from serving.batch.score_files import score_blocks
    from serving.store import Store

    steps, store = Steps(), Store(settings.resolved_store_url)
    with steps.step(f"Loading {scores}"):
        store.migrate()
        blocks = _of_company(score_blocks(scores), data)
        made = loaded(store, blocks, data)
    told = f"{made.customers:,} customers as of {made.as_of}, scored by version {made.model_version}"
    click.echo(f"{told}: in the store of {made.company}")


def loaded(store: Store, blocks: Iterable[pl.DataFrame], data: Path) -> Load:
    """Load the scores of one run, with the names, owners and kinds of the customers of `data`."""
    from features.reading.sources import read_config_of, read_key

    key, currency, people = read_key(data), read_config_of(data).currency, _people(data)
    return store.load_blocks(blocks, company=key, loaded_at=now(), people=people, currency=currency)


def _of_company(blocks: Iterable[pl.DataFrame], data: Path) -> Iterator[pl.DataFrame]:
    """The blocks as they are, if they are of customers of the company at `data`; how many it does not know is said at the end.

    DataError where it knows none of them, or leaves one of them out: raised while they are loaded, so that nothing is.
    """
    import polars as pl

    from features.reading.sources import known_customers, left_out_customers

    known, left_out = known_customers(data).implode(), pl.Series(left_out_customers(data), dtype=pl.String).implode()
    rows = strange = 0
    for block in blocks:
        ids = block["customer_id"].cast(pl.String)
        if unwanted := int(ids.is_in(left_out).sum()):
            hint = "score again with this company.yaml, and load those scores"
            raise DataError("scores", "customer_id", "is left out by leave_out_customers:", rows=unwanted, hint=hint)
        rows, strange = rows + len(ids), strange + int((~ids.is_in(known)).sum())
        yield block
    if strange and strange == rows:
        hint = "name the company that the scores are of in --data; ids must be written as in its tables"
        raise DataError("scores", "customer_id", f"none is in the tables of {data}", rows=rows, hint=hint)
    if strange:
        click.echo(f"  {strange:,} of {rows:,} customers are in no table of {data}: is it the company of the scores?", err=True)


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
