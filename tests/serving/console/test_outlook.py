from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from html import unescape

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from features.catalog import CATALOG
from serving.console.app import console_app
from serving.console.outlook import history, horizons, lifetime
from serving.console.peers import TierSample, peers
from serving.console.small_charts import BARS_HEIGHT, heights, line
from serving.console.what_if import LEVERS, Forecast, Forecasts, changed, what_if
from serving.plans.policy import read_policy
from serving.store import Load, Store
from serving.store.past import PastScore
from tests.serving.console.shop import AS_OF, BUSY_ID, NOW, fill, new_store, score_rows
from tests.serving.console.test_doors import token_of

FIGURES = st.floats(-1e6, 1e6, allow_nan=False)


def foresee(load: Load, rows: Sequence[Mapping[str, float | None]]) -> Forecasts:
    """A model by which every open complaint adds ten points of churn."""
    return Forecasts(load.model_version, tuple(Forecast(0.2 + 0.1 * (row["complaints_open"] or 0.0), 100.0) for row in rows))


@pytest.fixture(scope="module")
def load(filled_store: Store) -> Load:
    return filled_store.current_load()


def test_the_past_is_of_earlier_dates_and_of_several_scorings_of_a_date_the_last(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    store = new_store(tmp_path_factory.mktemp("past"))
    for churn in (0.1, 0.3):
        day = AS_OF - timedelta(days=30)
        rows = score_rows(12).with_columns(as_of=pl.lit(day), churn_probability=pl.lit(churn))
        store.load_scores(rows, company="northwind-tea", loaded_at=NOW)
    load = fill(store, 12)
    (before,) = store.past.scores(load, BUSY_ID)
    assert (before.as_of, before.churn_probability) == (AS_OF - timedelta(days=30), 0.3)
    assert store.past.load_before(load).as_of == before.as_of
    assert store.past.scores(load, "nobody") == ()


def test_history_says_how_far_the_probability_moved(filled_store: Store, load: Load) -> None:
    row = replace(filled_store.customer(load, BUSY_ID), churn_probability=0.5)
    told = history(row, load, [PastScore(AS_OF - timedelta(days=9), 0.42, None, None)])
    assert told.change == "Up 8 points since 23 Mar 2026, when it was 42 %."
    assert [point.says for point in told.line.points] == ["23 Mar 2026: 42 %", "1 Apr 2026: 50 %"]
    assert history(row, load, []) is None


def test_horizons_are_told_from_the_nearest_on(filled_store: Store, load: Load) -> None:
    row = replace(
        filled_store.customer(load, BUSY_ID), further_churn={"churn_probability_180d": 0.2, "churn_probability_30d": 0.9}
    )
    assert [told.name for told in horizons(row, load)] == [f"buys nothing for {days} days" for days in (30, 90, 180)]
    assert horizons(replace(row, further_churn={}), load) == ()


def test_horizons_of_contracts_tell_who_leaves(filled_store: Store, load: Load) -> None:
    row = replace(filled_store.customer(load, BUSY_ID), churn_probability=0.3, further_churn={"churn_probability_30d": 0.1})
    assert [told.name for told in horizons(row, load)] == ["leaves within 30 days", "leaves within 90 days"]


def test_the_lifetime_value_is_split_at_the_horizon(filled_store: Store, load: Load) -> None:
    row = filled_store.customer(load, BUSY_ID)
    told = lifetime(replace(row, lifetime_value=1000.0, expected_value=250.0), load, read_policy().lifetime)
    assert (told.value, told.soon, told.later, told.soon_bar.width) == ("1,000 EUR", "250", "750", "25.00%")
    assert lifetime(replace(row, lifetime_value=None), load, read_policy().lifetime) is None


@given(st.lists(FIGURES, max_size=300), FIGURES)
def test_a_distribution_stays_within_its_drawing(values: list[float], own: float) -> None:
    drawn = heights(values, own)
    if drawn is not None:
        assert all(0 <= y <= BARS_HEIGHT and abs(y + tall - BARS_HEIGHT) < 0.11 for _, y, tall in drawn.bars)
        assert 2 <= float(drawn.mark.rstrip("%")) <= 98


def test_a_line_needs_two_points() -> None:
    assert line([(1, 0.5, "now")]) is None
    assert line([(1, 0.0, "a"), (2, 1.0, "b")]).points[0].y > line([(1, 0.0, "a"), (2, 1.0, "b")]).points[1].y


def test_among_peers_it_is_said_how_many_have_less(filled_store: Store, load: Load) -> None:
    row = replace(filled_store.customer(load, BUSY_ID), value_tier="VIP", churn_probability=0.5, expected_value=None)
    tier = pl.DataFrame({"churn_probability": np.linspace(0.0, 1.0, 101), "expected_value": [1.0] * 101})
    told = peers(row, TierSample(101, tier, (*[1.0] * 30, None)), 1.0)
    assert told.title == "Among 101 customers of the tier VIP"
    (place,) = told.places
    assert (place.own, place.middle, place.words) == ("50 %", "50 %", "50 % of the others have less")
    assert peers(row, TierSample(9, tier.head(9), ()), None) is None


def test_levers_are_features_that_can_be_acted_on() -> None:
    assert all(CATALOG[name].actionable for name in LEVERS)


def test_invoices_that_are_paid_take_their_amount_with_them() -> None:
    before = {"payments_overdue": 4.0, "payment_amount_overdue": 100.0, "oldest_overdue_payment_days": 9.0}
    assert changed(before, {"payments_overdue": 1.0}) == {**before, "payments_overdue": 1.0, "payment_amount_overdue": 25.0}
    assert changed(before, {"payments_overdue": 0.0})["oldest_overdue_payment_days"] is None


def test_what_if_asks_the_model_of_both_rows(filled_store: Store, load: Load) -> None:
    row, features = filled_store.customer(load, BUSY_ID), {"complaints_open": 3.0}
    unmoved = what_if(row, load, features, {}, foresee)
    assert [slider.parameter for slider in unmoved.sliders] == ["if.complaints_open"]
    assert unmoved.results == ()
    moved = what_if(row, load, features, {"if.complaints_open": "1"}, foresee)
    assert moved.results[0] == "Churn probability 30.0 % instead of 50.0 %"


@pytest.mark.parametrize("asked", ["x", "-1", "4", "nan", "inf", "1e999", "3"])
def test_what_is_no_other_figure_within_the_range_moves_nothing(filled_store: Store, load: Load, asked: str) -> None:
    row = filled_store.customer(load, BUSY_ID)
    assert what_if(row, load, {"complaints_open": 3.0}, {"if.complaints_open": asked}, foresee).results == ()


def test_without_a_model_or_a_lever_nobody_asks_what_if(filled_store: Store, load: Load) -> None:
    row = filled_store.customer(load, BUSY_ID)
    assert what_if(row, load, {"complaints_open": 3.0}, {}, None) is None
    assert what_if(row, load, {"complaints_open": 3.0}, {}, lambda *_: None) is None
    assert what_if(row, load, {"complaints_open": 0.0, "recency_days": 9.0}, {}, foresee) is None


def test_the_sliders_work_without_scripts(filled_store: Store, open_console: Callable[..., TestClient]) -> None:
    client = open_console(filled_store, foresee=foresee)
    page = client.get("/customers/one", params={"id": BUSY_ID, "if.complaints_open": "0"}).text
    assert "Churn probability 20.0 % instead of 30.0 %" in page


def form(client: TestClient, load_id: int, note: str) -> dict[str, str]:
    return {
        "form_token": token_of(client.get("/customers/one", params={"id": BUSY_ID}).text),
        "id": BUSY_ID,
        "step": "take",
        "load": str(load_id),
        "note": note,
    }


def test_a_form_on_older_scores_is_told_and_keeps_its_note(tmp_path_factory: pytest.TempPathFactory) -> None:
    store = new_store(tmp_path_factory.mktemp("stale"))
    old, new = fill(store, 12), fill(store, 12)
    client = TestClient(console_app(lambda: store, now=lambda: NOW), follow_redirects=False)
    answer = client.post("/customers/work", data=form(client, old.id, "call <after> six"))
    assert answer.status_code == 409
    assert "nothing was recorded" in answer.text
    assert "call <after> six</textarea>" in unescape(answer.text)
    assert store.plan_item(store.plan(new), BUSY_ID).taken_by is None
    assert client.post("/customers/work", data=form(client, new.id, "")).status_code == 303


def test_a_note_of_five_megabytes_is_refused_in_words(tmp_path_factory: pytest.TempPathFactory) -> None:
    store = new_store(tmp_path_factory.mktemp("long"))
    load = fill(store, 12)
    client = TestClient(console_app(lambda: store, now=lambda: NOW), follow_redirects=False)
    answer = client.post("/customers/work", data=form(client, load.id, "x" * 5_000_000))
    assert answer.status_code == 413
    assert "That is too long" in answer.text


def test_the_runner_up_is_told_beside_the_action(tmp_path_factory: pytest.TempPathFactory) -> None:
    store = new_store(tmp_path_factory.mktemp("runner"))
    load = fill(store, 12)
    items = pl.DataFrame({"customer_id": [BUSY_ID, "C00004"], "runner_up": ["loyalty_reward", "do_nothing"]}).with_columns(
        action=pl.lit("win_back_call"),
        cost=2.0,
        expected_net_value=10.0,
        churn_probability=0.5,
        runner_up_net_value=4.0,
        reason=pl.lit("They have gone quiet. Next best: Loyalty reward, 4.00."),
    )
    store.save_plan(load, items, made_at=NOW, budget=None, capacities={})
    client = TestClient(console_app(lambda: store, now=lambda: NOW))
    busy, other = (unescape(client.get("/customers/one", params={"id": each}).text) for each in (BUSY_ID, "C00004"))
    assert "Next best: Loyalty reward, with an expected gain of 4.00." in busy
    assert "They have gone quiet.</p>" in busy
    assert "Next best: to do nothing." in other
