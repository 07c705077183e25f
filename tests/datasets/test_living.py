"""A shop that goes on living: same luck, a past that stays, and effects that are what they are said to be."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from datasets.chances import Common, Stream
from datasets.living import LivingShop
from datasets.population import make_population
from datasets.shop import ContactEffect, Effects, season_of
from features.reading.sources import read_company

CALL = ContactEffect(8.0, 0.5, 0.1, 0.5, {"trader": 0.9})
EFFECTS = Effects(campaign_share=0.05, contacts={"call": CALL})
HISTORY, AHEAD = 240, 180


def living(effects: Effects = EFFECTS, customers: int = 1500) -> LivingShop:
    made = LivingShop(customers, seed=4, effects=effects, first_day=date(2025, 1, 1), lasts_days=HISTORY + AHEAD)
    made.live(HISTORY)
    made.shop.campaigns = False
    return made


def orders(made: LivingShop, among: np.ndarray) -> set[tuple[int, int]]:
    log = made.shop.log()
    kept = np.isin(log.order_customer, among)
    return set(zip(log.order_customer[kept].tolist(), log.order_day[kept].tolist(), strict=True))


def test_who_is_treated_alike_in_two_shops_of_one_seed_has_the_same_luck_in_both() -> None:
    one, other = living(), living()
    everyone = np.arange(len(one.people))
    assert orders(one, everyone) == orders(other, everyone)
    called = everyone[::3]
    other.contact(other.people.ids[called].tolist(), ["call"] * len(called))
    for made in (one, other):
        made.live(AHEAD)
    left_alone = np.setdiff1d(everyone, called)
    assert orders(one, left_alone) == orders(other, left_alone)
    assert orders(one, called) < orders(other, called), "who is kept buys what they would have bought, and more"


def test_what_a_contact_truly_brings_is_what_it_then_brings() -> None:
    alone, called = living(customers=6000), living(customers=6000)
    here = np.flatnonzero(called.people.first_buy_day < HISTORY)
    expected = called.true_gain("call", AHEAD)[here].sum()
    called.contact(called.people.ids[here].tolist(), ["call"] * len(here))
    for made in (alone, called):
        made.live(AHEAD)
    season = season_of(HISTORY + AHEAD, 0)[HISTORY:].mean()  # the truth is told for an average season
    assert called.revenue(HISTORY) - alone.revenue(HISTORY) == pytest.approx(expected * season, rel=0.2)


def test_a_contact_brings_nothing_before_the_first_purchase_and_more_where_it_keeps_more() -> None:
    quiet = replace(EFFECTS, campaign_share=0.0)
    made = living(quiet)
    gain = made.true_gain("call", AHEAD)
    assert (gain[made.people.first_buy_day >= HISTORY] == 0).all()
    weaker = living(replace(quiet, contacts={"call": replace(CALL, kept_share=0.2, kept_share_of={})}))
    assert (gain >= weaker.true_gain("call", AHEAD) - 1e-9).all()


def test_what_is_on_file_never_changes_and_is_a_company(tmp_path: Path) -> None:
    made = living()
    made.write(tmp_path / "shop")
    before = {name: pl.read_parquet(tmp_path / "shop" / f"{name}.parquet") for name in ("transactions", "complaints")}
    made.live(60)
    made.write(tmp_path / "shop")
    for name, day in (("transactions", "ordered_at"), ("complaints", "opened_at")):
        after = pl.read_parquet(tmp_path / "shop" / f"{name}.parquet").filter(pl.col(day) < pl.lit(date(2025, 8, 29)))
        columns = ["customer_id", day] + (["amount"] if name == "transactions" else [])
        assert after.select(columns).equals(before[name].select(columns)), name
    company = read_company(tmp_path / "shop")
    assert set(company.tables) == {"customers", "transactions", "complaints", "contacts"}
    assert company.tables["contacts"]["arm"].unique().sort().to_list() == ["control", "treated"]


def test_a_campaign_may_be_kept_to_those_who_bought_lately() -> None:
    made = living(replace(EFFECTS, campaign_recency_days=30))
    log = made.shop.log()
    for who, day in zip(log.contact_customer.tolist(), log.contact_day.tolist(), strict=True):
        bought = log.order_day[(log.order_customer == who) & (log.order_day <= day)]
        assert day - bought.max() <= 30


def test_the_share_kept_is_that_of_the_type() -> None:
    people = make_population(np.random.default_rng(0), 500, 100)
    kept = replace(CALL, kept_share_of={"trader": 0.9, "deal_seeker": 0.1}).kept(people)
    assert set(kept[people.trader]) == {0.9}
    assert set(kept[people.deal_seeker]) == {0.1}
    assert set(kept[~people.trader & ~people.deal_seeker]) == {0.5}


def test_common_numbers_hang_on_the_customer_and_a_stream_on_what_was_drawn_before() -> None:
    some, all_of_them = np.array([3, 7]), np.arange(10)
    common = Common(seed=1, customers=10)
    common.begin(5, 2)
    first = common.uniform(all_of_them)
    common.begin(5, 2)
    np.testing.assert_array_equal(common.uniform(some), first[some])
    common.begin(6, 2)
    assert (common.uniform(some) != first[some]).all()
    stream = Stream(np.random.default_rng(1))
    np.testing.assert_array_equal(stream.uniform(some), np.random.default_rng(1).random(2))
