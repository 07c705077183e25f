"""Commands about champions: promote a version, or go back to the one before."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands.pipeline import open_registry
from commands.terminal import AS_JSON, HORIZON, to_json
from keepwell.errors import ModelError
from keepwell.settings import Settings

if TYPE_CHECKING:
    from training.registry import Registry
    from training.registry.promotion import Decision


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without an account for the process
        return "unknown"


COMPANY = click.argument("company", metavar="DATA|NAME")
REASON = click.option("--reason", default="", help="Why; kept in MLflow.")
BY = click.option("--by", default=_user, show_default="your user name", help="Who decides; it is kept on record.")


@click.command()
@COMPANY
@click.argument("version", default="challenger")
@HORIZON
@REASON
@BY
@AS_JSON
@click.pass_obj
def promote(settings: Settings, company: str, version: str, horizon: int | None, reason: str, by: str, as_json: bool) -> None:
    """Make a version of the model the champion: the one that `score` and `serve` use.

    DATA|NAME is the company's folder or company.yaml, or its key. VERSION is a number, `challenger` (the default: the newest
    candidate that the gate kept back) or `previous`. The champion so far becomes `previous`: see `keepwell rollback`.

    Example: keepwell promote shop challenger --horizon 90d --reason "the old one misses the new branch"
    """
    from training.registry import promotion

    registry = open_registry(settings)
    key, days = model_of(registry, company, horizon)
    _tell(promotion.promote(registry, key, days, version, by=by, reason=reason), as_json)


@click.command()
@COMPANY
@HORIZON
@REASON
@BY
@AS_JSON
@click.pass_obj
def rollback(settings: Settings, company: str, horizon: int | None, reason: str, by: str, as_json: bool) -> None:
    """Go back to the champion before: the two change places, so a second rollback undoes the first.

    DATA|NAME is the company's folder or company.yaml, or its key.

    Example: keepwell rollback shop --horizon 90d --reason "complaints about odd scores"
    """
    from training.registry import promotion

    registry = open_registry(settings)
    key, days = model_of(registry, company, horizon)
    _tell(promotion.rollback(registry, key, days, by=by, reason=reason), as_json)


def model_of(registry: Registry, company: str, horizon_days: int | None) -> tuple[str, int]:
    """The company's key and the horizon of its model; ModelError where there is none, or several and none was asked for."""
    from features.reading.sources import read_key

    key = read_key(company) if Path(company).expanduser().exists() else company
    known = registry.models()
    horizons = [days for name, days in known if name == key]
    if not horizons:
        others = ", ".join(dict.fromkeys(name for name, _ in known))
        train = "train one: keepwell train DATA --horizon 90d --as-of DATE"
        raise ModelError(
            f"there is no model of company {key!r}", hint=f"{train}; there are models of {others}" if others else train
        )
    if horizon_days is None and len(horizons) > 1:
        hint = f"choose one with --horizon: {', '.join(f'{days}d' for days in horizons)}"
        raise ModelError(f"company {key!r} has models for {len(horizons)} horizons", hint=hint)
    if horizon_days not in (None, *horizons):
        hint = f"there is one for {', '.join(f'{days}d' for days in horizons)}"
        raise ModelError(f"company {key!r} has no model for a horizon of {horizon_days} days", hint=hint)
    return key, horizon_days or horizons[0]


def _tell(decision: Decision, as_json: bool) -> None:
    if as_json:
        click.echo(to_json(asdict(decision)))
        return
    place = f"in place of version {decision.replaced}" if decision.replaced else "where there was none"
    click.echo(f"Version {decision.version} is the champion of {decision.company} over {decision.horizon_days} days, {place}.")
    click.echo(f"  {decision.family}, grade {decision.grade}, trained as of {decision.trained_as_of}")
    click.echo(f"  the gate said of it: {decision.gate or 'nothing that was kept'}")
