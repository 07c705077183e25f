"""Files that people really give: spreadsheets named .csv, titles above the names, numbers and dates as others write them."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.checks.check import check_report
from features.company import NoteKind
from features.reading.numerals import likely_notation, number_format, plain_numbers
from features.reading.sources import read_company
from keepwell.errors import DataError

HEADER = "customer_id,ordered_at,amount\n"
GOOD = HEADER + "7,2026-01-05,19.95\n8,2026-01-06,5\n"


def workbook() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return content.getvalue()


def company_of(folder: Path, content: bytes | str, name: str = "transactions.csv"):
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_company(folder)


@pytest.mark.parametrize(
    ("content", "kind", "way_out"),
    [
        (workbook(), "no CSV file, but an Excel workbook", "save the sheet as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(60), "an old Excel workbook", "save the sheet as CSV"),
        (gzip.compress(GOOD.encode()), "packed by gzip", "unpack it"),
        (b"PAR1" + bytes(20) + b"PAR1", "a Parquet file", "the ending .parquet"),
        ("<!DOCTYPE html><html>Log in</html>", "a web page", "want a login"),
        (GOOD.encode("utf-16"), "not UTF-8 text, but UTF-16", "encoding: utf-16 in"),
        (GOOD.encode("utf-16-le"), "not UTF-8 text, but UTF-16", "encoding: utf-16-le in"),
        (GOOD.encode("utf-16-be"), "not UTF-8 text, but UTF-16", "encoding: utf-16-be in"),
    ],
)
def test_a_file_that_only_has_the_name_of_a_csv_file_is_called_what_it_is(tmp_path, content, kind, way_out) -> None:
    with pytest.raises(DataError, match=kind) as refused:
        company_of(tmp_path, content)
    assert way_out in str(refused.value.hint)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_the_encoding_that_is_named_in_the_way_out_reads_the_file(tmp_path, encoding) -> None:
    (tmp_path / "company.yaml").write_text(f"tables: {{transactions: {{encoding: {encoding}}}}}")
    assert company_of(tmp_path, GOOD.encode(encoding)).tables["transactions"]["amount"].to_list() == [1995, 500]


def test_a_column_called_pk_is_no_archive(tmp_path) -> None:
    assert company_of(tmp_path, "PK,customer_id,ordered_at,amount\n1,7,2026-01-05,3\n").tables["transactions"].height == 1


@pytest.mark.parametrize(
    ("above", "line"),
    [
        ("Sales of 2025\n\n", 3),
        ("Sales of 2025,,\nprinted 2026-01-07,,\n", 3),
        ("sep=;\n", 2),
        ("\n\nSales\n", 4),
    ],
)
def test_names_below_the_first_line_are_found_and_told(tmp_path, above, line) -> None:
    content = above + (GOOD.replace(",", ";") if "sep" in above else GOOD)
    with pytest.raises(DataError, match=f"seems to have the names of its columns in line {line}, not in the first"):
        company_of(tmp_path, content)


def test_empty_lines_above_the_names_do_no_harm(tmp_path) -> None:
    assert company_of(tmp_path, "\n\n" + GOOD).tables["transactions"].height == 2
    with pytest.raises(DataError, match=r"transactions\.amount: must be a number \(1 row, for example 'free'\)"):
        company_of(tmp_path, "\n" + GOOD + "9,2026-01-07,free\n")


def test_a_file_without_names_is_told_so(tmp_path) -> None:
    with pytest.raises(DataError, match="is required, and missing among '7', '2026-01-05'") as refused:
        company_of(tmp_path, GOOD.removeprefix(HEADER))
    assert "the first line seems to hold values" in str(refused.value.hint)


def test_empty_columns_at_the_end_are_told_as_such(tmp_path) -> None:
    with pytest.raises(DataError, match="transactions: has 2 columns without a name in its header line") as refused:
        company_of(tmp_path, "customer_id,ordered_at,amount,,\n7,2026-01-05,3,,\n")
    assert "empty columns at the end" in str(refused.value.hint)


@pytest.mark.parametrize(
    ("name", "way_out"),
    [("orders.xlsx", "save the sheet as CSV"), ("orders.csv.gz", "unpack it"), ("orders.txt", "file: orders.txt")],
)
def test_a_lone_file_that_is_not_found_by_its_ending_is_named(tmp_path, name, way_out) -> None:
    with pytest.raises(DataError, match=f"is required, and missing; there is only {name}") as refused:
        company_of(tmp_path, GOOD, name)
    assert way_out in str(refused.value.hint)


def test_of_several_files_the_largest_is_taken_for_the_log(tmp_path) -> None:
    (tmp_path / "clientes.csv").write_text("a,b\n")
    with pytest.raises(DataError, match=r"there are only clientes\.csv and ventas\.csv") as refused:
        company_of(tmp_path, GOOD, "ventas.csv")
    assert "{file: ventas.csv}" in str(refused.value.hint)


def test_dates_in_two_orders_are_told_by_the_order_that_most_have(tmp_path) -> None:
    rows = "".join(f"7,{day:02d}/02/2025,1\n" for day in range(1, 29)) + "7,02/28/2025,1\n"
    with pytest.raises(
        DataError, match=r"must be written as %d/%m/%Y throughout, as most are \(1 row, for example '02/28/2025'\)"
    ):
        company_of(tmp_path, HEADER + rows)


@pytest.mark.parametrize("text", ["5 January 2026", "5 Jan 2026", '"January 5, 2026"'])
def test_months_in_words_are_read(tmp_path, text) -> None:
    days = company_of(tmp_path, HEADER + f"7,{text},1\n").tables["transactions"]["ordered_day"]
    assert days.cast(pl.Date).cast(pl.String).to_list() == ["2026-01-05"]


def test_numbers_in_the_place_of_dates_have_a_way_out(tmp_path) -> None:
    with pytest.raises(DataError, match=r"must be a date or time \(2 rows, for example '45662'\)") as refused:
        company_of(tmp_path, HEADER + "7,45662,1\n8,45663,2\n")
    assert "time_format: seconds" in str(refused.value.hint)


def test_a_missing_id_has_a_way_out_that_works(tmp_path) -> None:
    with pytest.raises(DataError, match="must not be empty") as refused:
        company_of(tmp_path, GOOD + ",2026-01-07,3\n")
    assert "skip_rows_without: [customer_id]" in str(refused.value.hint)
    (tmp_path / "company.yaml").write_text("tables: {transactions: {skip_rows_without: [customer_id]}}")
    assert read_company(tmp_path).tables["transactions"].height == 2


def test_words_for_yes_and_no_have_a_way_out_that_works(tmp_path) -> None:
    (tmp_path / "customers.csv").write_text("customer_id,consent\n7,Sí\n8,No\n")
    with pytest.raises(DataError, match=r"customers\.consent: must be yes or no \(1 row, for example 'Sí'\)") as refused:
        company_of(tmp_path, GOOD)
    assert "values: {consent: {YOURS: yes, YOURS: no}}" in str(refused.value.hint)
    (tmp_path / "company.yaml").write_text("tables: {customers: {values: {consent: {Sí: yes, No: no}}}}")
    assert read_company(tmp_path).tables["customers"]["consent"].to_list() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("amounts", "example"),
    [
        (["1.234,50 EUR", "7,95 EUR"], "1.234,56 EUR"),
        (["$4,568.00", "$12.00"], "$1,234.56"),
        (["45,68-", "7,00"], "1.234,56"),
        (["1 234,50", "3,00"], "1 234,56"),
    ],
)
def test_the_notation_that_is_proposed_reads_the_amounts(tmp_path, amounts, example) -> None:
    lines = "".join(f"7;2026-01-05;{amount}\n" for amount in amounts)
    content = HEADER.replace(",", ";") + lines
    with pytest.raises(DataError, match=r"transactions\.amount: must be a number") as refused:
        company_of(tmp_path, content)
    assert f'numbers: "{example}"' in str(refused.value.hint)
    (tmp_path / "company.yaml").write_text(f"tables: {{transactions: {{numbers: '{example}'}}}}")
    assert read_company(tmp_path).tables["transactions"].height == len(amounts)


@given(st.lists(st.text(alphabet="0123456789.,'()- €$ab", max_size=9), min_size=1))
def test_a_proposed_notation_reads_every_value(texts: list[str]) -> None:
    values = pl.Series(texts)
    example = likely_notation(values)
    assert example is None or plain_numbers(values, number_format(example)).null_count() == 0


def test_two_notations_that_differ_are_not_proposed() -> None:
    assert likely_notation(pl.Series(["7.950 EUR"])) is None


def test_points_that_may_separate_thousands_are_a_warning(tmp_path) -> None:
    def warned(amounts: str) -> bool:
        notes = company_of(tmp_path, HEADER + "".join(f"7,2026-01-05,{amount}\n" for amount in amounts.split())).notes
        return any(note.kind is NoteKind.WARNING and "three digits behind" in note.message for note in notes)

    assert warned("15.000 500 120.000")
    assert not warned("15.000 500.5")
    assert not warned("15 500")
    assert not warned("0.125 0.500")


def test_attributes_with_a_decimal_comma_are_told(tmp_path) -> None:
    (tmp_path / "customers.csv").write_text("customer_id;discount;code\n7;2,50;007\n8;0,00;010\n")
    notes = company_of(tmp_path, GOOD).notes
    told = [note.column for note in notes if note.message.startswith("is taken as text")]
    assert told == ["discount"]


def test_what_is_worth_a_look_comes_first_in_a_check(tmp_path) -> None:
    (tmp_path / "customers.csv").write_text("customer_id;discount\n7;2,50\n8;0,00\n")
    lines = check_report(company_of(tmp_path, GOOD)).lines()
    kinds = [line.split()[0] for line in lines[lines.index("noticed while reading") + 1 :]]
    assert kinds == ["reported", "reported", "guessed"]


def test_what_is_said_alike_of_several_columns_is_said_once(tmp_path) -> None:
    lines = check_report(company_of(tmp_path, GOOD.replace("amount\n", "amount,till,clerk\n").replace("5\n", "5,1,2\n"))).lines()
    assert "  ignored  transactions.till, clerk: is no column of ours" in lines
