from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result

from cli import main
from keepwell.settings import Settings
from serving.jobs.desk import JobDesk
from serving.jobs.schemas import JobRequest
from serving.jobs.watch import JobWatch
from serving.store import Store
from tests.commands.conftest import UNTIL, Shop

ROOT = Path(__file__).parents[2]


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def settings(shop: Shop, tmp_path: Path) -> Settings:
    """A home and a store of their own, with the shop's champion."""
    return Settings(
        home=str(tmp_path / "home"), tracking_uri=f"sqlite:///{shop.home / 'mlflow.db'}", jobs_root=str(shop.data.parent)
    )


@pytest.fixture
def desk(settings: Settings) -> Iterator[JobDesk]:
    store = Store(settings.resolved_store_url)
    store.migrate()
    yield JobDesk(store.jobs, settings.jobs_root_path, settings.jobs_folder)
    store.close()


def asked(desk: JobDesk, shop: Shop, **words: Any) -> str:
    return desk.submit(JobRequest.model_validate({"data": shop.data.name, "as_of": UNTIL, **words}), now()).id


def run(settings: Settings, *words: str) -> Result:
    return CliRunner().invoke(main, ["jobs", *words], env=settings.to_environment())


@contextmanager
def worker(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs one job."""
    words = [sys.executable, "-m", "cli", "jobs", "run"]
    with subprocess.Popen(words, cwd=ROOT, env={**os.environ, **settings.to_environment()}, stderr=subprocess.PIPE) as child:
        yield child
        child.kill()


def wait_for(fact: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_job_gives_what_score_gives_in_file_and_store(settings: Settings, desk: JobDesk, shop: Shop) -> None:
    job_id = asked(desk, shop)
    assert run(settings, "run").exit_code == 0
    told = desk.state(job_id)
    assert (told.state, told.customers, told.model_version, told.step) == ("done", pl.read_parquet(shop.scores).height, "1", None)
    moved = ["moves"]  # the command had no earlier scoring either, but words of moves depend on the store's
    assert pl.read_parquet(desk.result(job_id)).drop(moved).equals(pl.read_parquet(shop.scores).drop(moved))
    load = Store(settings.resolved_store_url).current_load()
    assert (load.as_of, load.customers) == (UNTIL, told.customers)


def test_a_job_may_leave_the_store_alone_and_write_csv(settings: Settings, desk: JobDesk, shop: Shop) -> None:
    job_id = asked(desk, shop, load=False, format="csv", explain=0)
    assert run(settings, "run").exit_code == 0
    assert pl.read_csv(desk.result(job_id)).height == desk.state(job_id).customers
    assert Store(settings.resolved_store_url).current_load() is None


def test_without_a_date_the_day_counts_on_which_the_job_was_asked_for(settings: Settings, desk: JobDesk, shop: Shop) -> None:
    later = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
    job_id = desk.submit(JobRequest.model_validate({"data": shop.data.name, "explain": 0}), later).id
    assert run(settings, "run").exit_code == 0
    assert pl.read_parquet(desk.result(job_id))["as_of"].unique().to_list() == [date(2026, 1, 31)]


def test_a_job_that_cannot_be_done_says_why_and_the_next_one_is_run(settings: Settings, desk: JobDesk, shop: Shop) -> None:
    early = asked(desk, shop, as_of=UNTIL - timedelta(days=60))
    other = asked(desk, shop, horizon_days=7)
    told = run(settings, "run", "--all")
    assert told.exit_code == 0
    states = [desk.state(job_id) for job_id in (early, other)]
    assert [state.state for state in states] == ["failed", "failed"]
    assert [state.error["code"] for state in states] == ["no_model", "no_model"]
    assert "learned from what happened until" in states[0].error["message"]
    assert not (settings.jobs_folder / early).exists() or not any((settings.jobs_folder / early).iterdir())
    listed = run(settings, "list")
    assert listed.output.count("failed") == 2
    assert len(json.loads(run(settings, "list", "--json").output)) == 2


def test_without_a_folder_of_data_no_job_is_run(settings: Settings) -> None:
    told = CliRunner().invoke(main, ["jobs", "run"], env={"KEEPWELL_HOME": settings.home, "KEEPWELL_JOBS_ROOT": ""})
    assert (told.exit_code, "KEEPWELL_JOBS_ROOT" in told.output) == (4, True)


def test_an_empty_list_says_how_to_ask(settings: Settings) -> None:
    assert "POST /v1/jobs" in run(settings, "list").output


def test_a_job_that_is_cancelled_stops_and_leaves_nothing(settings: Settings, desk: JobDesk, shop: Shop) -> None:
    job_id = asked(desk, shop)
    with worker(settings) as child:
        wait_for(lambda: desk.state(job_id).state == "running")
        assert desk.cancel(job_id, now()).state == "cancelled"
        assert child.communicate(timeout=120)[1].decode().endswith("cancelled\n")
        assert child.returncode == 0
    assert desk.state(job_id).state == "cancelled"
    assert not (settings.jobs_folder / job_id).exists()
    assert Store(settings.resolved_store_url).current_load() is None


def test_a_job_survives_the_end_and_the_death_of_its_worker(settings: Settings, desk: JobDesk, shop: Shop) -> None:
    job_id = asked(desk, shop, explain=0)
    for end, state, attempts in ((signal.SIGTERM, "queued", 0), (signal.SIGKILL, "running", 1)):
        with worker(settings) as child:
            wait_for(lambda: desk.state(job_id).step is not None)
            child.send_signal(end)
            child.wait(timeout=120)
        assert (desk.state(job_id).state, desk.state(job_id).attempts) == (state, attempts)
    assert run(settings, "run").exit_code == 0  # its process is gone: the job is taken at once
    assert (desk.state(job_id).state, desk.state(job_id).attempts) == ("done", 2)


def test_a_service_runs_what_waits_and_puts_back_what_it_must_leave(settings: Settings, desk: JobDesk, shop: Shop) -> None:
    first = asked(desk, shop, explain=0)
    watch = JobWatch(desk.jobs, settings, now)
    assert watch.look()
    wait_for(lambda: desk.state(first).step is not None)
    watch.close()
    assert (desk.state(first).state, desk.state(first).attempts) == ("queued", 0)
    again = JobWatch(desk.jobs, settings, now)
    wait_for(lambda: again.look() and desk.state(first).state == "done")
    again.close()


def test_a_worker_that_dies_is_noticed_at_once(settings: Settings, desk: JobDesk, shop: Shop) -> None:
    job_id = asked(desk, shop, explain=0)
    watch = JobWatch(desk.jobs, settings, now)
    watch.look()
    wait_for(lambda: desk.state(job_id).state == "running")
    watch._child.kill()
    watch._child.wait()
    assert not watch.look(), "the next one waits a while"
    assert (desk.state(job_id).state, desk.state(job_id).attempts) == ("queued", 1)
    watch.close()


def test_a_store_that_is_away_ends_no_watch(settings: Settings, desk: JobDesk, tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_text("no database at all " * 100)
    assert not JobWatch(Store(f"sqlite:///{tmp_path / 'broken.db'}").jobs, settings, now).look()
