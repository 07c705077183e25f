"""The `keepwell` command: reads the settings from the environment, once, and hands them to the commands.

Results go to standard output, progress and errors to standard error. A command that fails says what is wrong and what
to do, exits with the code of its error (`keepwell/errors.py`) and has written nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import click

from commands.bench import bench
from commands.copying import copy_store
from commands.data import check, features, simulate
from commands.demo import demo
from commands.export import export
from commands.fairness import fairness
from commands.forget import forget
from commands.horizon import horizon
from commands.importing import import_public
from commands.jobs import jobs
from commands.keys import keys
from commands.lifetime import lifetime
from commands.lists import plan, score
from commands.loading import load
from commands.models import train
from commands.monitor import monitor
from commands.outcomes import outcome
from commands.people import users
from commands.promotion import promote, rollback
from commands.prospects import prospects
from commands.retrain import retrain
from commands.review import review
from commands.service import serve
from commands.studies import backtest, tune
from commands.terminal import ErrorsInWords
from commands.tiers import tiers
from commands.uplift import uplift
from keepwell import __version__
from keepwell.settings import Settings

QUIET: Mapping[str, str] = {"MLFLOW_DISABLE_TELEMETRY": "true", "BENTOML_DO_NOT_TRACK": "True", "DO_NOT_TRACK": "true"}
"""Nothing that Keepwell uses talks to its makers, unless the user says so."""


@click.group(cls=ErrorsInWords, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="keepwell")
@click.option("--traceback", is_flag=True, help="Show where in the code an error arose.")
@click.pass_context
def main(ctx: click.Context, traceback: bool) -> None:  # noqa: ARG001  # ErrorsInWords reads it
    """Who will leave, what each customer will spend, and which retention action pays.

    DATA is a folder of tables (transactions.csv or .parquet, ...) or a company.yaml. State lives in $KEEPWELL_HOME, by default
    ./keepwell-home.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    ctx.obj = Settings.from_environment(os.environ)


for command in (
    check,
    horizon,
    features,
    tune,
    train,
    retrain,
    backtest,
    fairness,
    promote,
    rollback,
    export,
    score,
    load,
    tiers,
    lifetime,
    prospects,
    monitor,
    plan,
    outcome,
    uplift,
    review,
    serve,
    keys,
    users,
    jobs,
    copy_store,
    forget,
    import_public,
    simulate,
    demo,
    bench,
):
    main.add_command(command)


if __name__ == "__main__":
    main()
