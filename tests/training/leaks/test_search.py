"""Planted leaks are found and named; clean companies, simulated and real, raise no alarm."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from datasets.public import complete_journey
from datasets.simulate import simulate
from features.checks.odd_times import Suspicion, odd_times
from features.company import Company
from features.reading.assemble import assemble
from features.reading.config import CompanyConfig
from features.reading.sources import read_company
from tests.features.strategies import Story, stories
from training.leaks.copies import copied_figure
from training.leaks.groups import auc, coded, held_out_auc, telling_groups
from training.leaks.search import leaks as leaks_or_none

UNTIL = date(2025, 1, 1)
SHARED = Path(__file__).parents[3].parent / "shared"
Tables = dict[str, pl.DataFrame]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    folder = tmp_path_factory.mktemp("leaks") / "shop"
    simulate(folder, customers=2_000, months=18, seed=4, until=UNTIL)
    return {path.stem: pl.read_parquet(path) for path in folder.glob("*.parquet")}


@pytest.fixture(scope="module")
def lives(tables: Tables) -> pl.DataFrame:
    """What is only known at the end: when each customer bought last, how often, and for how much."""
    bought = tables["transactions"].filter(pl.col("amount") > 0)
    last = pl.col("ordered_at").max().dt.date()
    return (
        tables["customers"]
        .select("customer_id")
        .join(bought.group_by("customer_id").agg(last=last, spend=pl.col("amount").sum()), on="customer_id", how="left")
    )


def leaks(company: Company, horizon_days: int | None = None) -> tuple[Suspicion, ...]:
    """Where enough has passed to tell."""
    found = leaks_or_none(company, horizon_days)
    assert found is not None
    return found


def company(tables: Tables, *, static: tuple[str, ...] = (), **changed: pl.DataFrame) -> Company:
    return assemble({**tables, **changed}, key="shop", config=CompanyConfig(static=static))


def with_attribute(tables: Tables, name: str, values: pl.Series, **options: tuple[str, ...]) -> Company:
    return company(tables, customers=tables["customers"].with_columns(values.alias(name)), **options)


def silent_for(lives: pl.DataFrame, days: int) -> pl.Series:
    return lives["last"] < UNTIL - timedelta(days=days)


def complaints_of(tables: Tables, customers: pl.DataFrame, opened: pl.Expr, category: str) -> pl.DataFrame:
    more = customers.select("customer_id", opened_at=opened.cast(tables["complaints"].schema["opened_at"]))
    more = more.with_columns(pl.lit(category).alias("category"), pl.lit("complaint").alias("kind"))
    return pl.concat([tables["complaints"], more], how="diagonal")


def test_a_category_of_complaints_only_seen_after_churn_is_named_with_its_counts(tables: Tables, lives: pl.DataFrame) -> None:
    gone = lives.filter(silent_for(lives, 120)).sample(60, seed=1)
    planted = complaints_of(tables, gone, pl.col("last") + timedelta(days=3), "moved away")
    [found] = leaks(company(tables, complaints=planted), 90)
    assert found.place == "complaints.category"
    assert "of 60 customers with 'moved away', none bought again within 90 days, where " in found.message
    assert "known_at" in found.way_out


def test_known_at_is_a_way_out_that_works(tables: Tables, lives: pl.DataFrame) -> None:
    """The same complaints, with the day on which they were written: silence alone foretells as much then."""
    gone = lives.filter(silent_for(lives, 320)).sample(60, seed=1)
    planted = complaints_of(tables, gone, pl.col("last") + timedelta(days=3), "moved away")
    assert [one.place for one in leaks(company(tables, complaints=planted), 90)] == ["complaints.category"]
    later = pl.when(pl.col("category") == "moved away").then(pl.col("opened_at") + timedelta(days=200))
    assert leaks(company(tables, complaints=planted.with_columns(known_at=later)), 90) == ()


def test_a_category_of_those_who_were_long_gone_anyway_is_no_leak(tables: Tables, lives: pl.DataFrame) -> None:
    """Nobody comes back after half a year of silence, whatever they write then."""
    gone = lives.filter(silent_for(lives, 320)).head(60)
    honest = complaints_of(tables, gone, pl.col("last") + timedelta(days=200), "delete my account")
    assert len(gone) == 60
    assert leaks(company(tables, complaints=honest), 90) == ()


def test_a_category_that_drives_many_away_but_not_all_is_no_leak(tables: Tables, lives: pl.DataFrame) -> None:
    gone, stayed = lives.filter(silent_for(lives, 120)).head(60), lives.filter(~silent_for(lives, 60)).head(10)
    honest = complaints_of(tables, gone, pl.col("last") + timedelta(days=3), "rude")
    honest = complaints_of({"complaints": honest}, stayed, pl.lit(datetime(2024, 8, 1)), "rude")
    assert leaks(company(tables, complaints=honest), 90) == ()


def test_an_attribute_that_is_nearly_the_label_is_found(tables: Tables, lives: pl.DataFrame) -> None:
    account = silent_for(lives, 90).replace_strict({True: "inactive", False: "active"}, default=None)
    [found] = leaks(with_attribute(tables, "account", account), 90)
    assert (found.kind, found.place) == ("attribute", "customers.account")
    assert "alone tells who left in the 90 days from 2024-10-03 (AUC 1.00" in found.message
    assert "snapshot" in found.way_out


def test_an_attribute_that_only_leavers_have_is_found_by_what_it_says(tables: Tables, lives: pl.DataFrame) -> None:
    asked = pl.Series(np.random.default_rng(0).random(len(lives)) < 0.4)
    reason = pl.select(pl.when(silent_for(lives, 90) & asked).then(pl.lit("price"))).to_series()
    [found] = leaks(with_attribute(tables, "cancel_reason", reason), 90)
    assert found.place == "customers.cancel_reason"
    assert "customers for whom it is 'price'" in found.message


def test_an_attribute_that_is_missing_for_leavers_alone_is_found(tables: Tables, lives: pl.DataFrame) -> None:
    wiped = silent_for(lives, 90) & pl.Series(np.random.default_rng(0).random(len(lives)) < 0.4)
    phone = pl.select(pl.when(~wiped).then(pl.lit("mobile"))).to_series()
    assert any("customers for whom it is missing" in one.message for one in leaks(with_attribute(tables, "device", phone), 90))


def test_a_badge_that_only_loyal_customers_got_is_found(tables: Tables, lives: pl.DataFrame) -> None:
    given_to = ~silent_for(lives, 90) & pl.Series(np.random.default_rng(0).random(len(lives)) < 0.3)
    badge = pl.select(pl.when(given_to).then(pl.lit("gold"))).to_series()
    [found] = leaks(with_attribute(tables, "badge", badge), 90)
    assert "it is 'gold', none left in the 90 days" in found.message


def test_a_score_that_knows_better_than_all_purchases_is_found(tables: Tables, lives: pl.DataFrame) -> None:
    idle = (pl.Series([UNTIL] * len(lives)) - lives["last"]).dt.total_days()
    score = idle + pl.Series(np.random.default_rng(0).normal(0, 30, len(lives)))
    [found] = leaks(with_attribute(tables, "score", score), 90)
    assert "the best feature has 0." in found.message


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda lives: lives["last"], "tells the day of the last purchase up to the end of the data, for 100%"),
        (lambda lives: (pl.Series([UNTIL] * len(lives)) - lives["last"]).dt.total_days(), "tells the day of the last purchase"),
        (lambda lives: lives["spend"], "tells all spend up to the end of the data"),
    ],
)
def test_a_copy_of_the_log_is_told_as_one(
    tables: Tables, lives: pl.DataFrame, made: Callable[[pl.DataFrame], pl.Series], told: str
) -> None:
    [found] = leaks(with_attribute(tables, "copied", made(lives)), 90)
    assert told in found.message


def test_the_way_out_depends_on_what_the_attribute_is_said_to_be(tables: Tables, lives: pl.DataFrame) -> None:
    account = silent_for(lives, 90).cast(pl.Float64)
    [static] = leaks(with_attribute(tables, "gone", account, static=("gone",)), 90)
    assert "take it out of static:" in static.way_out
    dated = company(tables, customers=tables["customers"].with_columns(gone=account, known_at=pl.lit(datetime(2020, 1, 1))))
    [found] = leaks(dated, 90)
    assert "known_at should say when it was written" in found.way_out


def test_a_listed_column_that_is_declared_static_is_told_once(tables: Tables, lives: pl.DataFrame) -> None:
    kind = silent_for(lives, 90).replace_strict({True: "former", False: "consumer"}, default=None)
    [found] = leaks(with_attribute(tables, "kind", kind, static=("kind",)), 90)
    assert found.place == "customers.kind"


def test_what_became_known_only_later_is_no_leak(tables: Tables, lives: pl.DataFrame) -> None:
    """The same column, dated by the day on which it was written: no past date sees it."""
    account, written = silent_for(lives, 90).cast(pl.Float64), pl.lit(datetime(2024, 12, 31))
    dated = tables["customers"].with_columns(gone=account, known_at=written)
    assert leaks(company(tables, customers=dated), 90) == ()


def test_an_id_for_each_customer_foretells_nothing(tables: Tables) -> None:
    numbers = pl.Series([f"token {n}" for n in range(tables["customers"].height)])
    assert leaks(with_attribute(tables, "token", numbers), 90) == ()


@pytest.mark.parametrize("horizon", [None, 30, 90, 180])
def test_a_clean_company_raises_no_alarm(tables: Tables, horizon: int | None) -> None:
    clean = company(tables)
    assert (*odd_times(clean), *leaks(clean, horizon)) == ()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200, 212))
def test_no_clean_company_raises_an_alarm(tmp_path: Path, seed: int) -> None:
    simulate(tmp_path / "shop", customers=400 * (1 + seed % 5), months=12 + seed % 13, seed=seed)
    clean = read_company(tmp_path / "shop")
    assert odd_times(clean) == ()
    assert [leaks(clean, days) for days in (30, 90, 180)] == [()] * 3


@pytest.mark.skipif(not SHARED.exists(), reason="the shared data are not here")
@pytest.mark.parametrize("name", ["online_retail_2", "cdnow", "ecommerce_complaints", "iranian_telco"])
def test_real_companies_raise_no_alarm(name: str) -> None:
    real = read_company(SHARED / "data" / name / "history")
    assert (*odd_times(real), *leaks(real)) == ()


def test_a_real_year_of_groceries_raises_no_alarm(tmp_path: Path) -> None:
    complete_journey(tmp_path / "journey")
    real = read_company(tmp_path / "journey")
    assert (*odd_times(real), *leaks(real, 30)) == ()


def test_a_flat_table_is_held_against_its_labels() -> None:
    random = np.random.default_rng(0)
    churned = random.random(600) < 0.3
    ids = [f"c{n}" for n in range(600)]
    customers = pl.DataFrame({"customer_id": ids, "age": random.integers(18, 90, 600), "closed": churned.astype(float)})
    labels = pl.DataFrame({"customer_id": ids, "as_of": datetime(2026, 1, 1), "churned": churned.astype(int)})
    [found] = leaks(assemble({"customers": customers, "labels": labels}, key="flat"))
    assert found.place == "customers.closed"
    assert "alone tells who left (AUC 1.00)" in found.message
    honest = assemble({"customers": customers.drop("closed"), "labels": labels}, key="flat")
    assert leaks(honest) == ()


def test_rows_that_tell_the_future_by_a_feature_are_found(tables: Tables, lives: pl.DataFrame) -> None:
    """Surveys of the leavers, entered with the day of their last purchase: the features made of them know too much."""
    last = lives.filter(pl.col("last").is_not_null())
    gone = last.filter(last["last"] < UNTIL - timedelta(days=90))
    answers = pl.concat(
        [
            gone.select("customer_id", answered_at="last"),
            last.select("customer_id", answered_at=pl.col("last") - timedelta(days=200)),
        ]
    )
    surveys = answers.with_columns(satisfaction=pl.when(pl.int_range(pl.len()) < gone.height).then(1.0).otherwise(9.0))
    found = leaks(company(tables, surveys=surveys), 90)
    assert {one.kind for one in found} == {"feature"}
    assert all("made of surveys" in one.message for one in found)
    assert "see when the rows of surveys are written" in found[0].way_out


@settings(max_examples=20, deadline=None)
@given(stories(), st.sampled_from([None, 1, 30, 365]), st.integers(0, 10))
def test_any_company_can_be_asked_and_the_order_of_its_rows_does_not_matter(story: Story, horizon: int | None, seed: int) -> None:
    found = leaks_or_none(story.company(), horizon)
    assert leaks_or_none(story.shuffled(seed).company(), horizon) == found
    assert isinstance(odd_times(story.company()), tuple)


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.5, 0.9]), st.booleans()), min_size=2, max_size=80))
def test_the_area_is_that_of_scikit_learn(rows: list[tuple[float, bool]]) -> None:
    score, left = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    if left.any() and not left.all():
        assert auc(score, left)[0] == pytest.approx(roc_auc_score(left, score))
    else:
        assert auc(score, left) == (0.5, 0.5)


def test_groups_that_leave_by_chance_raise_less_than_one_alarm_in_a_thousand() -> None:
    random = np.random.default_rng(0)
    alarms = 0
    for _ in range(1_000):
        codes, chance = random.integers(0, 12, 300), random.choice([0.3, 0.6], 300)
        alarms += bool(telling_groups(codes, [str(n) for n in range(12)], random.random(300) < chance, chance))
    assert alarms <= 1


def test_noise_foretells_nothing_however_many_values_it_has() -> None:
    random = np.random.default_rng(0)
    left, half = random.random(2_000) < 0.4, random.random(2_000) < 0.5
    for values in (2, 50, 2_000):
        area, error = held_out_auc(random.integers(0, values, 2_000), left, half)
        assert abs(area - 0.5) < 4 * error


@given(st.lists(st.one_of(st.none(), st.integers(-5, 60).map(float)), min_size=1, max_size=100))
def test_every_value_has_a_group_and_missing_ones_share_one(values: list[float | None]) -> None:
    codes, names = coded(pl.Series(values, dtype=pl.Float64))
    assert [names[code] is None for code in codes] == [value is None for value in values]
    known = [(value, code) for value, code in zip(values, codes, strict=True) if value is not None]
    if "other than" not in str(names):
        assert all(a[1] <= b[1] for a in known for b in known if a[0] <= b[0])


def test_an_attribute_that_agrees_by_chance_is_no_copy() -> None:
    ones = pl.Series([1.0] * 95 + [2.0, 3.0, 4.0, 5.0, 6.0])
    assert copied_figure(ones, {"the number of orders": ones}) == ("the number of orders", 1.0)
    assert copied_figure(pl.Series([1.0] * 100), {"the number of orders": ones}) is None
    assert copied_figure(pl.Series(["a"] * 100), {"the number of orders": ones}) is None


def test_a_large_company_is_asked_by_a_part_of_its_customers(
    tables: Tables, lives: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.leaks.search.MOST_CUSTOMERS", 1_000)
    account = silent_for(lives, 90).cast(pl.Float64)
    [found] = leaks(with_attribute(tables, "gone", account), 90)
    assert found.place == "customers.gone"
    assert leaks(company(tables), 90) == ()


def test_a_number_that_is_zero_for_nearly_all_but_some_leavers_is_found(tables: Tables, lives: pl.DataFrame) -> None:
    random = np.random.default_rng(0)
    asked_back = pl.Series(random.random(len(lives)) < 0.3) & silent_for(lives, 90)
    claimed = pl.select(
        pl.when(asked_back).then(pl.Series(random.uniform(5, 500, len(lives)).round(2))).otherwise(0.0)
    ).to_series()
    found = leaks(with_attribute(tables, "claimed_back", claimed), 90)
    assert {one.place for one in found} == {"customers.claimed_back"}


@pytest.mark.parametrize("values", [[1e300, -1e300, 5e-324], [7.0], [None], [float(n) for n in range(100)]])
def test_any_numbers_can_be_grouped(values: list[float | None]) -> None:
    codes, names = coded(pl.Series(values, dtype=pl.Float64))
    assert len(codes) == len(values)
    assert max(codes) < len(names)


def test_dates_and_amounts_are_told_as_people_write_them(tables: Tables, lives: pl.DataFrame) -> None:
    chosen = pl.Series(np.random.default_rng(0).random(len(lives)) < 0.4)
    leavers = silent_for(lives, 90) & chosen
    ends = pl.select(pl.when(leavers).then(date(2030, 1, 1)).otherwise(date(2029, 1, 1))).to_series()
    [found] = leaks(with_attribute(tables, "ends", ends), 90)
    assert "customers for whom it is '2030-01-01'" in found.message
    cost = pl.select(pl.when(leavers).then(12.5).otherwise(3.25)).to_series()
    [found] = leaks(company(tables, customers=tables["customers"].with_columns(service_cost=cost)), 90)
    assert "customers for whom it is '12.5'" in found.message


def test_too_short_a_history_tells_nothing_rather_than_that_all_is_well(tables: Tables) -> None:
    assert leaks_or_none(company(tables), 600) is None
    refunds = tables["transactions"].with_columns(-pl.col("amount").abs())
    assert leaks_or_none(company(tables, transactions=refunds)) is None
