"""keepwell forget as a person runs it, in a home that has been worked with."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from tests.commands.conftest import Keepwell, Shop, run

UNTIL = date(2026, 1, 1)


@pytest.fixture(scope="module")
def worked(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The shop of all tests in a home of its own, with a second scoring, a plan, outcomes and a monitoring."""
    place = tmp_path_factory.mktemp("forget")
    made = Shop(shop.data, place / "home", place / "scores.parquet")
    shutil.copytree(shop.home, made.home)
    shutil.copy(shop.scores, made.scores)
    for words in (
        ("plan", made.scores, "--data", made.data, "--budget", "5000", "--out", place / "plan.csv"),
        ("monitor", made.data, "--as-of", UNTIL),
    ):
        assert run(made.home, *words).exit_code in (0, 10, 11)
    return made


@pytest.fixture
def planned(worked: Shop) -> pl.DataFrame:
    return pl.read_csv(worked.home.parent / "plan.csv", infer_schema=False)


def holding(folder: Path, word: str) -> list[str]:
    """The files below a folder that hold a word, in their bytes or, of Parquet, in their values."""
    found = []
    for file in sorted(each for each in folder.rglob("*") if each.is_file()):
        try:
            texts = [file.read_bytes()]
        except FileNotFoundError:  # SQLite takes its files beside the store away when the last reader leaves
            continue
        if file.suffix == ".parquet":
            texts.append(pl.read_parquet(file).write_ndjson().encode())
        if any(word.encode() in each for each in texts):
            found.append(str(file.relative_to(folder)))
    return found


def test_no_file_of_the_home_holds_the_customer_when_all_is_done(worked: Shop, planned: pl.DataFrame) -> None:
    customer, *others = planned["customer_id"].to_list()
    told = run(
        worked.home, "outcome", "--customer", customer, "--action", planned["action"][0], "--step", "contacted", "--on", UNTIL
    )
    assert told.exit_code == 0, told.output
    before = holding(worked.home, customer)
    assert "store.db" in before
    found = run(worked.home, "forget", customer, "--by", "Ada")
    assert found.exit_code == 0, found.output
    assert "1 of 1 known, and forgotten" in found.output
    assert holding(worked.home, customer) == []
    assert holding(worked.home, others[0]) != []


def test_what_is_learned_never_held_a_customer(worked: Shop, planned: pl.DataFrame) -> None:
    known = planned["customer_id"].to_list()[1]
    assert [file for file in holding(worked.home, known) if not file.startswith(("store.db", "jobs", "demo"))] == []


def test_a_second_time_says_that_nothing_is_kept_and_is_no_error(worked: Shop, planned: pl.DataFrame) -> None:
    customer = planned["customer_id"].to_list()[2]
    assert run(worked.home, "forget", customer).exit_code == 0
    again = run(worked.home, "forget", customer)
    assert again.exit_code == 0
    assert "nothing is kept of this customer" in again.output
    assert json.loads(run(worked.home, "forget", customer, "--json").stdout)["found"] == 0


def test_a_file_names_many_and_json_names_nobody(worked: Shop, planned: pl.DataFrame, tmp_path: Path) -> None:
    many = planned["customer_id"].to_list()[3:6]
    (tmp_path / "gone.csv").write_text("customer_id\n" + "\n".join([*many, "nobody"]))
    tried = run(worked.home, "forget", "--file", tmp_path / "gone.csv", "--dry-run", "--json")
    done = run(worked.home, "forget", "--file", tmp_path / "gone.csv", "--json")
    assert json.loads(tried.stdout)["removed"] == json.loads(done.stdout)["removed"]
    told = json.loads(done.stdout)
    assert (told["asked"], told["found"], told["removed"]["plan_items"]) == (4, 3, 3)
    assert not [each for each in many if each in done.stdout]


@pytest.mark.slow
def test_who_is_in_the_tables_comes_back_unless_the_company_leaves_them_out(
    worked: Shop, planned: pl.DataFrame, tmp_path: Path
) -> None:
    customer, data, out = planned["customer_id"].to_list()[6], tmp_path / "data", tmp_path / "scores.parquet"
    shutil.copytree(worked.data, data)
    config = (data / "company.yaml").read_text()
    assert run(worked.home, "forget", customer).exit_code == 0
    assert run(worked.home, "score", data, "--as-of", UNTIL, "--out", out).exit_code == 0
    assert customer in pl.read_parquet(out)["customer_id"]
    (data / "forgotten.csv").write_text(f"customer_id\n{customer}\n")
    (data / "company.yaml").write_text(f"{config}leave_out_customers: forgotten.csv\n")
    assert run(worked.home, "forget", customer).exit_code == 0
    assert run(worked.home, "score", data, "--as-of", UNTIL, "--out", out).exit_code == 0
    assert customer not in pl.read_parquet(out)["customer_id"]
    assert holding(worked.home, customer) == []


@pytest.mark.parametrize("text", [None, "", "id\nC1\n", "customer_id,x\nC1,1,2,3\n"])
def test_a_wrong_file_is_told_of_as_the_option_that_named_it(keepwell: Keepwell, tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "gone.csv").write_text(text)
    refused = keepwell("forget", "--file", tmp_path / "gone.csv")
    assert refused.exit_code == 3
    assert "Error: list of customers" in refused.output
    assert "--file must name a CSV file" in refused.output
    assert "company.yaml" not in refused.output


def test_nobody_named_and_an_empty_home_are_refused(keepwell: Keepwell) -> None:
    assert "nobody is named" in keepwell("forget").output
    refused = keepwell("forget", "C1")
    assert refused.exit_code == 4
    assert "the store has no scores and no plans yet" in refused.output
