"""Forgetting customers wherever Keepwell keeps something of them: the store, and the files of results below its home.

Files first, the store last: whoever is stopped half-way finds in the store what is left to do, and begins anew. Nothing here
reads the clock.
"""

from __future__ import annotations

import fcntl
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from keepwell.files import written_whole
from keepwell.progress import Progress, Silent
from keepwell.settings import Settings
from serving.store import Store
from serving.store.forget import LEAST_TELLING, Kept
from serving.store.jobs import DONE, QUEUED, RUNNING, Job

MOST_JOBS = 10_000

_ZEROS_IN_FRONT = re.compile(r"(?<!\d)0+(?=\d)")


@dataclass(frozen=True)
class Forgotten:
    """What was found of the customers `asked` about, and removed unless it was a `dry_run`.

    `found` of them were known; `files` of results held any; `wishes_kept` asked for no contact, and that stays. `clean` is
    whether nothing is left of them in the pages of the store's file. `notes` are sentences about what the caller should know.
    """

    company: str
    asked: int
    found: int
    dry_run: bool
    kept: Kept
    files: int
    wishes_kept: int
    clean: bool
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The same for programs: no ids."""
        kept = asdict(self.kept)
        renamed = kept.pop("audit")
        told = {name: getattr(self, name) for name in ("company", "asked", "found", "dry_run")}
        return (
            told
            | {"removed": {**kept, "files": self.files}, "audit_entries": renamed}
            | {"wishes_kept": self.wishes_kept, "clean": self.clean, "notes": self.notes}
        )


def forget_customers(
    settings: Settings,
    store: Store,
    company: str,
    customer_ids: Sequence[str],
    *,
    at: datetime,
    by: str,
    keep_wishes: bool = False,
    dry_run: bool = False,
    progress: Progress = Silent(),
) -> Forgotten:
    """Remove these customers of a company from the store and from the results that are kept, or with `dry_run` only look.

    Raises StoreError where the store cannot be used, OSError where a file cannot be written.
    """
    ids = tuple(dict.fromkeys(customer_ids))
    jobs = [job for job in store.jobs.newest(MOST_JOBS) if job.company == company]
    known, changed = set(store.forgetting.known(company, ids)), 0
    with progress.step("Looking through results"), _alone(settings.home_path):
        _remove_leavings(settings, jobs, dry_run=dry_run)
        for file in _results(settings, store, company):
            held = _forgotten_in(file, ids, dry_run=dry_run)
            known, changed = known | held, changed + bool(held)
    with progress.step("Looking through the store"):
        kept = store.forgetting.forget(company, ids, at=at, by=by, keep_wishes=keep_wishes, dry_run=dry_run)
    clean = True
    if not dry_run:
        with progress.step("Clearing the store's file of what was removed"):
            clean = store.forgetting.clean()
    wishes_kept = len(store.outcomes.left_alone(company).intersection(ids)) if keep_wishes else 0
    notes = (*_job_notes(settings, jobs), *_notes(store, company, ids, known, kept, wishes_kept=wishes_kept, clean=clean))
    return Forgotten(company, len(ids), len(known), dry_run, kept, changed, wishes_kept, clean, notes)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Wait for whoever writes results anew without customers: two at once would each bring back the other's."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "forget.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # let go of when the file is closed, and when the process dies
        yield


def _results(settings: Settings, store: Store, company: str) -> Iterator[Path]:
    """Files with a row a customer: results of jobs but for those of other companies, and what a demo wrote."""
    others = {job.id for job in store.jobs.newest(MOST_JOBS) if job.company != company}
    yield from (file for file in sorted(settings.jobs_folder.glob("*/scores.*")) if file.parent.name not in others)
    yield from (file for file in sorted((settings.home_path / "demo").glob("*.*")) if file.suffix in (".csv", ".parquet"))


def _remove_leavings(settings: Settings, jobs: Sequence[Job], *, dry_run: bool) -> None:
    """Remove the half-written files of workers that were killed: they hold customers, and nobody will finish them."""
    if dry_run:
        return
    for job in jobs:
        if job.state != RUNNING:
            for file in (settings.jobs_folder / job.id).glob(".scores.*"):
                file.unlink(missing_ok=True)


def _forgotten_in(file: Path, ids: Sequence[str], *, dry_run: bool) -> set[str]:
    """Which of the customers a file holds; it is written anew without them, whole or not at all."""
    is_csv = file.suffix == ".csv"
    rows = pl.scan_csv(file, infer_schema=False, glob=False) if is_csv else pl.scan_parquet(file, glob=False)
    if "customer_id" not in rows.collect_schema():
        return set()
    theirs = pl.col("customer_id").cast(pl.String).is_in(ids)
    held = set(rows.filter(theirs).select(pl.col("customer_id").cast(pl.String).unique()).collect()["customer_id"])
    if held and not dry_run:
        left = rows.filter(~theirs | pl.col("customer_id").is_null())
        with written_whole(file) as temporary:
            left.sink_csv(temporary) if is_csv else left.sink_parquet(temporary)
    return held


def _job_notes(settings: Settings, jobs: Sequence[Job]) -> Iterator[str]:
    """What jobs may still hold, or bring back."""
    away = sum(job.state == DONE and not (settings.jobs_folder / str(job.result)).is_file() for job in jobs)
    if away:
        yield f"results of {away} jobs are not on this machine: do the same where they are"
    if any(job.state in (QUEUED, RUNNING) for job in jobs):
        yield "a job of this company waits or runs, and may write of the customers again: do the same when it is done"


def _notes(
    store: Store, company: str, ids: Sequence[str], known: set[str], kept: Kept, *, wishes_kept: int, clean: bool
) -> Iterator[str]:
    if wishes_kept:
        yield f"{wishes_kept} had asked for no contact: the id and the day of the wish stay, and nothing else"
    if kept.unwilling:
        yield f"{kept.unwilling} had asked for no contact, which is forgotten, too: --keep-wishes would keep it"
    if any(len(each) < LEAST_TELLING for each in ids):
        yield f"ids of fewer than {LEAST_TELLING} characters were not looked for in notes and views, where they may be anything"
    if not clean:
        yield "others are at work in the store: run the same again later, to clear its file of what was removed"
    if len(ids) == 1 and not known and (meant := _written_otherwise(store, company, ids[0])):
        yield f"is another one meant? there is {' and '.join(map(repr, meant))}"


def _written_otherwise(store: Store, company: str, customer_id: str) -> list[str]:
    """Ids that are this one but for zeros in front of numbers, case and blanks; of no other customer is the id told."""

    def bare(each: str) -> str:
        return _ZEROS_IN_FRONT.sub("", each.strip().lower())

    return [each for each in store.outcomes.similar_customers(company, customer_id) if bare(each) == bare(customer_id)]
