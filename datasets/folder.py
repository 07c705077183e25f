"""A company folder on disk, as every maker of data writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from keepwell.files import written_whole


@dataclass(frozen=True)
class Imported:
    """What was written of public data: transactions, their customers, and what was left out or changed (words -> lines)."""

    transactions: int
    customers: int
    remarks: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        told = [f"{lines:,} {words}" for words, lines in self.remarks.items() if lines]
        return "\n  ".join([f"{self.transactions:,} transactions of {self.customers:,} customers", *told])


def write_company(folder: Path, company_yaml: str, tables: Mapping[str, pl.DataFrame]) -> None:
    """Write each table to `folder` as NAME.parquet and the text of company.yaml beside them; the folder is made when absent."""
    for name, table in tables.items():
        with written_whole(folder / f"{name}.parquet") as temporary:
            table.write_parquet(temporary)
    with written_whole(folder / "company.yaml") as temporary:
        temporary.write_text(company_yaml, encoding="utf-8")
