"""The Ta-Feng file becomes a company, or is refused whole."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from datasets.ta_feng import FIELDS, ta_feng
from features.reading.sources import read_company
from keepwell.errors import DataError

HEADER = ",".join(f'"{name}"' for name in FIELDS)


def file(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "ta_feng_all_months_merged.csv"
    path.write_text("\ufeff" + "\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def test_a_line_becomes_a_transaction_and_a_day_an_order(tmp_path: Path) -> None:
    lines = [
        '"11/1/2000","01104905","45-49","115","110411","471","2","24","30"',
        '"11/1/2000","01104905",,"115",,"472","1","5","0"',
    ]
    made = ta_feng(file(tmp_path, *lines), tmp_path / "company")
    table = pl.read_parquet(tmp_path / "company" / "transactions.parquet")
    assert table.row(0) == ("01104905", date(2000, 11, 1), 30.0, "2000-11-01-01104905", 2.0, "471", "110411", 24.0)
    assert table["order_id"].n_unique() == 1
    assert str(made) == "2 transactions of 1 customers\n  1 lines are worth 0: kept, and no purchases"


def test_who_is_unknown_has_missing_attributes_and_they_are_static(tmp_path: Path) -> None:
    lines = ['"11/1/2000","a","Unknown","115","1","4","2","24","30"', '"11/2/2000","b","30-34","Unknown","1","4","2","24","30"']
    ta_feng(file(tmp_path, *lines), tmp_path / "company")
    company = read_company(tmp_path / "company")
    assert company.tables["customers"].select("customer_id", "age_group", "area").rows() == [
        ("a", None, "115"),
        ("b", "30-34", None),
    ]
    assert company.attributes == {"age_group": "static", "area": "static"}


@pytest.mark.parametrize(
    "line",
    [
        '"2000-11-01","a","25","115","1","4","2","24","30"',
        '"11/1/2000",,"25","1","1","4","2","24","30"',
        '"11/1/2000","a","2","1","1","4","2","24","-"',
    ],
)
def test_a_line_of_another_form_is_refused_and_nothing_is_written(tmp_path: Path, line: str) -> None:
    with pytest.raises(DataError, match="a line must have a date as 11/30/2000, a customer and a price"):
        ta_feng(file(tmp_path, line), tmp_path / "company")
    assert not (tmp_path / "company").exists()


def test_a_file_without_lines_and_one_of_other_columns_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a line must have a date"):
        ta_feng(file(tmp_path), tmp_path / "company")
    with pytest.raises(DataError, match="TRANSACTION_DT: is missing in the file"):
        ta_feng(file(tmp_path, "1,2", header="customer,amount"), tmp_path / "company")
