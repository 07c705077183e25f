"""The command that brings public data files into a company's folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands.terminal import PATH, require_unused
from keepwell.errors import ConfigError
from keepwell.progress import Steps

if TYPE_CHECKING:
    from datasets.folder import Imported

CDNOW, ONLINE_RETAIL, TA_FENG, JOURNEY = "cdnow", "online-retail-2", "ta-feng", "complete-journey"


@click.command("import")
@click.argument("what", type=click.Choice([CDNOW, ONLINE_RETAIL, TA_FENG, JOURNEY]))
@click.argument("places", nargs=-1, type=PATH, required=True, metavar="[FILE] FOLDER")
def import_public(what: str, places: tuple[Path, ...]) -> None:
    """Turn a public data file into a company: FOLDER gets its tables and a company.yaml, and must not exist yet.

    \b
    cdnow             CDNOW_master.txt, or the sample of one in ten
    online-retail-2   online_retail_II.xlsx, or one .csv file of both years
    ta-feng           ta_feng_all_months_merged.csv
    complete-journey  no FILE: the data come with Keepwell

    Example: keepwell import online-retail-2 online_retail_II.xlsx shop
    """  # noqa: D301  # the sign that keeps click from filling these lines
    *files, folder = places
    if len(files) != (0 if what == JOURNEY else 1):
        raise click.UsageError(f"keepwell import {what} {'FOLDER' if what == JOURNEY else 'FILE FOLDER'}")
    _require_places(files, folder)
    with Steps().step(f"Reading {files[0] if files else JOURNEY}"):
        made = _reader(what)(*files, folder)
    click.echo(f"{folder}: {made}\n\nLook at it:  keepwell check {folder}")


def _require_places(files: list[Path], folder: Path) -> None:
    require_unused(folder)
    for file in files:
        if not file.is_file():
            raise ConfigError(f"{file} is no file", hint="give the file as it was published")


def _reader(what: str) -> Callable[..., Imported]:
    from datasets.online_retail import online_retail
    from datasets.public import cdnow_text, complete_journey
    from datasets.ta_feng import ta_feng

    readers: Mapping[str, Callable[..., Imported]] = {
        CDNOW: cdnow_text,
        ONLINE_RETAIL: online_retail,
        TA_FENG: ta_feng,
        JOURNEY: complete_journey,
    }
    return readers[what]
