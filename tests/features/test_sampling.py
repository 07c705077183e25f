"""Who is in a sample is told by the id alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from datasets.simulate import simulate
from features.company import Company
from features.reading.sources import read_company
from features.sampling import drawn, places

ids = st.lists(st.text(max_size=12), min_size=1, max_size=30)


def by_hand(text: str) -> float:
    """The same hash, a byte and a text at a time."""
    state, whole = 0xCBF29CE484222325, 2**64
    for byte in text.encode():
        state = (state ^ byte) * 0x100000001B3 % whole
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        state = (state ^ (state >> shift)) * factor % whole
    return ((state ^ (state >> 31)) >> 11) / 2**53


@given(ids)
def test_a_place_is_the_hash_of_the_id_and_of_nothing_else(texts: list[str]) -> None:
    assert places(pl.Series(texts)).tolist() == [by_hand(text) for text in texts]


def test_places_are_evenly_spread_for_ids_of_any_kind() -> None:
    numbers = np.arange(100_000)
    for series in (pl.Series(numbers), pl.Series([f"C{number:08d}" for number in numbers]), pl.Series(numbers * 1000)):
        found = np.sort(places(series))
        assert np.abs(found - (numbers + 0.5) / len(numbers)).max() < 0.01
        tenth = places(series)[numbers % 10 == 3]
        assert abs(tenth.mean() - 0.5) < 0.015  # five standard errors


def test_a_smaller_sample_is_part_of_a_larger_one_and_rows_without_an_id_stay() -> None:
    frame = pl.DataFrame({"who": [*map(str, range(2_000)), None]})
    few, more = (set(drawn(frame.lazy(), "who", share).collect()["who"]) for share in (0.1, 0.3))
    assert few < more
    assert None in few
    assert 150 < len(few) < 250


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("sample") / "shop"
    simulate(place, customers=2_000, months=6, seed=1)
    return place


def test_a_sample_has_all_rows_of_its_customers_in_every_table(folder: Path) -> None:
    whole, few = read_company(folder), read_company(folder, sample=500)
    kept = few.tables["transactions"]["customer_id"].unique()
    assert few.sampled is not None
    assert 300 < len(kept) < 700
    for name, frame in whole.tables.items():
        mine = frame.filter(pl.Series(places(frame["customer_id"]) < few.sampled.share))
        assert_frame_equal(few.tables[name], mine)


def test_a_sample_as_large_as_the_company_is_the_company(folder: Path) -> None:
    assert read_company(folder, sample=100_000).sampled is None
    assert same(read_company(folder, sample=100_000), read_company(folder))


def test_a_csv_file_and_a_parquet_file_give_the_same_sample(folder: Path, tmp_path: Path) -> None:
    for file in folder.glob("*.parquet"):
        pl.read_parquet(file).write_csv(tmp_path / f"{file.stem}.csv")
    of_csv, of_parquet = (read_company(place, sample=500).tables["complaints"] for place in (tmp_path, folder))
    assert of_csv["customer_id"].cast(pl.String).to_list() == of_parquet["customer_id"].cast(pl.String).to_list()


def same(one: Company, other: Company) -> bool:
    return one.fingerprint() == other.fingerprint()
