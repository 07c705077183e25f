from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from datasets.orders import CATEGORIES, category_paths
from datasets.shop import Effects, season_of
from datasets.simulate import Truth, simulate
from features.sources import read_company
from keepwell.errors import ConfigError

UNTIL = date(2026, 1, 1)
NO_HARM = Effects(
    unresolved_complaint_log_hazard=0.0,
    late_delivery_log_hazard=0.0,
    badly_closed_log_hazard=0.0,
    recovered_log_hazard=0.0,
)
MUCH_HARM = Effects(unresolved_complaint_log_hazard=3.0)
TABLES = ("transactions", "customers", "complaints", "payments", "contacts")


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


def test_nothing_happens_at_or_after_until_or_before_the_first_month(shop):
    end, start = datetime(2026, 1, 1), datetime(2024, 1, 1)
    for name, columns in {
        "transactions": ["ordered_at", "delivered_at"],
        "complaints": ["opened_at", "first_response_at", "closed_at"],
        "payments": ["paid_at"],
        "contacts": ["contacted_at"],
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
