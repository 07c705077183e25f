"""The benchmark of models holds us against the library for the same trees, and tells what came out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import measure, model_jobs, models, report
from datasets.simulate import simulate
from features.reading.sources import read_company
from training.data import TrainingData, training_data


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> TrainingData:
    folder = tmp_path_factory.mktemp("simulated")
    simulate(folder, customers=250, months=12, until=model_jobs.AS_OF)
    return training_data(read_company(folder), model_jobs.HORIZON_DAYS, model_jobs.AS_OF)


def test_each_job_measures_ours_beside_the_library(data: TrainingData, tmp_path: Path) -> None:
    for job in model_jobs.JOBS:
        works = model_jobs.JOBS[job](replace(data, memo={}), tmp_path / "model", 20)
        told = model_jobs.measure(works, repeats=1)
        assert {model_jobs.LIGHTGBM, model_jobs.OURS} <= set(told) == set(works)
        assert all(one["seconds"] > 0 and one["processor"] > 0 for one in told.values())


def test_trees_that_differ_from_the_library_s_end_the_run(data: TrainingData, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = model_jobs.parameters
    monkeypatch.setattr(model_jobs, "parameters", lambda *words: ours(*words) | {"lambda_l2": 77.0})
    with pytest.raises(SystemExit, match="other trees"):
        model_jobs.fit(replace(data, memo={}), Path("model"), 0)


def test_the_table_says_how_many_times_the_library_s_time_ours_is() -> None:
    def told(**processor: float) -> dict[str, Any]:
        return {name: {"seconds": 9.0, "processor": one} for name, one in processor.items()} | {"rows": 1_000, "columns": 7}

    jobs = {
        "fit": told(lightgbm=10.0, keepwell=14.0, procedure=30.0),
        "predict": told(lightgbm=4.0, keepwell=5.0),
        "explain": told(lightgbm=1.0, keepwell=1.0),
    }
    lines = report.tables({"models": jobs}).splitlines()
    ratios = [line.split("|")[4].strip() for line in lines if "Keepwell" in line or "the same" in line]
    assert ratios == ["1.40 times", "3.00 times", "1.25 times", "1.00 times"]
    assert "fitting to 1,000 rows of 7 features" in lines[4]


@pytest.mark.slow
def test_the_whole_benchmark_runs_on_little_data(tmp_path: Path) -> None:
    printed = measure.output_of([measure.PYTHON, "-m", "benchmarks.models", "--quick", "--scratch", str(tmp_path)])
    assert "the reasons of 50 customers" in printed
    assert "500 customers, 2 trials" in printed
    results = json.loads((tmp_path / "quick" / "results.json").read_text())
    assert set(results) == set(models.PARTS)
