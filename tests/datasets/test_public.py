from datetime import date
from pathlib import Path

import polars as pl
import pytest

from datasets.public import cdnow_text, complete_journey
from features.reading.sources import read_company
from keepwell.errors import DataError

SHARED = Path(__file__).parents[2].parent / "shared"


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("journey")
    complete_journey(folder)
    return folder


def test_the_journey_holds_every_line_and_household_of_the_package(journey):
    lines, households = (pl.read_parquet(journey / f"{name}.parquet") for name in ("transactions", "customers"))
    assert lines.height == 1_469_307
    assert households.height == households["customer_id"].n_unique() == lines["customer_id"].n_unique() == 2_469
    assert lines["category"].null_count() < 0.01 * lines.height
    assert lines["amount"].sum() == pytest.approx(4_596_039.58, abs=0.01)


def test_a_loyalty_discount_lies_between_amount_and_list_amount(journey):
    first = pl.read_parquet(journey / "transactions.parquet").filter(pl.col("product_id") == 9878513).row(0, named=True)
    assert (first["amount"], first["list_amount"]) == (0.99, 1.09)


def test_the_journey_reads_as_a_company_with_static_attributes(journey):
    company = read_company(journey)
    assert company.key == "complete-journey"
    assert company.attributes["income"] == "static"


def test_a_cdnow_line_becomes_a_transaction_with_its_id_as_text(tmp_path):
    (tmp_path / "sample.txt").write_text(" 00004 0001 19970101  2   29.33\n 00021 0002 19970118  1  -14.96\n\n")
    cdnow_text(tmp_path / "sample.txt", tmp_path / "company")
    rows = pl.read_parquet(tmp_path / "company" / "transactions.parquet").rows()
    assert rows == [("00004", date(1997, 1, 1), 29.33, 2.0), ("00021", date(1997, 1, 18), -14.96, 1.0)]


def test_a_line_of_the_whole_file_has_no_second_number(tmp_path):
    (tmp_path / "CDNOW_master.txt").write_text(" 00001 19970101  1   11.77\n 00002 19970112  1    0.00\n")
    made = cdnow_text(tmp_path / "CDNOW_master.txt", tmp_path / "company")
    assert pl.read_parquet(tmp_path / "company" / "transactions.parquet").row(0) == ("00001", date(1997, 1, 1), 11.77, 1.0)
    assert str(made) == "2 transactions of 2 customers\n  1 purchases cost nothing: kept, and count as none"


@pytest.mark.parametrize("text", ["", "\n\n", " 00004 0001 1997-01-01 2 29.33", "customer date amount"])
def test_text_of_another_form_is_refused_and_nothing_is_written(tmp_path, text):
    (tmp_path / "sample.txt").write_text(text)
    with pytest.raises(
        DataError, match="a line must be: customer, number in the sample if it is one, YYYYMMDD, quantity, amount"
    ):
        cdnow_text(tmp_path / "sample.txt", tmp_path / "company")
    assert not (tmp_path / "company").exists()


def test_an_impossible_date_is_refused(tmp_path):
    (tmp_path / "sample.txt").write_text(" 00004 0001 19971350  2   29.33")
    with pytest.raises(DataError, match="YYYYMMDD"):
        cdnow_text(tmp_path / "sample.txt", tmp_path / "company")


@pytest.mark.skipif(
    not (SHARED / "data/cdnow_sample/CDNOW_sample.txt").exists(), reason="the CDNOW sample is not on this machine"
)
def test_the_cdnow_sample_gives_the_known_customers_and_purchases(tmp_path):
    cdnow_text(SHARED / "data/cdnow_sample/CDNOW_sample.txt", tmp_path)
    rows = pl.read_parquet(tmp_path / "transactions.parquet")
    assert (rows.height, rows["customer_id"].n_unique()) == (6919, 2357)
    repeats = (
        rows.filter(pl.col("ordered_at") < date(1997, 10, 1)).group_by("customer_id").agg(pl.col("ordered_at").n_unique() - 1)
    )
    summary = pl.read_csv(SHARED / "data/cdnow_sample/summary.csv")
    assert repeats["ordered_at"].sum() == summary["frequency"].sum()
