"""`keepwell outcome` as a user types it: one outcome, a file, the plan filled in, the export, and what is refused."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from serving.store import Store
from tests.commands.conftest import Keepwell, Shop, run
from tests.serving.store.test_store import LOADED_AT, filled, scores

ONE = ("--customer", "c0000", "--action", "win_back_call", "--step", "accepted", "--on", "2026-01-05")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose store has scores of c0000 and on."""
    store = Store(f"sqlite:///{tmp_path / 'home' / 'store.db'}")
    store.migrate()
    filled(store)
    return tmp_path / "home"


def test_one_outcome_counts_once_however_often_it_is_told(home: Path) -> None:
    first, again = run(home, "outcome", *ONE), run(home, "outcome", *ONE, "--json")
    assert first.exit_code == 0, first.output
    assert "acme: 1 new, 0 known before" in first.stdout
    assert json.loads(again.stdout) == {"company": "acme", "new": 0, "known_before": 1, "differing": 0, "controls": 0}


def test_the_plan_filled_in_is_a_file_of_outcomes(home: Path, tmp_path: Path) -> None:
    plan = pl.DataFrame(
        {
            "customer_id": ["c0000", "c0001"],
            "action": ["win_back_call"] * 2,
            "runner_up": ["", ""],
            "reason": ["They stay away."] * 2,
            "step": ["accepted", None],
            "on": ["2026-01-05", None],
        }
    )
    plan.write_csv(tmp_path / "plan.csv")
    told = run(home, "outcome", tmp_path / "plan.csv")
    assert told.exit_code == 0, told.output
    assert "1 new" in told.stdout
    assert "not read: runner_up, reason" in told.stderr


def test_the_export_holds_what_happened_before_the_day(home: Path, tmp_path: Path) -> None:
    run(home, "outcome", *ONE)
    early = run(home, "outcome", "--export", tmp_path / "early.csv", "--as-of", "2026-01-05", "--json")
    late = run(home, "outcome", "--export", tmp_path / "late.parquet", "--as-of", "2026-01-06", "--json")
    assert json.loads(early.stdout) == {"company": "acme", "exported": 0, "exported_controls": 0}
    assert json.loads(late.stdout)["exported"] == 1
    assert pl.read_parquet(tmp_path / "late.parquet")["contacted_at"].to_list() == [date(2026, 1, 5)]


@pytest.mark.parametrize(
    ("words", "code", "match"),
    [
        ((), 4, "there is nothing to record"),
        (("--customer", "c0000"), 4, "--step is missing"),
        (("--step", "accepted"), 4, "--customer is missing"),
        (("absent.csv",), 3, "does not exist"),
        (("absent.csv", *ONE), 4, "both a file and --customer were given"),
        ((*ONE, "--company", "acne"), 4, "the store knows no company 'acne'"),
        ((*ONE, "--as-of", "2026-01-04"), 3, "must not be after 2026-01-04"),
        ((*ONE[:-1], "2999-01-01"), 3, "must not be after"),
        (("--customer", "c000", *ONE[2:]), 3, "is no customer of 'acme'"),
        (("--export", "contacts.txt"), 2, "must end in .parquet or .csv"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_recorded(
    home: Path, words: tuple[str, ...], code: int, match: str
) -> None:
    refused = run(home, "outcome", *words)
    assert refused.exit_code == code, refused.output
    assert match in refused.output
    assert Store(f"sqlite:///{home / 'store.db'}").outcomes.recorded("acme") == ()


def test_without_a_store_there_is_nothing_to_record_for_and_none_is_made(keepwell: Keepwell, tmp_path: Path) -> None:
    refused = keepwell("outcome", *ONE)
    assert "the store has no scores and no plans yet" in refused.output
    assert not (tmp_path / "home" / "store.db").exists()


def test_with_two_companies_one_is_chosen(home: Path) -> None:
    store = Store(f"sqlite:///{home / 'store.db'}")
    store.load_scores(scores(), company="other", loaded_at=LOADED_AT)
    refused = run(home, "outcome", *ONE)
    assert "the store has 2 companies" in refused.output
    assert run(home, "outcome", *ONE, "--company", "other").exit_code == 0


def test_a_plan_its_outcomes_and_their_export_are_contacts_of_the_company(shop: Shop, tmp_path: Path) -> None:
    planned = run(shop.home, "plan", shop.scores, "--data", shop.data, "--out", tmp_path / "plan.parquet")
    assert planned.exit_code == 0, planned.output
    plan = pl.read_parquet(tmp_path / "plan.parquet")
    done = plan.filter(arm="treated").select("customer_id", "action", step=pl.lit("contacted"), on=pl.lit("2026-01-05"))
    done.write_csv(tmp_path / "done.csv")
    told = run(shop.home, "outcome", tmp_path / "done.csv", "--export", tmp_path / "contacts.parquet", "--json")
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["new"] == done.height
    contacts = pl.read_parquet(tmp_path / "contacts.parquet")
    drawn = plan.filter(pl.col("propensity") < 1)
    begun = drawn.filter(arm="treated")["action"].unique()
    expected = drawn.filter(pl.col("action").is_in(begun.implode())).select("customer_id", "action", "arm", "propensity", "cost")
    found = contacts.filter(pl.col("arm").is_not_null()).select(expected.columns)
    assert found.sort("customer_id").equals(expected.sort("customer_id"))
