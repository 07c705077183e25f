"""The demo: one company from tables to a served console, in one command."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands import pipeline
from commands.terminal import HORIZON, PORT, SEED, TRIALS, now
from keepwell.progress import Steps
from keepwell.settings import Settings

if TYPE_CHECKING:
    from features.company import Company
    from training.result import TrainingResult

COMPLETE_JOURNEY = "complete-journey"
USUAL_HORIZON_DAYS = 90
BUDGET_SHARE = 0.01
"""The demo's budget: this share of the value at risk, so that it is neither endless nor nothing in any currency."""


@click.command()
@click.argument("data", required=False)
@HORIZON
@PORT
@TRIALS
@SEED
@click.option("--serve/--no-serve", "and_serve", default=True, show_default=True, help="Serve the console at the end.")
@click.pass_obj
def demo(settings: Settings, data: str | None, horizon: int | None, port: int, trials: int, seed: int, and_serve: bool) -> None:
    """From tables to a served console. DATA: nothing for a simulated company, complete-journey, or a folder of your own.

    Example: keepwell demo complete-journey --horizon 28d
    """
    from serving import launch

    if and_serve:
        launch.require_free(launch.LOOPBACK, port)  # minutes later would be late to say so
    steps, horizon_days, folder = Steps(), horizon or USUAL_HORIZON_DAYS, settings.home_path / "demo"
    company = pipeline.read(_company_folder(data, folder, steps), steps)
    as_of = demo_day(company)
    click.echo(f"  as of {as_of}, the day after the last transaction; looking {horizon_days} days ahead", err=True)
    result = pipeline.learn(settings, company, horizon_days, as_of, trials=trials, seed=seed, steps=steps)
    _score_and_plan(settings, company, as_of, horizon_days, folder=folder, steps=steps)
    _say_where_to_look(settings, folder, result)
    if and_serve:
        with launch.serving(replace(settings, company=company.key, horizon=f"{horizon_days}d"), port=port) as service:
            _say_what_is_served(port)
            launch.await_end(service)


def _company_folder(data: str | None, folder: Path, steps: Steps) -> Path:
    """The folder to work on; the simulated company and the groceries are written there first, anew each time."""
    if data not in (None, COMPLETE_JOURNEY):
        return Path(data)
    place = folder / (data or "simulated-company")
    if data is None:
        from datasets.simulate import simulate

        with steps.step("Simulating a company: 20,000 customers, 24 months until today"):
            simulate(place, until=now().date())
    else:
        from datasets.public import complete_journey

        with steps.step("Unpacking Complete Journey: 1.47 million grocery purchases of 2,469 households"):
            complete_journey(place)
    return place


def demo_day(company: Company) -> date:
    """The demo reads no clock: its day is the first one that the data say nothing of."""
    from features.checks.check import day_after_last_transaction, require_history

    require_history(company, date.max)
    day = day_after_last_transaction(company)
    assert day is not None, "there are transactions: that was required"
    return day


def _score_and_plan(settings: Settings, company: Company, as_of: date, horizon_days: int, *, folder: Path, steps: Steps) -> None:
    from commands.evidence import evidence_of
    from serving.plans.policy import read_policy

    policy = read_policy()
    scores = pipeline.score(
        settings,
        company,
        as_of,
        folder / "scores.parquet",
        horizon_days=horizon_days,
        policy=policy,
        allow_hindsight=False,
        steps=steps,
    )
    budget = round(BUDGET_SHARE * float(scores["value_at_risk"].sum()), 2)
    evidence = evidence_of(company, horizon_days, as_of)
    pipeline.plan(
        settings,
        scores,
        folder / "plan.csv",
        company=company,
        policy=policy,
        budget=budget,
        capacities={},
        evidence=evidence,
        steps=steps,
    )


def _say_where_to_look(settings: Settings, folder: Path, result: TrainingResult) -> None:
    from training.card.report import headline

    click.echo(f"\n{headline(result)}\n")
    click.echo(f"  scores    {folder / 'scores.parquet'}")
    click.echo(f"  plan      {folder / 'plan.csv'}")
    click.echo(f"  runs      {settings.mlflow_pages}")


def _say_what_is_served(port: int) -> None:
    click.echo(f"\n  console   http://127.0.0.1:{port}/console/")
    click.echo(f"  endpoint  http://127.0.0.1:{port}/docs.json")
    click.echo("\nCtrl-C ends it.")
