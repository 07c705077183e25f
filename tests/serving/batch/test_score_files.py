"""Scores in files, of any size: read in blocks, and loaded as if they had come at once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from features.company import Company
from keepwell.errors import DataError, StoreError
from serving.batch.score_files import rows_in, scan_scores, score_blocks
from serving.store import Store
from serving.store.records import CustomerFilter

NOW = datetime(2025, 1, 2, tzinfo=UTC)


def spread(scored: pl.DataFrame, folder: Path) -> Path:
    """The scores as Spark writes them: in a folder for each tier, in several files, beside what is no part of them."""
    for number, ((tier,), rows) in enumerate(scored.sample(fraction=1.0, shuffle=True, seed=1).group_by("value_tier")):
        (folder / f"value_tier={tier}").mkdir(parents=True)
        rows.drop("value_tier").write_parquet(folder / f"value_tier={tier}" / f"part-{number}.parquet")
    (folder / "_SUCCESS").touch()
    return folder


def test_blocks_of_a_folder_are_the_scores_in_the_order_of_their_ids(scored: pl.DataFrame, tmp_path: Path) -> None:
    folder = spread(scored, tmp_path / "scores")
    blocks = list(score_blocks(folder, rows=100))
    assert len(blocks) == 3
    ids = [set(block["customer_id"].cast(pl.String)) for block in blocks]
    assert max(ids[0]) < min(ids[1]) and max(ids[1]) < min(ids[2])  # noqa: PT018  # one order
    together = pl.concat(blocks).select(scored.columns).sort("customer_id")
    assert_frame_equal(together, scored.sort("customer_id"))
    assert rows_in(folder) == scored.height


def test_a_folder_without_parquet_and_a_file_that_is_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.parquet").write_text("customer_id")
    for name, told in (
        ("empty", "holds no Parquet file"),
        ("text.parquet", "cannot be read"),
        ("absent.parquet", "does not exist"),
    ):
        with pytest.raises(DataError, match=told):
            scan_scores(tmp_path / name)


def test_scores_loaded_in_blocks_are_read_as_those_loaded_at_once(shop: Company, scored: pl.DataFrame, tmp_path: Path) -> None:
    people = shop.tables["customers"]
    blocks = score_blocks(spread(scored, tmp_path / "scores"), rows=70)
    one, other = (Store(f"sqlite:///{tmp_path / name}.db") for name in ("one", "other"))
    for store in (one, other):
        store.migrate()
    at_once = one.load_scores(scored, company=shop.key, loaded_at=NOW, people=people, currency="EUR")
    in_blocks = other.load_blocks(blocks, company=shop.key, loaded_at=NOW, people=people, currency="EUR")
    assert in_blocks == at_once
    found = [store.customers(load, CustomerFilter(), limit=1_000) for store, load in ((one, at_once), (other, in_blocks))]
    assert found[0] == found[1]
    assert other.current_load() == in_blocks


def test_blocks_of_two_runs_and_no_blocks_leave_the_store_as_it_was(shop: Company, scored: pl.DataFrame, tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    store.migrate()
    before = store.load_scores(scored, company=shop.key, loaded_at=NOW)
    other = scored.with_columns(model_version=pl.lit("2"))
    with pytest.raises(StoreError, match="of different runs"):
        store.load_blocks(iter([scored.head(10), other.tail(10)]), company=shop.key, loaded_at=NOW)
    with pytest.raises(StoreError, match="no scores to load"):
        store.load_blocks(iter([]), company=shop.key, loaded_at=NOW)
    assert store.current_load() == before


def test_scores_with_a_customer_twice_are_refused_by_their_id(scored: pl.DataFrame, tmp_path: Path) -> None:
    pl.concat([scored, scored.head(2)]).write_parquet(tmp_path / "scores.parquet")
    with pytest.raises(DataError, match=r"customer_id: must be there once in .* \(2 rows\)"):
        list(score_blocks(tmp_path / "scores.parquet"))


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("customer_id", None, r"customer_id: must be there in every row of .* \(1 row\)"),
        ("churn_probability", None, r"churn_probability: must be from 0 to 1 .*\(1 row"),
        ("churn_probability", "7.5", r"churn_probability: must be from 0 to 1 .*\(1 row, for example 7.5\)"),
        ("churn_probability", "high", "cannot be read"),
    ],
)
def test_one_bad_row_is_refused_rather_than_dropped(
    scored: pl.DataFrame, tmp_path: Path, column: str, value: str | None, told: str
) -> None:
    texts = scored.with_columns(pl.col(column).cast(pl.String))
    bad = pl.when(pl.int_range(pl.len()) == 5).then(pl.lit(value, dtype=pl.String)).otherwise(column).alias(column)
    texts.with_columns(bad).write_parquet(tmp_path / "scores.parquet")
    with pytest.raises(DataError, match=told):
        list(score_blocks(tmp_path / "scores.parquet", rows=100))
