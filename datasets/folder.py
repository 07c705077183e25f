"""A company folder on disk, as every maker of data writes it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from keepwell.files import written_whole


def write_company(folder: Path, company_yaml: str, tables: Mapping[str, pl.DataFrame]) -> None:
    """Write each table to `folder` as NAME.parquet and the text of company.yaml beside them; the folder is made when absent."""
    for name, table in tables.items():
        with written_whole(folder / f"{name}.parquet") as temporary:
            table.write_parquet(temporary)
    with written_whole(folder / "company.yaml") as temporary:
        temporary.write_text(company_yaml, encoding="utf-8")
