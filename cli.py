"""The `keepwell` command: it reads the clock and the environment, calls the parts in order and tells people what came of it.

Results go to standard output, progress and errors to standard error. A command that fails says what is wrong and what
to do, and exits with the code of its error (`keepwell/errors.py`); nothing is written then.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from keepwell import __version__
from keepwell.errors import KeepwellError
from keepwell.progress import Steps
from keepwell.settings import Settings

if TYPE_CHECKING:
    from features.company import Company
    from training.registry import Registry

QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "BENTOML_DO_NOT_TRACK": "True", "DO_NOT_TRACK": "true"}


class Day(click.ParamType):
    """A calendar day, as 2026-03-31."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:  # noqa: ANN401  # click's signature
        """Read the day; wrong text is a usage error."""
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no day; write it as 2026-03-31", param, ctx)


class Days(click.ParamType):
    """A number of days, as 90d."""

    name = "DAYS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401  # click's signature
        """Read `90d` or `90`; wrong text is a usage error."""
        number = str(value).removesuffix("d")
        if not (number.isascii() and number.isdigit() and int(number) > 0):
            self.fail(f"{value!r} is no number of days; write it as 90d", param, ctx)
        return int(number)


class Capacity(click.ParamType):
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


class Keepwell(click.Group):
    """The group of all commands; turns errors into words and exit codes."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  # click's signature
        """Run the command; on an error print no traceback unless it was asked for."""
        try:
            return super().invoke(ctx)
        except KeepwellError as error:
            if ctx.params.get("traceback"):
                raise
            click.secho(f"Error: {error.message}", fg="red", err=True)
            click.echo(f"  -> {error.hint}", err=True)
            sys.exit(error.exit_code)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except Exception as error:
            if ctx.params.get("traceback"):
                raise
            click.secho(f"Error: {type(error).__name__}: {error}", fg="red", err=True)
            click.echo("  -> this is a fault of Keepwell; `keepwell --traceback ...` shows where, please report it", err=True)
            sys.exit(1)


DATA = click.argument("data", type=click.Path(path_type=Path))
AS_OF = click.option("--as-of", type=Day(), help="The date; only what happened before it is known. Default: today in the company's zone.")
POLICY = click.option("--policy", type=click.Path(path_type=Path), help="A policy file; default: the one that comes with Keepwell.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


@click.group(cls=Keepwell, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="keepwell")
@click.option("--traceback", is_flag=True, help="Show where in the code an error arose.")
@click.pass_context
def main(ctx: click.Context, traceback: bool) -> None:  # noqa: ARG001  # read from ctx.params when a command fails
    """Who will leave, what each customer will spend, and which retention action pays.

    DATA is a folder of tables (transactions.csv or .parquet, ...) or a company.yaml. State lives in $KEEPWELL_HOME,
    by default ./keepwell-home.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    ctx.obj = Settings.from_environment(os.environ)


if __name__ == "__main__":
    main()
