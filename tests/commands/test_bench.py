from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from commands.bench_page import BEGIN, END, TITLES, as_dict, page, write_page
from commands.terminal import to_json
from datasets.contracts import simulate_flat
from datasets.simulate import simulate
from tests.commands.conftest import UNTIL, Keepwell
from training.evaluation.comparison import FIGURES, Comparison, Gain
from training.metrics.intervals import Interval

DAY = date(2026, 1, 2)
PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench") / "shop"
    simulate(folder, customers=600, months=18, seed=5, until=UNTIL)
    return folder


@pytest.fixture
def comparison() -> Comparison:
    """Ours is 0.8 in everything and ahead of all but the textbook, which is better in the first figure."""
    ours, theirs, best = Interval(0.8, 0.7, 0.9), Interval(0.5, 0.4, 0.6), Interval(0.9, 0.8, 0.95)
    peers = [who for who in TITLES if who != "keepwell"]
    ahead, behind = Gain(Interval(0.3, 0.2, 0.4), "ahead"), Gain(Interval(-0.1, -0.2, -0.05), "behind")
    gains = {peer: dict.fromkeys(FIGURES, ahead) for peer in peers}
    figures = {peer: dict.fromkeys(FIGURES, theirs) for peer in peers}
    gains["textbook"] |= {FIGURES[0]: behind}
    figures["textbook"] |= {FIGURES[0]: best}
    return Comparison(
        company="shop",
        as_of=DAY,
        horizon_days=90,
        customers=1_234,
        churned_share=0.5,
        value_mean=10.0,
        family="ensemble",
        grade="B",
        figures={"keepwell": dict.fromkeys(FIGURES, ours), **figures},
        gains=gains,
        outside={"value_above_high_share": 0.08, "value_below_low_share": 0.02},
    )


def rows(text: str) -> dict[str, list[str]]:
    """The rows of tables by their first cell."""
    lines = (line.strip("|").split("|") for line in text.splitlines() if line.startswith("|"))
    return {cells[0].strip(" `"): [cell.strip() for cell in cells[1:]] for cells in lines}


def test_each_figure_has_a_row_and_each_forecaster_a_column(comparison: Comparison) -> None:
    told = rows(page([comparison], DAY))
    assert set(FIGURES) <= told.keys()
    assert {len(cells) for cells in told.values()} == {len(TITLES) + 2}


def test_the_verdict_of_a_row_is_that_against_the_best_peer(comparison: Comparison) -> None:
    told = rows(page([comparison], DAY))
    assert told[FIGURES[0]][-1] == "behind"
    assert {told[name][-1] for name in FIGURES[1:]} == {"ahead"}
    assert told["ahead, level, behind"][2:-1].count("11, 0, 0") == 5
    assert "10, 0, 1" in told["ahead, level, behind"]


def test_a_rival_that_was_handed_out_is_named(comparison: Comparison) -> None:
    assert "Handed out: the ensemble, grade B." in page([comparison], DAY)
    simple = replace(comparison, family="recency", grade="D")
    assert "the simple rival `recency`, which had beaten the models at earlier dates (grade D)" in page([simple], DAY)


def test_the_page_names_the_day_the_machine_and_the_versions(comparison: Comparison) -> None:
    assert re.match(r"2026-01-02: \d+ cores, \d+ GB, Python 3\.\d+\.\d+, Keepwell \S+, numpy \S+, ", page([comparison], DAY))


def test_json_holds_every_figure_with_its_bounds(comparison: Comparison) -> None:
    (told,) = json.loads(to_json(as_dict([comparison], DAY)))["comparisons"]
    assert told["figures"]["keepwell"][FIGURES[0]] == {"value": 0.8, "low": 0.7, "high": 0.9}
    assert told["gains"]["textbook"][FIGURES[0]]["verdict"] == "behind"


def test_a_page_with_a_place_for_the_tables_keeps_its_words(comparison: Comparison, tmp_path: Path) -> None:
    out = tmp_path / "page.md"
    out.write_text(f"# Mine\n\n{BEGIN}\nold\n{END}\n\nAnd \\1 so on.\n")
    for _ in range(2):  # the second time finds what the first one wrote
        write_page(out, [comparison], DAY)
    told = out.read_text()
    assert told.startswith(f"# Mine\n\n{BEGIN}\n2026-01-02: ")
    assert told.endswith(f"\n{END}\n\nAnd \\1 so on.\n")
    assert "old" not in told
    assert told.count("### shop") == 1


def test_another_place_gets_a_page_of_its_own(comparison: Comparison, tmp_path: Path) -> None:
    write_page(tmp_path / "new" / "page.md", [comparison], DAY)
    assert (tmp_path / "new" / "page.md").read_text().startswith("# Keepwell and its peers\n")


def test_the_page_of_the_docs_shows_what_the_command_writes() -> None:
    told = PAGE.read_text()
    between = told[told.index(BEGIN) : told.index(END)]
    assert re.findall(r"^### (\S+), \d+ days from \d{4}-\d\d-\d\d$", between, re.MULTILINE) == [
        "cdnow",
        "online-retail-2",
        "ta-feng",
        "complete-journey",
    ]
    assert [line.split("`")[1] for line in between.splitlines() if line.startswith("| `")] == [*FIGURES] * 4
    for title in TITLES.values():
        assert title in between
        assert "Keepwell" in title or f"| {title} |" in told[: told.index(BEGIN)], f"{title} is not explained"


def test_a_flat_table_is_refused(keepwell: Keepwell, tmp_path: Path) -> None:
    simulate_flat(tmp_path / "flat", customers=50, seed=1, as_of=DAY)
    result = keepwell("bench", tmp_path / "flat")
    assert result.exit_code == 5
    assert "there are no transactions" in result.output


def test_a_company_too_small_is_refused_before_any_work(keepwell: Keepwell, shop: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    (small / "transactions.csv").write_text("customer_id,ordered_at,amount\na,2025-01-01,5\nb,2025-02-01,5\na,2025-12-30,3\n")
    result = keepwell("bench", shop, small, "--out", tmp_path / "bench.md")
    assert result.exit_code == 5
    assert "2 customers, of whom 2 left: too few for the peers" in result.output
    assert "tuning" not in result.output
    assert not (tmp_path / "bench.md").exists()


def test_the_sample_of_cdnow_needs_the_package_that_has_it(keepwell: Keepwell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.shipped.find_spec", lambda _: None)
    result = keepwell("bench", "cdnow-sample")
    assert result.exit_code == 4
    assert "lifetimes" in result.output


def test_tables_are_no_place_for_the_page(keepwell: Keepwell, shop: Path) -> None:
    result = keepwell("bench", shop, "--out", shop / "bench.txt")
    assert result.exit_code == 2
    assert "must end in .md" in result.output


@pytest.mark.slow
def test_a_shop_is_held_against_its_peers(keepwell: Keepwell, shop: Path, tmp_path: Path) -> None:
    result = keepwell("bench", shop, "--quick", "--out", tmp_path / "bench.md", "--json")
    assert result.exit_code == 0, result.output
    (told,) = json.loads(result.stdout)["comparisons"]
    assert told["as_of"] == "2025-10-03"  # 90 days before the day after the last transaction
    assert told["horizon_days"] == 90
    assert set(told["figures"]) == set(TITLES)
    assert told["figures"]["keepwell"]["churn_auc"]["value"] > 0.6
    assert "### " in (tmp_path / "bench.md").read_text()
    assert not (tmp_path / "home").exists()  # nothing of it is registered
