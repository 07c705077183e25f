"""The benchmark of plans does what it says, on few customers."""

from __future__ import annotations

import json

import pytest

from benchmarks import plans


def test_the_benchmark_plans_with_ten_actions_and_tells_time_memory_and_gap(capsys: pytest.CaptureFixture[str]) -> None:
    plans.main(2_000)
    told = json.loads(capsys.readouterr().out)
    assert told["actions"] == plans.ACTIONS == len(plans.ten_actions(plans.invented_scores(10)).actions)
    assert told["planned"] > 200
    assert 0 <= told["gap"] < 0.005
    assert told["plan_seconds"] > 0
    assert told["frontier_seconds"] > 0


@pytest.mark.slow
def test_a_million_customers_are_planned_within_a_minute_and_six_gigabytes(capsys: pytest.CaptureFixture[str]) -> None:
    plans.main(1_000_000)
    told = json.loads(capsys.readouterr().out)
    assert told["plan_seconds"] < 60
    assert told["peak_gb"] < 6
    assert told["gap"] < 0.005
