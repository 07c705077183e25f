"""The benchmarks measure the same work: peers and ours give the same numbers, on a company in which every feature has data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from benchmarks import child, measure, peers, prepared, report, request, speed, where
from benchmarks.company import write_benchmark
from benchmarks.measure import Measured, require_agreement
from features.asof import day_number
from features.panel import build_panel
from features.reading.sources import read_company

DATES = prepared.dates_back(3)
DAYS = [day_number(as_of) for as_of in DATES]
BY = ["as_of", "customer_id"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared.prepare(tmp_path_factory.mktemp("benchmark"), 4_000)


@pytest.fixture(scope="module")
def ours(folder: Path) -> pl.DataFrame:
    return build_panel(prepared.load(folder), DATES, peers.FOURTEEN)


def comparable(rows: pl.DataFrame, like: pl.DataFrame) -> pl.DataFrame:
    """A peer's rows in our order, columns and types."""
    return rows.with_columns(pl.col("as_of").cast(pl.Int32).cast(pl.Date)).select(like.columns).cast(dict(like.schema)).sort(BY)


def test_the_pandas_loop_gives_our_rows(folder: Path, ours: pl.DataFrame) -> None:
    rows = peers.pandas_loop(prepared.purchases_for_pandas(folder), DAYS).reset_index()
    assert_frame_equal(comparable(pl.from_pandas(rows), ours), ours, rel_tol=1e-9)


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_the_cross_joins_give_our_rows(folder: Path, ours: pl.DataFrame, engine: Any) -> None:
    lines = prepared.purchases(folder)
    days = comparable(peers.polars_day_cross_join(lines, DAYS, engine), ours)
    assert_frame_equal(days, ours, rel_tol=1e-9)
    of_lines = comparable(peers.polars_cross_join(lines, DAYS, engine), ours).drop(speed.COUNTS_LINES)
    assert_frame_equal(of_lines, ours.drop(speed.COUNTS_LINES), rel_tol=1e-9)


def test_every_feature_has_data(folder: Path) -> None:
    panel = build_panel(prepared.load(folder), DATES)
    assert [name for name in panel.columns if panel[name].null_count() == panel.height] == []


def test_the_company_is_as_large_as_asked_and_the_same_each_time(tmp_path: Path, folder: Path) -> None:
    write_benchmark(tmp_path / "again", 4_000)
    first, again = read_company(folder), read_company(tmp_path / "again")
    assert {name: table.height for name, table in first.tables.items()} == {
        "transactions": 4_000,
        "customers": 600,
        "complaints": 200,
        "payments": 200,
        "surveys": 100,
        "contacts": 300,
    }
    assert first.fingerprint() == again.fingerprint()
    assert not any(note.kind == "warning" for note in first.notes)


def test_what_is_kept_normalised_is_what_was_read(folder: Path) -> None:
    kept, read = prepared.load(folder), read_company(folder)
    assert kept.fingerprint() == read.fingerprint()
    assert (kept.zone, kept.attributes, kept.currency) == (read.zone, dict(read.attributes), read.currency)


def test_the_request_has_its_200_events_and_all_features(folder: Path) -> None:
    endpoint, matrix = request.work(folder)
    assert sum(request.ROWS.values()) == 200
    (_, row), (_, expected) = endpoint(), matrix()
    assert row.shape == expected.shape == (1, row.shape[1])
    assert json.loads(json.dumps(row.tolist())) == json.loads(json.dumps(expected.tolist()))  # NaN is equal as text only


def test_results_that_differ_end_the_run() -> None:
    ours, theirs = Measured(1.0, rows=2, figures={"spend_all 2026-01-01": 5.0}), Measured(1.0, rows=2)
    with pytest.raises(SystemExit, match="the results differ"):
        require_agreement(ours, theirs)  # nothing to compare is no agreement
    with pytest.raises(SystemExit, match="spend_all"):
        require_agreement(ours, Measured(1.0, rows=2, figures={"spend_all 2026-01-01": 6.0}))
    require_agreement(
        ours, Measured(1.0, rows=2, figures={"spend_all 2026-01-01": 5.0 + 1e-12, "orders_all 2026-01-01": 1.0}), ["orders_all"]
    )


def test_a_measurement_says_what_came_out(folder: Path, ours: pl.DataFrame) -> None:
    told = Measured(**child.measure("keepwell-14", folder, DATES, repeats=2))
    assert (told.rows, told.columns) == ours.shape
    assert told.seconds > 0
    assert told.peak_gb > 0.05
    assert len(told.figures) == len(DATES) * len(peers.FOURTEEN)


def test_the_stages_of_a_panel_are_seen_from_outside(folder: Path) -> None:
    company = prepared.load(folder)
    shares = where.shares(lambda: build_panel(company, DATES))
    assert list(shares) == list(dict.fromkeys(where.STAGES.values()))
    assert sum(shares.values()) == pytest.approx(1)
    modules = {path.stem for path in (measure.ROOT / "features" / "arrays").glob("*.py")}
    assert set(where.STAGES) <= modules  # a module that was renamed would be overlooked


def test_the_page_has_a_place_for_all_that_is_measured() -> None:
    page = report.PAGE.read_text()
    assert all(f"<!-- {name} -->\n" in page and f"<!-- /{name} -->\n" in page for name in ("machine", *report.TABLES))


@pytest.mark.slow
def test_the_whole_benchmark_runs_on_little_data(tmp_path: Path) -> None:
    command = [measure.PYTHON, "-m", "benchmarks.speed", "--quick", "--scratch", str(tmp_path)]
    printed = measure.output_of(command)
    assert "the whole catalog" in printed
    assert "`keepwell features`, 12 dates, 14 columns" in printed
    results = json.loads((tmp_path / "quick" / "results.json").read_text())
    assert set(results) == set(speed.PARTS)
