"""The steps of the main job, through the command line, on one simulated company."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from click.testing import CliRunner, Result
from mlflow import MlflowClient

from cli import main
from commands.demo import demo_day
from datasets.simulate import simulate
from features.asof import day_number
from features.reading.sources import read_company
from keepwell.errors import StoreError
from serving.batch.scoring import SCORE_TYPES
from serving.store import Store

if TYPE_CHECKING:
    from tests.commands.conftest import Shop

UNTIL = date(2026, 1, 1)
Keepwell = Callable[..., Result]


def at_home(shop: Shop, *words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], env={"KEEPWELL_HOME": str(shop.home)})


def test_score_writes_every_column_for_every_customer_with_a_purchase(shop: Shop) -> None:
    scores = pl.read_parquet(shop.scores)
    assert [name for name in scores.columns if not name.startswith("churn_probability_")] == list(SCORE_TYPES)
    buyers = pl.read_parquet(shop.data / "transactions.parquet").filter(pl.col("amount") > 0)["customer_id"].unique()
    assert sorted(scores["customer_id"]) == sorted(buyers)
    assert scores["churn_probability"].is_between(0, 1).all()
    assert (scores["value_low"] <= scores["value_high"]).all()


def test_score_loads_the_store_that_the_console_reads(shop: Shop) -> None:
    load = Store(f"sqlite:///{shop.home / 'store.db'}").current_load()
    assert load is not None
    assert load.customers == pl.read_parquet(shop.scores).height


def test_a_scoring_is_a_run_in_mlflow_that_names_its_model_and_its_file(shop: Shop) -> None:
    scores, client = pl.read_parquet(shop.scores), MlflowClient(f"sqlite:///{shop.home / 'mlflow.db'}")
    found = client.search_runs([client.get_experiment_by_name("keepwell/score").experiment_id], order_by=["start_time"])
    run = client.get_run(found[0].info.run_id)
    version = client.get_model_version_by_alias(client.search_registered_models()[0].name, "champion")
    assert run.info.status == "FINISHED"
    assert [each.model_id for each in run.inputs.model_inputs] == [version.source.removeprefix("models:/")]
    assert run.data.params["version"] == str(version.version)
    assert run.data.tags["scores_sha256"] == hashlib.sha256(shop.scores.read_bytes()).hexdigest()
    assert run.data.metrics["customers"] == scores.height
    assert run.data.metrics["expected_value_total"] == pytest.approx(scores["expected_value"].sum())


def test_scoring_again_gives_the_same_bytes(shop: Shop, tmp_path: Path) -> None:
    again = tmp_path / "again.parquet"
    assert at_home(shop, "score", shop.data, "--as-of", "2026-01-01", "--out", again).exit_code == 0
    assert again.read_bytes() == shop.scores.read_bytes()


def test_a_model_that_has_seen_later_labels_is_refused_for_an_earlier_date(shop: Shop, tmp_path: Path) -> None:
    words = ("score", shop.data, "--as-of", "2025-06-01", "--out", tmp_path / "s.parquet")
    refused = at_home(shop, *words)
    assert refused.exit_code == 6
    assert "has learned from what happened until" in refused.output
    assert not (tmp_path / "s.parquet").exists()
    assert at_home(shop, *words, "--allow-hindsight").exit_code == 0


def test_a_plan_keeps_to_its_budget_and_capacity(shop: Shop, tmp_path: Path) -> None:
    out = tmp_path / "plan.csv"
    words = ("--data", shop.data, "--budget", 100, "--capacity", "call=3", "--out", out)
    made = at_home(shop, "plan", shop.scores, *words)
    assert made.exit_code == 0, made.output
    plan = pl.read_csv(out)
    assert plan["cost"].sum() <= 100
    assert plan.filter(pl.col("channel") == "call", pl.col("arm") == "treated").height <= 3
    assert (plan.filter(pl.col("arm") == "treated")["expected_net_value"] > 0).all()
    assert plan["customer_id"].is_unique().all()


def test_a_plan_without_data_says_which_actions_it_could_not_weigh(shop: Shop, tmp_path: Path) -> None:
    made = at_home(shop, "plan", shop.scores, "--out", tmp_path / "plan.csv")
    assert made.exit_code == 0
    assert "note: " in made.output


def test_a_plan_that_pays_for_nobody_is_an_empty_table_with_all_columns(shop: Shop, tmp_path: Path) -> None:
    nothing = tmp_path / "plan.csv"
    made = at_home(shop, "plan", shop.scores, "--budget", 0, "--out", nothing)
    assert made.exit_code == 0, made.output
    plan = pl.read_csv(nothing)
    assert (plan["cost"] == 0).all()
    assert {"customer_id", "action", "cost", "expected_net_value", "reason"} <= set(plan.columns)


def test_a_plan_does_not_take_the_place_of_its_scores(shop: Shop) -> None:
    before = shop.scores.read_bytes()
    failed = at_home(shop, "plan", shop.scores, "--out", shop.scores)
    assert failed.exit_code == 4
    assert "holds the scores, which are read" in failed.output
    assert shop.scores.read_bytes() == before


def test_a_plan_of_an_unknown_channel_is_refused_and_nothing_is_written(shop: Shop, tmp_path: Path) -> None:
    refused = at_home(shop, "plan", shop.scores, "--capacity", "pigeon=2", "--out", tmp_path / "plan.csv")
    assert refused.exit_code == 4
    assert "pigeon" in refused.output
    assert list(tmp_path.iterdir()) == []


def test_a_plan_of_no_scores_is_refused(shop: Shop, tmp_path: Path) -> None:
    refused = at_home(shop, "plan", shop.data / "customers.parquet", "--out", tmp_path / "plan.csv")
    assert refused.exit_code == 3
    assert "scores.churn_probability: is missing" in refused.output


def test_features_writes_one_row_per_customer_and_date(shop: Shop, tmp_path: Path) -> None:
    out = tmp_path / "features.parquet"
    made = at_home(shop, "features", shop.data, "--as-of", "2025-06-01", "--as-of", "2026-01-01", "--out", out)
    assert made.exit_code == 0, made.output
    panel = pl.read_parquet(out)
    assert panel.select("customer_id", "as_of").is_unique().all()
    assert panel["as_of"].unique().sort().to_list() == [date(2025, 6, 1), date(2026, 1, 1)]


def test_the_catalog_is_printed_for_people_and_for_programs(keepwell: Keepwell) -> None:
    told = keepwell("features", "--catalog").output
    assert "recency_days: Days since last purchase. Yesterday is 1.\n    days, 1 or more; of transactions; never missing" in told
    assert "share, 0 to 1; of payments; missing: nothing fell due in the window\n" in told
    assert "invoices, 0 or more; of payments; never missing; actionable\n" in told
    entries = json.loads(keepwell("features", "--catalog", "--json").output)
    assert {"name", "title", "title_zh", "meaning", "unit", "missing", "table", "actionable"} <= set(entries[0])


def test_check_answers_programs_in_json(keepwell: Keepwell, shop: Shop) -> None:
    answer = keepwell("check", shop.data, "--horizon", "90d", "--json")
    assert answer.exit_code == 0
    assert json.loads(answer.stdout)["trainable"] is True


def test_check_fails_where_one_cannot_train(keepwell: Keepwell, shop: Shop) -> None:
    answer = keepwell("check", shop.data, "--horizon", "900d")
    assert answer.exit_code == 5
    assert "Can I train on this?  No" in answer.output


def test_a_horizon_longer_than_the_history_registers_nothing(keepwell: Keepwell, shop: Shop, tmp_path: Path) -> None:
    refused = keepwell("train", shop.data, "--horizon", "900d", "--as-of", "2026-01-01")
    assert refused.exit_code == 5
    assert not (tmp_path / "home").exists()


def test_a_date_before_the_first_purchase_registers_nothing(keepwell: Keepwell, shop: Shop, tmp_path: Path) -> None:
    refused = keepwell("train", shop.data, "--horizon", "90d", "--as-of", "2001-01-01")
    assert refused.exit_code == 5
    assert "purchase" in refused.output
    assert not (tmp_path / "home").exists()


def test_without_a_champion_score_says_what_to_run(keepwell: Keepwell, shop: Shop, tmp_path: Path) -> None:
    refused = keepwell("score", shop.data, "--as-of", "2026-01-01", "--out", tmp_path / "s.parquet")
    assert refused.exit_code == 6
    assert "keepwell train" in refused.output
    assert not (tmp_path / "s.parquet").exists()


def test_an_unwritable_kind_of_file_is_refused_before_the_work(shop: Shop, tmp_path: Path) -> None:
    refused = at_home(shop, "score", shop.data, "--as-of", "2026-01-01", "--out", tmp_path / "scores.xlsx")
    assert refused.exit_code == 2
    assert "must end in .parquet or .csv" in refused.output
    assert "Reading" not in refused.output


def test_a_plan_with_the_data_of_another_company_is_refused(shop: Shop, tmp_path: Path) -> None:
    other = "customer_id,ordered_at,amount\n1,2025-01-05,9.90\n"
    (tmp_path / "transactions.csv").write_text(other)
    refused = at_home(shop, "plan", shop.scores, "--data", tmp_path, "--out", tmp_path / "plan.csv")
    assert refused.exit_code == 3
    assert "scores.customer_id: is no customer of" in refused.output
    assert not (tmp_path / "plan.csv").exists()


def test_a_plan_that_the_console_cannot_show_says_so(keepwell: Keepwell, shop: Shop, tmp_path: Path) -> None:
    words = ("--data", shop.data, "--out", tmp_path / "plan.csv")
    assert at_home(shop, "score", shop.data, "--as-of", UNTIL, "--out", tmp_path / "s.parquet").exit_code == 0
    assert "in the file alone" not in at_home(shop, "plan", shop.scores, *words).output
    elsewhere = keepwell("plan", shop.scores, *words)
    assert elsewhere.exit_code == 0, elsewhere.output
    assert "the plan is in the file alone" in elsewhere.output


def test_a_port_that_is_taken_is_told_before_the_demo_begins(keepwell: Keepwell) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        refused = keepwell("demo", "--port", other.getsockname()[1])
    assert refused.exit_code == 4
    assert "choose another one with --port" in refused.output
    assert "Simulating" not in refused.output


def test_events_at_or_after_the_date_are_counted_and_told(shop: Shop, tmp_path: Path) -> None:
    told = at_home(shop, "score", shop.data, "--as-of", "2025-12-01", "--out", tmp_path / "s.csv", "--allow-hindsight")
    assert told.exit_code == 0
    assert "not known before 2025-12-01, so ignored" in told.output


def test_data_that_end_long_before_the_date_are_told(shop: Shop, tmp_path: Path) -> None:
    told = at_home(shop, "score", shop.data, "--as-of", "2026-01-31", "--out", tmp_path / "s.csv")
    assert told.exit_code == 0
    assert "if the export just ends there, say --as-of 2026-01-01" in told.output
    soon = at_home(shop, "score", shop.data, "--as-of", "2026-01-03", "--out", tmp_path / "s.csv")
    assert "the export" not in soon.output


def test_the_demo_stands_on_the_day_after_the_last_transaction(shop: Shop) -> None:
    """Invoices fall due for weeks after it: on the last due date a month without purchases would look like everyone leaving."""
    company = read_company(shop.data)
    assert max(company.tables["payments"]["due_day"]) > day_number(UNTIL)
    assert demo_day(company) == UNTIL


def test_simulate_writes_a_company_and_its_truth_outside_of_it(keepwell: Keepwell, tmp_path: Path) -> None:
    made = keepwell("simulate", tmp_path / "co", "--customers", 50, "--months", 3, "--truth", tmp_path / "truth.parquet")
    assert made.exit_code == 0, made.output
    assert (tmp_path / "co" / "transactions.parquet").exists()
    assert pl.read_parquet(tmp_path / "truth.parquet").height == 50


def test_simulate_overwrites_nothing(keepwell: Keepwell, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    refused = keepwell("simulate", tmp_path)
    assert refused.exit_code == 4
    assert "not empty" in refused.output


@pytest.mark.slow
def test_the_demo_goes_from_nothing_to_scores_and_plan(keepwell: Keepwell, tmp_path: Path) -> None:
    simulate(tmp_path / "own", customers=800, months=15, seed=1)
    shown = keepwell("demo", tmp_path / "own", "--horizon", "60d", "--trials", 1, "--no-serve")
    assert shown.exit_code == 0, shown.output
    scores = pl.read_parquet(tmp_path / "home" / "demo" / "scores.parquet")
    assert scores["as_of"].unique().to_list() == [UNTIL]
    assert (tmp_path / "home" / "demo" / "plan.csv").exists()


def test_scores_with_a_text_where_a_number_belongs_are_refused(shop: Shop, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.parquet"
    pl.read_parquet(shop.scores).with_columns(expected_value=pl.lit("much")).write_parquet(wrong)
    refused = at_home(shop, "plan", wrong, "--out", tmp_path / "plan.csv")
    assert refused.exit_code == 3
    assert "scores.expected_value: must be Float64, found String" in refused.output


def test_when_the_store_fails_no_file_of_scores_is_left(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StoreError("the store is full", hint="make room")

    monkeypatch.setattr("serving.batch.scoring.load_into_store", fail)
    refused = at_home(shop, "score", shop.data, "--as-of", "2026-01-01", "--out", tmp_path / "scores.parquet")
    assert refused.exit_code == 7
    assert list(tmp_path.iterdir()) == []
