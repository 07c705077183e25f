"""The command that a scheduler runs: train a candidate, let the gate decide, score, and go back where that fails."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands import pipeline
from commands.models import asked_horizon
from commands.promotion import BY
from commands.terminal import (
    AS_JSON,
    AS_OF,
    DATA,
    KEEP_COLUMN,
    POLICY,
    SAMPLE,
    SEED,
    TABLE_FILE,
    TRIALS,
    Days,
    require_no_input,
    to_json,
    today,
)
from keepwell.errors import KeepwellError, ModelError
from keepwell.progress import Steps
from keepwell.settings import Settings

if TYPE_CHECKING:
    from features.company import Company
    from training.result import TrainingResult


@dataclass(frozen=True)
class Retrained:
    """What came of it: the candidate, whether the gate let it through and why, and the version that scored."""

    company: str
    horizon_days: int
    candidate: str
    promoted: bool
    gate: str
    scored_by: str
    customers: int


@click.command()
@DATA
@click.option("--horizon", type=Days(), help="The time to look ahead, as 90d. Only labels that were given need none.")
@AS_OF
@click.option("--out", type=TABLE_FILE, required=True, help="Where to write the scores: .parquet or .csv.")
@KEEP_COLUMN
@SAMPLE
@TRIALS
@SEED
@POLICY
@BY
@AS_JSON
@click.pass_obj
def retrain(
    settings: Settings,
    data: Path,
    horizon: int | None,
    as_of: date | None,
    out: Path,
    keep_columns: tuple[str, ...],
    sample: int | None,
    trials: int,
    seed: int,
    policy: Path | None,
    by: str,
    as_json: bool,
) -> None:
    """Train again, and score with whichever model is champion then; made for schedules.

    The gate decides whether the candidate becomes champion. Where a new champion cannot score, the one before takes its place
    again, nothing is written, and the command fails. With --sample the candidate learns from so many customers, the same ones
    every time; everybody is scored.

    Example: keepwell retrain shop --horizon 90d --as-of 2026-01-01 --out scores.parquet
    """
    from serving.plans.policy import read_policy

    steps, rules = Steps(), read_policy(policy)
    require_no_input(out, data)
    company = pipeline.read(data, steps, sample)
    day = as_of or today(company)
    result = _learn(settings, company, horizon, as_of, keep_columns=keep_columns, trials=trials, seed=seed, steps=steps)
    if company.sampled:
        company = pipeline.read(data, steps)  # the model is of the sample, the scores are of everybody
    horizon_days = result.scorer.info.horizon_days
    try:
        scores = pipeline.score(
            settings, company, day, out, horizon_days=horizon_days, policy=rules, allow_hindsight=False, steps=steps
        )
    except KeepwellError as error:
        _go_back(settings, company, horizon_days, result, error, by)
        raise
    gate = result.verdict
    version = str(scores["model_version"][0])
    told = Retrained(company.key, horizon_days, result.scorer.info.version, gate.promote, gate.reason, version, scores.height)
    if as_json:
        click.echo(to_json(asdict(told)))
    else:
        _tell(told, out)


def _learn(
    settings: Settings,
    company: Company,
    horizon_days: int | None,
    as_of: date | None,
    *,
    keep_columns: tuple[str, ...],
    trials: int,
    seed: int,
    steps: Steps,
) -> TrainingResult:
    """Train as `keepwell train` does: on labels, where they were given, else on what customers did."""
    from features.flat import is_flat

    if is_flat(company):
        return pipeline.learn_flat(
            settings,
            company,
            horizon_days=horizon_days or 0,
            before=as_of,
            keep_columns=keep_columns,
            trials=trials,
            seed=seed,
            steps=steps,
        )
    days, day = asked_horizon(horizon_days, keep_columns), as_of or today(company)
    pipeline.tell_what_counts(company, day)
    return pipeline.learn(settings, company, days, day, trials=trials, seed=seed, steps=steps)


def _go_back(
    settings: Settings, company: Company, horizon_days: int, result: TrainingResult, error: KeepwellError, by: str
) -> None:
    """Let the champion before take its place again, where the candidate had taken it. Raises ModelError, which says so."""
    from training.registry import promotion

    registry = pipeline.open_registry(settings)
    candidate = result.scorer.info.version
    is_champion = registry.version(company.key, horizon_days, "champion") == candidate
    if not (is_champion and registry.version(company.key, horizon_days, "previous")):
        return
    promotion.rollback(registry, company.key, horizon_days, by=by, reason=f"version {candidate} could not score: {error.message}")
    raise ModelError(
        f"version {candidate} became champion and could not score, so the one before is champion again: {error.message}",
        hint=error.hint,
    ) from error


def _tell(told: Retrained, out: Path) -> None:
    became = "is champion" if told.promoted else "is kept as challenger"
    click.echo(f"Version {told.candidate} {became}: {told.gate}")
    click.echo(f"{told.customers:,} customers scored by version {told.scored_by}: {out}")
