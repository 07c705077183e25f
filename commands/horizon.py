"""The command that helps to choose a horizon: horizon."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from pathlib import Path

import click

from commands import pipeline
from commands.terminal import AS_JSON, DATA, PICTURE_FILE, POLICY, Day, to_json
from keepwell.progress import Steps


@click.command()
@DATA
@click.option(
    "--as-of", type=Day(), help="Only what happened before this day is known. Default: the day after the last transaction."
)
@click.option("--plot", type=PICTURE_FILE, help="Also draw the shares and the gaps: .png or .svg.")
@POLICY
@AS_JSON
def horizon(data: Path, as_of: date | None, plot: Path | None, policy: Path | None, as_json: bool) -> None:
    """Say after how long a silence a customer has left: which horizon fits DATA, and why.

    Example: keepwell horizon shop --plot horizon.svg
    """
    from features.checks.check import day_after_last_transaction
    from serving.plans.policy import read_policy
    from training.horizon import StatusRule
    from training.horizon_report import MOST_RETURNED, horizon_report

    steps, rule = Steps(), read_policy(policy).status
    company = pipeline.read(data, steps)
    day = as_of or day_after_last_transaction(company) or date.max
    if as_of is not None:
        pipeline.tell_what_counts(company, as_of)
    report = horizon_report(company, day, rule=StatusRule(**rule.model_dump()), progress=steps)
    if plot is not None:
        from training.card.plots import horizon_choice, write_figure

        write_figure(horizon_choice(report, MOST_RETURNED), plot)
    click.echo(to_json(asdict(report)) if as_json else "\n".join(report.lines()))
