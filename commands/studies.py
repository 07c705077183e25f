"""Commands that try models and register none: tune, backtest."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands import pipeline
from commands.terminal import AS_JSON, AS_OF, DATA, OBJECTIVE, REPORT, SAMPLE, SEED, Days, to_json, today
from keepwell.files import write_text
from keepwell.progress import Steps
from keepwell.settings import Settings

if TYPE_CHECKING:
    from features.company import Company

HORIZON = click.option("--horizon", type=Days(), required=True, help="The time to look ahead, as 90d.")


@click.command()
@DATA
@HORIZON
@AS_OF
@SAMPLE
@click.option("--trials", type=click.IntRange(min=1), default=30, show_default=True, help="Settings that the study tries.")
@OBJECTIVE
@SEED
@AS_JSON
@click.pass_obj
def tune(
    settings: Settings,
    data: Path,
    horizon: int,
    as_of: date | None,
    sample: int | None,
    trials: int,
    objectives: tuple[str, ...],
    seed: int,
    as_json: bool,
) -> None:
    """Search for settings, judged at past dates, and keep the study: `train` with the same options takes its recipe.

    A study that was stopped goes on where it stopped; one of a --sample is that of `train` with the same --sample. Each trial is
    a nested run in MLflow. With two objectives the recipe is the trial nearest to being best in both, among those that no other
    beats in both.

    Example: keepwell tune shop --horizon 90d --as-of 2026-01-01 --trials 40 --objective churn_empc --objective value_mae
    """
    from training.tuning.run_study import run_study
    from training.tuning.study_report import as_dict, lines

    steps = Steps()
    company, day = _read(data, as_of, sample, steps)
    registry = pipeline.open_registry(settings)
    found = run_study(company, horizon, day, trials=trials, seed=seed, objectives=objectives, registry=registry, progress=steps)
    click.echo(to_json(as_dict(found)) if as_json else "\n".join(lines(found)))


@click.command()
@DATA
@HORIZON
@AS_OF
@SAMPLE
@click.option("--dates", type=click.IntRange(1, 12), default=3, show_default=True, help="Past dates, a horizon apart.")
@click.option(
    "--trials", type=click.IntRange(min=0), default=0, show_default=True, help="Settings that a study tries; 0: the default ones."
)
@OBJECTIVE
@SEED
@REPORT
@AS_JSON
@click.pass_obj
def backtest(
    settings: Settings,
    data: Path,
    horizon: int,
    as_of: date | None,
    sample: int | None,
    dates: int,
    trials: int,
    objectives: tuple[str, ...],
    seed: int,
    report: Path | None,
    as_json: bool,
) -> None:
    """Forecast past dates as one would have then, hold it against what came, and against simple rivals. Registers nothing.

    Every date learns only from what was known before it. With --sample, so many customers learn and judge. The grade A to D
    rests on the bounds of the gain over the rivals.

    Example: keepwell backtest shop --horizon 90d --as-of 2026-01-01 --report backtest.html
    """
    from training.evaluation.backtest_report import as_dict, lines
    from training.evaluation.run_backtest import run_backtest
    from training.tuning.study import Study

    steps = Steps()
    company, day = _read(data, as_of, sample, steps)
    storage = pipeline.open_registry(settings).study_storage() if trials else None
    study = Study(storage, trials, seed, objectives)
    result = run_backtest(company, horizon, day, dates=dates, study=study, progress=steps)
    if report is not None:
        from training.card.document import to_html
        from training.card.report import backtest_page

        write_text(report, to_html(backtest_page(result)))
    click.echo(to_json(as_dict(result)) if as_json else "\n".join(lines(result)))


def _read(data: Path, as_of: date | None, sample: int | None, steps: Steps) -> tuple[Company, date]:
    company = pipeline.read(data, steps, sample)
    day = as_of or today(company)
    pipeline.tell_what_counts(company, day)
    pipeline.tell_what_is_left_out(company, day)
    return company, day
