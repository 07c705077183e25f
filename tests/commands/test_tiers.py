"""`keepwell tiers`, and the history that `keepwell score` takes its words from, on the company that all commands share."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from click.testing import Result

from tests.commands.conftest import UNTIL, run

if TYPE_CHECKING:
    from tests.commands.conftest import Shop

Keepwell = Callable[..., Result]
LATER = "2026-01-15"


@pytest.fixture(scope="module")
def home(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop's champion in a home of its own, whose store knows the first scoring alone, whatever other tests score."""
    copied = Path(
        shutil.copytree(shop.home, tmp_path_factory.mktemp("copy") / "home", ignore=shutil.ignore_patterns("store.db*"))
    )
    scored = run(copied, "score", shop.data, "--as-of", UNTIL, "--out", copied.parent / "first.parquet")
    assert scored.exit_code == 0, scored.output
    return copied


@pytest.fixture(scope="module")
def later(shop: Shop, home: Path) -> Path:
    """The same company two weeks on, with the words of the first scoring read from a file."""
    out = home.parent / "later.parquet"
    scored = run(home, "score", shop.data, "--as-of", LATER, "--previous", shop.scores, "--out", out)
    assert scored.exit_code == 0, scored.output
    return out


def test_every_word_that_changed_has_its_move_and_reason(shop: Shop, later: Path) -> None:
    both = pl.read_parquet(shop.scores).join(pl.read_parquet(later), on="customer_id", suffix="_now")
    for scheme in ("value_tier", "abc_class", "account_class", "quadrant", "status", "lifecycle", "loyalty", "service_level"):
        told = both["moves_now"].str.contains(f"{scheme}: ", literal=True).fill_null(value=False)
        assert (told == (both[scheme] != both[f"{scheme}_now"])).all(), scheme
    assert both["moves"].null_count() == both.height, "the first scoring has no history"
    assert both["moves_now"].drop_nulls().str.contains(r"^\w+: .+ -> .+ \(.+\)$").all()


def test_the_store_hands_on_the_words_of_the_last_scoring_of_an_earlier_date(
    shop: Shop, home: Path, later: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again.parquet"
    assert run(home, "score", shop.data, "--as-of", LATER, "--out", again).exit_code == 0
    assert pl.read_parquet(again).drop("reasons").equals(pl.read_parquet(later).drop("reasons"))


def test_scores_of_the_same_or_a_later_date_are_no_history(shop: Shop, home: Path, later: Path, tmp_path: Path) -> None:
    refused = run(home, "score", shop.data, "--as-of", LATER, "--previous", later, "--out", tmp_path / "x.parquet")
    assert refused.exit_code != 0
    assert f"scores.as_of: is {LATER}, which is not before {LATER}" in refused.stderr
    assert not (tmp_path / "x.parquet").exists()


def test_tiers_are_counted_with_their_value_and_moves(shop: Shop, later: Path, keepwell: Keepwell) -> None:
    report = json.loads(keepwell("tiers", later, "--previous", shop.scores, "--json").stdout)
    scores = pl.read_parquet(later)
    counts = {word["name"]: word["customers"] for word in report["words"]}
    assert counts == dict.fromkeys(counts, 0) | dict(scores.group_by("value_tier").len().iter_rows())
    assert sum(word["expected_value"] for word in report["words"]) == pytest.approx(scores["expected_value"].sum())
    arrived = sum(flow["customers"] for flow in report["flows"] if flow["now"] is not None)
    assert arrived == scores.height
    assert 0 < report["concentration"]["expected_value"]["customers"]["0.5"] < 0.5
    told = keepwell("tiers", later, "--previous", shop.scores).stdout
    assert "Since 2026-01-01, with expected values then and now" in told
    assert "of customers bring 50%" in told


def test_customers_are_added_up_by_a_column_of_theirs(shop: Shop, keepwell: Keepwell, tmp_path: Path) -> None:
    out = tmp_path / "kinds.csv"
    told = keepwell("tiers", shop.scores, "--data", shop.data, "--by", "kind", "--out", out)
    assert told.exit_code == 0, told.output
    scores, written = pl.read_parquet(shop.scores), pl.read_csv(out)
    people = pl.read_parquet(shop.data / "customers.parquet", columns=["customer_id", "kind"])
    expected = scores.join(people, on="customer_id").group_by("kind").agg(pl.col("expected_value").sum())
    assert dict(written.select("kind", pl.col("expected_value").round(6)).iter_rows()) == dict(
        expected.with_columns(pl.col("expected_value").round(6)).iter_rows()
    )


def test_an_account_has_a_tier_and_a_customer_without_one_is_an_account_alone(
    shop: Shop, keepwell: Keepwell, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    people = pl.read_parquet(shop.data / "customers.parquet").with_row_index("place")
    account = pl.when(pl.col("place") < 300).then(pl.format("account {}", pl.col("place") // 10))
    people.with_columns(account_id=account).drop("place").write_parquet(data / "customers.parquet")
    (data / "transactions.parquet").write_bytes((shop.data / "transactions.parquet").read_bytes())
    (data / "company.yaml").write_bytes((shop.data / "company.yaml").read_bytes())
    out = tmp_path / "accounts.parquet"
    told = keepwell("tiers", shop.scores, "--data", data, "--by", "account_id", "--out", out)
    assert told.exit_code == 0, told.output
    accounts = pl.read_parquet(out)
    assert accounts["customers"].sum() == pl.read_parquet(shop.scores).height
    assert accounts.filter(pl.col("account_id").str.starts_with("account "))["customers"].max() > 1
    assert set(accounts["value_tier"]) <= {"VIP", "major", "ordinary", "small"}
    assert "more: --out writes them all" in told.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--scheme", "colour"], "there is no scheme 'colour'"),
        (["--by", "owner"], "--data, --by and --out belong together"),
        (["--data", "DATA", "--by", "colour"], "customers.colour: is missing, and --by asks for it"),
        (["--previous", "SCORES"], "which is not before"),
    ],
)
def test_what_cannot_be_counted_is_refused_in_words(shop: Shop, keepwell: Keepwell, words: list[str], message: str) -> None:
    places = {"DATA": shop.data, "SCORES": shop.scores}
    refused = keepwell("tiers", shop.scores, *(places.get(word, word) for word in words))
    assert refused.exit_code != 0
    assert message in refused.stderr
