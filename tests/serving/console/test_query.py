from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepwell.errors import RequestError
from serving.console.query import COLUMNS, FILTERS, LAST_PAGE, PAGE_SIZE, RANGES, SORTS, CustomerQuery
from serving.console.urls import Urls


def place(filter_: tuple[str, str]) -> int:
    """Where a filter stands among its kind."""
    return (*FILTERS, *RANGES).index(filter_[0])


words = st.text(max_size=30).map(str.strip)
queries = st.builds(
    CustomerQuery,
    search=words,
    filters=st.tuples(
        st.dictionaries(st.sampled_from(FILTERS), st.text(min_size=1, max_size=9)),
        st.dictionaries(st.sampled_from(tuple(RANGES)), st.floats(0, 100).map(str)),
    ).map(lambda chosen: tuple((name, value) for part in chosen for name, value in sorted(part.items(), key=place))),
    columns=st.sets(st.sampled_from(COLUMNS), min_size=1).map(lambda chosen: tuple(sorted(chosen, key=COLUMNS.index))),
    sort=st.sampled_from(SORTS),
    descending=st.booleans(),
    page=st.integers(1, LAST_PAGE),
)


@given(queries)
def test_parameters_read_back_to_the_same_query(query: CustomerQuery) -> None:
    assert CustomerQuery.read(query.parameters) == query


@given(queries, st.sampled_from(SORTS))
def test_a_new_order_keeps_search_and_filters_and_starts_at_the_first_page(query: CustomerQuery, sort: str) -> None:
    sorted_query = query.sorted_by(sort)
    assert (sorted_query.search, sorted_query.filters, sorted_query.page) == (query.search, query.filters, 1)
    assert sorted_query.sort == sort


@given(queries)
def test_sorting_twice_by_the_same_column_turns_round_and_back(query: CustomerQuery) -> None:
    first_page = query.at_page(1)
    assert first_page.sorted_by(query.sort).descending != query.descending
    assert first_page.sorted_by(query.sort).sorted_by(query.sort) == first_page


@given(st.dictionaries(st.sampled_from(["q", "other", *FILTERS]), st.text(max_size=12)), st.integers(1, LAST_PAGE))
def test_any_search_and_filter_is_read(parameters: dict[str, str], page: int) -> None:
    query = CustomerQuery.read({**parameters, "page": str(page)})
    assert query.offset == (page - 1) * PAGE_SIZE
    assert query.search == parameters.get("q", "").strip()
    assert dict(query.filters) == {name: parameters[name] for name in FILTERS if parameters.get(name)}


def test_links_to_the_list_say_that_they_leave_out_the_lost() -> None:
    assert Urls("/console").customers() == "/console/customers?status=all_but_lost"
    assert Urls("/console").customers({}) == "/console/customers"


@pytest.mark.parametrize(("name", "value"), [("sort", "age"), ("order", "up"), ("page", "two")])
def test_what_is_refused_is_named(name: str, value: str) -> None:
    with pytest.raises(RequestError, match=f"{name} cannot be '{value}'") as refused:
        CustomerQuery.read({name: value})
    assert (refused.value.status, refused.value.field) == (400, name)


@pytest.mark.parametrize("page", ["0", "-1", "1.5", "٣", "1e3", "99999999999", " 1"])
def test_a_page_is_a_whole_number_from_1(page: str) -> None:
    with pytest.raises(RequestError, match="page cannot be"):
        CustomerQuery.read({"page": page})


@given(st.text(min_size=1))
def test_an_id_of_any_characters_survives_its_link(customer_id: str) -> None:
    from urllib.parse import parse_qs, urlsplit

    link = urlsplit(Urls("/console").customer(customer_id))
    assert (link.path, link.fragment) == ("/console/customers/one", "")
    assert parse_qs(link.query, keep_blank_values=True) == {"id": [customer_id]}
