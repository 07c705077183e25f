"""Batch scoring on Spark: exactly the scores of `serving.scoring`, made where the rows lie.

    raw tables -- moved once, by customer --> rows: forecasts and what decisions read      (kept on the executors' disks)
    rows       -- narrow -->                  figures to compare, steps between categories (gathered by the driver)
    rows       -- narrow -->                  score columns
    raw tables of those with most at risk --> their reasons

The driver holds three numbers for each customer, and no row. The model travels as the bytes of its plain files.
"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl
import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql.functions import broadcast, col, desc, struct
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    BooleanType,
    DataType,
    DateType,
    DoubleType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
)

from decisions.decide import PREVIOUS
from decisions.policy import Policy
from decisions.population import COMPARED, FIGURES, population
from features.asof import day_number
from features.assemble import assemble
from features.company import Company
from features.config import CompanyConfig
from features.spark import apart, frame_of, id_type, raw_together, with_wide_ids
from keepwell.errors import HistoryError, ModelError
from keepwell.progress import Progress, Silent
from serving.decision_inputs import PATHS
from serving.reasons import REASONS
from serving.scoring import MOST_EXPLAINED, refuse_misfit, require_readable, run_facts, score_types
from serving.scoring_in_parts import (
    STEP_TYPES,
    Together,
    as_columns,
    figures,
    part_reasons,
    part_rows,
    part_scores,
    part_steps,
    row_types,
    steps_together,
)
from training.registry import ModelFolder

if TYPE_CHECKING:
    from training.registry import Predictor

Batches: TypeAlias = Iterable[pa.RecordBatch]

FACTS = "facts"
"""A column of one row in each partition, which is no customer's: what the partition says of the whole."""

BEFORE = "scored before"
"""What travels like a table: the words of an earlier scoring."""

FEW = 100_000
"""So many reasons are sent to where the scores are, instead of moving the scores."""

SPARK_TYPES: Mapping[Any, DataType] = {
    pl.String: StringType(),
    pl.Int64: LongType(),
    pl.Int32: IntegerType(),
    pl.Float64: DoubleType(),
    pl.Boolean: BooleanType(),
    pl.Date: DateType(),
}


@dataclass(frozen=True)
class _Model:
    """A model on its way: the files of a `ModelFolder` and what finds it there."""

    company: str
    horizon_days: int
    version: str
    files: tuple[tuple[str, bytes], ...]

    @classmethod
    def of(cls, scorer: Predictor) -> _Model:
        with tempfile.TemporaryDirectory() as place:
            ModelFolder(Path(place)).keep(scorer)
            found = sorted(path for path in Path(place).rglob("*") if path.is_file())
            files = tuple((path.relative_to(place).as_posix(), path.read_bytes()) for path in found)
        return cls(scorer.info.company, scorer.info.horizon_days, scorer.info.version, files)


@lru_cache(maxsize=1)
def _scorer(model: _Model) -> Predictor:
    """The model, read once in each process."""
    with tempfile.TemporaryDirectory() as place:
        for name, content in model.files:
            path = Path(place) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return ModelFolder(Path(place)).scorer(model.company, model.horizon_days, model.version)


@dataclass(frozen=True)
class _Job:
    """What every worker is told: the model, how tables are read, the date, and the minor units of the whole company."""

    model: _Model
    config: CompanyConfig
    as_of: date
    decimals: Mapping[str, int]

    def company(self, tables: Mapping[str, pl.DataFrame]) -> tuple[Company, Mapping[str, int]]:
        """The company of one partition, in the minor units of the whole, and those that its own amounts would need."""
        made = assemble(tables, key=self.model.company, config=self.config, of_some=True)
        if all(self.decimals.get(name, 0) == own for name, own in made.scales.items()):
            return made, made.scales
        units = {name: self.decimals.get(name, 0) for name in made.scales}
        return assemble(tables, key=self.model.company, config=self.config, of_some=True, decimals=units), made.scales

    def rows(self, batches: Batches) -> Iterator[pl.DataFrame]:
        """`part_rows` of one partition, and its facts in a row of their own."""
        tables = apart(batches)
        if not tables:
            return
        before = tables.pop(BEFORE, None)
        company, scales = self.company(tables)
        if _has_bought(company, self.as_of):
            yield with_wide_ids(part_rows(company, _scorer(self.model), self.as_of, before))
        facts = {"scales": dict(scales), "data_until": _data_until(company, self.as_of)}
        yield pl.DataFrame({FACTS: [json.dumps(facts)]})

    def reasons(self, batches: Batches) -> Iterator[pl.DataFrame]:
        """`part_reasons` of one partition."""
        tables = apart(batches)
        if tables:
            company, _ = self.company(tables)
            if _has_bought(company, self.as_of):
                yield with_wide_ids(part_reasons(company, _scorer(self.model), self.as_of))


@dataclass(frozen=True)
class _Facts:
    """What all partitions together say: the minor units that all amounts need, and the day of the last event."""

    decimals: Mapping[str, int]
    data_until: date | None

    @classmethod
    def of(cls, told: Iterable[str]) -> _Facts:
        decimals: dict[str, int] = {}
        days = []
        for each in map(json.loads, told):
            decimals |= {name: max(decimals.get(name, 0), own) for name, own in each["scales"].items()}
            days += [each["data_until"]] if each["data_until"] else []
        return cls(decimals, date.fromisoformat(max(days)) if days else None)


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
    earlier date. Columns, values and errors are those of `serving.scoring.score_company`, and a wrong value fails the job.
    """
    rows = raw_together(frames, config, left_out_customers=left_out_customers)
    _require_fit(frames, config, scorer, as_of, allow_hindsight=allow_hindsight)
    if previous is not None:
        rows = _with_previous(rows, previous)
    job = _Job(_Model.of(scorer), config, as_of, dict(scorer.info.decimals))
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


def _made_rows(job: _Job, rows: DataFrame, further: Collection[str]) -> tuple[_Job, DataFrame, _Facts]:
    """The rows of all partitions, kept, in minor units that fit all amounts; made again where those of the model do not."""
    ids = id_type(rows.schema["customer_id"].dataType)
    types = row_types(pl.String if isinstance(ids, StringType) else pl.Int64, further)
    schema = _schema({**types, FACTS: pl.String})
    moved = rows.repartition("customer_id")
    while True:
        kept = _mapped(moved, job.rows, schema).persist(StorageLevel.DISK_ONLY)
        told = kept.filter(col("customer_id").isNull()).select(FACTS).collect()
        facts = _Facts.of(row[0] for row in told)
        if all(job.decimals.get(name, 0) == own for name, own in facts.decimals.items()):
            return job, kept, facts
        kept.unpersist()
        job = replace(job, decimals=dict(facts.decimals))


def _together(rows: DataFrame, scorer: Predictor, policy: Policy, facts: _Facts) -> Together:
    """What all customers together say, from narrow looks at the rows."""
    gathered = _gathered(rows, policy)
    if facts.data_until is None or gathered.is_empty():
        raise HistoryError("nobody bought before the date of scoring", hint="choose a later --as-of, or bring older events")
    counted = _mapped(rows.select(*PATHS), lambda batches: _each(part_steps, [frame_of(batches)]), _schema(STEP_TYPES))
    summed = counted.groupBy("a", "b", "parts").sum("times").withColumnRenamed("sum(times)", "times")
    categories, steps = steps_together(pl.DataFrame(pl.from_arrow(summed.toArrow())), gathered.height)
    run = {**run_facts(scorer.info), "data_until": facts.data_until}
    return Together(population(as_columns(gathered), policy), categories, steps, run)


def _gathered(rows: DataFrame, policy: Policy) -> pl.DataFrame:
    """The figures of all customers, a partition at a time: packed, so that neither Spark nor Python handles them one by one."""
    protected = tuple(policy.tiers.protected)

    def packed(batches: Batches) -> Iterator[pl.DataFrame]:
        for part in _each(lambda some: figures(some, protected), [frame_of(batches)]):
            file = io.BytesIO()
            part.write_ipc(file)
            yield pl.DataFrame({"packed": [file.getvalue()]})

    parts = _mapped(rows.select("customer_id", *FIGURES, *COMPARED), packed, _schema({"packed": pl.Binary})).collect()
    frames = [pl.read_ipc(io.BytesIO(row[0])) for row in parts]
    return pl.concat(frames, how="diagonal") if frames else pl.DataFrame()


def _scores(rows: DataFrame, scorer: Predictor, policy: Policy, together: Together) -> DataFrame:
    """The score columns without reasons, some rows at a time."""
    info = scorer.info
    types = {**score_types(scorer.further_names), "customer_id": _id_of(rows)}
    types.pop("reasons")

    def scored(batches: Batches) -> Iterator[pl.DataFrame]:
        frames = (frame_of([batch]) for batch in batches)
        yield from _each(lambda some: part_scores(some, info, policy, together).drop("reasons"), frames)

    return _mapped(rows, scored, _schema(types))


def _chosen(rows: DataFrame, most: int, customers: int) -> DataFrame | None:
    """The ids of those with the most value at risk, at most `most`, equal ones by id; None for everybody."""
    if most >= customers:
        return None
    return rows.orderBy(desc("value_at_risk"), "customer_id").limit(most).select("customer_id")


def _with_reasons(scores: DataFrame, job: _Job, rows: DataFrame, chosen: DataFrame | None, *, few: bool) -> DataFrame:
    """The scores with the reasons of the chosen, whose features are made again from their own rows."""
    raw = rows if chosen is None else rows.join(chosen, "customer_id", "left_semi")
    schema = _schema({"customer_id": _id_of(scores)}).add("reasons", _REASONS)
    reasons = _mapped(raw.repartition("customer_id"), job.reasons, schema)
    known = scores.join(broadcast(reasons) if few else reasons, "customer_id", "left")
    names = [*scores.columns]
    names.insert(names.index("model_version"), "reasons")
    return known.select(names)


def _mapped(rows: DataFrame, work: Callable[[Batches], Iterable[pl.DataFrame]], schema: StructType) -> DataFrame:
    """What `work` makes of the rows of each partition; columns of the schema that it does not give are missing."""
    arrow = to_arrow_schema(schema)

    def made(batches: Batches) -> Iterator[pa.RecordBatch]:
        for frame in work(batches):
            yield from _as_arrow(frame, arrow).to_batches()

    return rows.mapInArrow(made, schema)


def _as_arrow(frame: pl.DataFrame, schema: pa.Schema) -> pa.Table:
    """The frame in the types that Spark knows."""
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    there = set(table.column_names)
    nothing = {field.name: pa.nulls(len(table), field.type) for field in schema if field.name not in there}
    columns = [nothing[field.name] if field.name in nothing else table[field.name].cast(field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def _each(work: Callable[[pl.DataFrame], pl.DataFrame], frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """What `work` makes of the frames that have rows."""
    return (work(frame) for frame in frames if frame.height)


def _schema(types: Mapping[str, Any]) -> StructType:
    """Columns of Polars as columns of Spark."""
    return StructType([StructField(name, _spark_type(dtype)) for name, dtype in types.items()])


def _spark_type(dtype: Any) -> DataType:  # noqa: ANN401  # a type of Polars
    if isinstance(dtype, pl.List):
        return ArrayType(_spark_type(dtype.inner))
    if isinstance(dtype, pl.Struct):
        return _schema({field.name: field.dtype for field in dtype.fields})
    return BinaryType() if dtype == pl.Binary else SPARK_TYPES[dtype]


_REASONS = _spark_type(REASONS)


def _id_of(rows: DataFrame) -> Any:  # noqa: ANN401  # a type of Polars
    return pl.String if isinstance(rows.schema["customer_id"].dataType, StringType) else pl.Int64


def _has_bought(company: Company, as_of: date) -> bool:
    amounts = company.known_rows("transactions", day_number(as_of), "amount")["amount"]
    return bool((amounts > 0).any())


def _data_until(company: Company, as_of: date) -> str | None:
    """The day of the last event known in this part, as text; None where there is none."""
    try:
        return company.data_until(as_of).isoformat()
    except HistoryError:
        return None
