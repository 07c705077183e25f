from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from starlette.testclient import TestClient

from serving.console.export import COLUMNS, write_workbook
from serving.store import Store
from tests.serving.console.shop import NASTY_ID, NASTY_NAME


def read(console: TestClient, query: str = "") -> list[dict[str, str]]:
    answer = console.get(f"/customers.csv{query}")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="customers-2026-04-01.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def test_the_file_holds_the_whole_list_in_its_order(console: TestClient) -> None:
    rows = read(console)
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 120
    at_risk = [float(row["value_at_risk"]) for row in rows if row["value_at_risk"]]
    assert at_risk == sorted(at_risk, reverse=True)
    assert rows[0]["customer_id"] == NASTY_ID
    assert rows[0]["name"] == NASTY_NAME


def test_the_file_is_narrowed_like_the_list(console: TestClient) -> None:
    rows = read(console, "?status=lost&q=weber")
    assert all(row["status"] == "lost" and "Weber" in row["name"] for row in rows)


def test_a_missing_value_is_an_empty_cell(console: TestClient) -> None:
    assert {row["expected_value"] for row in read(console) if not row["value_at_risk"]} == {""}


def test_a_list_longer_than_a_chunk_is_written_whole(
    open_console: Callable[..., TestClient], filled_store: Store, monkeypatch: object
) -> None:
    monkeypatch.setattr("serving.console.views.customers._EXPORT_CHUNK", 7)
    ids = [row["customer_id"] for row in read(open_console(filled_store))]
    assert len(ids) == len(set(ids)) == 120


def test_a_text_that_looks_like_a_formula_stays_a_text_in_a_workbook(filled_store: Store, tmp_path: Path) -> None:
    row = filled_store.customer(filled_store.current_load(), NASTY_ID)
    names = ["=1+1", "+1", "-1", "@SUM(A1)", "http://example.org", "\x00", "x" * 40_000]
    write_workbook((replace(row, name=name, owner=name) for name in names), tmp_path / "list.xlsx")
    sheet = zipfile.ZipFile(tmp_path / "list.xlsx").read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet
    assert "=1+1" in sheet
    assert "x" * 32_767 in sheet
    assert "x" * 32_768 not in sheet
