"""The command that watches a champion."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands import pipeline
from commands.terminal import AS_JSON, AS_OF, DATA, HORIZON, PATH, OutFile, to_json, today
from keepwell.files import write_text
from keepwell.progress import Steps
from keepwell.settings import Settings

if TYPE_CHECKING:
    from features.company import Company
    from training.monitor.matured import Forecasts
    from training.monitor.report import MonitorReport


@click.command()
@DATA
@HORIZON
@AS_OF
@click.option("--scores", multiple=True, type=PATH, help="Scores of an earlier date, beside those in the store; may be repeated.")
@click.option("--predictions", type=PATH, help="The folder where a service keeps a sample of what it was asked.")
@click.option("--report", type=OutFile(".html"), help="Where to write the report as one HTML file.")
@AS_JSON
@click.pass_context
def monitor(
    ctx: click.Context,
    data: Path,
    horizon: int | None,
    as_of: date | None,
    scores: tuple[Path, ...],
    predictions: Path | None,
    report: Path | None,
    as_json: bool,
) -> None:
    """Watch the champion: drift, the performance that its scores promise, and what came of earlier promises.

    Exit code 0: fine. 10: the data have drifted. 11: performance has surely fallen. Others are errors.
    Figures and report are kept in MLflow, experiment keepwell/monitor.

    Example: keepwell monitor shop --horizon 90d --as-of 2026-03-01
    """
    from training.card.document import to_html
    from training.monitor.report import EXIT_CODES

    steps = Steps()
    company = pipeline.read(data, steps)
    day = as_of or _flat_day(company) or today(company)
    pipeline.tell_what_counts(company, day)
    found = _look(ctx.obj, company, horizon, day, scores, predictions, steps)
    if report is not None:
        write_text(report, to_html(found.page()))
    click.echo(to_json(found.as_dict()) if as_json else _in_words(found))
    ctx.exit(EXIT_CODES[found.status])


def _flat_day(company: Company) -> date | None:
    """The day on which the labels of a flat table count, from which its model knows its customers; None for others."""
    from features.flat import flat_day

    day = flat_day(company)
    return None if day is None else day + timedelta(days=1)


def _look(
    settings: Settings,
    company: Company,
    horizon_days: int | None,
    as_of: date,
    files: tuple[Path, ...],
    predictions: Path | None,
    steps: Steps,
) -> MonitorReport:
    """Load the champion, look at it, and log what was seen."""
    from training.monitor.record import log_monitoring
    from training.monitor.run import monitor as look

    registry = pipeline.open_registry(settings)
    scorer = pipeline.champion(registry, company, horizon_days, steps)
    earlier = _earlier(settings, company, scorer.info.horizon_days, as_of, files)
    found = look(company, scorer, as_of, registry=registry, earlier=earlier, asked_of=predictions, progress=steps)
    log_monitoring(registry, found)
    return found


def _earlier(settings: Settings, company: Company, horizon_days: int, as_of: date, files: tuple[Path, ...]) -> list[Forecasts]:
    """Scores of earlier dates: the files named, and what the store has of other dates."""
    from serving.plans.planning import read_scores
    from serving.store import Store
    from serving.store.forecasts import forecasts
    from training.monitor.matured import Forecasts

    named = [read_scores(file) for file in files]
    found = [Forecasts(frame["as_of"][0], str(frame["model_version"][0]), "file", frame) for frame in named]
    store = Store(settings.resolved_store_url)
    store.migrate()
    known = {each.as_of for each in found}
    loads = [load for load in store.loads() if (load.company, load.horizon_days) == (company.key, horizon_days)]
    for load in loads:  # newest first: of two scorings of one date the later counts
        if load.as_of < as_of and load.as_of not in known:
            known.add(load.as_of)
            found.append(Forecasts(load.as_of, load.model_version, "store", forecasts(store, load)))
    return found


def _in_words(found: MonitorReport) -> str:
    from training.monitor.report import MEANING

    auc = found.estimate.auc
    lines = [
        f"{found.status}: {MEANING[found.status]}",
        f"  version {found.version} of {found.trained_as_of}; {found.estimate.customers:,} customers as of {found.as_of}",
        f"  promised: AUC {auc.value:.3f} [{auc.low:.3f}, {auc.high:.3f}], {found.estimate.churned:.1%} will churn",
    ]
    lines += [
        f"  as of {kept.as_of}: AUC {kept.auc.value:.3f} (promised {kept.auc_promised:.3f}), "
        f"{kept.churned.value:.1%} churned ({kept.churned_promised:.1%}), total {kept.total_ratio.value:.2f} times what came"
        for kept in found.promises
    ]
    return "\n".join([*lines, *(f"  - {said}" for said in found.said())])
