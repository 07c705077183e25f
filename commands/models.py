"""Commands about models: train."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands import pipeline
from commands.terminal import AS_JSON, AS_OF, DATA, KEEP_COLUMN, OBJECTIVE, REPORT, SAMPLE, SEED, TRIALS, Days, to_json, today
from keepwell.files import write_text
from keepwell.progress import Steps
from keepwell.settings import Settings

if TYPE_CHECKING:
    from training.result import TrainingResult


@click.command()
@DATA
@click.option("--horizon", type=Days(), help="The time to look ahead, as 90d. Only labels that were given need none.")
@AS_OF
@KEEP_COLUMN
@SAMPLE
@TRIALS
@OBJECTIVE
@SEED
@REPORT
@AS_JSON
@click.pass_obj
def train(
    settings: Settings,
    data: Path,
    horizon: int | None,
    as_of: date | None,
    keep_columns: tuple[str, ...],
    sample: int | None,
    trials: int,
    objectives: tuple[str, ...],
    seed: int,
    report: Path | None,
    as_json: bool,
) -> None:
    """Tune, train, backtest, register and, if it is good enough, promote a model.

    Learns only from what was known before --as-of, labels too. Where DATA holds nothing but customers and labels, all labels
    count by default, and no horizon is needed: what leaving means is theirs to say.

    With --sample, files are read a piece at a time and only the rows of that many customers are kept: the same ones every time,
    with all their rows. The model is one of everybody, as each customer had the same chance (docs/spark.md).

    Example: keepwell train shop --horizon 90d --as-of 2026-01-01
    """
    from features.flat import is_flat
    from training.card.report import headline

    steps = Steps()
    company, study = pipeline.read(data, steps, sample), {"trials": trials, "seed": seed}
    if is_flat(company):
        result = pipeline.learn_flat(
            settings, company, horizon_days=horizon or 0, before=as_of, keep_columns=keep_columns, steps=steps, **study
        )
    else:
        days, day = asked_horizon(horizon, keep_columns), as_of or today(company)
        pipeline.tell_what_counts(company, day)
        pipeline.tell_what_is_left_out(company, day)
        result = pipeline.learn(settings, company, days, day, objectives=objectives, steps=steps, **study)
    if report is not None:
        write_text(report, result.card)
    if as_json:
        click.echo(to_json(_summary(result)))
        return
    click.echo(headline(result))
    click.echo(f"Look closer: {settings.mlflow_pages}")


def asked_horizon(horizon: int | None, keep_columns: tuple[str, ...]) -> int:
    """The horizon of a company whose labels are made of what its customers did. UsageError for options that do not fit one."""
    if horizon is None:
        raise click.UsageError("give --horizon, the time to look ahead, as 90d; `keepwell horizon` helps to choose one")
    if keep_columns:
        raise click.UsageError("--keep-column is for tables of customers whose labels were given: declare the column static:")
    return horizon


def _summary(result: TrainingResult) -> dict[str, object]:
    """What a training came to, for programs; figures are of the backtest, with their intervals."""
    info = result.scorer.info
    facts = (
        "company",
        "horizon_days",
        "version",
        "family",
        "grade",
        "backtest_dates",
        "trained_as_of",
        "labels_until",
        "data_until",
    )
    figures = {name: vars(interval) for name, interval in result.backtest.figures.items()}
    return {
        **{name: getattr(info, name) for name in facts},
        "promoted": result.verdict.promote,
        "reason": result.verdict.reason,
        "figures": figures,
        "run_id": result.run_id,
    }
