"""The command that holds Keepwell against its peers on data whose end is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from commands import pipeline
from commands.demo import COMPLETE_JOURNEY
from commands.terminal import AS_JSON, HORIZON, SEED, TRIALS, OutFile, now, require_no_input, to_json
from keepwell.progress import Steps
from keepwell.settings import Settings

if TYPE_CHECKING:
    import polars as pl

    from features.company import Company
    from training.evaluation.comparison import Comparison

CDNOW_SAMPLE = "cdnow-sample"
QUICK_CUSTOMERS = 2_000
"""With --quick: enough customers for every model to learn from."""


@dataclass(frozen=True)
class Task:
    """One company to be forecast at a date whose horizon is over when its data end."""

    company: Company
    horizon_days: int
    as_of: date


@click.command()
@click.argument("data", nargs=-1)
@HORIZON
@click.option("--out", type=OutFile(".md"), help="Write the tables there; a page that has a place for them gets them there.")
@TRIALS
@SEED
@click.option("--quick", is_flag=True, help=f"{QUICK_CUSTOMERS:,} customers of each company and no study: a minute each.")
@AS_JSON
def bench(
    data: tuple[str, ...], horizon: int | None, out: Path | None, trials: int, seed: int, quick: bool, as_json: bool
) -> None:
    """Hold Keepwell against well-known peers on data of yours.

    Trains and scores a horizon before the data end, and holds the scores, and those of the peers, against what came.

    \b
    DATA               any number of folders or company.yaml files, and of
    complete-journey   a year of groceries, which comes with Keepwell
    cdnow-sample       CDNOW, one customer in ten, where the package lifetimes is installed
    Without DATA: those of the last two that are there.

    The horizon is 90 days, or 28 where the history is shorter than five times 90. Nothing is registered, and nothing of
    KEEPWELL_HOME is read or changed. docs/benchmarks.md says what the peers are.

    Example: keepwell bench complete-journey shop --out bench.md
    """  # noqa: D301  # the sign that keeps click from filling these lines
    from commands.bench_page import as_dict, page, write_page

    steps = Steps()
    with TemporaryDirectory(prefix="keepwell-bench-") as scratch:
        tasks = [_task(place, horizon, quick, steps) for place in _places(data, out, Path(scratch), steps)]
        made = [_compared(task, Path(scratch), 0 if quick else trials, seed, steps) for task in tasks]
    if out is not None:
        write_page(out, made, now().date())
    click.echo(to_json(as_dict(made, now().date())) if as_json else page(made, now().date()))


def _places(data: tuple[str, ...], out: Path | None, scratch: Path, steps: Steps) -> list[Path]:
    """Where the companies are; those that packages bring are unpacked into `scratch`."""
    from datasets.shipped import shipped_cdnow, unpack_cdnow_sample

    words = data or (COMPLETE_JOURNEY, *([CDNOW_SAMPLE] if shipped_cdnow() else []))
    places = []
    for word in words:
        place = scratch / word
        if word == COMPLETE_JOURNEY:
            from datasets.public import complete_journey

            with steps.step("Unpacking Complete Journey"):
                complete_journey(place)
        elif word == CDNOW_SAMPLE:
            unpack_cdnow_sample(place)
        else:
            place = Path(word)
            if out is not None:
                require_no_input(out, place)
        places.append(place)
    return places


def _task(place: Path, horizon: int | None, quick: bool, steps: Steps) -> Task:
    from training.evaluation.comparison import last_whole_horizon, require_peers, some_customers, usual_horizon

    company = pipeline.read(place, steps)
    horizon_days = horizon or usual_horizon(company)
    as_of = last_whole_horizon(company, horizon_days)
    click.echo(f"  as of {as_of}, looking {horizon_days} days ahead, which is where the data end", err=True)
    chosen = some_customers(company, QUICK_CUSTOMERS) if quick else company
    require_peers(chosen, horizon_days, as_of)  # before hours of work on the companies before it
    return Task(chosen, horizon_days, as_of)


def _compared(task: Task, scratch: Path, trials: int, seed: int, steps: Steps) -> Comparison:
    from training.evaluation.comparison import compared

    click.echo(f"{task.company.key}", err=True)
    with TemporaryDirectory(dir=scratch) as home:
        scores = _scores(task, Settings(home=home), trials, seed, steps)
    return compared(task.company, task.horizon_days, task.as_of, scores, seed=seed, progress=steps)


def _scores(task: Task, settings: Settings, trials: int, seed: int, steps: Steps) -> pl.DataFrame:
    """What `train` and `score` make of the task, in a home of its own."""
    from serving.plans.policy import read_policy

    pipeline.learn(settings, task.company, task.horizon_days, task.as_of, trials=trials, seed=seed, steps=steps)
    return pipeline.score(
        settings,
        task.company,
        task.as_of,
        settings.home_path / "scores.parquet",
        horizon_days=task.horizon_days,
        policy=read_policy(),
        allow_hindsight=False,
        most_explained=0,
        load=False,
        steps=steps,
    )
