"""The command that asks whether groups of customers are forecast alike."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands import pipeline
from commands.terminal import AS_JSON, AS_OF, DATA, HORIZON, PATH, REPORT, SEED, named_by, require_no_input, to_json, today
from keepwell.errors import ConfigError
from keepwell.files import write_text
from keepwell.progress import Steps
from keepwell.settings import Settings

if TYPE_CHECKING:
    from features.company import Company

USUAL_SHARE = 0.1


@click.command()
@DATA
@click.option(
    "--by", required=True, metavar="COLUMN", help="The column of customers that tells the groups, as gender or birthday."
)
@click.option(
    "--groups", type=PATH, help="A CSV or Parquet file with customer_id and the column. Default: the customers of DATA."
)
@HORIZON
@AS_OF
@click.option(
    "--contact-share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="The share of the customers whom a plan chooses. Default: that of the newest plan in the store, else 0.1.",
)
@SEED
@REPORT
@AS_JSON
@click.pass_obj
def fairness(
    settings: Settings,
    data: Path,
    by: str,
    groups: Path | None,
    horizon: int | None,
    as_of: date | None,
    contact_share: float | None,
    seed: int,
    report: Path | None,
    as_json: bool,
) -> None:
    """Say by group how past dates were forecast and what came: error rates, calibration, value, with bounds.

    The column need be no feature: one under leave_out: in company.yaml can be asked for, or one in a file of its own. Groups too
    small to judge are only counted. Nothing is registered.

    Example: keepwell fairness shop --by gender --horizon 90d --as-of 2026-01-01
    """
    from features.flat import flat_day, is_flat
    from features.groups import customer_groups
    from training.card.document import to_html
    from training.evaluation.fairness_report import as_dict, lines, page
    from training.evaluation.run_fairness import run_fairness

    if report is not None:
        require_no_input(report, data)
    steps = Steps()
    company = pipeline.read(data, steps)
    if horizon is None and not is_flat(company):
        raise ConfigError("--horizon is missing", hint="say how far to look ahead, as --horizon 90d")
    day = flat_day(company) or as_of or today(company)
    if not is_flat(company):
        pipeline.tell_what_counts(company, day)
    with nullcontext() if groups is None else named_by("--groups"):
        told = customer_groups(data, by, day, apart=groups)
    share = contact_share or _planned_share(settings, company, horizon)
    found = run_fairness(company, told, by, horizon or 0, day, contact_share=share, seed=seed, progress=steps)
    if report is not None:
        write_text(report, to_html(page(found)))
    click.echo(to_json(as_dict(found)) if as_json else "\n".join(lines(found)))


def _planned_share(settings: Settings, company: Company, horizon_days: int | None) -> float:
    """The share of the customers that the newest plan chose; the usual share where there is no plan."""
    from serving.store import Store

    store = Store(settings.resolved_store_url)
    if not store.exists():
        return USUAL_SHARE
    store.migrate()
    load = store.current_load(company.key, horizon_days)
    plan = None if load is None else store.plan(load)
    chosen = plan.customers / load.customers if plan and load and load.customers else 0.0
    return chosen if 0 < chosen < 1 else USUAL_SHARE
