"""`keepwell uplift` as a user calls it: of a table, of a company, and with what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from click.testing import Result

if TYPE_CHECKING:
    from tests.commands.conftest import Shop

Keepwell = Callable[..., Result]
COLUMNS = ("--treatment", "arm", "--control", "none", "--outcome", "spent", "--without", "id")


@pytest.fixture(scope="module")
def mailing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mailing that those over fifty like."""
    rng, rows = np.random.default_rng(0), 900
    age, arm = rng.integers(20, 80, rows), rng.choice(["none", "mail"], rows)
    spent = rng.normal(10, 2, rows) + (arm == "mail") * np.where(age > 50, 5.0, -3.0)
    path = tmp_path_factory.mktemp("mailing") / "mailing.csv"
    pl.DataFrame({"id": range(rows), "arm": arm, "age": age, "spent": spent}).write_csv(path)
    return path


def test_a_table_is_told_in_lines_rows_and_a_page(mailing: Path, tmp_path: Path, keepwell: Keepwell) -> None:
    out, report = tmp_path / "told.csv", tmp_path / "mailing.html"
    done = keepwell(
        "uplift", mailing, *COLUMNS, "--customer", "id", "--cost", ".5", "--share", ".4", "--out", out, "--report", report
    )
    assert done.exit_code == 0, done.output
    assert "difference in means" in done.stdout
    assert "by uplift, 40%" in done.stdout
    rows = pl.read_csv(out)
    assert rows.columns == ["id", "arm", "uplift", "uplift_low", "uplift_high", "net_gain", "chosen", "do_not_disturb"]
    assert rows["chosen"].sum() == 360
    harmed = rows.filter("do_not_disturb").join(pl.read_csv(mailing), on="id", how="left")
    assert (harmed["age"] <= 50).mean() > 0.95
    assert "<svg" in report.read_text()


def test_programs_get_the_same_as_json(mailing: Path, keepwell: Keepwell) -> None:
    done = keepwell("uplift", mailing, *COLUMNS, "--json")
    told = json.loads(done.stdout)
    [experiment] = told["experiments"]
    assert set(experiment["effects"][0]["estimates"]) == {"difference in means", "adjusted", "doubly robust"}
    assert experiment["judged"]["policies"]["by uplift"]["over"]["nobody"]["low"] > 0
    assert told["applied"] is None


def test_other_customers_are_told_and_judged(mailing: Path, tmp_path: Path, keepwell: Keepwell) -> None:
    others, out = tmp_path / "others.csv", tmp_path / "told.parquet"
    pl.read_csv(mailing).head(400).write_csv(others)
    done = keepwell("uplift", mailing, *COLUMNS, "--apply", others, "--out", out)
    assert done.exit_code == 0, done.output
    assert "other customers:" in done.stdout
    assert pl.read_parquet(out).height == 400


def test_a_company_tells_each_action_by_its_contacts(shop: Shop, keepwell: Keepwell) -> None:
    done = keepwell("uplift", shop.data, "--as-of", "2026-01-01", "--outcome", "stayed", "--json")
    assert done.exit_code == 0, done.output
    names = {each["name"] for each in json.loads(done.stdout)["experiments"]}
    assert names <= {"reminder_email", "loyalty_reward", "win_back_call"}
    assert names


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), (4, "needs --treatment and --control and --outcome")),
        (("--treatment", "arm", "--control", "nobody", "--outcome", "spent"), (4, "no row has arm 'nobody'")),
        (("--treatment", "arm", "--control", "none", "--outcome", "won"), (3, "experiment.won: is not there")),
        ((*COLUMNS, "--cost", "much"), (4, "--cost 'much' is no number")),
        ((*COLUMNS, "--cost", "sms=1"), (4, "--cost names 'sms', which is no arm")),
        ((*COLUMNS, "--value", "much"), (3, "experiment.much: is not there")),
        ((*COLUMNS, "--propensity", "age"), (3, "must lie between 0 and 1")),
        ((*COLUMNS, "--evidence", "told.json"), (4, "--evidence is for a company")),
        ((*COLUMNS, "--share", "0"), (2, "0.001")),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    mailing: Path, keepwell: Keepwell, tmp_path: Path, words: tuple[str, ...], told: tuple[int, str]
) -> None:
    done = keepwell("uplift", mailing, *words, "--out", tmp_path / "told.csv")
    assert (done.exit_code, told[1] in done.output) == (told[0], True), done.output
    assert not (tmp_path / "told.csv").exists()


def test_options_of_tables_are_refused_for_a_company(shop: Shop, keepwell: Keepwell) -> None:
    done = keepwell("uplift", shop.data, "--feature", "age")
    assert done.exit_code == 4
    assert "--feature is for a table of an experiment" in done.output


def test_what_is_read_is_never_written_over(mailing: Path, keepwell: Keepwell) -> None:
    before = mailing.read_bytes()
    done = keepwell("uplift", mailing, *COLUMNS, "--out", mailing)
    assert done.exit_code == 4
    assert "cannot be written" in done.output
    assert mailing.read_bytes() == before
