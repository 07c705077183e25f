"""Sources of one's own: a package offers them, company.yaml names them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from features.panel import build_panel
from features.reading.sources import database_tables, read_company, table_places
from keepwell.errors import ConfigError, DataError

EXAMPLE = Path(__file__).parents[3] / "examples" / "own_shop"
CONFIG = "tables: {transactions: {source: own_json_lines, columns: {amount: paid}}}"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shop whose purchases lie in a file of JSON lines, with the example's source installed."""
    metadata = tmp_path / "site" / "own_shop-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: own-shop\nVersion: 1.0\n")
    points = (
        "own_json_lines = own_shop.sources:json_lines\nown_broken = own_shop.no_such:source\nbare = own_shop.sources:json_lines"
    )
    (metadata / "entry_points.txt").write_text(f"[keepwell.sources]\n{points}\n")
    for folder in (EXAMPLE, tmp_path / "site"):
        monkeypatch.syspath_prepend(str(folder))
    place = tmp_path / "shop"
    place.mkdir()
    rows = [
        {"customer_id": "a", "ordered_at": "2026-01-03", "paid": 10.5},
        {"customer_id": "a", "ordered_at": "2026-01-05", "paid": 2},
    ]
    (place / "transactions.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (place / "company.yaml").write_text(CONFIG)
    return place


def test_a_table_of_a_source_is_read_and_checked_as_any_other(shop: Path) -> None:
    panel = build_panel(read_company(shop), [date(2026, 1, 10)], ["recency_days", "spend_all"])
    assert panel.rows() == [("a", date(2026, 1, 10), 5.0, 12.5)]


def test_a_wrong_value_is_told_as_of_any_table(shop: Path) -> None:
    (shop / "transactions.jsonl").write_text('{"customer_id": "a", "ordered_at": "soon", "paid": 1}')
    with pytest.raises(DataError, match=r"transactions\.ordered_at"):
        read_company(shop)


def test_parameters_of_company_yaml_reach_the_source(shop: Path) -> None:
    (shop / "transactions.jsonl").rename(shop / "orders.jsonl")
    (shop / "company.yaml").write_text(CONFIG.replace("columns:", "parameters: {file: orders.jsonl}, columns:"))
    assert read_company(shop).tables["transactions"].height == 2


def test_a_source_that_fails_is_told_in_words(shop: Path) -> None:
    (shop / "transactions.jsonl").unlink()
    with pytest.raises(DataError, match=r"transactions: could not be read by the source own_json_lines \(FileNotFoundError"):
        read_company(shop)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("own_nothing", "there is no source 'own_nothing'\n  -> install its package; there are: .*own_json_lines"),
        ("own_broken", "own_shop.no_such:source of the package own-shop, an extension of keepwell.sources, does not import"),
        ("bare", "tables.transactions: 'bare' cannot be the name of a source"),
    ],
)
def test_a_source_that_cannot_be_had_is_refused(shop: Path, name: str, told: str) -> None:
    (shop / "company.yaml").write_text(CONFIG.replace("own_json_lines", name))
    with pytest.raises(ConfigError, match=told):
        read_company(shop)


def test_one_table_has_one_place(shop: Path) -> None:
    (shop / "company.yaml").write_text(CONFIG.replace("columns:", "file: a.csv, columns:"))
    with pytest.raises(ConfigError, match="has a source of its own and a file or a database query: give one"):
        read_company(shop)


def test_a_job_over_http_may_not_use_one(shop: Path) -> None:
    """It reads what it likes: `serving.jobs.desk` refuses what is no file below its folder, and asks here."""
    assert database_tables(shop) == ("transactions",)
    assert not table_places(shop)
