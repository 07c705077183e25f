"""Rows packed into integers: sorted as their keys are, and nothing of them lost."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from features.arrays import cores, packing
from features.arrays.packing import ROW, packed_rows, sorted_rows
from features.asof import NEVER_DAY, NEVER_US
from features.catalog import CATALOG
from features.company import Company
from features.panel import build_panel
from tests.features.strategies import crowd

near = st.integers(-3, 3)
far = st.integers(-(2**62), 2**62) | st.sampled_from([NEVER_DAY, NEVER_US])


def pack_few_rows(patch: pytest.MonkeyPatch) -> None:
    """Few rows, too, are packed, in more than one slice, and on all cores."""
    patch.setattr(packing, "FEW_ROWS", 0)
    patch.setattr(cores, "SLICE_ROWS", 3)
    patch.setattr(cores, "MANY_ROWS", 6)
    patch.setattr(cores, "cores", lambda: 4)


def column(values: list[int]) -> np.ndarray:
    return np.array(values, dtype=np.int64)


@given(rows=st.lists(st.tuples(near | far, near | far), max_size=30))
def test_rows_are_sorted_by_their_keys_and_keep_the_order_of_equal_ones(rows: list[tuple[int, int]]) -> None:
    keys = {"first": column([row[0] for row in rows]), "second": column([row[1] for row in rows])}
    expected = sorted(range(len(rows)), key=rows.__getitem__)
    assert sorted_rows(keys).column(ROW).tolist() == expected
    with pytest.MonkeyPatch.context() as patch:
        pack_few_rows(patch)
        assert sorted_rows(keys).column(ROW).tolist() == expected


@given(rows=st.lists(st.tuples(near, near, near | far), min_size=1, max_size=30), narrow=st.booleans())
def test_rows_that_hold_all_their_columns_are_the_same_rows(rows: list[tuple[int, int, int]], narrow: bool) -> None:
    if narrow:
        rows = [(first, second, other % 7) for first, second, other in rows]
    names = ("first", "second", "other")
    columns = {name: column([row[place] for row in rows]) for place, name in enumerate(names)}
    with pytest.MonkeyPatch.context() as patch:
        pack_few_rows(patch)
        packed = packed_rows({name: columns[name] for name in names[:2]}, {"other": columns["other"]})
    if packed is None:
        assert max(columns["other"]) - min(columns["other"]) > 2**40
    elif "other" in packed.fields:
        assert sorted(zip(*(packed.column(name).tolist() for name in names), strict=True)) == sorted(rows)
        assert packed.column("first").tolist() == sorted(row[0] for row in rows)
        starts = packed.starts("first")
        assert packed.column("first", starts[:-1]).tolist() == sorted({row[0] for row in rows})
        assert starts[-1] == len(rows)
    else:
        assert not narrow
        assert packed.column(ROW).tolist() == sorted(range(len(rows)), key=lambda row: rows[row][:2])


@pytest.mark.parametrize("order", [("day", "small"), ("small", "day")])
def test_days_that_never_come_do_not_overflow_beside_days_long_ago(order: tuple[str, str]) -> None:
    columns = {"day": np.array([NEVER_DAY, -5, 3], dtype=np.int32), "small": np.array([9, 7, 8], dtype=np.int32)}
    with pytest.MonkeyPatch.context() as patch:
        pack_few_rows(patch)
        packed = packed_rows({order[0]: columns[order[0]]}, {order[1]: columns[order[1]]})
    assert packed is not None
    assert packed.column("day").tolist() == [-5, 3, NEVER_DAY]
    assert packed.column("small").tolist() == [7, 8, 9]


def test_numbers_that_are_not_whole_stay_where_they_are() -> None:
    keys, others = {"day": np.arange(3)}, {"quantity": np.array([0.5, 1.5, np.nan])}
    with pytest.MonkeyPatch.context() as patch:
        pack_few_rows(patch)
        packed = packed_rows(keys, others)
    assert packed is not None
    assert set(packed.fields) == {"day", ROW}


@pytest.mark.parametrize("ids", ["texts", "near numbers", "far numbers"])
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("names", [None, ("recency_days", "spend_all"), ("spend_30d", "categories_all"), ("complaints_open",)])
def test_a_panel_is_the_same_whether_rows_are_packed_or_not(late: bool, names: tuple[str, ...] | None, ids: str) -> None:
    story = crowd(3, customers=25, late=late)
    company, dates = with_ids(story.company(), ids), [date(2023, 11, 5), story.as_of]
    plain = build_panel(company, dates, names or list(CATALOG))
    with pytest.MonkeyPatch.context() as patch:
        pack_few_rows(patch)
        assert_frame_equal(build_panel(company, dates, names or list(CATALOG)), plain)


def with_ids(company: Company, ids: str) -> Company:
    """The same company with other ids; numbers are below and above 0, and in another order than the texts."""
    if ids == "texts":
        return company
    step = 2 if ids == "far numbers" else 2**40
    number = (pl.col("customer_id").hash(1) // step).cast(pl.Int64) - 2**62 // step
    tables = {name: table.with_columns(customer_id=number) for name, table in company.tables.items()}
    return Company(**{**vars(company), "tables": tables})
