import hashlib
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from datasets.chances import Stream
from datasets.orders import CATEGORIES, category_paths
from datasets.population import make_population
from datasets.shop import ContactEffect, Effects, Shop, season_of
from datasets.simulate import Truth, simulate
from datasets.surveys import LOWEST_ANSWERS, Surveys
from features.panel import feature_names
from features.reading.sources import read_company
from keepwell.errors import ConfigError

UNTIL = date(2026, 1, 1)
NO_HARM = Effects(
    unresolved_complaint_log_hazard=0.0,
    late_delivery_log_hazard=0.0,
    badly_closed_log_hazard=0.0,
    recovered_log_hazard=0.0,
)
MUCH_HARM = Effects(unresolved_complaint_log_hazard=3.0)
TABLES = ("transactions", "customers", "complaints", "payments", "contacts", "surveys")
BEFORE_SURVEYS = "30d6f60bb9fdde1a2d7a495259bbdbae9e697280211a15e17afca1b48951ef42"
"""SHA-256 of the other tables, as CSV, of 200 customers, 6 months and seed 3, as they were before there were surveys."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    folder = tmp_path_factory.mktemp("shop")
    return folder, simulate(folder, customers=3000, months=24, seed=1, until=UNTIL)


def table(shop: tuple[Path, Truth], name: str) -> pl.DataFrame:
    return pl.read_parquet(shop[0] / f"{name}.parquet")


def test_the_folder_is_a_company_that_the_reader_accepts_without_a_warning(shop):
    company = read_company(shop[0])
    assert company.key == "simulated-3000-24-1"
    assert set(company.tables) == set(TABLES)
    assert company.scales["transactions.amount"] == 2
    assert [note for note in company.notes if note.kind == "warning"] == []


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path):
    for name, seed in (("one", 3), ("same", 3), ("other", 4)):
        simulate(tmp_path / name, customers=200, months=6, seed=seed, until=UNTIL)
    for name in TABLES:
        content = {folder: (tmp_path / folder / f"{name}.parquet").read_bytes() for folder in ("one", "same", "other")}
        assert content["one"] == content["same"] != content["other"]


def test_surveys_have_left_the_other_tables_as_they_were(tmp_path):
    simulate(tmp_path, customers=200, months=6, seed=3, until=UNTIL)
    tables = (pl.read_parquet(tmp_path / f"{name}.parquet") for name in TABLES if name != "surveys")
    digest = hashlib.sha256("".join(table.write_csv() for table in tables).encode())
    assert digest.hexdigest() == BEFORE_SURVEYS


@pytest.mark.parametrize("willing_share", [0.0, 1.0])
def test_how_many_answer_changes_no_other_table_by_a_byte(tmp_path, monkeypatch, willing_share):
    simulate(tmp_path / "usual", customers=300, months=6, seed=7, until=UNTIL)
    monkeypatch.setattr("datasets.surveys.WILLING_SHARE", willing_share)
    simulate(tmp_path / "other", customers=300, months=6, seed=7, until=UNTIL)
    content = [{name: (tmp_path / folder / f"{name}.parquet").read_bytes() for name in TABLES} for folder in ("usual", "other")]
    assert {name for name in TABLES if content[0][name] != content[1][name]} == {"surveys"}
    answers = pl.read_parquet(tmp_path / "other" / "surveys.parquet")
    assert answers.is_empty() == (willing_share == 0)
    assert read_company(tmp_path / "other").tables["surveys"].height == answers.height


def test_nothing_happens_at_or_after_until_or_before_the_first_month(shop):
    end, start = datetime(2026, 1, 1), datetime(2024, 1, 1)
    for name, columns in {
        "transactions": ["ordered_at", "delivered_at"],
        "complaints": ["opened_at", "first_response_at", "closed_at"],
        "payments": ["paid_at"],
        "contacts": ["contacted_at"],
        "surveys": ["answered_at"],
        "customers": ["joined_at"],
    }.items():
        for column in columns:
            known = table(shop, name)[column].drop_nulls()
            assert known.len() > 0
            assert known.min() >= (start if known.dtype == pl.Datetime else start.date())
            assert known.max() < (end if known.dtype == pl.Datetime else end.date())


def test_nobody_buys_before_joining_and_some_never_buy(shop):
    joined = table(shop, "customers").select("customer_id", "joined_at")
    bought = table(shop, "transactions").join(joined, on="customer_id")
    assert (bought["ordered_at"].dt.date() >= bought["joined_at"]).all()
    assert bought["customer_id"].n_unique() < joined.height


def test_a_refund_returns_one_line_in_full_and_is_its_own_row(shop):
    lines = table(shop, "transactions")
    refunds = lines.filter(pl.col("amount") < 0)
    assert 0.01 < refunds.height / lines.height < 0.05
    assert refunds["order_id"].null_count() == refunds.height
    returned = refunds.with_columns(amount=-pl.col("amount")).join(
        lines.filter(pl.col("amount") > 0), on=["customer_id", "product_id", "amount"], how="semi"
    )
    assert returned.height == refunds.height


def test_discounts_lower_the_amount_and_an_order_lists_a_product_once(shop):
    lines = table(shop, "transactions").filter(pl.col("amount") > 0)
    assert (lines["amount"] <= lines["list_amount"]).all()
    assert 0.05 < (lines["amount"] < lines["list_amount"]).mean() < 0.4
    assert lines.select("order_id", "product_id").is_duplicated().sum() == 0


def test_a_complaint_is_answered_before_it_is_closed_and_rated_only_when_closed(shop):
    cases = table(shop, "complaints")
    assert (cases["first_response_at"] > cases["opened_at"]).drop_nulls().all()
    assert (cases["closed_at"] >= cases["first_response_at"]).drop_nulls().all()
    assert cases.filter(pl.col("satisfaction").is_not_null() & pl.col("closed_at").is_null()).height == 0
    assert set(cases["kind"]) == {"complaint", "enquiry"}


def test_only_traders_have_invoices(shop):
    kinds = table(shop, "customers").select("customer_id", "kind")
    payers = table(shop, "payments").join(kinds, on="customer_id")
    assert set(payers["kind"]) == {"trader"}


def test_contacts_are_randomised_as_their_propensity_says(shop):
    arms = (
        table(shop, "contacts")
        .group_by("action")
        .agg((pl.col("arm") == "treated").mean().alias("share"), pl.col("propensity").first(), pl.len())
    )
    for share, propensity, n in arms.select("share", "propensity", "len").iter_rows():
        assert abs(share - propensity) < 4 * np.sqrt(0.25 / n)


def test_answers_are_whole_points_of_their_scales_and_use_both_halves(shop):
    answers = table(shop, "surveys")
    assert answers.columns == ["customer_id", "answered_at", *LOWEST_ANSWERS]
    for name, lowest in LOWEST_ANSWERS.items():
        assert answers[name].dtype == pl.Int64
        assert lowest <= answers[name].min() <= 5
        assert answers[name].max() == 10


def test_a_modest_share_answers_some_of_them_twice_or_more_a_year(shop):
    answers = table(shop, "surveys")
    assert 0.1 < answers["customer_id"].n_unique() / 3000 < 0.3
    a_year = answers.group_by("customer_id", pl.col("answered_at").dt.year()).len()["len"]
    assert 0.2 < (a_year >= 2).mean() < 0.7
    assert a_year.max() <= 5, "asked once a quarter"


def test_some_answers_are_missing_but_never_all_of_a_questionnaire(shop):
    answers = table(shop, "surveys").select(*LOWEST_ANSWERS)
    assert answers.filter(pl.all_horizontal(pl.all().is_null())).is_empty()
    assert 0.02 < answers["satisfaction"].is_null().mean() < 0.1
    # A short form asks only satisfaction and recommendation.
    assert 0.25 < answers["quality"].is_null().mean() < 0.45


def test_nobody_is_asked_before_the_day_after_the_first_purchase(shop):
    bought = table(shop, "transactions").filter(pl.col("amount") > 0)
    first = bought.group_by("customer_id").agg(pl.col("ordered_at").min().dt.date().alias("first"))
    asked = table(shop, "surveys").join(first, on="customer_id", how="left")
    assert (asked["answered_at"].dt.date() > asked["first"]).fill_null(False).all()


def test_all_features_of_surveys_can_be_had(shop):
    names = feature_names(read_company(shop[0]))
    assert {f"survey_{question}_trend" for question in LOWEST_ANSWERS} | {"survey_quality_gap_last"} <= set(names)


def answered(folder: Path) -> pl.DataFrame:
    """The questionnaires, numbered; was a complaint open then (unhappy), a delivery late in the 60 days before (late)?"""
    answers = pl.read_parquet(folder / "surveys.parquet").with_row_index("number")
    now = pl.col("answered_at")
    cases = pl.read_parquet(folder / "complaints.parquet").filter(pl.col("kind") == "complaint")
    still_open = answers.join(cases, on="customer_id").filter(
        pl.col("opened_at") < now, pl.col("closed_at").is_null() | (pl.col("closed_at") > now)
    )
    lines = pl.read_parquet(folder / "transactions.parquet").filter(pl.col("delivered_at") > pl.col("promised_at"))
    # Three days on, it is plain to the customer that the promise of the shop was not kept.
    noticed = pl.col("promised_at").is_between(now - pl.duration(days=60), now - pl.duration(days=3))
    late = answers.join(lines, on="customer_id").filter(noticed)
    return answers.with_columns(
        unhappy=pl.col("number").is_in(still_open["number"].unique().implode()),
        late=pl.col("number").is_in(late["number"].unique().implode()),
    )


def drop(answers: pl.DataFrame, reason: str, question: str) -> float:
    """By how many points the mean answer is lower where there is the reason."""
    means = dict(answers.group_by(reason).agg(pl.col(question).mean()).iter_rows())
    return means[False] - means[True]


def test_open_complaints_and_late_deliveries_lower_the_answers_where_they_do_harm(tmp_path, monkeypatch):
    monkeypatch.setattr("datasets.surveys.WILLING_SHARE", 1.0)
    for name, effects in (("usual", Effects()), ("none", NO_HARM)):
        simulate(tmp_path / name, customers=5000, months=12, seed=4, until=UNTIL, effects=effects)
    usual, none = answered(tmp_path / "usual"), answered(tmp_path / "none")
    assert drop(usual, "unhappy", "satisfaction") > 1.5
    assert drop(usual, "unhappy", "recommend") > 1.5
    assert drop(usual, "late", "quality") > 0.25
    assert abs(drop(none, "unhappy", "satisfaction")) < 0.4
    assert abs(drop(none, "late", "quality")) < 0.2
    # What one goes through changes the verdict, not the hope.
    assert abs(drop(usual, "late", "expectation")) < 0.2


def test_those_who_are_about_to_leave_are_less_loyal_in_their_answers(shop):
    days_left = (pl.col("died_at") - pl.col("answered_at").dt.date()).dt.total_days()
    answers = table(shop, "surveys").join(shop[1].customers, on="customer_id").filter(days_left.fill_null(9999) >= 0)
    assert drop(answers.with_columns(leaves=days_left.fill_null(9999) < 60), "leaves", "loyalty") > 0.4


def answers_of(days: int, change_on: int | None = None) -> pl.DataFrame:
    """The surveys of a small shop after `days` days; on the morning of `change_on` everyone gets a contact that always works."""
    people = make_population(np.random.default_rng(0), 2000, 240)
    perfect = {"perfect": ContactEffect(cost=0.0, kept_share=1.0, won_back_share=1.0, propensity=0.0)}
    shop = Shop(Stream(np.random.default_rng(1)), people, Effects(contacts=perfect), season_of(240, 0))
    surveys = Surveys(np.random.default_rng(2), people)
    for day in range(days):
        surveys.ask(shop)
        if day == change_on:
            shop.treat(np.arange(len(people)), np.zeros(len(people), dtype=np.int64))
        shop.live(1)
    return surveys.table(np.datetime64("2025-01-01"))


def test_answers_know_nothing_of_what_comes_later():
    next_day = datetime(2025, 1, 1) + timedelta(days=121)
    until_then = answers_of(121)
    assert until_then.height > 50
    for later in (answers_of(240), answers_of(240, change_on=120)):
        assert_frame_equal(later.filter(pl.col("answered_at") < next_day), until_then)
    assert not answers_of(240).equals(answers_of(240, change_on=120)), "but what happened is felt from the next day on"


def churned_share(folder: Path, as_of: datetime) -> dict[bool, float]:
    """The share of the customers of the last 90 days who never buy again, with (True) and without an open complaint."""
    bought = pl.read_parquet(folder / "transactions.parquet").filter(pl.col("amount") > 0)
    past = bought.filter(pl.col("ordered_at").is_between(as_of - pl.duration(days=90), as_of, closed="left"))
    later = bought.filter(pl.col("ordered_at") >= as_of)["customer_id"].unique()
    cases = pl.read_parquet(folder / "complaints.parquet").filter(pl.col("kind") == "complaint", pl.col("opened_at") < as_of)
    still_open = cases.filter(pl.col("closed_at").is_null() | (pl.col("closed_at") >= as_of))["customer_id"].unique()
    people = (
        past.select("customer_id")
        .unique()
        .with_columns(
            churned=~pl.col("customer_id").is_in(later.implode()), unhappy=pl.col("customer_id").is_in(still_open.implode())
        )
    )
    return dict(people.group_by("unhappy").agg(pl.col("churned").mean()).iter_rows())


def test_an_open_complaint_raises_churn_by_as_much_as_the_effects_say(tmp_path):
    extra = {}
    for name, effects in (("none", NO_HARM), ("usual", Effects()), ("much", MUCH_HARM)):
        simulate(tmp_path / name, customers=8000, months=12, seed=2, until=UNTIL, effects=effects)
        share = churned_share(tmp_path / name, datetime(2025, 10, 1))
        extra[name] = share[True] - share[False]
    # Those who complain have bought lately, so without any effect they even churn less than the others.
    assert extra["none"] < 0.02
    assert extra["none"] + 0.08 < extra["usual"] < extra["much"]


def test_true_churn_probabilities_are_those_of_a_world_that_goes_on(tmp_path):
    """Where nothing but chance makes customers leave, the truth of one year predicts the next quarter of the same world."""
    truth = simulate(tmp_path, customers=6000, months=15, seed=5, until=UNTIL, effects=replace(NO_HARM, contacts={}))
    as_of = date(2025, 10, 1)
    alive = truth.customers["died_at"].is_null() | (truth.customers["died_at"] >= as_of)
    known = truth.customers.with_columns(pl.when(~alive).then(pl.col("died_at")).alias("died_at"))
    probability = Truth(as_of, truth.effects, known).churn_probability(92)
    lines = pl.read_parquet(tmp_path / "transactions.parquet").filter(pl.col("amount") > 0)
    customers = lines.filter(pl.col("ordered_at") < as_of)["customer_id"].unique()
    later = lines.filter(pl.col("ordered_at") >= as_of)["customer_id"].unique()
    seen = truth.customers["customer_id"].is_in(customers.implode())
    churned = ~truth.customers["customer_id"].is_in(later.implode())
    # The quarter before the turn of the year is busier than the average season, hence the tolerance.
    assert probability[seen.to_numpy()].mean() == pytest.approx(churned.filter(seen).mean(), abs=0.04)


def test_truth_is_complete_and_certain_of_those_who_left(shop):
    truth = shop[1]
    assert truth.customers["customer_id"].to_list() == table(shop, "customers")["customer_id"].to_list()
    gone = truth.customers["died_at"].is_not_null().to_numpy()
    probability = truth.churn_probability(90)
    assert (probability[gone] == 1).all()
    assert ((probability > 0) & (probability <= 1)).all()
    assert (truth.churn_probability(30) >= probability - 1e-12).all(), "a longer time leaves more room for a purchase"


def test_truth_is_written_only_where_asked(shop, tmp_path):
    assert not list(shop[0].glob("*truth*"))
    shop[1].write(tmp_path / "truth.parquet")
    assert_frame_equal(pl.read_parquet(tmp_path / "truth.parquet"), shop[1].customers)


def test_next_categories_of_a_path_never_repeat():
    paths = category_paths(np.random.default_rng(0), 500)
    assert (np.sort(paths, axis=1) == np.arange(len(CATEGORIES))).all()


def test_december_is_busier_than_july():
    season = season_of(365, 0)
    assert season[335:].mean() > 1.2 * season[181:212].mean()


@pytest.mark.parametrize(("customers", "months"), [(0, 12), (10, 0), (-1, 1)])
def test_a_shop_without_customers_or_time_is_refused(tmp_path, customers, months):
    with pytest.raises(ConfigError, match="cannot simulate"):
        simulate(tmp_path / "shop", customers=customers, months=months, until=UNTIL)
    assert not (tmp_path / "shop").exists()


@pytest.mark.parametrize("customers", [1, 2, 5])
def test_the_smallest_shops_are_whole(tmp_path, customers):
    truth = simulate(tmp_path, customers=customers, months=1, seed=customers, until=date(2024, 3, 31))
    assert truth.customers.height == customers
    assert read_company(tmp_path).key == f"simulated-{customers}-1-{customers}"
