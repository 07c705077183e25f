"""The command that says what actions brought: uplift."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commands import pipeline
from commands.terminal import AS_JSON, AS_OF, DATA, Days, to_json, today
from keepwell.errors import ConfigError
from keepwell.progress import Steps

if TYPE_CHECKING:
    from training.uplift_data import Experiment
    from training.uplift_table import Layout


class OfArm(click.ParamType[tuple[str, str]]):
    """Something of one arm, as mail=0.5, or of all arms, as 0.5: the arm is empty then."""

    name = "[ARM=]VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:  # noqa: ANN401, ARG002  # click's signature
        """Split at the last sign of equality."""
        if isinstance(value, tuple):
            return value
        arm, _, said = str(value).rpartition("=")
        return arm, said


@click.command()
@DATA
@AS_OF
@click.option("--horizon", type=Days(), default="90d", show_default=True, help="Of a company: how long after a contact counts.")
@click.option("--treatment", help="Of a table: the column that says who got what.")
@click.option("--control", help="The value of --treatment that stands for nothing done.")
@click.option("--outcome", help="The column of what came, or of a company value, stayed or converted. [default: value]")
@click.option("--value", type=float, default=1.0, show_default=True, help="What one unit of the outcome is worth.")
@click.option("--cost", "costs", type=OfArm(), multiple=True, help="What one treatment costs, as .5 or mail=.5; may be repeated.")
@click.option("--without", "without", multiple=True, help="A column that is no feature; may be repeated.")
@AS_JSON
def uplift(
    data: Path,
    as_of: date | None,
    horizon: int,
    treatment: str | None,
    control: str | None,
    outcome: str | None,
    value: float,
    costs: tuple[tuple[str, str], ...],
    without: tuple[str, ...],
    as_json: bool,
) -> None:
    """What each action brought, against a control drawn at random.

    DATA is a company with contacts, or one table of an experiment, with --treatment, --control and --outcome.

    Example: keepwell uplift mailing.csv --treatment segment --control "No E-Mail" --outcome visit --value 1 --cost .04
    """
    from training.uplift_effects import arm_effects

    steps = Steps()
    if treatment is None:
        experiments = _of_company(data, as_of, horizon, outcome or "value", steps)
    else:
        if control is None or outcome is None:
            raise ConfigError(
                "a table needs --control and --outcome beside --treatment", hint="keepwell uplift --help has an example"
            )
        from training.uplift_table import Layout

        layout = Layout(treatment, outcome, control, without=without, value=value, **_costs(costs))
        experiments = [_of_table(data, layout, steps)]
    found = {experiment.name: arm_effects(experiment) for experiment in experiments}
    if as_json:
        click.echo(to_json({name: [asdict(each) for each in effects] for name, effects in found.items()}))
        return
    for effects in found.values():
        for each in effects:
            click.echo(f"{each.arm}: {each.treated:,} treated, {each.controls:,} controls with {each.control:.4g} on average")
            for way, figure in each.estimates.items():
                click.echo(f"  {way:<20} {figure.value:+.4g} [{figure.low:+.4g}, {figure.high:+.4g}]")


def _costs(costs: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    by_arm = {arm: float(cost) for arm, cost in costs}
    return {"cost": by_arm.pop("", 0.0), "costs": by_arm}


def _of_table(path: Path, layout: Layout, steps: Steps) -> Experiment:
    from training.uplift_table import encoding_of, read_table, require_columns, table_experiment

    with steps.step(f"Reading {path}"):
        frame = read_table(path)
        require_columns(frame, layout.named)
        return table_experiment(frame, layout, encoding_of(frame, layout))


def _of_company(data: Path, as_of: date | None, horizon: int, outcome: str, steps: Steps) -> list[Experiment]:
    from training.uplift_contacts import action_experiment, contact_features, known_contacts, moderators

    company = pipeline.read(data, steps)
    day = as_of or today(company)
    with steps.step("Looking at what came after contacts"):
        contacts = known_contacts(company, horizon, day)
        names = moderators(company, day)
        features = contact_features(company, contacts.rows, names, steps)
    for why, count in contacts.left_out.items():
        click.echo(f"  left out: {count:,} contacts {why}", err=True)
    rows = contacts.rows.with_columns(features)
    return [
        action_experiment(str(action), part, outcome, part.select(names))
        for (action,), part in rows.group_by("action", maintain_order=True)
    ]
