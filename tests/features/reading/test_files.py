from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from features.reading.files import Opened, TextFormat, open_table
from keepwell.errors import DataError

ROW = {"customer_id": ["1"], "ordered_at": [datetime(2020, 1, 1)], "amount": [1.5]}
HEADER = "customer_id,ordered_at,amount\n"


def opened(folder: Path, files: dict[str, pl.DataFrame | str], written: TextFormat | None = None) -> Opened:
    for name, content in files.items():
        place = folder / "sales" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            place.write_text(content, newline="")
        else:
            content.write_parquet(place)
    return open_table("transactions", folder / "sales", written)


def frame(**columns: list[object]) -> pl.DataFrame:
    return pl.DataFrame(ROW | columns)


def told(table: Opened) -> list[str]:
    return [f"{note.column}: {note.message}" for note in table.notes]


def test_folders_that_name_values_are_columns_of_text(tmp_path) -> None:
    table = opened(
        tmp_path,
        {
            "shop=007/day=2020-01-01/a.parquet": frame(),
            "shop=8%20b/day=2020-01-02/a.parquet": frame(),
            "shop=__HIVE_DEFAULT_PARTITION__/day=2020-01-02/a.parquet": frame(),
        },
    )
    rows = table.frame.select("shop", "day").collect()
    assert sorted(rows["shop"].drop_nulls()) == ["007", "8 b"]
    assert rows["shop"].null_count() == 1
    assert rows["day"].to_list()[0] == "2020-01-01"
    assert table.notes == ()


def test_what_lies_aside_is_no_part_of_a_table(tmp_path) -> None:
    copies = (".ipynb_checkpoints/a.parquet", "_temporary/0/a.parquet", "day=1/.a.parquet.crc", "day=1/_SUCCESS")
    files = {"day=1/a.parquet": frame(), "_shop=2/a.parquet": frame(), **dict.fromkeys(copies, frame())}
    assert opened(tmp_path, files).frame.collect().height == 2


@pytest.mark.parametrize("log", ["_delta_log", ".hoodie"])
def test_a_table_whose_log_says_which_files_count_is_refused(tmp_path, log) -> None:
    with pytest.raises(DataError, match=r"transactions: sales is a table of \w+.* deleted"):
        opened(tmp_path, {"a.parquet": frame(), f"{log}/0.json": "{}"})


def test_a_folder_may_name_a_column_of_ours_also_of_csv_files(tmp_path) -> None:
    files = {f"channel={channel}/a.csv": HEADER + "1,2020-01-01,5\n" for channel in ("shop", "web")}
    assert opened(tmp_path, files).frame.collect()["channel"].to_list() == ["shop", "web"]


def test_a_column_that_some_files_lack_is_empty_there_and_told(tmp_path) -> None:
    for files in (
        {"a.parquet": frame(category=["x"]), "b.parquet": frame()},
        {"a.csv": "customer_id,category\n1,x\n", "b.csv": "customer_id\n1\n"},
    ):
        place = tmp_path / next(iter(files))
        table = opened(place, files)
        assert table.frame.collect()["category"].to_list() == ["x", None]
        assert told(table) == ["category: is only in 1 of 2 files, and empty in the others"]


@pytest.mark.parametrize(
    ("first", "second", "values"),
    [
        ({"amount": [1]}, {"amount": [2.5]}, [1.0, 2.5]),
        ({"customer_id": ["007"]}, {"customer_id": [7]}, ["007", "7"]),
        ({"ordered_at": [date(2020, 1, 1)]}, {}, [datetime(2020, 1, 1)] * 2),
        ({"amount": [None]}, {}, [None, 1.5]),
    ],
    ids=["numbers", "ids", "days", "nothing"],
)
def test_types_that_differ_become_one_that_holds_both(tmp_path, first, second, values) -> None:
    table = opened(tmp_path, {"a.parquet": frame(**first), "b.parquet": frame(**second)})
    assert table.frame.collect()[next(iter(first))].to_list() == values
    assert told(table)[0].startswith(f"{next(iter(first))}: has several types in the files, and is read as ")


def test_times_of_several_zones_are_one_column(tmp_path) -> None:
    times = frame()["ordered_at"]
    files = {
        f"{n}.parquet": frame().with_columns(times.dt.replace_time_zone(zone))
        for n, zone in enumerate(["Europe/Berlin", "America/New_York"])
    }
    instants = opened(tmp_path, files).frame.collect()["ordered_at"].dt.replace_time_zone(None)
    assert instants.to_list() == [datetime(2019, 12, 31, 23), datetime(2020, 1, 1, 5)]


def test_types_that_cannot_be_one_are_refused_by_column_and_file(tmp_path) -> None:
    zoned = frame().with_columns(pl.col("ordered_at").dt.replace_time_zone("UTC"))
    with pytest.raises(DataError, match=r"transactions\.ordered_at: cannot be one column: .* in b\.parquet and .* in a\.parquet"):
        opened(tmp_path, {"a.parquet": zoned, "b.parquet": frame()}).frame.collect()


def test_columns_of_csv_files_are_matched_by_name(tmp_path) -> None:
    table = opened(tmp_path, {"a.csv": "x,y\n1,2\n", "b.csv": "y;x\n4;3\n"})
    assert table.frame.collect().rows() == [("1", "2"), ("3", "4")]
    assert told(table) == ["None: columns are separated by ';'"]


@pytest.mark.parametrize("encoding", ["windows-1252", "utf-16", "utf-16-le"])
def test_another_encoding_is_read_when_it_is_said(tmp_path, encoding) -> None:
    (tmp_path / "sales.csv").write_bytes("näme;x\nMüller;1\n".encode(encoding))
    table = open_table("transactions", tmp_path / "sales.csv", TextFormat(encoding=encoding))
    assert table.frame.collect().to_dict(as_series=False) == {"näme": ["Müller"], "x": ["1"]}


def test_another_encoding_that_is_not_said_is_refused_with_the_way_out(tmp_path) -> None:
    (tmp_path / "sales.csv").write_bytes("näme;x\n".encode("windows-1252"))
    with pytest.raises(DataError, match=r"sales\.csv is not UTF-8 text") as refused:
        open_table("transactions", tmp_path / "sales.csv")
    assert "encoding:" in refused.value.hint


def test_a_file_that_is_no_parquet_is_refused(tmp_path) -> None:
    (tmp_path / "sales.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match="transactions: cannot be read"):
        open_table("transactions", tmp_path / "sales.parquet")
