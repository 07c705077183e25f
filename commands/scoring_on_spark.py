"""`keepwell score --engine spark`: Spark reads the tables, makes the scores, and writes a folder of them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands import pipeline
from keepwell.errors import ConfigError
from keepwell.progress import Steps
from keepwell.settings import Settings

if TYPE_CHECKING:
    import polars as pl
    from pyspark.sql import DataFrame

    from decisions.policy import Policy
    from serving.store import Load, Store
    from training.registry import Predictor

ROWS_IN_A_PART = 500_000
"""Rows of all tables that one worker has in memory together."""


def score_on_spark(
    settings: Settings,
    data: Path,
    as_of: date,
    out: Path,
    *,
    horizon_days: int | None,
    policy: Policy,
    previous: pl.DataFrame | None,
    most_explained: int | None,
    allow_hindsight: bool,
    steps: Steps,
) -> Load:
    """Score with a Spark session on this machine, write the folder `out`, and load it into the store.

    The tables of `data` must be Parquet; options are those of `keepwell score`. ConfigError where Spark is not there, or cannot
    read the tables.
    """
    from features.engines import written_folder
    from features.reading.sources import left_out_customers, read_config_of, read_key
    from serving.batch.scoring import MOST_EXPLAINED

    _require_spark(out)
    from features.spark_words import in_our_words
    from serving.spark.scoring import spark_scores

    store, key, config = _opened(settings), read_key(data), read_config_of(data)
    scorer = _champion(settings, key, horizon_days, steps)
    before = _words_before(store, key, scorer.info.horizon_days, as_of) if previous is None else previous
    with steps.step("Scoring on Spark"), written_folder(out) as folder, in_our_words():
        frames = _frames(data)
        with spark_scores(
            frames,
            config.model_copy(update={"company": key}),
            scorer,
            as_of,
            policy,
            previous=_moved(before),
            left_out_customers=left_out_customers(data),
            allow_hindsight=allow_hindsight,
            most_explained=MOST_EXPLAINED if most_explained is None else most_explained,
            progress=steps,
        ) as scores:
            scores.write.parquet(str(folder))
    return _loaded(store, out, data, steps)


def _require_spark(out: Path) -> None:
    """Refuse where Spark is not installed, before anything imports it."""
    from features.engines import start

    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")  # Arrow goes in and out, no pandas
    start("spark", out)


def _opened(settings: Settings) -> Store:
    from serving.store import Store

    store = Store(settings.resolved_store_url)
    store.migrate()
    return store


def _champion(settings: Settings, key: str, horizon_days: int | None, steps: Steps) -> Predictor:
    models = pipeline.open_models(settings)
    with steps.step("Loading the champion"):
        return models.champion(key, pipeline.champion_horizon(models, key, horizon_days))


def _frames(data: Path) -> dict[str, DataFrame]:
    """The tables of a company, read by a session that has a part for each that its rows are worth."""
    from features.spark import local_session
    from features.spark_words import read_parquet

    tables, session = _parquet(data), local_session()
    session.conf.set("spark.sql.shuffle.partitions", str(_partitions(tables.values())))
    return {name: read_parquet(session, name, str(place)) for name, place in tables.items()}


def _moved(scores: pl.DataFrame | None) -> DataFrame | None:
    from features.spark import to_spark

    return None if scores is None else to_spark(scores)


def _loaded(store: Store, out: Path, data: Path, steps: Steps) -> Load:
    """What was written, in the store, with the names of the company's customers."""
    from commands.loading import loaded
    from serving.batch.score_files import score_blocks

    with steps.step("Loading the scores"):
        return loaded(store, score_blocks(out), data)


def _parquet(data: Path) -> dict[str, Path]:
    """The tables of a company, if all of them are Parquet files that can be read."""
    from features.reading.files import open_table
    from features.reading.sources import database_tables, table_files

    files = table_files(data)
    texts = [name for name, place in files.items() if _is_text(place)]
    if strange := [*database_tables(data), *texts]:
        hint = f"write {strange[0]} as Parquet, or score without --engine spark"
        raise ConfigError(f"Spark reads tables of Parquet, and {strange[0]} is none", hint=hint)
    for name, place in files.items():
        open_table(name, place)  # what is refused elsewhere, as half a file or a table of Delta Lake, is refused here
    return {name: place for name, place in files.items() if name != "labels"}


def _partitions(places: Iterable[Path]) -> int:
    """How many parts the rows are worth: two for each core, and more where one would hold more than ROWS_IN_A_PART."""
    from serving.batch.score_files import rows_in

    return max(2 * (os.cpu_count() or 1), -(-sum(map(rows_in, places)) // ROWS_IN_A_PART))


def _is_text(place: Path) -> bool:
    return not any(place.rglob("*.parquet")) if place.is_dir() else place.suffix not in (".parquet", ".pq")


def _words_before(store: Store, key: str, horizon_days: int, day: date) -> pl.DataFrame | None:
    from decisions.decide import PREVIOUS

    return store.words_before(key, horizon_days, day, tuple(PREVIOUS))


def tell(made: Load, out: Path) -> None:
    """One line for people."""
    told = f"scored by version {made.model_version} ({made.model_family}, grade {made.grade})"
    click.echo(f"{made.customers:,} customers as of {made.as_of}, {told}: {out}")
