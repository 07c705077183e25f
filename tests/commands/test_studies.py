"""tune and backtest as a user types them: what they print, what they leave, what they refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import Result

from training.metrics.intervals import METRICS

if TYPE_CHECKING:
    from tests.commands.conftest import Shop

Keepwell = Callable[..., Result]
ASKED = ("--horizon", "90d", "--as-of", "2026-01-01")


def test_a_backtest_registers_nothing_and_its_page_needs_nothing_beside_it(
    shop: Shop, keepwell: Keepwell, tmp_path: Path
) -> None:
    page = tmp_path / "backtest.html"
    done = keepwell("backtest", shop.data, *ASKED, "--dates", 2, "--report", page)
    assert done.exit_code == 0, done.output
    assert "on 2 backtest dates" in done.stdout
    assert all(f"\n{name} " in done.stdout for name in METRICS)
    assert not (tmp_path / "home").exists()
    html = page.read_text()
    assert "<svg" in html
    assert "src=" not in html
    assert "<script" not in html


def test_a_backtest_for_programs_has_every_figure_by_date_and_over_all(shop: Shop, keepwell: Keepwell) -> None:
    done = keepwell("backtest", shop.data, *ASKED, "--dates", 1, "--json")
    told = json.loads(done.stdout)
    assert [date["as_of"] for date in told["dates"]] == ["2025-10-03"]
    further = {f"{name}_30d" for name in ("churn_auc", "churn_log_loss", "churn_calibration_error")}
    assert set(told["figures"]) == set(told["dates"][0]["figures"]) == {*METRICS, *further}
    assert told["grade"] in "ABCD"
    assert told["dates_wanted"] == 1


def test_tune_keeps_a_study_that_goes_on(shop: Shop, keepwell: Keepwell, tmp_path: Path) -> None:
    asked = ("tune", shop.data, *ASKED, "--objective", "churn_empc", "--objective", "value_mae", "--json")
    first, second = (json.loads(keepwell(*asked, "--trials", trials).stdout) for trials in (1, 2))
    assert (tmp_path / "home" / "studies.db").exists()
    assert second["trials"][0] == first["trials"][0]
    assert [trial["number"] for trial in second["trials"]] == [0, 1]
    assert set(second["front"]) <= {0, 1}
    assert second["objectives"] == ["churn_empc", "value_mae"]


@pytest.mark.slow
def test_a_sample_is_backtested_and_tuned_as_it_is_trained(shop: Shop, keepwell: Keepwell) -> None:
    everybody = json.loads(keepwell("backtest", shop.data, *ASKED, "--dates", 1, "--json").stdout)
    some = keepwell("backtest", shop.data, *ASKED, "--dates", 1, "--sample", 400, "--json")
    assert "learning from a sample of" in some.stderr
    assert 0 < json.loads(some.stdout)["dates"][0]["customers"] < everybody["dates"][0]["customers"]
    tuned = keepwell("tune", shop.data, *ASKED, "--trials", 1, "--sample", 400)
    assert tuned.exit_code == 0, tuned.output
    assert "learning from a sample of" in tuned.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("backtest", "--as-of", "2024-09-01", "--horizon", "90d"), 5, "90"),
        (("tune", "--as-of", "2026-01-01", "--horizon", "90d", "--objective", "luck"), 4, "there is no objective 'luck'"),
        (("tune", "--as-of", "2024-12-01", "--horizon", "90d"), 5, "no past date can judge settings"),
    ],
)
def test_what_cannot_be_tried_is_refused_in_words_and_nothing_is_written(
    shop: Shop, keepwell: Keepwell, tmp_path: Path, *, words: tuple[str, ...], code: int, said: str
) -> None:
    refused = keepwell(words[0], shop.data, *words[1:])
    assert refused.exit_code == code, refused.output
    assert said in refused.stderr
    assert "->" in refused.stderr
    assert not (tmp_path / "home").exists()
