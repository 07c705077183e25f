"""review, as a manager types it."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import Result

from datasets.contracts import simulate_contracts, simulate_flat
from features.reading.sources import read_company
from serving.review.shelf import ReviewShelf
from tests.commands.conftest import Shop, run
from training.labels import labels

SINCE, UNTIL = "2025-09-01", "2025-12-01"
NOW = ("--as-of", UNTIL)


@dataclass(frozen=True)
class Quarter:
    """A home whose store has scores of the beginning and the end of a quarter, a plan of its beginning, and what came of it."""

    shop: Shop
    home: Path
    then: Path

    def review(self, *words: object, data: Path | None = None) -> Result:
        return run(self.home, "review", data or self.shop.data, "--since", SINCE, *words)

    def told(self, *words: object, data: Path | None = None) -> dict[str, Any]:
        looked = self.review("--json", *words, data=data)
        assert looked.exit_code == 0, looked.output
        content: dict[str, Any] = json.loads(looked.stdout)
        return content


@pytest.fixture(scope="module")
def quarter(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Quarter:
    place = tmp_path_factory.mktemp("quarter")
    home, then, plan = place / "home", place / "then.parquet", place / "plan.csv"
    home.mkdir()
    shutil.copy(shop.home / "mlflow.db", home)
    score = ("score", shop.data, "--allow-hindsight", "--explain", 0)
    must(run(home, *score, "--as-of", SINCE, "--out", then))
    must(run(home, "plan", then, "--data", shop.data, "--budget", 500, "--out", plan))
    made = pl.read_csv(plan, schema_overrides={"customer_id": pl.String}).filter(pl.col("arm") == "treated")
    done = made.head(10).select("customer_id", "action", step=pl.lit("declined"), on=pl.lit("2025-09-03"), reason=pl.lit("price"))
    done.write_csv(place / "outcomes.csv")
    must(run(home, "outcome", place / "outcomes.csv"))
    must(run(home, *score, "--as-of", UNTIL, "--out", place / "now.parquet"))
    return Quarter(shop, home, then)


def must(done: Result) -> None:
    assert done.exit_code == 0, done.output


def test_promises_are_held_against_labels(quarter: Quarter) -> None:
    told, scores = quarter.told(*NOW), pl.read_parquet(quarter.then)
    came = labels(read_company(quarter.shop.data), [date.fromisoformat(SINCE)], 90, date.fromisoformat(UNTIL))
    whole = told["promises"][0]
    assert (whole["tier"], whole["customers"], told["customers"]) == (None, scores.height, scores.height)
    assert whole["churned"]["value"] == pytest.approx(came["churned"].mean())
    assert whole["value_came"] == pytest.approx(came["value"].sum())
    assert whole["value_promised"] == pytest.approx(scores["expected_value"].sum())
    assert [each["tier"] for each in told["promises"][1:]] == ["VIP", "major", "ordinary", "small"]
    assert sum(each["customers"] for each in told["calibration"]) == scores.height


def test_what_was_planned_done_and_declined_is_told_by_action(quarter: Quarter) -> None:
    told = quarter.told(*NOW)
    actions = {each["facts"]["action"]: each["facts"] for each in told["actions"]}
    assert sum(each["declined"] or 0 for each in actions.values()) >= 10
    assert any(each["planned"] > 0 for each in actions.values())
    assert [(each["reason"], each["customers"]) for each in told["reasons"]] == [("price", 10)]
    contacts = pl.read_parquet(quarter.shop.data / "contacts.parquet").filter(
        pl.col("action") == "win_back_call",
        pl.col("arm") == "treated",
        pl.col("contacted_at").is_between(date.fromisoformat(SINCE), date.fromisoformat(UNTIL), closed="left"),
    )
    assert actions["win_back_call"]["done"] >= contacts["customer_id"].n_unique()


def test_verdicts_and_the_reasons_for_them_are_told(quarter: Quarter) -> None:
    told = quarter.told(*NOW)
    assert {each["verdict"] for each in told["actions"]} <= {"keep", "stop", "start", "measure"}
    assert all(each["why"] for each in told["actions"])


def test_the_later_scoring_brings_moves_equity_and_a_forecast(quarter: Quarter) -> None:
    told = quarter.told(*NOW)
    assert told["now_as_of"] == UNTIL
    assert {each["change"] for each in told["changes"]} == {"won", "lost", "won back", "upgraded", "downgraded"}
    forecast, equity = told["forecast"], told["equity"]
    assert sum(each["expected_value"] for each in forecast["by_tier"]) == pytest.approx(forecast["total"]["value"])
    assert sum(each["expected_value"] for each in forecast["by_owner"]) == pytest.approx(forecast["total"]["value"])
    assert forecast["total"]["low"] < forecast["total"]["value"] < forecast["total"]["high"]
    assert sum(each["value_now"] for each in equity[1:]) == pytest.approx(equity[0]["value_now"])
    moved = sum(each["customers"] for each in told["tier_moves"] if each["was"] is not None)
    assert moved == told["customers"]


def test_the_forecast_learns_from_dates_whose_horizon_was_over(quarter: Quarter) -> None:
    past = quarter.told(*NOW)["forecast"]["past"]
    # Another test may train on a copy of this home's database, whose artifacts are the same folder: the oldest is the shop's own.
    kept = min(quarter.shop.home.rglob("totals.json"), key=lambda path: path.stat().st_mtime)
    dates = [date.fromisoformat(each["as_of"]) for each in json.loads(kept.read_text())["totals"]]
    over = [day for day in dates if day + timedelta(days=90) <= date.fromisoformat(UNTIL)]
    assert 0 < len(over) < len(dates), "the model is of January, so its newest backtest was not over"
    assert [each["as_of"] for each in past] == [str(day) for day in over]


def test_scores_that_knew_what_came_are_no_promise_and_are_said_to_be_none(quarter: Quarter) -> None:
    told = quarter.told(*NOW)
    assert (
        told["notes"][0]
        == f"version 1 had learned from what came until 2026-01-01, so what it said of {SINCE} was hindsight and no promise"
    )
    assert SINCE not in [each["as_of"] for each in told["forecast"]["past"]]


def test_nothing_that_is_known_later_changes_the_review(quarter: Quarter, tmp_path: Path) -> None:
    data, end = tmp_path / "data", date.fromisoformat(UNTIL)
    shutil.copytree(quarter.shop.data, data)
    for name, time in (
        ("transactions", "ordered_at"),
        ("complaints", "opened_at"),
        ("contacts", "contacted_at"),
        ("surveys", "answered_at"),
    ):
        table = pl.read_parquet(data / f"{name}.parquet")
        table.filter(pl.col(time).dt.date() < end).write_parquet(data / f"{name}.parquet")
    assert quarter.told(*NOW, data=data) == quarter.told(*NOW)


def test_the_page_has_every_section_and_needs_nothing_beside_it(quarter: Quarter, tmp_path: Path) -> None:
    page = tmp_path / "review.html"
    must(quarter.review(*NOW, "--report", page))
    text = page.read_text()
    for heading in (
        "Predicted against actual",
        "Customers won, lost and moved",
        "From tier to tier",
        "Actions",
        "To measure",
        "Service against its targets",
        "Reasons that customers gave",
        "Forecast of sales",
        "Customer equity",
    ):
        assert f">{heading}<" in text
    assert text.count("<svg") >= 3
    assert "nan" not in re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL).lower().replace("finance", "")
    assert not re.search(r'(src|href)="(?!#)', text.replace('xlink:href="#', 'x="#'))


def test_the_terminal_tells_it_in_short(quarter: Quarter) -> None:
    looked = quarter.review(*NOW)
    must(looked)
    assert re.search(r"^all +\d+ +\d+\.\d% +\d+\.\d%", looked.stdout, flags=re.MULTILINE)
    assert "missed targets" in looked.stdout
    assert f"forecast from {UNTIL}: " in looked.stdout


def test_the_console_finds_what_was_told(quarter: Quarter) -> None:
    told = quarter.told(*NOW)
    shelf, company = ReviewShelf(quarter.home / "reviews"), told["company"]
    names = shelf.names(company)
    assert names[0].startswith(f"{SINCE}_{UNTIL}_")
    assert json.loads(json.dumps(shelf.read(company, names[0]).as_dict(), default=str)) == told


def test_by_default_it_is_judged_once_the_horizon_is_over_and_says_which_scores_it_lacks(quarter: Quarter) -> None:
    told = quarter.told()
    assert (told["as_of"], told["now_as_of"], told["forecast"], told["equity"]) == ("2025-11-30", None, None, [])
    assert any(f"the next is of {UNTIL}: say --as-of {UNTIL}" in note for note in told["notes"])


def test_before_the_horizon_is_over_the_rest_can_be_told(quarter: Quarter) -> None:
    told = quarter.told("--as-of", "2025-10-01")
    assert (told["promises"], told["calibration"]) == ([], [])
    assert told["measures"]
    assert [each["change"] for each in told["changes"]] == ["won"]
    assert any("are not over before 2025-11-30" in note for note in told["notes"])
    assert [each["left"] for each in told["reasons"]] == [None]


def test_scores_in_files_are_as_good_as_those_of_the_store(quarter: Quarter, tmp_path: Path) -> None:
    later = tmp_path / "later.parquet"
    words = ("score", quarter.shop.data, "--allow-hindsight", "--explain", 0, "--as-of", UNTIL, "--out", later)
    must(run(quarter.home, *words))
    assert quarter.told(*NOW, "--scores", quarter.then, "--now", later) == quarter.told(*NOW)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--as-of", SINCE), 4, "is not after --since"),
        (("--as-of", "2026-06-01"), 5, "for what can be said so far: --as-of 2026-01-01"),
        (("--horizon", "30d"), 3, "it has those of: none"),
    ],
)
def test_what_cannot_be_reviewed_is_refused_in_words(quarter: Quarter, words: tuple[str, ...], code: int, said: str) -> None:
    looked = quarter.review(*words)
    assert looked.exit_code == code, looked.output
    assert said in looked.output


def test_a_day_without_scores_names_those_there_are(quarter: Quarter) -> None:
    looked = run(quarter.home, "review", quarter.shop.data, "--since", "2025-09-02")
    assert looked.exit_code == 3
    assert f"it has those of: {SINCE}, {UNTIL}" in looked.output


def test_scores_of_another_day_are_refused(quarter: Quarter) -> None:
    looked = run(quarter.home, "review", quarter.shop.data, "--since", "2025-09-02", "--scores", quarter.then)
    assert looked.exit_code == 3
    assert f"say --since {SINCE}" in looked.output
    assert "which is not after" in quarter.review(*NOW, "--now", quarter.then).output


def test_scores_of_another_horizon_or_company_are_refused(quarter: Quarter, tmp_path: Path) -> None:
    scores = pl.read_parquet(quarter.then)
    strange, short = tmp_path / "strange.parquet", tmp_path / "short.parquet"
    scores.with_columns(customer_id=pl.lit("X") + pl.col("customer_id")).write_parquet(strange)
    scores.with_columns(as_of=pl.lit(date(2025, 11, 1)), horizon_days=pl.lit(30, pl.Int32)).write_parquet(short)
    looked = quarter.review("--scores", strange)
    assert looked.exit_code == 3
    assert "scores.customer_id: has no customer of simulated-600-18-5" in looked.output
    assert "is 30, and the review is over 90 days" in quarter.review("--now", short).output
    assert "is 90, and the review is over 30 days" in quarter.review("--scores", quarter.then, "--horizon", "30d").output


@pytest.mark.slow
def test_contracts_are_reviewed_without_tiers(tmp_path: Path) -> None:
    data, home = tmp_path / "telco", tmp_path / "home"
    simulate_contracts(data, customers=600, months=20, seed=3, until=date(2026, 1, 1))
    must(run(home, "train", data, "--horizon", "60d", "--as-of", "2025-10-01", "--trials", 0))
    for day in ("2025-10-01", "2025-12-01"):
        must(run(home, "score", data, "--as-of", day, "--out", tmp_path / f"{day}.parquet"))
    looked = run(home, "review", data, "--since", "2025-10-01", "--as-of", "2025-12-01", "--json")
    must(looked)
    told = json.loads(looked.stdout)
    assert [each["tier"] for each in told["promises"]] == [None]
    assert told["promises"][0]["value_ratio"]["value"] == pytest.approx(1, abs=0.3)
    assert (told["equity"], {each["change"] for each in told["changes"]}) == ([], {"won", "lost", "won back"})
    assert told["forecast"]["total"]["low"] > 0
    assert told["forecast"]["past"][0]["as_of"] == "2025-10-01"  # the scores that are looked back on were honest
    assert any("had no running contract then" in note for note in told["notes"])


def test_a_flat_table_has_nothing_to_look_back_on(tmp_path: Path) -> None:
    simulate_flat(tmp_path / "flat", customers=20, seed=1, as_of=date(2026, 1, 1))
    looked = run(tmp_path / "home", "review", tmp_path / "flat", "--since", "2025-10-01")
    assert looked.exit_code == 6
    assert "a flat table knows one date" in looked.output
