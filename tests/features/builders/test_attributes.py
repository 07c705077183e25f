"""Attributes of customers as features: their names, which of them there are, and what they are at a date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.arrays import feature_matrix
from features.asof import day_number
from features.builders.attributes import PREFIX, Attribute, attribute_feature, is_usable, parsed
from features.catalog import CATALOG, allows, entry_of, feature_names, find, is_timely, panel_names
from features.company import Company, NoteKind
from features.engines import build_frames
from features.panel import build_panel
from features.reading.assemble import assemble
from features.reading.config import CompanyConfig
from features.tables import TABLES
from features.vocabulary import LONGEST_VALUE, MOST_VALUES, left_out
from keepwell.errors import ConfigError, DataError
from tests.features.strategies import Story, crowd, stories

AS_OF = date(2024, 3, 1)
ODD = (
    "it's",
    'say "hi"',
    "学生 (new)",
    "St. Louis",
    "50 %",
    "a|b,c",
    "_is_",
    "x_is_y",
    "`tick`",
    " padded ",
    "3_days_ago",
    "all",
)
"""Values that would end a name, a query or a path somewhere, if anything took them for more than text."""

words = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=12)
law = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def shop(customers: pl.DataFrame, *, static: Sequence[str] = (), typeless: bool = False, **purchases: date) -> Company:
    """A company in which each customer bought for 10 on 1 February, or on the day given for them."""
    ids = customers["customer_id"].to_list()
    days = [purchases.get(str(customer), date(2024, 2, 1)) for customer in ids]
    transactions = pl.DataFrame({"customer_id": ids, "ordered_at": days, "amount": [10.0] * len(ids)})
    frames = {"transactions": transactions, "customers": customers}
    config = CompanyConfig(static=tuple(static))
    return assemble(frames, key="shop", config=config, typeless=["customers"] if typeless else [])


def of_one(**attributes: Any) -> pl.DataFrame:
    return pl.DataFrame({"customer_id": ["1"], **{name: [value] for name, value in attributes.items()}})


def names_of(company: Company, *dates: date) -> list[str]:
    return [name for name in panel_names(company, dates or [AS_OF]) if name.startswith(PREFIX)]


def row_of(company: Company, as_of: date = AS_OF) -> dict[str, float | None]:
    return build_panel(company, [as_of], names_of(company, as_of)).drop("customer_id", "as_of").row(0, named=True)


def reported(company: Company) -> list[str]:
    return [str(note) for note in company.notes if note.table == "customers" and note.kind != NoteKind.MAPPED]


# Names


@given(column=words.filter(is_usable), how=st.sampled_from(["number", "days", "text"]), value=words)
def test_a_name_is_read_as_what_it_was_made_from(column: str, how: Any, value: str) -> None:
    attribute = Attribute(column, how, value if how == "text" else "")
    assert parsed(attribute.name) == attribute


@given(column=words.filter(is_usable), how=st.sampled_from(["number", "days", "text"]), value=words)
def test_every_feature_of_an_attribute_has_its_entry(column: str, how: Any, value: str) -> None:
    name = Attribute(column, how, value if how == "text" else "").name
    entry = find(name).entry
    assert (entry.name, entry.table, entry.builder, entry.actionable) == (name, "customers", "attributes", False)
    assert all((entry.title, entry.title_zh, entry.meaning.endswith("."), entry.unit, entry.missing))
    assert entry == entry_of(name)


@pytest.mark.parametrize("name", ["attr_", "attr__days_ago", "attribute_plan", "plan"])
def test_what_names_no_attribute_is_no_feature(name: str) -> None:
    assert attribute_feature(name) is None
    assert entry_of(name) is None
    with pytest.raises(ConfigError, match=f"unknown feature '{name}'"):
        find(name)


@pytest.mark.parametrize("column", ["plan_is_new", "who_is", "signed_days_ago", "x" * 61, "a\nb"])
def test_a_column_whose_features_could_be_read_in_two_ways_is_left_out_and_told(column: str) -> None:
    company = shop(of_one(**{column: "x"}))
    assert company.attributes == {}
    assert any(column in note and "cannot be an attribute: rename it" in note for note in reported(company))


# What they are


def test_numbers_and_flags_are_as_they_are_dates_are_days_ago_and_texts_are_one_column_a_value() -> None:
    company = shop(of_one(size=2.5, vip=True, signed=date(2024, 2, 28), ends=date(2024, 3, 31), plan="gold"), static=["size"])
    assert row_of(company) == {
        "attr_size": 2.5,
        "attr_vip": 1.0,
        "attr_signed_days_ago": 2.0,
        "attr_ends_days_ago": -30.0,
        "attr_plan_is_gold": 1.0,
    }


def test_a_missing_attribute_is_missing_in_all_its_features_and_another_value_is_0() -> None:
    customers = pl.DataFrame({"customer_id": ["1", "2", "3"], "plan": ["gold", "basic", None], "age": [1.0, None, None]})
    company = shop(customers)
    made = build_panel(company, [AS_OF], ["attr_plan_is_gold", "attr_plan_is_basic", "attr_age"])
    assert made.drop("as_of").rows() == [("1", 1.0, 0.0, 1.0), ("2", 0.0, 1.0, None), ("3", None, None, None)]


def test_a_value_that_nobody_has_is_0_and_an_attribute_that_is_not_there_is_missing() -> None:
    company = shop(of_one(plan="gold"))
    made = build_panel(company, [AS_OF], ["attr_plan_is_old", "attr_city_is_Rome", "attr_age", "attr_born_days_ago"])
    assert made.row(0)[2:] == (0.0, None, None, None)
    assert [allows(company, name) for name in made.columns[2:]] == [True, False, False, False]


def test_whoever_is_not_in_customers_has_no_attributes() -> None:
    company = shop(pl.DataFrame({"customer_id": ["1", "2"], "plan": ["gold", "basic"]}))
    only_one = {**company.tables, "customers": company.tables["customers"].head(1)}
    made = build_panel(replace(company, tables=only_one), [AS_OF], ["attr_plan_is_gold"])
    assert made["attr_plan_is_gold"].to_list() == [1.0, None]


def test_dates_in_a_csv_file_are_dates_and_codes_are_texts() -> None:
    company = shop(of_one(signed="2024-02-28", ended="2024-02-27 18:30", code="007", loose="28/02/2024"), typeless=True)
    assert names_of(company) == ["attr_signed_days_ago", "attr_ended_days_ago", "attr_code_is_007", "attr_loose_is_28/02/2024"]
    assert row_of(company)["attr_ended_days_ago"] == 3.0


def test_an_attribute_may_have_the_name_of_what_executors_use_inside() -> None:
    company = shop(of_one(day=7.0, age=8.0, customer="x", as_of=9.0, place=1.0))
    assert row_of(company) == {"attr_day": 7, "attr_age": 8, "attr_customer_is_x": 1, "attr_as_of": 9, "attr_place": 1}


# When they count


def test_a_dated_row_counts_from_the_day_after_it_became_known_and_an_undated_one_always() -> None:
    customers = pl.DataFrame({"customer_id": ["1", "2"], "known_at": [date(2024, 3, 1), None], "plan": ["gold", "gold"]})
    company = shop(customers)
    names = ["attr_plan_is_gold"]
    before, after = (build_panel(company, [day], names)[names[0]].to_list() for day in (AS_OF, AS_OF + timedelta(days=1)))
    assert (before, after) == ([None, 1.0], [1.0, 1.0])


def test_snapshots_are_there_for_one_date_and_left_out_and_told_of_several() -> None:
    company = shop(of_one(plan="gold", age=30.0, wallet=100.0), static=["age"])
    assert company.attributes == {"plan": "snapshot", "age": "static"}
    assert names_of(company) == ["attr_plan_is_gold", "attr_age"]
    assert names_of(company, AS_OF, AS_OF - timedelta(days=30)) == ["attr_age"]
    (told,) = left_out(company, AS_OF, timely=True)
    assert "plan, wallet: known only as of the day of the export" in told.message
    assert "static: in company.yaml" in told.message
    assert told.message in " ".join(reported(company))
    assert left_out(company, AS_OF, timely=False) == ()


@pytest.mark.parametrize(
    ("static", "known_at", "timely"), [((), None, False), (("wallet",), None, True), ((), date(2024, 1, 1), True)]
)
def test_a_share_of_wallet_teaches_only_where_the_wallet_is_of_any_date(static: Any, known_at: date | None, timely: bool) -> None:
    given_when = {} if known_at is None else {"known_at": known_at}
    company = shop(of_one(wallet=40.0, **given_when), static=static)
    assert is_timely(company, "wallet_share_365d") is timely
    assert ("wallet_share_365d" in panel_names(company, [AS_OF, AS_OF - timedelta(days=30)])) is timely
    assert build_panel(company, [AS_OF])["wallet_share_365d"].to_list() == [0.25]


@pytest.mark.parametrize("wallet", [0.0, -1.0, None])
def test_a_wallet_that_is_none_has_no_share(wallet: float | None) -> None:
    customers = pl.DataFrame({"customer_id": ["1", "2"], "wallet": [wallet, 40.0]})
    assert build_panel(shop(customers), [AS_OF])["wallet_share_365d"].to_list() == [None, 0.25]


# Which there are


def with_plans(plans: Sequence[str | None]) -> Company:
    return shop(pl.DataFrame({"customer_id": [str(place) for place in range(len(plans))], "plan": plans}, strict=False))


def test_values_with_a_feature_are_common_ones_the_most_common_first() -> None:
    company = with_plans(["b"] * 60 + ["a"] * 21 + ["c"] * 21 + ["rare"] * 19 + [None] * 400)
    assert names_of(company) == ["attr_plan_is_b", "attr_plan_is_a", "attr_plan_is_c"]
    (told,) = left_out(company, AS_OF, timely=False)
    assert told.message == "3 of its 4 values have a feature; the others are too rare or too long"


def test_among_few_customers_five_percent_are_enough_and_among_many_one() -> None:
    assert names_of(with_plans(["a"] * 95 + ["b"] * 5)) == ["attr_plan_is_a", "attr_plan_is_b"]
    assert names_of(with_plans(["a"] * 96 + ["b"] * 4)) == ["attr_plan_is_a"]
    assert names_of(with_plans(["a"] * 2970 + ["b"] * 30)) == ["attr_plan_is_a", "attr_plan_is_b"]
    assert names_of(with_plans(["a"] * 2971 + ["b"] * 29)) == ["attr_plan_is_a"]


def test_no_attribute_has_more_features_than_most_values() -> None:
    plans = [f"plan {place:02}" for place in range(MOST_VALUES + 5)] * 30
    assert names_of(with_plans(plans)) == [f"attr_plan_is_plan {place:02}" for place in range(MOST_VALUES)]


def test_ids_and_free_text_have_no_feature() -> None:
    assert names_of(with_plans([f"note {place}" for place in range(1000)])) == []


def test_values_that_cannot_be_shown_have_no_feature_and_of_two_cases_one_has() -> None:
    assert names_of(with_plans(["x" * (LONGEST_VALUE + 1), "a\tb", "Gold", "Gold", "gold"])) == ["attr_plan_is_Gold"]


def test_only_customers_who_bought_before_the_date_say_which_values_are_common() -> None:
    customers = pl.DataFrame({"customer_id": ["1", "2", "3"], "plan": ["old", "new", "later"]})
    company = shop(customers, **{"2": AS_OF, "3": AS_OF + timedelta(days=9)})
    assert names_of(company) == ["attr_plan_is_old"]
    assert names_of(company, AS_OF + timedelta(days=1)) == ["attr_plan_is_new", "attr_plan_is_old"]


def test_rows_that_became_known_later_do_not_say_which_values_are_common() -> None:
    customers = pl.DataFrame(
        {"customer_id": ["1", "2"], "known_at": [None, AS_OF], "plan": ["old", "new"]}, schema_overrides={"known_at": pl.Date}
    )
    assert names_of(shop(customers)) == ["attr_plan_is_old"]


@law
@given(story=stories(), other=stories())
def test_later_events_change_no_name(story: Story, other: Story) -> None:
    names = panel_names(story.company(), [story.as_of])
    assert panel_names(story.with_later_rows(other).company(), [story.as_of]) == names
    assert panel_names(story.truncated().company(), [story.as_of]) == names


@law
@given(story=stories(), seed=st.integers(0, 9))
def test_row_order_changes_no_name(story: Story, seed: int) -> None:
    assert panel_names(story.shuffled(seed).company(), [story.as_of]) == panel_names(story.company(), [story.as_of])


# Completeness


@pytest.mark.parametrize("late", [False, True])
def test_every_column_of_a_panel_can_be_found_and_every_name_is_a_column(late: bool) -> None:
    story = crowd(2, late=late)
    company = story.company()
    made = build_panel(company, [story.as_of])
    assert made.columns[2:] == list(panel_names(company, [story.as_of]))
    assert [find(name).name for name in made.columns[2:]] == made.columns[2:]
    assert {name for name in made.columns[2:] if name in CATALOG} == set(feature_names(company))
    assert {parsed(name).column for name in names_of(company, story.as_of)} == set(company.attributes)  # type: ignore[union-attr]


# Declared columns that are listed


def test_listed_columns_are_attributes_where_they_are_declared_static() -> None:
    customers = of_one(kind="trader", consent=False, wallet=99.5, owner="Ann", service_cost=3.0)
    company = shop(customers, static=["kind", "consent", "wallet", "service_cost"])
    assert row_of(company) == {"attr_kind_is_trader": 1.0, "attr_consent": 0.0, "attr_service_cost": 3.0, "attr_wallet": 99.5}
    assert find("attr_wallet").entry.unit == "currency"
    assert find("attr_consent").entry.unit == "yes or no"


@pytest.mark.parametrize("column", ["name", "birthday", "account_id", "referred_by", "joined_at", "owner"])
def test_what_is_personal_an_id_or_not_there_cannot_be_declared(column: str) -> None:
    customers = of_one(name="Ann", birthday=date(1990, 1, 1), account_id="a", referred_by="1", joined_at=date(2020, 1, 1))
    with pytest.raises(DataError, match=rf"customers.{column}: is declared static, but there is no such attribute"):
        shop(customers, static=[column])


def test_every_column_that_keepwell_makes_of_customers_is_refused_as_an_attribute() -> None:
    for column in TABLES["customers"].columns:
        if column.name.endswith("_at"):
            stem = column.name.removesuffix("_at")
            for made in (f"{stem}_day", f"{stem}_us"):
                with pytest.raises(DataError, match=f"customers.{made}: has the name of a column that Keepwell makes itself"):
                    shop(of_one(**{made: 5}))


# Both executors, all engines, and SQL


def odd_shop() -> Company:
    size = 20 * len(ODD)
    customers = pl.DataFrame(
        {
            "customer_id": [str(place) for place in range(size)],
            "known_at": [None if place // len(ODD) % 3 else AS_OF - timedelta(days=place % 5) for place in range(size)],
            "where from?": [ODD[place % len(ODD)] if place % 7 else None for place in range(size)],
            "größe": [place / 8 if place % 5 else None for place in range(size)],
            "since": [AS_OF - timedelta(days=37 * place) if place % 4 else None for place in range(size)],
            "wallet": [float(place) for place in range(size)],
        },
        schema_overrides={"known_at": pl.Date, "since": pl.Date},
    )
    return shop(customers, static=["wallet"])


def assert_same(made: pl.DataFrame, expected: pl.DataFrame) -> None:
    names = expected.columns[2:]
    assert made["customer_id"].to_list() == expected["customer_id"].to_list()
    np.testing.assert_array_equal(*(frame.select(pl.col(names).fill_null(np.nan)).to_numpy() for frame in (made, expected)))


def equals(column: str, value: str) -> str:
    """1, 0 or NULL in SQL."""
    text = value.replace("'", "''")
    return f"""CASE WHEN "{column}" = '{text}' THEN 1 WHEN "{column}" IS NOT NULL THEN 0 END"""


@pytest.mark.parametrize("days", [0, 2, 4])
def test_odd_values_are_what_plain_sql_says(days: int) -> None:
    company, as_of = odd_shop(), AS_OF - timedelta(days=days)
    names = names_of(company, as_of)
    assert len(names) == len(ODD) + 3
    texts = {f"attr_where from?_is_{value}": equals("where from?", value) for value in ODD}
    columns = {**texts, "attr_größe": '"größe"', "attr_since_days_ago": f"{day_number(as_of)} - since", "attr_wallet": "wallet"}
    base = duckdb.connect(config={"threads": 1})
    for name in ("customers", "transactions"):
        base.register(name, company.tables[name].to_arrow())
    known = f"SELECT * FROM customers WHERE known_day < {day_number(as_of)}"
    asked = ", ".join(f"({columns[name]})::DOUBLE" for name in names)
    rows = base.sql(
        f"SELECT customer_id, NULL, {asked} FROM transactions LEFT JOIN ({known}) USING (customer_id) ORDER BY 1"
    ).fetchall()
    made = build_panel(company, [as_of], names)
    assert_same(made, pl.DataFrame(rows, schema=made.schema, orient="row"))


@pytest.mark.parametrize("engine", ["polars", "pandas", "duckdb", "arrays"])
def test_odd_values_are_the_same_on_every_engine(engine: str) -> None:
    company = odd_shop()
    names = [*names_of(company), "wallet_share_365d"]
    expected = build_panel(company, [AS_OF], names)
    if engine == "arrays":
        tables = {name: {column.name: column.to_numpy() for column in frame} for name, frame in company.tables.items()}
        ids, matrix = feature_matrix(tables, company.scales, AS_OF, names)
        made = pl.DataFrame(matrix, schema=names).insert_column(0, pl.Series("customer_id", ids.tolist()))
    else:
        turn = {
            "polars": pl.DataFrame.lazy,
            "pandas": pl.DataFrame.to_pandas,
            "duckdb": lambda f: duckdb.from_arrow(f.to_arrow()),
        }
        native = build_frames({n: turn[engine](f) for n, f in company.tables.items()}, company.scales, [AS_OF], names)
        frame = native.collect() if engine == "polars" else pl.from_pandas(native) if engine == "pandas" else native.pl()
        made = frame.sort("customer_id")
    assert_same(made, expected)


@pytest.mark.parametrize("late", [False, True])
def test_attributes_of_a_crowd_are_the_same_alone_and_beside_all_others(late: bool) -> None:
    story = crowd(3, late=late)
    company, dates = story.company(), [story.as_of, story.as_of - timedelta(days=200)]
    names = names_of(company, *dates)
    together = build_panel(company, dates).select("customer_id", "as_of", *names)
    assert together.equals(pl.concat(build_panel(company, [day], names) for day in sorted(dates)))
