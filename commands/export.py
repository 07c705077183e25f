"""The command that takes a model out of the registry."""

from __future__ import annotations

from pathlib import Path

import click

from commands.pipeline import open_registry
from commands.promotion import COMPANY, model_of
from commands.terminal import HORIZON, PATH
from keepwell.settings import Settings


@click.command()
@COMPANY
@HORIZON
@click.option("--version", help="A number. Default: the champion.")
@click.option("--out", type=PATH, required=True, help="The folder to write to; other models in it stay.")
@click.pass_obj
def export(settings: Settings, company: str, horizon: int | None, version: str | None, out: Path) -> None:
    """Write a model into a plain folder, which a service reads where there is no registry: set KEEPWELL_MODELS to it.

    DATA|NAME is the company's folder or company.yaml, or its key.

    Example: keepwell export shop --horizon 90d --out models
    """
    from training.registry import ModelFolder

    registry = open_registry(settings)
    key, days = model_of(registry, company, horizon)
    number = version or registry.champion_version(key, days)
    ModelFolder(out).keep(registry.scorer(key, days, number))
    click.echo(f"version {number} of {key} ({days} days): {out}")
