"""What all commands share: kinds of option, the options themselves, errors in words, the clock."""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from keepwell.errors import ConfigError, DataError, KeepwellError, ModelError
from keepwell.interrupts import sigterm_as_interrupt

if TYPE_CHECKING:
    from features.company import Company

LONGEST_REASON = 200
"""Characters of what a library says that are shown."""

MOST_DAYS = 3660
"""Ten years: a longer horizon is a slip of the finger."""


class Day(click.ParamType[date]):
    """A calendar day, as 2026-03-31."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:  # noqa: ANN401  # click's signature
        """Read the day; wrong text is a usage error."""
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no day; write it as 2026-03-31", param, ctx)


class Days(click.ParamType[int]):
    """A number of days, as 90d."""

    name = "DAYS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401  # click's signature
        """Read `90d` or `90`; wrong text is a usage error."""
        number = str(value).removesuffix("d")
        if not (number.isascii() and number.isdigit() and 0 < int(number) <= MOST_DAYS):
            self.fail(f"{value!r} is no number of days from 1 to {MOST_DAYS}; write it as 90d", param, ctx)
        return int(number)


class Capacity(click.ParamType[tuple[str, int]]):
    """How often a channel can be used, as call=200."""

    name = "CHANNEL=N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:  # noqa: ANN401  # click's signature
        """Read `channel=number`; wrong text is a usage error."""
        if isinstance(value, tuple):
            return value
        channel, _, number = str(value).partition("=")
        if not channel or not (number.isascii() and number.isdigit()):
            self.fail(f"{value!r} is no capacity; write it as call=200", param, ctx)
        return channel, int(number)


class Names(click.ParamType[tuple[str, ...]]):
    """Names with commas between them, as recency_days,spend_90d; each once."""

    name = "NAME,NAME,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:  # noqa: ANN401  # click's signature
        """Split at the commas; no name at all is a usage error."""
        if isinstance(value, tuple):
            return value
        names = tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
        return names or self.fail("there is no name in it; write it as recency_days,spend_90d", param, ctx)


class OutFile(click.Path):
    """A file that is written, of a kind told by its ending, so that a wrong one is refused before the work.

    `folders`: a folder of that name may take its place.
    """

    def __init__(self, *endings: str, folders: bool = False) -> None:
        super().__init__(dir_okay=folders, path_type=Path)
        self.endings = endings

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:  # noqa: ANN401  # click's signature
        """Check the ending; another one is a usage error."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if path.suffix not in self.endings:
            self.fail(f"{value!r} must end in {' or '.join(self.endings)}", param, ctx)
        return path


class ErrorsInWords(click.Group):
    """A group whose commands fail in words: what is wrong, what to do, and the exit code of the error.

    The group needs a flag `traceback`; with it, errors go through as they are.
    """

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  # click's signature
        """Run the command."""
        try:
            with sigterm_as_interrupt():
                return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except Exception as error:
            if ctx.params.get("traceback"):
                raise
            return _fail(error)


def _fail(error: Exception) -> None:
    if isinstance(error, KeepwellError):
        message, hint, code = error.message, error.hint, error.exit_code
    elif isinstance(error, OSError):
        told = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error)
        message, code = told, KeepwellError.exit_code
        hint = "check that the place exists, that there is room, and that you may read and write there"
    elif type(error).__module__.partition(".")[0] == "mlflow":
        message, code = f"MLflow: {str(error).partition(chr(10))[0][:LONGEST_REASON]}", ModelError.exit_code
        hint = "check that KEEPWELL_TRACKING_URI names a server that answers, or a database that is whole, and run it again"
    else:
        message, code = f"{type(error).__name__}: {error}", KeepwellError.exit_code
        hint = "this is a fault of Keepwell; `keepwell --traceback ...` shows where: please report it"
    click.secho(f"Error: {message}", fg="red", err=True)
    click.echo(f"  -> {hint}", err=True)
    sys.exit(code)


PATH = click.Path(path_type=Path)
DATA = click.argument("data", type=PATH)
TABLE_FILE = OutFile(".parquet", ".csv")
TABLE_FILES = OutFile(".parquet", ".csv", folders=True)
PICTURE_FILE = OutFile(".png", ".svg")
PAGE_FILE = OutFile(".html")
HORIZON = click.option("--horizon", type=Days(), help="The time to look ahead, as 90d.")
AS_OF = click.option(
    "--as-of", type=Day(), help="Only what happened before this day is known. Default: today in the company's zone."
)
POLICY = click.option("--policy", type=PATH, help="A policy file. Default: the one that comes with Keepwell.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
ENGINES = ("numpy", "polars", "pandas", "duckdb", "spark")
ENGINE = click.option("--engine", type=click.Choice(ENGINES), default="numpy", show_default=True, help="What makes the features.")
SEED = click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="The same seed gives the same result."
)
SAMPLE = click.option(
    "--sample",
    type=click.IntRange(min=1),
    help="Learn from about so many customers, drawn by their ids (docs/spark.md). Default: all of them.",
)
KEEP_COLUMN = click.option(
    "--keep-column",
    "keep_columns",
    multiple=True,
    metavar="NAME",
    help="A column that gives labels away, yet was known before; may be repeated.",
)
TRIALS = click.option(
    "--trials", type=click.IntRange(min=0), default=15, show_default=True, help="Settings that the study tries."
)
OBJECTIVE = click.option(
    "--objective",
    "objectives",
    multiple=True,
    default=("overall_loss",),
    show_default=True,
    help="What the study seeks: a metric, as churn_empc or value_mae (docs/training.md). Give it twice for two at once.",
)
REPORT = click.option("--report", type=PAGE_FILE, help="Also write the report as one HTML file.")
PORT = click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="The port to listen on.")


@contextmanager
def named_by(option: str) -> Iterator[None]:
    """Let a file that cannot be read be told of as what `option` names: it is no table of a company.yaml."""
    try:
        yield
    except DataError as error:
        if "company.yaml" in error.hint:
            error.hint = f"{option} must name a CSV file in UTF-8, or a Parquet file"
        raise


@contextmanager
def libraries_on_stderr() -> Iterator[None]:
    """Send to standard error what compiled libraries print meanwhile: standard output is for programs that read ours.

    (HiGHS has a line that it prints whether asked or not.)
    """
    sys.stdout.flush()
    ours = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        ctypes.CDLL(None).fflush(None)
        os.dup2(ours, 1)
        os.close(ours)


def require_unused(folder: Path) -> None:
    """Raise ConfigError for a folder that holds something: nothing of the user's is ever overwritten."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} is there already and not empty", hint="name a folder that does not exist yet")


def require_no_input(out: Path, data: Path) -> None:
    """Raise ConfigError where `out` is a table of the company at `data`, or holds one, or lies in one: it would be lost."""
    from features.reading.sources import table_places

    target = out.resolve()
    for place in table_places(data):
        if target == place or target in place.parents or place in target.parents:
            raise ConfigError(f"{out} is in the place of {place.name}, which is read", hint="choose another name for --out")


def to_json(value: object) -> str:
    """Indented JSON; days and paths as text."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def now() -> datetime:
    """The moment that it is, in UTC. The parts below never ask; they are told."""
    return datetime.now(UTC)


def today(company: Company) -> date:
    """The calendar day that it is in the company's zone."""
    return now().astimezone(ZoneInfo(company.zone)).date()
