import subprocess
import sys
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from features.asof import ALWAYS_DAY
from features.company import Company, NoteKind
from features.reading.sources import read_company, read_key
from keepwell.errors import ConfigError, DataError

ROOT = Path(__file__).parents[3]
SHARED = ROOT.parent / "shared"
HEADER = "customer_id,ordered_at,amount\n"
GOOD = HEADER + "00001,2020-01-01,9.99\n2,2020-02-01 10:30,5\n"
FRAME = pl.DataFrame(
    {"customer_id": ["00001", "2"], "ordered_at": [datetime(2020, 1, 1), datetime(2020, 2, 1)], "amount": [9.99, 5.0]}
)


def folder_of(folder: Path, **files: str) -> Path:
    """A folder with these files; the first underscore of a name stands for its point."""
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_bytes(content.encode())
    return folder


def messages(company: Company, kind: NoteKind) -> list[str]:
    return [str(note).split(maxsplit=1)[1] for note in company.notes if note.kind is kind]


def test_csv_and_parquet_give_the_same_company(tmp_path) -> None:
    from_csv = read_company(folder_of(tmp_path, transactions_csv=HEADER + "00001,2020-01-01,9.99\n2,2020-02-01,5\n"))
    (tmp_path / "parquet").mkdir()
    FRAME.write_parquet(tmp_path / "parquet" / "transactions.parquet")
    from_parquet = read_company(tmp_path / "parquet")
    assert from_csv.tables["transactions"].equals(from_parquet.tables["transactions"])
    assert from_csv.fingerprint() == from_parquet.fingerprint()
    assert from_csv.tables["transactions"]["customer_id"].to_list() == ["00001", "2"]
    assert from_csv.scales == {"transactions.amount": 2}


def test_a_folder_of_parts_is_one_table(tmp_path) -> None:
    for part, row in zip(("year=2020", "year=2021"), FRAME.iter_slices(1), strict=True):
        (tmp_path / "transactions" / part).mkdir(parents=True)
        row.write_parquet(tmp_path / "transactions" / part / "0.parquet")
    company = read_company(tmp_path)
    assert company.tables["transactions"].height == 2
    assert messages(company, NoteKind.IGNORED) == ["transactions.year: is no column of ours"]


def test_who_has_files_does_not_pay_for_databases(tmp_path) -> None:
    code = "import sys; from features.reading.sources import read_company; read_company(sys.argv[1]); print(*sys.modules)"
    command = [sys.executable, "-c", code, str(folder_of(tmp_path, transactions_csv=GOOD))]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()
    assert not {"sqlalchemy", "duckdb", "psycopg", "fastexcel", "pyspark", "pandas"} & set(loaded)


def test_the_key_is_known_without_a_look_at_the_tables(tmp_path) -> None:
    folder_of(tmp_path, transactions_csv=GOOD)
    assert read_key(tmp_path) == read_company(tmp_path).key
    assert read_key(folder_of(tmp_path, transactions_csv="", company_yaml="company: my-shop")) == "my-shop"


def test_only_files_that_nobody_named_are_no_table_of_ours(tmp_path) -> None:
    named = "tables: {transactions: {file: sales.csv}}"
    company = read_company(folder_of(tmp_path, sales_csv=GOOD, notes_csv="a,b\n", company_yaml=named))
    assert messages(company, NoteKind.IGNORED) == [
        "notes: notes.csv is no table of ours; if it is one under another name, company.yaml can say file: notes.csv"
    ]


def test_the_mark_of_a_windows_file_is_no_part_of_a_name(tmp_path) -> None:
    assert read_company(folder_of(tmp_path, transactions_csv="\ufeff" + GOOD)).notes == ()


def test_a_separator_that_is_no_comma_is_found_and_told(tmp_path) -> None:
    company = read_company(folder_of(tmp_path, transactions_csv=GOOD.replace(",", ";")))
    assert messages(company, NoteKind.GUESSED) == ["transactions: columns are separated by ';'"]


def test_company_yaml_maps_places_and_names(tmp_path) -> None:
    top = "company: shop\nzone: Asia/Shanghai\ncurrency: CNY\ntables:\n  transactions:\n"
    table = "    file: sales.txt\n    time_format: '%d/%m/%Y'\n    columns: {customer_id: who, ordered_at: when, amount: paid}\n"
    folder_of(tmp_path, company_yaml=top + table, sales_txt="who,when,paid,other\n7,01/02/2020,3.5,x\n")
    for path in (tmp_path, tmp_path / "company.yaml"):
        company = read_company(path)
        assert (company.key, company.zone, company.currency) == ("shop", "Asia/Shanghai", "CNY")
        assert company.tables["transactions"]["ordered_day"].to_list() == [(datetime(2020, 2, 1) - datetime(1970, 1, 1)).days]
        assert len(messages(company, NoteKind.MAPPED)) == 3
        assert messages(company, NoteKind.IGNORED) == ["transactions.other: is no column of ours"]


def test_a_company_without_a_key_is_named_after_its_folder(tmp_path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        folder_of(tmp_path / name, transactions_csv=GOOD)
    first, second = read_company(tmp_path / "a"), read_company(tmp_path / "b")
    assert first.key != second.key
    assert first.key == read_company(tmp_path / "b" / ".." / "a").key


def test_attributes_are_what_customers_have_beyond_our_columns(tmp_path) -> None:
    header = "customer_id,kind,name,birthday,city,age,code,email\n"
    customers = header + "00001,consumer,Ann,1822-06-01,Rome,44,007,a@b.c\n2,trader,Bo,,Oslo,,010,\n"
    company = read_company(folder_of(tmp_path, transactions_csv=GOOD, customers_csv=customers, company_yaml="static: [city]"))
    assert company.attributes == {"city": "static", "age": "snapshot", "code": "snapshot"}
    assert company.tables["customers"]["age"].to_list() == [44.0, None]
    assert company.tables["customers"]["code"].to_list() == ["007", "010"]
    assert messages(company, NoteKind.IGNORED) == ["customers.email: looks personal; name it under static: to use it"]


def test_attributes_with_known_at_are_dated(tmp_path) -> None:
    customers = "customer_id,known_at,city\n00001,2020-01-05,Rome\n2,,Oslo\n"
    company = read_company(folder_of(tmp_path, transactions_csv=GOOD, customers_csv=customers))
    assert company.attributes == {"city": "dated"}
    assert company.tables["customers"]["known_day"].to_list() == [18266, ALWAYS_DAY]


def test_ids_are_text_everywhere_if_they_are_text_anywhere(tmp_path) -> None:
    FRAME.with_columns(customer_id=pl.Series([1, 2])).write_parquet(tmp_path / "transactions.parquet")
    company = read_company(folder_of(tmp_path, complaints_csv="customer_id,opened_at\n2,2020-01-01\n"))
    assert company.tables["transactions"]["customer_id"].to_list() == ["1", "2"]
    assert messages(company, NoteKind.WARNING) == []


def test_strangers_and_ends_before_beginnings_are_warnings(tmp_path) -> None:
    complaints = "customer_id,opened_at,closed_at\n9,2020-01-01,2019-01-01\n2,2020-01-01,\n"
    company = read_company(folder_of(tmp_path, transactions_csv=GOOD, complaints_csv=complaints))
    assert messages(company, NoteKind.WARNING) == [
        "complaints.customer_id: belongs to no known customer, for example '9' (1 row)",
        "complaints.closed_at: lies before opened_at (1 row)",
    ]


def test_customers_and_labels_alone_are_read(tmp_path) -> None:
    labels = "customer_id,as_of,churned\na,2026-01-01,yes\n"
    company = read_company(folder_of(tmp_path, customers_csv="customer_id,tenure\na,3\n", labels_csv=labels))
    assert company.tables["labels"].to_dicts()[0]["churned"] == 1.0


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ("", "transactions: is an empty file: transactions.csv"),
        ("\n\n", "transactions: cannot be read"),
        (HEADER, "transactions: has no rows"),
        ("customer_id,ordered_at\n1,2020-01-01\n", r"transactions\.amount: is required, and missing"),
        (HEADER + "1,soon,1\n", r"transactions\.ordered_at: must be a date or time \(1 row, for example 'soon'\)"),
        (HEADER + "1,1820-01-01,1\n", r"transactions\.ordered_at: must lie in 1900 to 2100 \(1 row"),
        (HEADER + "1,2020-01-01,nan\n", r"transactions\.amount: must be a number, not NaN \(1 row"),
        (HEADER + "1,2020-01-01,free\n", r"transactions\.amount: must be a number \(1 row, for example 'free'\)"),
        (HEADER + ",2020-01-01,1\n", r"transactions\.customer_id: must not be empty \(1 row"),
        (HEADER + "1,2020-01-01,1e20\n", r"transactions\.amount: is too large"),
        (
            HEADER + "1,2020-01-01,1\n1,2020-01-01,1,2,3\n",
            r"more values than the 3 names .* \(1 row, for example 'line 3 with 5 values'\)",
        ),
        ("amount," + HEADER + "1,1,2020-01-01,1\n", r"transactions\.amount: stands twice in the header line"),
    ],
)
def test_a_wrong_csv_file_is_refused(tmp_path, content, rule) -> None:
    with pytest.raises(DataError, match=rule) as refused:
        read_company(folder_of(tmp_path, transactions_csv=content))
    assert refused.value.hint


def test_text_in_another_encoding_is_refused(tmp_path) -> None:
    (tmp_path / "transactions.csv").write_bytes(GOOD.encode("utf-16"))
    with pytest.raises(DataError, match=r"transactions\.csv is not UTF-8 text"):
        read_company(tmp_path)


def test_a_parquet_file_that_is_none_is_refused(tmp_path) -> None:
    with pytest.raises(DataError, match="transactions: cannot be read"):
        read_company(folder_of(tmp_path, transactions_parquet=GOOD))


def test_two_files_for_one_table_are_refused(tmp_path) -> None:
    FRAME.write_parquet(tmp_path / "transactions.parquet")
    with pytest.raises(DataError, match=r"is there twice: transactions\.parquet and transactions\.csv"):
        read_company(folder_of(tmp_path, transactions_csv=GOOD))


def test_a_table_of_another_kind_of_file_is_refused(tmp_path) -> None:
    folder_of(tmp_path, sales_xlsx="x", company_yaml="tables: {transactions: {file: sales.xlsx}}")
    with pytest.raises(DataError, match=r"must be Parquet or CSV, and of one kind: found sales\.xlsx"):
        read_company(tmp_path)


def test_a_folder_without_transactions_contracts_and_customers_is_refused(tmp_path) -> None:
    with pytest.raises(DataError, match="transactions: is required, and missing; there is only complaints"):
        read_company(folder_of(tmp_path, complaints_csv="customer_id,opened_at\na,2024-01-01\n", orders_csv=GOOD))


@pytest.mark.parametrize("place", ["nowhere", "notes.txt"])
def test_a_path_that_is_no_company_is_refused(tmp_path, place) -> None:
    folder_of(tmp_path, notes_txt="x")
    with pytest.raises(ConfigError, match=f"{place} (does not exist|is neither a folder nor a .yaml file)"):
        read_company(tmp_path / place)


def test_files_under_other_names_alone_are_named_with_the_way_to_use_them(tmp_path: Path) -> None:
    (tmp_path / "orders_export.csv").write_text("Client No,Ordered,Line total\nC1,2025-01-05,9.90\n")
    with pytest.raises(DataError, match="there is only orders_export") as refused:
        read_company(tmp_path)
    assert "rename it to transactions.csv" in refused.value.hint
    assert "tables: {transactions: {file: orders_export.csv}}" in refused.value.hint


def test_an_attribute_that_is_declared_static_must_be_there(tmp_path) -> None:
    with pytest.raises(DataError, match=r"customers\.town: is declared static, but there is no such attribute"):
        read_company(
            folder_of(tmp_path, transactions_csv=GOOD, customers_csv="customer_id,city\n2,Rome\n", company_yaml="static: [town]")
        )


def test_what_company_yaml_names_must_be_there(tmp_path) -> None:
    folder_of(tmp_path, transactions_csv=GOOD, company_yaml="tables: {complaints: {time_format: '%Y'}}")
    with pytest.raises(DataError, match=r"complaints: is named in company\.yaml, but there is no file of it"):
        read_company(tmp_path)
    folder_of(tmp_path, company_yaml="static: [city]")
    with pytest.raises(DataError, match=r"customers\.city: is declared static, but there is no table of customers"):
        read_company(tmp_path)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the public data sets lie beside the project, and are not there")
@pytest.mark.parametrize(("name", "rows", "decimals"), [("cdnow", 63_753, 2), ("online_retail_2", 644_807, 3)])
def test_public_histories_are_read(name, rows, decimals) -> None:
    company = read_company(SHARED / "data" / name / "history")
    assert company.tables["transactions"].height == rows
    assert company.scales == {"transactions.amount": decimals}
    assert messages(company, NoteKind.GUESSED) == []
