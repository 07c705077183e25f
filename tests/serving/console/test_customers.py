"""The list of customers as a page: filters, ranges and columns of the address."""

from __future__ import annotations

import csv
import io
import re

import polars as pl
import pytest
from starlette.testclient import TestClient

from serving.console.query import COLUMNS
from serving.console.text_zh import CHINESE
from tests.serving.console.shop import feature_frame, score_rows

TABLE = score_rows(120).join(feature_frame(120).select("customer_id", "complaints_open"), on="customer_id")


def total(console: TestClient, query: str) -> int:
    page = console.get(f"/customers?{query}")
    assert page.status_code == 200
    told = re.search(r"of (\d+)</p>", page.text)
    return int(told[1]) if told else 0


@pytest.mark.parametrize(
    ("query", "passing"),
    [
        ("lifecycle=stable", pl.col("lifecycle") == "stable"),
        ("relation=relational&quadrant=gold", pl.col("quadrant") == "gold"),
        ("owner=Lena", pl.lit(True)),
        ("owner=Bob", pl.lit(False)),
        ("kind=trader", pl.lit(False)),
        ("account=7", pl.lit(False)),
        ("complaint=open", pl.col("complaints_open") > 0),
        ("churn_from=50&churn_to=75.5", pl.col("churn_probability").is_between(0.5, 0.755)),
        ("value_from=100", pl.col("expected_value") >= 100),
        ("value_to=100&status=all_but_lost", (pl.col("expected_value") <= 100) & (pl.col("status") != "lost")),
    ],
)
def test_filters_of_the_address_narrow_the_list(console: TestClient, query: str, passing: pl.Expr) -> None:
    assert total(console, query) == TABLE.filter(passing).height


def test_filters_in_use_are_not_folded_away_and_stay_written(console: TestClient) -> None:
    page = console.get("/customers?churn_from=20&account=A1").text
    assert '<details class="folded" open>' in page
    assert 'name="churn_from" value="20"' in page
    assert 'name="account" value="A1"' in page
    assert '<details class="folded" open>' not in console.get("/customers?value_tier=VIP").text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_column_can_be_shown(console: TestClient, language: str) -> None:
    page = console.get(f"/customers?lang={language}&" + "&".join(f"column={name}" for name in COLUMNS)).text
    heading = page[page.index("<thead>") : page.index("</thead>")]
    assert heading.count("<th ") == len(COLUMNS) + 1
    assert "columns=churn_probability%2Cexpected_value" in heading  # links keep the choice
    if language == "zh":
        assert CHINESE["column.owner"] in heading
    assert page[page.index("<tbody>") :].count("Lena") == 50


def test_columns_that_are_not_chosen_are_not_there(console: TestClient) -> None:
    page = console.get("/customers?columns=owner,value_tier").text
    assert re.findall(r'<td[^>]* data-name="([^"]+)"', page)[:4] == ["Tier", "Owner", "Tier", "Owner"]


@pytest.mark.parametrize(
    "query", ["churn_from=101", "churn_to=-1", "value_from=nan", "value_to=1e999", "churn_from=x", "columns=age"]
)
def test_what_does_not_exist_is_refused(console: TestClient, query: str) -> None:
    assert console.get(f"/customers?{query}").status_code == 400
    assert console.get(f"/customers.xlsx?{query}").status_code == 400


def test_a_workbook_holds_what_the_csv_file_holds_and_no_formula(console: TestClient) -> None:
    answer = console.get("/customers.xlsx?status=lost")
    assert answer.headers["content-disposition"] == 'attachment; filename="customers-2026-04-01.xlsx"'
    book = pl.read_excel(io.BytesIO(answer.content), infer_schema_length=None)
    rows = list(csv.DictReader(io.StringIO(console.get("/customers.csv?status=lost").content.decode("utf-8-sig"), newline="")))
    assert book.columns == list(rows[0])
    assert book["customer_id"].to_list() == [row["customer_id"] for row in rows]
    assert book["churn_probability"].to_list() == [float(row["churn_probability"]) for row in rows]
    assert book["expected_value"].null_count() == sum(row["expected_value"] == "" for row in rows) > 0


def test_a_list_too_long_for_a_workbook_is_offered_as_csv_alone(console: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.console.customers.MOST_IN_WORKBOOK", 100)
    monkeypatch.setattr("serving.console.views.customers.MOST_IN_WORKBOOK", 100)
    assert console.get("/customers.xlsx").status_code == 413
    assert "customers.xlsx" not in console.get("/customers").text
    assert "customers.xlsx" in console.get("/customers?status=lost").text


@pytest.mark.parametrize("written", ["lena", "EN", "Lena"])
def test_an_owner_is_found_by_a_part_of_the_name(console: TestClient, written: str) -> None:
    assert total(console, f"owner={written}") == TABLE.height


def test_owners_are_typed_and_offered_without_scripts(console: TestClient) -> None:
    page = console.get("/customers?owner=le").text
    assert 'name="owner" value="le" list="owners"' in page
    assert '<datalist id="owners"><option value="Lena"></option></datalist>' in page
