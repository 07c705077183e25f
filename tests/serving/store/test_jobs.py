"""Jobs in the store: the same facts on SQLite and, where it is installed, on PostgreSQL."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.store import Store
from serving.store.jobs import KEPT_JOBS, MOST_ATTEMPTS, SILENT_S, Job, Jobs, worker_name

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
AFAR = "other-machine:1"


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.fixture
def jobs(store_url: str) -> Iterator[Jobs]:
    store = Store(store_url)
    store.migrate()
    yield store.jobs
    store.close()


def add(jobs: Jobs, name: str, seconds: float = 0.0, **more: str) -> Job:
    return jobs.add(name, "score", "acme", {"data": name}, at=after(seconds), **more)


def test_the_oldest_job_is_claimed_first_and_alone(jobs: Jobs) -> None:
    add(jobs, "second", 1)
    add(jobs, "first", 0)
    taken = jobs.claim(AFAR, after(2))
    assert (taken.id, taken.state, taken.attempts, taken.started_at) == ("first", "running", 1, after(2))
    assert jobs.claim("third-machine:1", after(3)) is None
    assert not jobs.may_begin(after(3))


def test_without_a_job_there_is_nothing_to_claim(jobs: Jobs) -> None:
    assert not jobs.may_begin(NOON)
    assert jobs.claim(AFAR, NOON) is None


def test_a_key_used_before_gives_the_job_of_then(jobs: Jobs) -> None:
    first = add(jobs, "first", request_key="monday")
    assert add(jobs, "again", 5, request_key="monday") == first
    assert jobs.add("other", "score", "another company", {}, at=NOON, request_key="monday").id == "other"
    assert [add(jobs, name).id for name in ("a", "b")] == ["a", "b"]


def test_a_finished_job_tells_its_result_and_lets_the_next_begin(jobs: Jobs) -> None:
    add(jobs, "first")
    add(jobs, "second", 1)
    taken = jobs.claim(AFAR, after(1))
    assert jobs.tell(taken, step="features", steps_done=2, customers=5, model_version="3")
    assert jobs.finish(taken, after(9), result="first/scores.csv")
    done = jobs.get("first")
    assert (done.state, done.result, done.steps_done, done.customers, done.model_version) == (
        "done",
        "first/scores.csv",
        2,
        5,
        "3",
    )
    assert done.finished_at == after(9)
    assert jobs.claim(AFAR, after(9)).id == "second"


def test_a_worker_that_is_silent_for_long_has_died_and_its_job_is_taken_again(jobs: Jobs) -> None:
    add(jobs, "only")
    first = jobs.claim(AFAR, NOON)
    assert jobs.beat(first, after(100))
    assert jobs.claim("third:1", after(99 + SILENT_S)) is None
    second = jobs.claim("third:1", after(101 + SILENT_S))
    assert (second.id, second.attempts) == ("only", 2)
    # Who lost the job can neither beat nor finish it.
    assert not jobs.beat(first, after(500))
    assert not jobs.finish(first, after(500), result="x")
    assert not jobs.still_mine(first)
    assert jobs.still_mine(second)


def test_a_process_of_this_machine_that_is_gone_has_died_at_once(jobs: Jobs) -> None:
    add(jobs, "only")
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    jobs.claim(worker_name(child), NOON)
    assert jobs.may_begin(after(1))
    assert jobs.claim(worker_name(), after(1)).attempts == 2
    assert not jobs.may_begin(after(2)), "this process lives"


def test_a_job_that_killed_its_workers_has_failed_for_good(jobs: Jobs) -> None:
    add(jobs, "deadly")
    for attempt in range(MOST_ATTEMPTS):
        assert jobs.claim(f"machine:{attempt}", NOON).attempts == attempt + 1
        jobs.leave(f"machine:{attempt}", after(1))
    job = jobs.get("deadly")
    assert (job.state, job.error["code"], job.finished_at) == ("failed", "worker_died", after(1))
    assert jobs.claim(AFAR, after(2)) is None


def test_a_silent_worker_on_the_last_attempt_makes_the_job_fail(jobs: Jobs) -> None:
    add(jobs, "deadly")
    for attempt in range(MOST_ATTEMPTS):
        jobs.claim(AFAR, after(attempt * (SILENT_S + 1)))
    last = after(MOST_ATTEMPTS * (SILENT_S + 1))
    assert jobs.may_begin(last)
    assert jobs.claim(AFAR, last) is None
    assert jobs.get("deadly").state == "failed"


def test_a_job_put_back_waits_as_if_nothing_had_been_unless_the_attempt_counts(jobs: Jobs) -> None:
    add(jobs, "only")
    assert jobs.put_back(jobs.claim(AFAR, NOON))
    taken = jobs.claim(AFAR, after(1))
    assert taken.attempts == 1
    assert jobs.put_back(taken, count=True)
    assert jobs.claim(AFAR, after(2)).attempts == 2


def test_a_cancelled_job_is_nobodys(jobs: Jobs) -> None:
    add(jobs, "waits")
    add(jobs, "runs", -1)
    taken = jobs.claim(AFAR, NOON)
    for name in ("runs", "waits"):
        assert (jobs.cancel(name, after(3)).state, jobs.get(name).finished_at) == ("cancelled", after(3))
    assert not jobs.still_mine(taken)
    assert not jobs.fail(taken, after(4), {"code": "x"})
    assert jobs.claim(AFAR, after(5)) is None
    assert jobs.cancel("waits", after(9)).finished_at == after(3), "what is over stays as it is"
    assert jobs.cancel("nobody", NOON) is None


def test_the_oldest_finished_jobs_are_removed(jobs: Jobs) -> None:
    for number in range(KEPT_JOBS + 2):
        add(jobs, f"job-{number}", number)
        jobs.finish(jobs.claim(AFAR, after(number)), after(number), result="r")
    add(jobs, "waits", 999)
    assert sorted(jobs.prune()) == ["job-0", "job-1"]
    assert jobs.get("job-0") is None
    assert jobs.get("waits").state == "queued"
    assert [job.id for job in jobs.newest(2)] == ["waits", f"job-{KEPT_JOBS + 1}"]


def test_of_many_workers_one_wins(store_url: str, jobs: Jobs) -> None:
    add(jobs, "only")
    start, won = threading.Barrier(6), []

    def try_to_claim(number: int) -> None:
        own = Store(store_url)
        start.wait()
        if own.jobs.claim(f"machine-{number}:1", after(1)):
            won.append(number)
        own.close()

    threads = [threading.Thread(target=try_to_claim, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def end(jobs: Jobs, job: Job, how: str, at: datetime) -> None:
    """What a worker, or whoever asked, may do with a job that was claimed."""
    if how == "finish":
        jobs.finish(job, at, result="r")
    elif how == "fail":
        jobs.fail(job, at, {"code": "x"})
    elif how == "cancel":
        jobs.cancel(job.id, at)
    else:
        jobs.put_back(job)


STEPS = st.lists(st.sampled_from(["add", "claim", "claim late", "finish", "fail", "put back", "cancel", "leave"]), max_size=25)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_whatever_happens_at_most_one_job_runs_and_none_is_lost(steps: list[str]) -> None:
    store = Store("sqlite://")
    store.migrate()
    jobs, held, added, at = store.jobs, None, 0, NOON
    for number, step in enumerate(steps):
        at += timedelta(seconds=SILENT_S + 1 if step == "claim late" else 1)
        if step == "add":
            add(jobs, f"job-{number}", number)
            added += 1
        elif step.startswith("claim"):
            held = jobs.claim(AFAR, at) or held
        elif step == "leave":
            jobs.leave(AFAR, at)
        elif held is not None:
            end(jobs, held, step, at)
        states = [job.state for job in jobs.newest(99)]
        assert states.count("running") <= 1
        assert len(states) == added
        assert all(job.attempts <= MOST_ATTEMPTS for job in jobs.newest(99))
    store.close()
