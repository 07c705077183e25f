from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.front.limits import BUCKETS, MINUTE_S, RateLimits

KEY, OTHER = "00000000000000aa", "00000000000000ab"


class Clock:
    def __init__(self) -> None:
        self.now = 5000.0

    def __call__(self) -> float:
        return self.now


@settings(max_examples=60)
@given(limit=st.integers(1, 50), waits=st.lists(st.floats(0, 20), max_size=150))
def test_no_window_lets_through_more_than_a_full_bucket_and_what_flows_in(limit: int, waits: list[float]) -> None:
    clock = Clock()
    limits = RateLimits(Path("/dev/null/no-such-place"), clock)
    passed = []
    for wait in waits:
        clock.now += wait
        if limits.wait_s(KEY, limit) == 0:
            passed.append(clock.now)
    for first, began in enumerate(passed):
        for last, ended in enumerate(passed[first:], start=1):
            assert last <= limit + (ended - began) * limit / MINUTE_S + 1e-3


@settings(max_examples=60)
@given(limit=st.integers(1, 1000), calls=st.integers(1, 1200))
def test_whoever_waits_as_told_is_let_through(limit: int, calls: int) -> None:
    clock = Clock()
    limits = RateLimits(Path("/dev/null/no-such-place"), clock)
    for _ in range(calls):
        if wait := limits.wait_s(KEY, limit):
            clock.now += wait
            assert limits.wait_s(KEY, limit) == 0


def test_workers_count_together(tmp_path: Path) -> None:
    clock = Clock()
    one, two = RateLimits(tmp_path / "limits", clock), RateLimits(tmp_path / "limits", clock)
    assert [worker.wait_s(KEY, 4) for worker in (one, two, one, two)] == [0] * 4
    assert [worker.wait_s(KEY, 4) for worker in (one, two)] == [15, 15]
    assert two.wait_s(OTHER, 4) == 0


def test_processes_that_count_at_once_let_through_no_more_than_one_would(tmp_path: Path) -> None:
    count = (
        "import sys; from pathlib import Path; from serving.front.limits import RateLimits\n"
        "limits = RateLimits(Path(sys.argv[1]), lambda: 1000.0)\n"
        f"print(sum(limits.wait_s('{KEY}', 500) == 0 for _ in range(2000)))"
    )
    words = [sys.executable, "-c", count, str(tmp_path / "limits")]
    children = [subprocess.Popen(words, cwd=Path(__file__).parents[3], stdout=subprocess.PIPE) for _ in range(2)]
    passed = [int(child.communicate(timeout=60)[0]) for child in children]
    assert sum(passed) == 500


def test_more_keys_than_there_is_room_for_in_one_place_stand_beside_each_other() -> None:
    limits = RateLimits(Path("/dev/null/no-such-place"), Clock())
    keys = [f"{number * BUCKETS:016x}" for number in range(10)]
    assert [limits.wait_s(key, 1) for key in keys] == [0] * 10
    assert all(limits.wait_s(key, 1) for key in keys)


def test_what_was_counted_before_the_machine_started_again_holds_nobody_up(tmp_path: Path) -> None:
    clock = Clock()
    before = RateLimits(tmp_path / "limits", clock)
    assert before.wait_s(KEY, 1) == 0
    clock.now = 3.0
    assert RateLimits(tmp_path / "limits", clock).wait_s(KEY, 1) == 0


def test_without_a_file_each_worker_counts_for_itself(caplog: pytest.LogCaptureFixture) -> None:
    limits = RateLimits(Path("/dev/null/no-such-place"), Clock())
    assert "limits a minute are those of each worker" in caplog.text
    assert [limits.wait_s(KEY, 1), limits.wait_s(KEY, 1)] == [0, 60]
