"""Commands about jobs: what was asked for over HTTP, run beside the requests."""

from __future__ import annotations

import os
import shutil
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from commands import pipeline
from commands.terminal import AS_JSON, now, to_json
from keepwell.errors import ConfigError, StoreError
from keepwell.settings import Settings

if TYPE_CHECKING:
    from features.company import Company
    from serving.jobs.worker import Ending
    from serving.store.jobs import Job, Jobs

NICER = 10
"""How far a job steps back behind requests, as `nice` counts."""


@click.group()
def jobs() -> None:
    """Jobs that were asked for over HTTP: look at them, or run those that wait.

    Example: keepwell jobs list
    """


@jobs.command("list")
@AS_JSON
@click.pass_obj
def list_jobs(settings: Settings, as_json: bool) -> None:
    """Say what the newest jobs are and how far they have come.

    Example: keepwell jobs list --json
    """
    found = _jobs(settings).newest()
    if as_json:
        click.echo(to_json([asdict(job) for job in found]))
        return
    if not found:
        click.echo("no job was asked for yet: POST /v1/jobs on a running service", err=True)
    for job in found:
        click.echo(f"{job.id}  {job.state:<9}  {job.created_at:%Y-%m-%d %H:%M}  {job.request['data']}{_told(job)}")


@jobs.command("run")
@click.option("--all", "all_of_them", is_flag=True, help="Go on until none waits. Without: one at most.")
@click.pass_obj
def run_jobs(settings: Settings, all_of_them: bool) -> None:
    """Run the oldest job that waits, unless one is running already.

    A service with KEEPWELL_JOBS_ROOT calls this by itself; call it where jobs shall run elsewhere.

    Example: keepwell jobs run --all
    """
    if settings.jobs_root_path is None:
        raise ConfigError("no jobs are taken here", hint="name the folder of their data in KEEPWELL_JOBS_ROOT")
    os.nice(NICER)
    waiting = _jobs(settings)
    while _run_one(settings, waiting) and all_of_them:
        pass


def _run_one(settings: Settings, waiting: Jobs) -> bool:
    """Claim a job and run it; whether there was one."""
    from serving.store.jobs import worker_name

    job = waiting.claim(worker_name(), now())
    if job is None:
        return False
    click.echo(f"job {job.id}: {_outcome(settings, waiting, job)}", err=True)
    for gone in waiting.prune():
        shutil.rmtree(settings.jobs_folder / gone, ignore_errors=True)
    return True


def _outcome(settings: Settings, waiting: Jobs, job: Job) -> str:
    """Run a claimed job and note what came of it. One that was cancelled leaves nothing; one that must stop waits again."""
    from serving.jobs.worker import Ending, error_of, kept
    from serving.store.jobs import MOST_ATTEMPTS

    ending, done = Ending(), False
    try:
        with kept(waiting, job, now, ending):
            click.echo(f"job {job.id}: {job.request['data']}", err=True)
            file = _score(settings, waiting, job, ending)
        done = waiting.finish(job, now(), result=str(file.relative_to(settings.jobs_folder)))
    except BaseException as error:
        if ending.lost.is_set():
            pass  # whoever cancelled it, or took it, has said so
        elif ending.told.is_set() or not isinstance(error, Exception):
            waiting.put_back(job)
            raise KeyboardInterrupt from error
        elif isinstance(error, StoreError) and job.attempts < MOST_ATTEMPTS:
            waiting.put_back(job, count=True)  # it may be back soon
            raise
        else:
            waiting.fail(job, now(), error_of(error))
            return f"failed: {error}"
    if not done:
        shutil.rmtree(settings.jobs_folder / job.id, ignore_errors=True)
    return "done" if done else "cancelled"


def _score(settings: Settings, waiting: Jobs, job: Job, ending: Ending) -> Path:
    """What `keepwell score` does, with the data and the words of a job; the file that was written."""
    from features.reading.sources import read_company
    from serving.jobs.desk import place_below
    from serving.jobs.worker import JobProgress
    from serving.plans.policy import read_policy

    asked, root, steps = job.request, settings.jobs_root_path, JobProgress(waiting, job, ending)
    assert root is not None, "run_jobs has asked for it"
    with steps.step("Reading the tables"):
        company = read_company(place_below(root, asked["data"]))
    out = settings.jobs_folder / job.id / f"scores.{asked['format']}"
    scores = pipeline.score(
        settings,
        company,
        _day(company, job),
        out,
        horizon_days=asked["horizon_days"],
        policy=read_policy(None),
        allow_hindsight=asked["allow_hindsight"],
        most_explained=asked["explain"],
        load=asked["load"],
        steps=steps,
    )
    waiting.tell(job, customers=scores.height, model_version=scores["model_version"][0])
    return out


def _day(company: Company, job: Job) -> date:
    """The day that was asked for; else that of a flat table's labels; else the one on which the job was asked for."""
    from features.flat import flat_day

    if job.request["as_of"] is not None:
        return date.fromisoformat(job.request["as_of"])
    return flat_day(company) or job.created_at.astimezone(ZoneInfo(company.zone)).date()


def _jobs(settings: Settings) -> Jobs:
    """The jobs of this installation's store."""
    from serving.store import Store

    store = Store(settings.resolved_store_url)
    store.migrate()
    return store.jobs


def _told(job: Job) -> str:
    """What to add to a job's line."""
    if job.state == "running":
        return f": {job.step or 'beginning'}"
    if job.state == "failed" and job.error is not None:
        return f": {job.error['message']}"
    return f": {job.customers:,} customers" if job.customers is not None else ""
