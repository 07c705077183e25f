"""keepwell fairness as a person runs it."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features.groups import customer_groups
from keepwell.errors import DataError
from tests.commands.conftest import Keepwell, Shop, run

UNTIL = date(2026, 1, 1)


@pytest.fixture(scope="module")
def flat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A flat table whose customers of group f leave more often than their visits tell; gender is left out of features."""
    place, draw, n = tmp_path_factory.mktemp("flat"), np.random.default_rng(0), 500
    women, visits = draw.random(n) < 0.5, draw.poisson(4, n)
    left = draw.random(n) < 1 / (1 + np.exp(visits - 4 - 1.6 * women))
    ids = [f"c{i:04d}" for i in range(n)]
    people = pl.DataFrame({"customer_id": ids, "visits": visits, "gender": np.where(women, "f", "m")})
    people.write_csv(place / "customers.csv")
    pl.DataFrame({"customer_id": ids, "as_of": [UNTIL] * n, "churned": left}).write_csv(place / "labels.csv")
    (place / "company.yaml").write_text("company: flat\nleave_out: [gender]\n")
    return place


def test_a_group_that_the_model_cannot_see_and_that_leaves_more_often_is_remarked_on(flat: Path, keepwell: Keepwell) -> None:
    report = flat / "fairness.html"
    found = keepwell("fairness", flat, "--by", "gender", "--contact-share", "0.3", "--json", "--report", report)
    assert found.exit_code == 0, found.output
    told = json.loads(found.stdout)
    groups = {group["group"]: group for group in told["groups"]}
    assert set(groups) == {"f", "m"}
    assert groups["f"]["figures"]["forecast_gap"]["high"] < 0 < groups["m"]["figures"]["forecast_gap"]["low"]
    assert any("gender f: forecast_gap" in remark for remark in told["remarks"])
    assert "missed_share" in report.read_text()


def test_the_column_may_lie_in_a_file_of_its_own(flat: Path, tmp_path: Path) -> None:
    people = pl.read_csv(flat / "customers.csv")
    people.select("customer_id", wing=pl.col("gender").replace({"f": "east", "m": "west"})).write_csv(tmp_path / "wings.csv")
    apart = customer_groups(flat, "wing", UNTIL, apart=tmp_path / "wings.csv")
    assert set(apart["group"]) == {"east", "west"}
    assert apart["customer_id"].to_list() == people["customer_id"].to_list()


def test_groups_of_nobody_in_data_are_refused_rather_than_told_as_not_known(
    flat: Path, tmp_path: Path, keepwell: Keepwell
) -> None:
    people = pl.read_csv(flat / "customers.csv", infer_schema=False)
    people.select(customer_id="X-" + pl.col("customer_id"), wing=pl.col("gender")).write_csv(tmp_path / "others.csv")
    found = keepwell("fairness", flat, "--by", "wing", "--groups", tmp_path / "others.csv")
    assert found.exit_code == 3
    assert "no customer of DATA is in any group" in found.stderr


@pytest.mark.slow
def test_past_dates_of_a_company_with_purchases_are_forecast(shop: Shop, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(shop.home, home)
    found = run(home, "fairness", shop.data, "--by", "kind", "--horizon", "90d", "--as-of", UNTIL, "--json")
    assert found.exit_code == 0, found.output
    told = json.loads(found.stdout)
    assert told["dates"]
    assert all(date.fromisoformat(day) + timedelta(days=90) <= UNTIL for day in told["dates"])
    assert {group["group"] for group in told["groups"]} == {"consumer", "trader"}


def test_what_cannot_be_asked_is_refused_in_words(flat: Path, shop: Shop, keepwell: Keepwell) -> None:
    unknown = keepwell("fairness", flat, "--by", "colour")
    assert unknown.exit_code == 3
    assert "customers.colour: is no column to group by" in unknown.output
    assert "--horizon is missing" in keepwell("fairness", shop.data, "--by", "kind").output


def test_groups_are_words_or_bands_of_equal_size(shop: Shop) -> None:
    assert set(customer_groups(shop.data, "kind", UNTIL)["group"]) == {"consumer", "trader"}
    found = customer_groups(shop.data, "birthday", UNTIL)
    bands = found.filter(pl.col("group") != "not known")["group"].value_counts()
    assert len(bands) == 4
    assert bands["count"].max() < 1.3 * bands["count"].min()
    assert all("years" in group for group in bands["group"])
    assert found["customer_id"].n_unique() == found.height


def test_words_beyond_the_most_common_share_a_group(tmp_path: Path) -> None:
    words = [f"w{i}" for i in range(20) for _ in range(20 - i)]
    people = pl.DataFrame({"customer_id": [f"c{i}" for i in range(len(words))], "word": words})
    people.write_csv(tmp_path / "people.csv")
    found = customer_groups(tmp_path, "word", UNTIL, apart=tmp_path / "people.csv")
    assert found.filter(group="others").height == sum(range(1, 9))
    assert found["group"].n_unique() == 13


def test_numbers_that_begin_alike_are_groups_of_their_own(tmp_path: Path) -> None:
    rows = range(400)
    people = pl.DataFrame({"customer_id": [f"c{i}" for i in rows]}).with_columns(
        born=pl.Series([1950 + i % 50 for i in rows]), region=pl.Series([1_000_001 + i % 3 for i in rows])
    )
    people.write_csv(tmp_path / "people.csv")
    born = customer_groups(tmp_path, "born", UNTIL, apart=tmp_path / "people.csv")["group"].value_counts()
    assert set(born["group"]) == {"below 1960", "1960 to 1970", "1970 to 1990", "1990 and more"}
    region = customer_groups(tmp_path, "region", UNTIL, apart=tmp_path / "people.csv")["group"]
    assert set(region) == {"1000001", "1000002", "1000003"}


def test_a_company_without_the_table_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "transactions.csv").write_text("customer_id,ordered_at,amount\na,2025-01-01,1\n")
    with pytest.raises(DataError, match="customers: is not there"):
        customer_groups(tmp_path, "gender", UNTIL)
