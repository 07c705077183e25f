from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from datasets.folder import Imported
from datasets.online_retail import online_retail
from features.company import NoteKind
from features.reading.sources import read_company
from keepwell.errors import DataError

FIRST, SECOND = "Year 2009-2010", "Year 2010-2011"
NAMES = ["Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country"]
LAMP = ("85048", "lamp")

SHEETS: dict[str, list[tuple[object, ...]]] = {
    FIRST: [
        ("489434", *LAMP, 12, datetime(2009, 12, 1, 7, 45), 6.95, 13085.0, "United Kingdom"),
        ("489435", "79323P", "light", 2, datetime(2009, 12, 1, 8), 0.001, 13085.0, "United Kingdom"),
        ("C489449", *LAMP, -3, datetime(2009, 12, 2), 6.95, 13085.0, "Eire"),
        ("C496350", "M", "manual", 1, datetime(2010, 1, 2), 373.57, 13086.0, "France"),
        ("489500", *LAMP, 1, datetime(2010, 1, 3), 1.0, None, "France"),
        ("536365", *LAMP, 6, datetime(2010, 12, 1, 8, 26), 2.55, 17850.0, "United Kingdom"),
        ("536365", *LAMP, 6, datetime(2010, 12, 1, 8, 26), 2.55, 17850.0, "United Kingdom"),
        ("536600", *LAMP, 1, datetime(2010, 12, 9, 20, 1), 5.0, None, "United Kingdom"),
    ],
    SECOND: [
        ("536365", *LAMP, 6, datetime(2010, 12, 1, 8, 26), 2.55, 17850.0, "United Kingdom"),
        ("536365", *LAMP, 6, datetime(2010, 12, 1, 8, 26), 2.55, 17850.0, "United Kingdom"),
        ("536600", *LAMP, 1, datetime(2010, 12, 9, 20, 1), 5.0, None, "United Kingdom"),
        ("581587", *LAMP, 4, datetime(2011, 12, 9, 12, 50), 0.0, 12680.0, "France"),
    ],
}
EXPECTED = [
    ("13085", datetime(2009, 12, 1, 7, 45), 83.4, "489434", 12.0, "85048"),
    ("13085", datetime(2009, 12, 1, 8), 0.002, "489435", 2.0, "79323P"),
    ("13085", datetime(2009, 12, 2), -20.85, "C489449", -3.0, "85048"),
    ("13086", datetime(2010, 1, 2), -373.57, "C496350", 1.0, "M"),
    ("17850", datetime(2010, 12, 1, 8, 26), 15.3, "536365", 6.0, "85048"),
    ("17850", datetime(2010, 12, 1, 8, 26), 15.3, "536365", 6.0, "85048"),
    ("12680", datetime(2011, 12, 9, 12, 50), 0.0, "581587", 4.0, "85048"),
]


def frame(rows: list[tuple[object, ...]], names: list[str] = NAMES) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=names, orient="row")


def workbook(path: Path) -> Path:
    """The sheets as the publisher writes them: codes that are whole numbers are numbers, invoices mix numbers and texts."""
    xlsxwriter = pytest.importorskip("xlsxwriter")
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd hh:mm"}) as book:
        for name, rows in SHEETS.items():
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, NAMES)
            for number, row in enumerate(rows, 1):
                sheet.write_row(number, 0, [int(str(cell)) if str(cell).isdigit() else cell for cell in row])
    return path


def csv_of(path: Path, *sheets: str, names: list[str] = NAMES, times: str = "%Y-%m-%d %H:%M:%S") -> Path:
    rows = frame([row for sheet in sheets or SHEETS for row in SHEETS[sheet]], names)
    rows.with_columns(pl.col("InvoiceDate").dt.to_string(times)).write_csv(path)
    return path


def written(made: Path) -> list[tuple[object, ...]]:
    return pl.read_parquet(made / "transactions.parquet").rows()


@pytest.mark.parametrize("kind", ["workbook", "csv"])
def test_both_forms_give_the_same_company(tmp_path, kind) -> None:
    file = workbook(tmp_path / "retail.xlsx") if kind == "workbook" else csv_of(tmp_path / "retail.csv")
    made = online_retail(file, tmp_path / "shop")
    assert written(tmp_path / "shop") == EXPECTED
    customers = pl.read_parquet(tmp_path / "shop" / "customers.parquet")
    assert customers.rows() == [
        ("12680", "France"),
        ("13085", "United Kingdom"),
        ("13086", "France"),
        ("17850", "United Kingdom"),
    ]
    assert made == Imported(
        7,
        4,
        {
            "lines without a customer were left out": 2,
            "lines of a second sheet were left out: the sheet before has their invoices": 3,
            "lines belong to cancelled invoices: negative amounts": 2,
            "lines are worth 0: kept, and no purchases": 1,
            "customers with several countries have that of their first line": 1,
        },
    )


def test_the_folder_reads_as_a_company(tmp_path) -> None:
    online_retail(csv_of(tmp_path / "retail.csv"), tmp_path / "shop")
    company = read_company(tmp_path / "shop")
    assert (company.key, company.zone, company.currency) == ("online-retail-2", "Europe/London", "GBP")
    assert company.attributes == {"country": "static"}
    assert company.scales["transactions.amount"] == 3
    assert [note for note in company.notes if note.kind in (NoteKind.GUESSED, NoteKind.IGNORED, NoteKind.WARNING)] == []


@pytest.mark.parametrize("times", ["%Y-%m-%d %H:%M", "%m/%d/%Y %H:%M", "%d-%m-%Y %H:%M"])
def test_the_names_and_times_of_the_first_edition_are_known(tmp_path, times) -> None:
    names = [{"Invoice": "InvoiceNo", "Price": "UnitPrice", "Customer ID": "CustomerID"}.get(name, name) for name in NAMES]
    online_retail(csv_of(tmp_path / "retail.csv", names=names, times=times), tmp_path / "shop")
    assert written(tmp_path / "shop") == EXPECTED


def test_one_year_alone_has_no_second_sheet(tmp_path) -> None:
    assert online_retail(csv_of(tmp_path / "year.csv", SECOND), tmp_path / "shop").transactions == 3


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ("a,b\n1,2\n", r"transactions\.Invoice: is missing"),
        (",".join(NAMES) + "\n1,2,3,4,soon,6,7,8\n", r"transactions\.InvoiceDate: must be a time \(1 row, for example 'soon'\)"),
        (
            ",".join(NAMES) + "\n1,2,3,x,2009-12-01 07:45:00,6,7,8\n",
            r"transactions\.Quantity: must be a number \(1 row, for example 'x'",
        ),
        (",".join(NAMES) + "\n1,2,3,4,2009-12-01 07:45:00,6,,8\n", r"transactions\.Customer ID: is empty in every line"),
        ("", "transactions: cannot be read"),
    ],
)
def test_a_file_of_another_form_is_refused_and_nothing_is_written(tmp_path, content, rule) -> None:
    (tmp_path / "retail.csv").write_text(content)
    with pytest.raises(DataError, match=rule):
        online_retail(tmp_path / "retail.csv", tmp_path / "shop")
    assert not (tmp_path / "shop").exists()


def test_a_workbook_that_is_none_is_refused(tmp_path) -> None:
    (tmp_path / "retail.xlsx").write_bytes(b"PK no workbook")
    with pytest.raises(DataError, match="transactions: cannot be read") as refused:
        online_retail(tmp_path / "retail.xlsx", tmp_path / "shop")
    assert "online_retail_II.xlsx" in refused.value.hint
