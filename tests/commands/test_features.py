"""`keepwell features`: what it writes is the panel, and what it cannot write it says."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result

from features.catalog import CATALOG
from features.panel import build_panel
from features.reading.sources import read_company
from tests.commands.conftest import Shop, run

Keepwell = Callable[..., Result]
DATES = (date(2025, 7, 1), date(2026, 1, 1))
ASKED = ("spend_90d", "recency_days", "complaints_all")


def test_the_file_is_the_panel_of_all_dates(keepwell: Keepwell, shop: Shop, tmp_path: Path) -> None:
    out = tmp_path / "features.parquet"
    told = keepwell("features", shop.data, "--as-of", DATES[1], "--as-of", DATES[0], "--out", out)
    assert told.exit_code == 0, told.output
    written, panel = pl.read_parquet(out), build_panel(read_company(shop.data), DATES)
    assert written.equals(panel)
    assert f"{panel.height:,} rows of {panel.width - 2} features" in told.output


def test_the_columns_asked_for_come_in_the_order_asked_for(keepwell: Keepwell, shop: Shop, tmp_path: Path) -> None:
    out = tmp_path / "features.csv"
    told = keepwell("features", shop.data, "--as-of", DATES[0], "--columns", ", ".join([*ASKED, ASKED[0]]), "--out", out)
    assert told.exit_code == 0, told.output
    panel = build_panel(read_company(shop.data), DATES[:1], ASKED)
    assert pl.read_csv(out, schema=panel.schema).equals(panel)


@pytest.mark.parametrize(
    ("columns", "code", "complaint"),
    [
        ("recency_days,spent_90d", 4, "unknown feature 'spent_90d'\n  -> is it spend_90d? `keepwell features --catalog` lists"),
        ("recency_days,quantity_all", 4, "the data do not allow quantity_all\n  -> it is made from transactions.quantity"),
        ("recency_days,complaints_all", 4, "the data do not allow complaints_all\n  -> it is made from complaints"),
        (" , ", 2, "there is no name in it; write it as recency_days,spend_90d"),
    ],
)
def test_columns_that_cannot_be_had_are_refused(tmp_path: Path, columns: str, code: int, complaint: str) -> None:
    (tmp_path / "transactions.csv").write_text("customer_id,ordered_at,amount\n00001,2025-03-01,9.90\n")
    failed = run(tmp_path, "features", tmp_path, "--as-of", DATES[0], "--columns", columns, "--out", tmp_path / "x.csv")
    assert failed.exit_code == code
    assert complaint in failed.output
    assert not (tmp_path / "x.csv").exists()


@pytest.mark.parametrize("out", ["data/transactions.csv", "data/surveys/part-2.csv"])
def test_nothing_that_is_read_is_written_over(tmp_path: Path, out: str) -> None:
    (tmp_path / "data" / "surveys").mkdir(parents=True)
    (tmp_path / "data" / "transactions.csv").write_text("customer_id,ordered_at,amount\n00001,2025-03-01,9.90\n")
    (tmp_path / "data" / "surveys" / "part-1.csv").write_text("customer_id,answered_at\n00001,2025-03-01\n")
    before = {file: file.read_text() for file in tmp_path.rglob("*.csv")}
    failed = run(tmp_path, "features", tmp_path / "data", "--as-of", DATES[0], "--out", tmp_path / out)
    assert failed.exit_code == 4
    assert "which is read\n  -> choose another name for --out" in failed.output
    assert {file: file.read_text() for file in tmp_path.rglob("*.csv")} == before


def test_a_folder_that_holds_what_is_read_is_not_replaced(tmp_path: Path) -> None:
    data = tmp_path / "shop.parquet"
    data.mkdir()
    (data / "transactions.csv").write_text("customer_id,ordered_at,amount\n00001,2025-03-01,9.90\n")
    failed = run(tmp_path, "features", data, "--as-of", DATES[0], "--engine", "spark", "--out", data)
    assert failed.exit_code == 4
    assert "shop.parquet is in the place of transactions.csv, which is read" in failed.output
    assert (data / "transactions.csv").is_file()


def test_a_command_that_is_told_to_end_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken_off(*_: object) -> Iterator[pl.DataFrame]:
        yield pl.DataFrame({"customer_id": ["00001"], "as_of": [DATES[0]], "recency_days": [1.0]})
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr("features.engines.panel_blocks", broken_off)
    (tmp_path / "transactions.csv").write_text("customer_id,ordered_at,amount\n00001,2025-03-01,9.90\n")
    ended = run(tmp_path, "features", tmp_path, "--as-of", DATES[0], "--out", tmp_path / "x.parquet")
    assert (ended.exit_code, ended.output.splitlines()[-1]) == (1, "Aborted!")
    assert [file.name for file in tmp_path.iterdir()] == ["transactions.csv"]


def test_names_of_folders_are_no_patterns_and_no_markup(tmp_path: Path) -> None:
    data = tmp_path / "[red]*" / "[/x]"
    data.mkdir(parents=True)
    (data / "transactions.csv").write_text("customer_id,ordered_at,amount\n00001,2025-03-01,9.90\n")
    pl.DataFrame({"customer_id": ["00001"], "opened_at": [DATES[0]]}).write_parquet(data / "complaints.parquet")
    told = run(tmp_path, "features", data, "--as-of", DATES[1], "--columns", "complaints_all", "--out", data / "[o].csv")
    assert told.exit_code == 0, told.output
    assert f"Reading {data}" in told.output.replace("\n", "")
    assert (data / "[o].csv").read_text().splitlines() == ["customer_id,as_of,complaints_all", "00001,2026-01-01,1.0"]


CUSTOMERS = "customer_id,plan,size\n00001,gold,2\n"


def with_attributes(folder: Path) -> Path:
    (folder / "transactions.csv").write_text("customer_id,ordered_at,amount\n00001,2025-03-01,9.90\n")
    (folder / "customers.csv").write_text(CUSTOMERS)
    (folder / "company.yaml").write_text("static: [size]\n")
    return folder


def test_a_snapshot_is_written_for_one_date_and_left_out_and_told_of_several(tmp_path: Path) -> None:
    data, out = with_attributes(tmp_path), tmp_path / "x.parquet"
    one = run(tmp_path, "features", data, "--as-of", DATES[0], "--out", out)
    assert one.exit_code == 0, one.output
    assert "known only as of the day of the export" not in one.output
    assert [name for name in pl.read_parquet(out).columns if name.startswith("attr_")] == ["attr_plan_is_gold", "attr_size"]
    several = run(tmp_path, "features", data, "--as-of", DATES[0], "--as-of", DATES[1], "--out", out)
    assert several.exit_code == 0, several.output
    assert "customers: plan: known only as of the day of the export, so left out where several dates meet" in several.output
    assert [name for name in pl.read_parquet(out).columns if name.startswith("attr_")] == ["attr_size"]


def test_a_snapshot_asked_for_at_several_dates_is_refused(tmp_path: Path) -> None:
    dates = ("--as-of", DATES[0], "--as-of", DATES[1])
    failed = run(tmp_path, "features", with_attributes(tmp_path), *dates, "--columns", "attr_plan_is_gold", "--out", "x.csv")
    assert failed.exit_code == 4
    assert "attr_plan_is_gold is known of the day of the export alone, not of several dates" in failed.output


def test_the_catalog_of_data_ends_with_the_features_of_its_attributes(tmp_path: Path) -> None:
    data = with_attributes(tmp_path)
    told = run(tmp_path, "features", data, "--catalog", "--as-of", DATES[0], "--json")
    assert told.exit_code == 0, told.output
    entries = json.loads(told.output)
    assert [entry["name"] for entry in entries] == [*CATALOG, "attr_plan_is_gold", "attr_size"]
    assert entries[-2]["meaning"] == "1 where the attribute 'plan' is 'gold', 0 where it is another."
