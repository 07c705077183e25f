"""Commands that make lists for people: score, plan."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from commands import pipeline
from commands.terminal import (
    AS_JSON,
    AS_OF,
    DATA,
    HORIZON,
    PATH,
    POLICY,
    TABLE_FILE,
    TABLE_FILES,
    Capacity,
    OutFile,
    now,
    require_no_input,
    to_json,
    today,
)
from keepwell.errors import ConfigError, DataError
from keepwell.progress import Steps
from keepwell.settings import Settings

if TYPE_CHECKING:
    import polars as pl

    from decisions.plans.plan import Plan
    from features.company import Company
    from serving.plans.evidence import Evidence


@click.command()
@DATA
@HORIZON
@AS_OF
@click.option("--out", type=TABLE_FILES, required=True, help="Where to write: .parquet or .csv.")
@POLICY
@click.option(
    "--engine",
    type=click.Choice(("numpy", "spark")),
    default="numpy",
    show_default=True,
    help="Who makes the scores: spark reads tables of Parquet, larger than the memory, and writes a folder.",
)
@click.option(
    "--previous", type=PATH, help="Scores of an earlier date, from which customers move. Default: the store's last ones."
)
@click.option(
    "--explain",
    type=click.IntRange(min=0),
    help="Customers that get reasons: those with most at risk. Each 10,000 take some seconds. Default: 20,000.",
)
@click.option("--allow-hindsight", is_flag=True, help="Allow a model whose labels reach past --as-of.")
@click.pass_obj
def score(
    settings: Settings,
    data: Path,
    horizon: int | None,
    as_of: date | None,
    out: Path,
    policy: Path | None,
    engine: str,
    previous: Path | None,
    explain: int | None,
    allow_hindsight: bool,
) -> None:
    """Score every customer with the champion: a file, and the store behind the console.

    The exit code is 0 once file and store have the scores; that MLflow could not record the scoring is a warning. With --engine
    spark the same scores are a folder of Parquet files (docs/spark.md); feature rows and timelines are not kept.

    Example: keepwell score shop --as-of 2026-01-01 --out scores.parquet
    """
    from serving.plans.policy import read_policy

    require_no_input(out, data)
    how = {"horizon_days": horizon, "policy": read_policy(policy), "most_explained": explain, "allow_hindsight": allow_hindsight}
    score_with = _score_on_spark if engine == "spark" else _score_here
    score_with(settings, data, as_of, out, previous, how, Steps())


def _score_on_spark(
    settings: Settings, data: Path, as_of: date | None, out: Path, previous: Path | None, how: dict[str, Any], steps: Steps
) -> None:
    """Score with Spark; `how` are the options that both ways take."""
    from commands.scoring_on_spark import score_on_spark, tell
    from features.reading.sources import read_config_of

    day = as_of or now().astimezone(ZoneInfo(read_config_of(data).zone)).date()
    before = None if previous is None else _earlier_scores(previous, day)
    tell(score_on_spark(settings, data, day, out, previous=before, steps=steps, **how), out)


def _score_here(
    settings: Settings, data: Path, as_of: date | None, out: Path, previous: Path | None, how: dict[str, Any], steps: Steps
) -> None:
    """Score in this process; `how` are the options that both ways take."""
    from features.flat import flat_day

    company = pipeline.read(data, steps)
    day = as_of or flat_day(company) or today(company)
    before = None if previous is None else _earlier_scores(previous, day)
    pipeline.tell_what_counts(company, day)
    scores = pipeline.score(settings, company, day, out, previous=before, steps=steps, **how)
    version, family, grade = scores.select("model_version", "model_family", "grade").row(0)
    click.echo(f"{scores.height:,} customers as of {day}, scored by version {version} ({family}, grade {grade}): {out}")
    for line in _in_short(scores):
        click.echo(f"  {line}", err=True)


def _in_short(scores: pl.DataFrame) -> list[str]:
    """How uneven the expected value is, and how many have moved to another tier since the last scoring."""
    from serving.batch.tier_report import concentration

    lines, spread = [], concentration(scores["expected_value"])
    if not math.isnan(spread.gini):
        told = ", ".join(f"{part:.1%} bring {share:.0%}" for share, part in spread.customers.items())
        lines.append(f"of customers {told} of the expected value")
    if moved := scores["moves"].str.contains("value_tier:", literal=True).sum():
        lines.append(f"{moved:,} have another tier than at the last scoring; who and why: column moves, keepwell tiers")
    return lines


def _earlier_scores(path: Path, as_of: date) -> pl.DataFrame:
    """The scores in a file, which must be of a date before `as_of`: what came later was not known then."""
    from serving.plans.planning import read_scores

    scores = read_scores(path)
    if scores["as_of"][0] >= as_of:
        rule = f"is {scores['as_of'][0]}, which is not before {as_of}"
        raise DataError("scores", "as_of", rule, hint="name the scores of an earlier date in --previous")
    return scores


def _print_schema(ctx: click.Context, _: click.Parameter, asked: bool) -> None:  # click's signature
    """Print the JSON schema of a policy file, and nothing else."""
    if asked:
        from decisions.policy import Policy

        click.echo(to_json(Policy.model_json_schema()))
        ctx.exit()


@click.command()
@click.argument("scores", type=PATH)
@click.option("--data", type=PATH, help="The company, for what actions ask beside scores: complaints, consent ...")
@click.option("--budget", type=float, help="The most that all actions may cost. Default: no limit.")
@click.option(
    "--capacity", type=Capacity(), multiple=True, help="The most contacts that a channel can carry, as call=200; may be repeated."
)
@click.option(
    "--hours", type=Capacity(), multiple=True, help="The most hours of agents for a channel, as call=40; may be repeated."
)
@click.option(
    "--evidence",
    default="auto",
    show_default=True,
    help="What is known of effects: auto (the contacts of --data), none (the policy's priors), or a file of `keepwell uplift`.",
)
@POLICY
@click.option("--out", type=TABLE_FILE, required=True, help="Where to write: .csv or .parquet.")
@click.option(
    "--frontier",
    type=OutFile(".png", ".svg", ".json"),
    multiple=True,
    help="Also write net value against budget: a picture or its figures; may be repeated.",
)
@AS_JSON
@click.option(
    "--schema",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_schema,
    help="Print the JSON schema of a policy file, and stop.",
)
@click.pass_obj
def plan(
    settings: Settings,
    scores: Path,
    data: Path | None,
    budget: float | None,
    capacity: tuple[tuple[str, int], ...],
    hours: tuple[tuple[str, int], ...],
    evidence: str,
    policy: Path | None,
    out: Path,
    frontier: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Choose the actions that pay: at most one a customer, worth as much as possible under budget and capacities.

    A random share of those chosen are controls (column arm): leave them alone, and what an action brings can be measured.

    Example: keepwell plan scores.parquet --data shop --budget 5000 --capacity call=200 --out plan.csv
    """
    from serving.plans.planning import read_scores
    from serving.plans.policy import read_policy

    _require_apart(scores, data, out, *frontier)
    limits = {name: _by_channel(f"--{name}", pairs) for name, pairs in (("capacity", capacity), ("hours", hours))}
    steps, rules, frame = Steps(), read_policy(policy), read_scores(scores)
    company = None if data is None else pipeline.read(data, steps)
    made = pipeline.plan(
        settings,
        frame,
        out,
        company=company,
        policy=rules,
        budget=budget,
        capacities=limits["capacity"],
        hours=limits["hours"],
        evidence=_evidence(evidence, company, frame, steps),
        frontiers=frontier,
        steps=steps,
    )
    _tell_plan(made, out, as_json=as_json)


def _tell_plan(made: Plan, out: Path, *, as_json: bool) -> None:
    """Say what the plan comes to, for a program or for people."""
    from serving.plans.facts import plan_facts, plan_lines

    facts = plan_facts(made)
    if as_json:
        click.echo(to_json(facts))
        return
    for note in made.notes:
        click.echo(f"note: {note}", err=True)
    told = f"{facts['actions']:,} actions, cost {made.cost:,.2f}, expected net value {made.expected_net_value:,.2f}"
    click.echo(f"{told}: {out}")
    for line in plan_lines(made):
        click.echo(f"  {line}", err=True)


def _evidence(asked: str, company: Company | None, scores: pl.DataFrame, steps: Steps) -> Evidence | None:
    """What is known of effects at the date of the scores; None where only the priors count."""
    from commands.evidence import AUTO, NONE, evidence_of
    from serving.plans.evidence import read_evidence

    as_of, horizon = scores["as_of"][0], int(scores["horizon_days"][0])
    if asked not in (AUTO, NONE):
        key = None if company is None else company.key
        return read_evidence(Path(asked), as_of=as_of, horizon_days=horizon, company=key)
    if asked == NONE or company is None or "contacts" not in company.tables:
        return None
    with steps.step("Looking at what came of contacts"):
        return evidence_of(company, horizon, as_of)


def _require_apart(scores: Path, data: Path | None, *written: Path) -> None:
    """Raise ConfigError where a file that is written would take the place of one that is read, or of another."""
    for place in written:
        if place.resolve() == scores.resolve():
            raise ConfigError(f"{place} holds the scores, which are read", hint="choose another name for what is written")
        if data is not None:
            require_no_input(place, data)
    if len({place.resolve() for place in written}) < len(written):
        raise ConfigError("two outputs have one name", hint="choose a name of its own for each of --out and --frontier")


def _by_channel(option: str, pairs: tuple[tuple[str, int], ...]) -> dict[str, int]:
    """The limits by channel. Raises ConfigError where a channel has two that differ."""
    limits: dict[str, int] = {}
    for channel, most in pairs:
        if limits.setdefault(channel, most) != most:
            raise ConfigError(f"{option} gives {channel} both {limits[channel]} and {most}", hint="give each channel one limit")
    return limits
