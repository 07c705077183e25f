"""What travels to the workers of Spark: the model, how tables are read, and what they do with their partition."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from features.asof import day_number
from features.company import Company
from features.reading.assemble import assemble
from features.reading.config import CompanyConfig
from features.spark import apart, with_wide_ids
from keepwell.errors import HistoryError
from serving.batch.in_parts import (
    part_reasons,
    part_rows,
)
from serving.spark.frames import Batches
from training.registry import ModelFolder

if TYPE_CHECKING:
    from training.registry import Predictor

FACTS = "facts"
"""A column of one row in each partition, which is no customer's: what the partition says of the whole."""

BEFORE = "scored before"
"""What travels like a table: the words of an earlier scoring."""


@dataclass(frozen=True)
class Model:
    """A model on its way: the files of a `ModelFolder` and what finds it there."""

    company: str
    horizon_days: int
    version: str
    files: tuple[tuple[str, bytes], ...]

    @classmethod
    def of(cls, scorer: Predictor) -> Model:
        """The plain files of a scorer."""
        with tempfile.TemporaryDirectory() as place:
            ModelFolder(Path(place)).keep(scorer)
            found = sorted(path for path in Path(place).rglob("*") if path.is_file())
            files = tuple((path.relative_to(place).as_posix(), path.read_bytes()) for path in found)
        return cls(scorer.info.company, scorer.info.horizon_days, scorer.info.version, files)


@lru_cache(maxsize=1)
def _scorer(model: Model) -> Predictor:
    """The model, read once in each process."""
    with tempfile.TemporaryDirectory() as place:
        for name, content in model.files:
            path = Path(place) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return ModelFolder(Path(place)).scorer(model.company, model.horizon_days, model.version)


@dataclass(frozen=True)
class Job:
    """What every worker is told: the model, how tables are read, the date, and the minor units of the whole company."""

    model: Model
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
class Facts:
    """What all partitions together say: the minor units that all amounts need, and the day of the last event."""

    decimals: Mapping[str, int]
    data_until: date | None

    @classmethod
    def of(cls, told: Iterable[str]) -> Facts:
        """Out of what each partition tells, as JSON."""
        decimals: dict[str, int] = {}
        days = []
        for each in map(json.loads, told):
            decimals |= {name: max(decimals.get(name, 0), own) for name, own in each["scales"].items()}
            days += [each["data_until"]] if each["data_until"] else []
        return cls(decimals, date.fromisoformat(max(days)) if days else None)


def _has_bought(company: Company, as_of: date) -> bool:
    amounts = company.known_rows("transactions", day_number(as_of), "amount")["amount"]
    return bool((amounts > 0).any())


def _data_until(company: Company, as_of: date) -> str | None:
    """The day of the last event known in this part, as text; None where there is none."""
    try:
        return company.data_until(as_of).isoformat()
    except HistoryError:
        return None
