"""The list of customers in columns: whatever is asked of it, a plain loop over the rows gives the same."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from threading import Event

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from serving.store import CustomerFilter, Store
from serving.store.engine import writing
from serving.store.list_schema import score_lists
from serving.store.listing import SORTABLE, WORDS, Listing
from serving.store.records import ScoreRow
from tests.serving.console.shop import feature_frame, save_plan, score_rows

LOADED_AT = datetime(2026, 4, 1, 5, tzinfo=UTC)
CUSTOMERS = 90
NAMES = ("Jonas Weber", "ÉLODIE Ünal", "王小明", "100% _off_", None)

fractions = st.none() | st.floats(0, 1)
filters = st.builds(
    CustomerFilter,
    search=st.sampled_from([None, "", " weber ", "élodie", "王", "%", "_", "c0000", "C00012", ".", "[", "nobody"]),
    status=st.sampled_from([None, "active", "lost", "unheard of"]),
    but_status=st.sampled_from([None, "lost"]),
    value_tier=st.sampled_from([None, "ordinary", "small"]),
    lifecycle=st.sampled_from([None, "stable"]),
    kind=st.sampled_from([None, "trader"]),
    owner=st.sampled_from([None, "Ann", "Ben"]),
    account_id=st.sampled_from([None, "7", "77"]),
    churn_from=fractions,
    churn_to=fractions,
    value_from=st.none() | st.floats(0, 900),
    value_to=st.none() | st.floats(0, 900),
    action=st.sampled_from([None, "service_recovery", "unplanned"]),
    with_open_complaint=st.booleans(),
    ids_only=st.booleans(),
)


@pytest.fixture(scope="module")
def shop() -> Iterator[Store]:
    with closing(Store("sqlite://")) as store:
        store.migrate()
        frame = score_rows(CUSTOMERS)
        index = range(CUSTOMERS)
        people = pl.DataFrame(
            {
                "customer_id": frame["customer_id"],
                "name": [NAMES[i % 5] for i in index],
                "owner": [("Ann", "Ben", None)[i % 3] for i in index],
                "kind": [("trader", "consumer")[i % 2] for i in index],
                "account_id": [None if i % 4 else i // 10 for i in index],
            }
        )
        load = store.load_scores(frame, company="shop", loaded_at=LOADED_AT, features=feature_frame(CUSTOMERS), people=people)
        save_plan(store, load, frame["customer_id"].to_list())
        yield store


def passes(row: ScoreRow, chosen: CustomerFilter) -> bool:
    """The filter, as its docstring tells it."""
    words = all(getattr(chosen, name) in (None, getattr(row, name)) for name in (*WORDS, "account_id", "action"))
    part = (chosen.search or "").strip().lower()
    texts = [row.customer_id, *([] if chosen.ids_only else [row.name or ""])]
    return (
        words
        and (chosen.but_status is None or row.status != chosen.but_status)
        and within(row.churn_probability, chosen.churn_from, chosen.churn_to)
        and within(row.expected_value, chosen.value_from, chosen.value_to)
        and (not chosen.with_open_complaint or (row.complaints_open or 0) > 0)
        and any(part in text.lower() for text in texts)
    )


def within(value: float | None, low: float | None, high: float | None) -> bool:
    if low is None and high is None:
        return True
    return value is not None and (low is None or value >= low) and (high is None or value <= high)


@settings(max_examples=150)
@given(filters, st.sampled_from(SORTABLE), st.booleans(), st.tuples(st.integers(0, 95), st.integers(1, 60)))
def test_a_page_is_what_a_loop_over_all_rows_finds(
    shop: Store, chosen: CustomerFilter, sort: str, descending: bool, place: tuple[int, int]
) -> None:
    offset, limit = place
    load = shop.current_load()
    everybody = shop.customers_by_id(load, shop.customer_ids(load)).values()
    passing = sorted((row for row in everybody if passes(row, chosen)), key=lambda row: row.customer_id)
    valued = [row for row in passing if getattr(row, sort) is not None]
    wanted = sorted(valued, key=lambda row: getattr(row, sort), reverse=descending)
    wanted += [row for row in passing if getattr(row, sort) is None]
    page = shop.customers(load, chosen, sort=sort, descending=descending, offset=offset, limit=limit)
    assert page.total == len(wanted)
    assert list(page.rows) == wanted[offset : offset + limit]


def test_a_list_made_from_rows_is_the_one_that_was_written_with_them(shop: Store) -> None:
    load = shop.current_load()
    written = shop.listing(load).frame
    with writing(shop._engine) as connection:
        kept = connection.exec_driver_sql("SELECT load_id, columns FROM score_lists").one()
        connection.execute(delete(score_lists))
    shop._listings._kept.cache_clear()
    assert shop.listing(load).frame.equals(written)
    with writing(shop._engine) as connection:
        connection.execute(score_lists.insert(), dict(kept._mapping))


def test_a_newer_plan_of_the_load_is_the_one_that_is_filtered_by(shop: Store) -> None:
    load = shop.current_load()
    planned = CustomerFilter(action="service_recovery")
    before = shop.customers(load, planned).total
    save_plan(shop, load, ["C00001", "C00002"])  # the first of which gets another action
    assert before > 1
    assert [row.customer_id for row in shop.customers(load, planned).rows] == ["C00002"]


def test_a_list_of_nobody_answers_too(shop: Store) -> None:
    gone = replace(shop.current_load(), id=999)
    assert shop.customers(gone, CustomerFilter(search="x", churn_from=0.5)).total == 0
    assert shop.summary(gone).customers == 0


def test_an_unknown_order_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot sort by 'age'"):
        Listing(pl.DataFrame(schema=dict.fromkeys((*SORTABLE, *WORDS), pl.String))).find(
            CustomerFilter(), sort="age", descending=True
        )


def test_a_list_in_memory_waits_for_none_that_is_being_read(shop: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    here = shop.current_load()
    there, may_end, begun = replace(here, id=here.id + 1), Event(), Event()
    listing = shop.listing(here)
    listings = shop._listings

    def slow(_load_id: int) -> Listing:
        begun.set()
        assert may_end.wait(60)
        return listing

    monkeypatch.setattr(listings, "_kept", lambda load_id: slow(load_id) if load_id == there.id else listing)
    with ThreadPoolExecutor(2) as pool:
        waiting = pool.submit(listings.of, there)
        assert begun.wait(60)
        assert pool.submit(listings.of, here).result(60) is listing
        assert not waiting.done()
        may_end.set()
        assert waiting.result(60) is listing
