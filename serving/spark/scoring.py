"""Batch scoring on Spark: exactly the scores of `serving.batch.scoring`, made where the rows lie.

    raw tables -- moved once, by customer --> rows: forecasts and what decisions read      (kept on the executors' disks)
    rows       -- narrow -->                  figures to compare, steps between categories (gathered by the driver)
    rows       -- narrow -->                  score columns
    raw tables of those with most at risk --> their reasons

The driver holds three numbers for each customer, and no row. The model travels as the bytes of its plain files.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import polars as pl
from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql.functions import broadcast, col, desc, struct
from pyspark.sql.types import (
    StringType,
)

from decisions.decide import PREVIOUS
from decisions.policy import Policy
from decisions.population import COMPARED, FIGURES, population
from features.reading.assemble import assemble
from features.reading.config import CompanyConfig
from features.spark import frame_of, id_type, raw_together
from keepwell.errors import HistoryError, ModelError
from keepwell.progress import Progress, Silent
from serving.batch.decision_inputs import PATHS
from serving.batch.in_parts import (
    STEP_TYPES,
    Together,
    as_columns,
    figures,
    part_scores,
    part_steps,
    row_types,
    steps_together,
)
from serving.batch.reasons import REASONS
from serving.batch.scoring import MOST_EXPLAINED, refuse_misfit, require_readable, run_facts, score_types
from serving.spark.frames import Batches, each_with_rows, id_of, mapped, schema_of, spark_type
from serving.spark.job import BEFORE, FACTS, Facts, Job, Model

if TYPE_CHECKING:
    from training.registry import Predictor


FEW = 100_000
"""So many reasons are sent to where the scores are, instead of moving the scores."""


@contextmanager
def spark_scores(
    frames: Mapping[str, DataFrame],
    config: CompanyConfig,
    scorer: Predictor,
    as_of: date,
    policy: Policy,
    *,
    previous: DataFrame | None = None,
    left_out_customers: Collection[str] = (),
    allow_hindsight: bool = False,
    most_explained: int = MOST_EXPLAINED,
    progress: Progress = Silent(),
) -> Iterator[DataFrame]:
    """The scores of everybody who bought before `as_of`, as a Spark table that is there inside the block; in no order.

    `frames` are tables as the user has them, by `company.yaml` (`features.spark.raw_together`); `previous` the scores of an
    earlier date. Columns, values and errors are those of `serving.batch.scoring.score_company`, and a wrong value fails the job.
    """
    rows = raw_together(frames, config, left_out_customers=left_out_customers)
    _require_fit(frames, config, scorer, as_of, allow_hindsight=allow_hindsight)
    if previous is not None:
        rows = _with_previous(rows, previous)
    job = Job(Model.of(scorer), config, as_of, dict(scorer.info.decimals))
    with progress.step("Features and forecasts on Spark"):
        job, kept, facts = _made_rows(job, rows, scorer.further_names)
    try:
        mine = kept.filter(col("customer_id").isNotNull()).drop(FACTS)
        with progress.step("Comparing customers"):
            together = _together(mine, scorer, policy, facts)
        scores = _scores(mine, scorer, policy, together)
        chosen = _chosen(mine, most_explained, together.steps.customers)
        yield _with_reasons(scores, job, rows, chosen, few=most_explained <= FEW)
    finally:
        kept.unpersist()


def _require_fit(
    frames: Mapping[str, DataFrame], config: CompanyConfig, scorer: Predictor, as_of: date, *, allow_hindsight: bool
) -> None:
    """Refuse before the job what it could not do, by the tables' columns alone."""
    info = scorer.info
    if info.churn != "purchases":
        hint = "score it on one machine, without --engine spark"
        raise ModelError(f"the model forecasts {info.churn}, and on Spark only purchases are scored", hint=hint)
    empty = {name: pl.DataFrame(pl.from_arrow(frame.limit(0).toArrow())) for name, frame in frames.items()}
    shape = assemble(empty, key=config.company or info.company, config=config, of_some=True)
    refuse_misfit(shape, info, as_of, allow_hindsight=allow_hindsight)
    require_readable(shape, info)


def _with_previous(rows: DataFrame, previous: DataFrame) -> DataFrame:
    """The rows of all tables, and the words of an earlier scoring among them."""
    mine = previous["customer_id"].cast(rows.schema["customer_id"].dataType).alias("customer_id")
    words = [name for name in ("customer_id", *PREVIOUS) if name in previous.columns]
    return rows.unionByName(previous.select(mine, struct(*words).alias(BEFORE)), allowMissingColumns=True)


def _made_rows(job: Job, rows: DataFrame, further: Collection[str]) -> tuple[Job, DataFrame, Facts]:
    """The rows of all partitions, kept, in minor units that fit all amounts; made again where those of the model do not."""
    ids = id_type(rows.schema["customer_id"].dataType)
    types = row_types(pl.String if isinstance(ids, StringType) else pl.Int64, further)
    schema = schema_of({**types, FACTS: pl.String})
    moved = rows.repartition("customer_id")
    while True:
        kept = mapped(moved, job.rows, schema).persist(StorageLevel.DISK_ONLY)
        told = kept.filter(col("customer_id").isNull()).select(FACTS).collect()
        facts = Facts.of(row[0] for row in told)
        if all(job.decimals.get(name, 0) == own for name, own in facts.decimals.items()):
            return job, kept, facts
        kept.unpersist()
        job = replace(job, decimals=dict(facts.decimals))


def _together(rows: DataFrame, scorer: Predictor, policy: Policy, facts: Facts) -> Together:
    """What all customers together say, from narrow looks at the rows."""
    gathered = _gathered(rows, policy)
    if facts.data_until is None or gathered.is_empty():
        raise HistoryError("nobody bought before the date of scoring", hint="choose a later --as-of, or bring older events")
    counted = mapped(rows.select(*PATHS), lambda batches: each_with_rows(part_steps, [frame_of(batches)]), schema_of(STEP_TYPES))
    summed = counted.groupBy("a", "b", "parts").sum("times").withColumnRenamed("sum(times)", "times")
    categories, steps = steps_together(pl.DataFrame(pl.from_arrow(summed.toArrow())), gathered.height)
    run = {**run_facts(scorer.info), "data_until": facts.data_until}
    return Together(population(as_columns(gathered), policy), categories, steps, run)


def _gathered(rows: DataFrame, policy: Policy) -> pl.DataFrame:
    """The figures of all customers, a partition at a time: packed, so that neither Spark nor Python handles them one by one."""
    protected = tuple(policy.tiers.protected)

    def packed(batches: Batches) -> Iterator[pl.DataFrame]:
        for part in each_with_rows(lambda some: figures(some, protected), [frame_of(batches)]):
            file = io.BytesIO()
            part.write_ipc(file)
            yield pl.DataFrame({"packed": [file.getvalue()]})

    parts = mapped(rows.select("customer_id", *FIGURES, *COMPARED), packed, schema_of({"packed": pl.Binary})).collect()
    frames = [pl.read_ipc(io.BytesIO(row[0])) for row in parts]
    return pl.concat(frames, how="diagonal") if frames else pl.DataFrame()


def _scores(rows: DataFrame, scorer: Predictor, policy: Policy, together: Together) -> DataFrame:
    """The score columns without reasons, some rows at a time."""
    info = scorer.info
    types = {**score_types(scorer.further_names), "customer_id": id_of(rows)}
    types.pop("reasons")

    def scored(batches: Batches) -> Iterator[pl.DataFrame]:
        frames = (frame_of([batch]) for batch in batches)
        yield from each_with_rows(lambda some: part_scores(some, info, policy, together).drop("reasons"), frames)

    return mapped(rows, scored, schema_of(types))


def _chosen(rows: DataFrame, most: int, customers: int) -> DataFrame | None:
    """The ids of those with the most value at risk, at most `most`, equal ones by id; None for everybody."""
    if most >= customers:
        return None
    return rows.orderBy(desc("value_at_risk"), "customer_id").limit(most).select("customer_id")


def _with_reasons(scores: DataFrame, job: Job, rows: DataFrame, chosen: DataFrame | None, *, few: bool) -> DataFrame:
    """The scores with the reasons of the chosen, whose features are made again from their own rows."""
    raw = rows if chosen is None else rows.join(chosen, "customer_id", "left_semi")
    schema = schema_of({"customer_id": id_of(scores)}).add("reasons", _REASONS)
    reasons = mapped(raw.repartition("customer_id"), job.reasons, schema)
    known = scores.join(broadcast(reasons) if few else reasons, "customer_id", "left")
    names = [*scores.columns]
    names.insert(names.index("model_version"), "reasons")
    return known.select(names)


_REASONS = spark_type(REASONS)
