"""Commands about the service: serve."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from commands.terminal import HORIZON, PATH, PORT, now
from keepwell.settings import Settings


@click.command()
@click.argument("data", type=PATH, required=False)
@HORIZON
@PORT
@click.option("--host", default="127.0.0.1", show_default=True, help="The IP address to listen on.")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Processes that answer.")
@click.pass_obj
def serve(settings: Settings, data: Path | None, horizon: int | None, port: int, host: str, workers: int) -> None:
    """Serve the champion and the console until interrupted. Without DATA: the only company that has a champion.

    On any address but this machine's own, callers need a key: see `keepwell keys`.

    Example: keepwell serve shop --port 3000
    """
    from serving import launch

    chosen = settings if horizon is None else replace(settings, horizon=f"{horizon}d")
    if data is not None:
        from features.reading.sources import read_key  # half a second, which a start without it has not

        chosen = replace(chosen, company=read_key(data))
    launch.require_callers(chosen, host, now())
    launch.serve(chosen, host=host, port=port, workers=workers)
