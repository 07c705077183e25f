"""Files of tables: whole or absent, and a panel that comes in blocks is the panel."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.writing import write_panel
from keepwell.errors import ConfigError

DATES = (date(2024, 1, 1), date(2024, 2, 1), date(2024, 3, 1))
NO_ROWS = pl.DataFrame(schema={"customer_id": pl.String, "as_of": pl.Date, "spend_all": pl.Float64})


def panel_of(first_dates: list[int]) -> pl.DataFrame:
    """A customer for each number, with a row at every date from that one on."""
    rows = [
        (f"{customer:05}", as_of, None if customer % 3 == 0 else customer + 0.1)
        for place, as_of in enumerate(DATES)
        for customer, first in enumerate(first_dates)
        if first <= place
    ]
    return pl.DataFrame(rows, schema=NO_ROWS.schema, orient="row")


def blocks_of(panel: pl.DataFrame, customers: int) -> Iterator[pl.DataFrame]:
    ids = panel["customer_id"].unique().sort()
    for first in range(0, max(len(ids), 1), customers):
        yield panel.filter(pl.col("customer_id").is_in(ids.slice(first, customers).implode()))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 3), max_size=12), st.integers(1, 5), st.sampled_from([".parquet", ".csv"]))
def test_blocks_of_customers_become_one_table_by_date_and_customer(
    tmp_path: Path, first_dates: list[int], customers: int, ending: str
) -> None:
    panel, path = panel_of(first_dates), tmp_path / f"panel{ending}"
    assert write_panel(blocks_of(panel, customers), path) == panel.height
    written = pl.read_parquet(path) if ending == ".parquet" else pl.read_csv(path, schema=panel.schema)
    assert written.equals(panel)
    assert written.schema == panel.schema


def test_a_panel_without_rows_has_its_columns(tmp_path: Path) -> None:
    assert write_panel([NO_ROWS], tmp_path / "panel.parquet") == 0
    assert pl.read_parquet(tmp_path / "panel.parquet").equals(NO_ROWS)


def broken_off() -> Iterator[pl.DataFrame]:
    yield panel_of([0, 1])
    raise RuntimeError("the wheel came off")


def test_a_panel_that_breaks_off_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="the wheel came off"):
        write_panel(broken_off(), tmp_path / "panel.parquet")
    assert list(tmp_path.iterdir()) == []


def test_an_older_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "panel.csv"
    path.write_text("as it was")
    with pytest.raises(RuntimeError, match="the wheel came off"):
        write_panel(broken_off(), path)
    assert path.read_text() == "as it was"
    assert [file.name for file in tmp_path.iterdir()] == ["panel.csv"]


def test_only_parquet_and_csv_are_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"panel\.xlsx.*must end in \.parquet or \.csv"):
        write_panel([NO_ROWS], tmp_path / "panel.xlsx")


def test_a_place_that_cannot_be_written_to_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ConfigError, match=r"panel\.csv cannot be written"):
        write_panel([NO_ROWS], tmp_path / "file" / "panel.csv")


def test_a_folder_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "panel.parquet").mkdir()
    with pytest.raises(ConfigError, match=r"panel\.parquet: it is a folder"):
        write_panel(broken_off(), tmp_path / "panel.parquet")


def test_what_is_said_of_a_place_does_not_name_the_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ConfigError, match=r"^\S*panel\.csv cannot be written: [\w ]+\n"):
        write_panel([NO_ROWS], tmp_path / "file" / "panel.csv")
