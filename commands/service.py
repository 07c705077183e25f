"""Commands about the service: serve."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from commands.terminal import HORIZON, PATH, PORT
from keepwell.settings import Settings


@click.command()
@click.argument("data", type=PATH, required=False)
@HORIZON
@PORT
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.pass_obj
def serve(settings: Settings, data: Path | None, horizon: int | None, port: int, host: str) -> None:
    """Serve the champion and the console until interrupted. Without DATA: the only company that has a champion.

    Example: keepwell serve shop --port 3000
    """
    from features.sources import read_key
    from serving import launch

    chosen = settings if horizon is None else replace(settings, horizon=f"{horizon}d")
    if data is not None:
        chosen = replace(chosen, company=read_key(data))
    launch.serve(chosen, host=host, port=port)
