"""The steps of the main job, as the commands and the demo run them: read, train, score, plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import click

from commands.terminal import LONGEST_REASON, libraries_on_stderr, now
from keepwell.errors import ModelError
from keepwell.files import written_whole
from keepwell.progress import Progress, Steps
from keepwell.settings import Settings

if TYPE_CHECKING:
    import polars as pl

    from decisions.plans.frontier import Frontier
    from decisions.plans.plan import Plan
    from decisions.policy import Policy
    from features.company import Company
    from serving.plans.evidence import Evidence
    from training.loading import Predictor
    from training.registry import ModelFolder, Registry
    from training.result import TrainingResult


SILENT_DAYS = 7
"""A longer time without any transaction before `as_of` is rather the end of an export than a silence of all customers."""


def open_registry(settings: Settings) -> Registry:
    """The registry of this installation."""
    from training.registry import Registry

    return Registry(settings.resolved_tracking_uri, settings.artifact_root)


def open_models(settings: Settings) -> Registry | ModelFolder:
    """Where champions are: the folder of exported models, where the settings name one, else the registry."""
    from training.registry import ModelFolder

    return open_registry(settings) if settings.models_path is None else ModelFolder(settings.models_path)


def read(data: Path, steps: Progress, sample: int | None = None) -> Company:
    """Read and check the company at `data`; with `sample`, about so many of its customers, and say so."""
    from features.reading.sources import read_company

    with steps.step(f"Reading {data}"):
        company = read_company(data, sample=sample)
    if company.sampled:
        click.echo(f"  learning from {company.sampled}, the same ones every time", err=True)
    return company


def tell_what_counts(company: Company, as_of: date) -> None:
    """Say how many events lie at or after `as_of`, which are not known then, and whether the data end long before it."""
    from features.checks.check import day_after_last_transaction

    end = day_after_last_transaction(company)
    if end is not None and (as_of - end).days > SILENT_DAYS:
        gap = f"the last transaction is {(as_of - end).days + 1} days before {as_of}"
        click.echo(f"  {gap}, as if nobody had bought since; if the export just ends there, say --as-of {end}", err=True)
    after = {table: count for table, count in company.events_after(as_of).items() if count}
    if after:
        told = ", ".join(f"{count:,} {table}" for table, count in after.items())
        click.echo(f"  not known before {as_of}, so ignored: {told}", err=True)


def tell_what_is_left_out(company: Company, as_of: date) -> None:
    """Say which attributes cannot enter training, or not wholly, and why."""
    from features.vocabulary import left_out

    for note in left_out(company, as_of, timely=True):
        click.echo(f"  {note}", err=True)


def learn(
    settings: Settings,
    company: Company,
    horizon_days: int,
    as_of: date,
    *,
    trials: int,
    seed: int,
    steps: Steps,
    objectives: tuple[str, ...] = ("overall_loss",),
) -> TrainingResult:
    """Train, register and, where the gate allows, promote; a study seeks the `objectives`."""
    from features.contracts import leaves_by_contract
    from training.contracts.run import train_contracts
    from training.run import train

    registry = open_registry(settings)
    if leaves_by_contract(company):
        return train_contracts(company, horizon_days, as_of, trials=trials, seed=seed, registry=registry, progress=steps)
    return train(company, horizon_days, as_of, trials=trials, seed=seed, objectives=objectives, registry=registry, progress=steps)


def learn_flat(
    settings: Settings,
    company: Company,
    *,
    horizon_days: int,
    before: date | None,
    keep_columns: tuple[str, ...],
    trials: int,
    seed: int,
    steps: Steps,
) -> TrainingResult:
    """Say what is left out, then train on a flat table, register and, where the gate allows, promote."""
    from training.flat.leaks import left_out_columns
    from training.flat.run import train_flat

    left_out = left_out_columns(company, keep_columns)
    for column, why in left_out.items():
        click.echo(f"  customers.{column} {why}: left out; if it was known before, say --keep-column {column}", err=True)
    return train_flat(
        company,
        horizon_days=horizon_days,
        before=before,
        left_out=left_out,
        trials=trials,
        seed=seed,
        registry=open_registry(settings),
        progress=steps,
    )


def champion_horizon(registry: Registry | ModelFolder, company_key: str, horizon_days: int | None) -> int:
    """The horizon to score: the one asked for, else the only one with a champion. ModelError when that is not one."""
    if horizon_days is not None:
        return horizon_days
    known = registry.horizons(company_key)
    if len(known) == 1:
        return known[0]
    if not known:
        raise ModelError(
            f"there is no champion for company {company_key!r}", hint="train one: keepwell train DATA --horizon 90d --as-of DATE"
        )
    raise ModelError(
        f"company {company_key!r} has champions for {len(known)} horizons",
        hint=f"choose one with --horizon: {', '.join(f'{days}d' for days in known)}",
    )


def champion(registry: Registry | ModelFolder, company: Company, horizon_days: int | None, steps: Progress) -> Predictor:
    """The champion of a company for the horizon asked for, else for the only one that has a champion."""
    with steps.step("Loading the champion"):
        return registry.champion(company.key, champion_horizon(registry, company.key, horizon_days))


def score(
    settings: Settings,
    company: Company,
    as_of: date,
    out: Path,
    *,
    horizon_days: int | None,
    policy: Policy,
    allow_hindsight: bool,
    steps: Progress,
    previous: pl.DataFrame | None = None,
    most_explained: int | None = None,
    load: bool = True,
) -> pl.DataFrame:
    """Score every customer with the champion; write the file and, with `load`, the store.

    `previous`: the scores of an earlier date, where customers come from; None: what the store has of one. `most_explained`: how
    many customers get reasons; None: the usual number.
    """
    from serving.batch.kinds import panel_of_kind, scores_of_kind
    from serving.batch.scoring import load_into_store, write_table
    from serving.store import Store

    models, store = open_models(settings), Store(settings.resolved_store_url)
    scorer = champion(models, company, horizon_days, steps)
    with steps.step("Building features"):
        panel = panel_of_kind(company, scorer.info, as_of)
    scores = scores_of_kind(
        store,
        company,
        scorer,
        as_of,
        policy,
        panel=panel,
        previous=previous,
        allow_hindsight=allow_hindsight,
        most_explained=most_explained,
        progress=steps,
    )
    with steps.step("Writing the scores"), written_whole(out) as temporary:  # the file appears once the store has them too
        write_table(scores, temporary)
        if load:
            load_into_store(store, company, scores, panel, loaded_at=now())
    _log_scoring(models, company, scores, out)
    return scores


def _log_scoring(models: Registry | ModelFolder, company: Company, scores: pl.DataFrame, out: Path) -> None:
    """Let the registry know which scores came from which model, where there is a registry.

    The scores are written by now, in file and store, and stay valid whatever becomes of their record: that is a warning.
    """
    from training.registry import Registry
    from training.scored import log_scoring

    if not isinstance(models, Registry) or scores.is_empty():
        return
    try:
        log_scoring(models, company.key, scores, out)
    except Exception as error:  # MLflow, its server, its database and the network each have their own
        why = str(error).partition("\n")[0][:LONGEST_REASON]
        click.secho(
            f"warning: the scores are written and valid, but MLflow has no record of this scoring: {why}", fg="yellow", err=True
        )
        click.echo("  -> nothing need be done for the scores; score again once MLflow answers if the record matters", err=True)


def plan(
    settings: Settings,
    scores: pl.DataFrame,
    out: Path,
    *,
    company: Company | None,
    policy: Policy,
    budget: float | None,
    capacities: Mapping[str, int],
    hours: Mapping[str, int] = MappingProxyType({}),
    evidence: Evidence | None = None,
    frontiers: Sequence[Path] = (),
    steps: Steps,
) -> Plan:
    """Choose the actions; write the file and, for a known company, show them in the console; draw the frontier where asked.

    `evidence` is weighed with the priors of the policy (None: the priors alone), and that of a known company is kept for the
    plans of console and service.
    """
    from decisions.plans.frontier import frontier
    from decisions.plans.limits import hours_limit
    from decisions.plans.plan import plan as choose
    from serving.plans.evidence import EvidenceShelf, expected_effects
    from serving.plans.planning import plan_columns, save_plan, unwilling_customers, with_wishes, write_plan
    from serving.store import Store

    store = Store(settings.resolved_store_url)
    rules, wishes = with_wishes(policy, scores, unwilling_customers(store, scores, None if company is None else company.key))
    expected = expected_effects(evidence, rules)
    with steps.step("Choosing actions"), libraries_on_stderr():
        columns = plan_columns(scores, rules, company)
        made = choose(columns, rules, budget, capacities, hours=hours, effects=expected.effects)
        made = replace(made, notes=(*made.notes, *wishes, *expected.notes))
    if frontiers:
        with steps.step("Weighing budgets"):
            _write_frontiers(frontier(columns, rules, capacities, hours=hours, effects=expected.effects), made, frontiers)
    write_plan(made, out)
    if company is not None and evidence is not None:
        EvidenceShelf(settings.evidence_folder).keep(evidence)
    limits = {**capacities, **{hours_limit(channel): most for channel, most in hours.items()}}
    shown = company is None or save_plan(store, company.key, scores, made, made_at=now(), budget=budget, capacities=limits)
    if not shown:
        click.echo("  the console shows other scores than these, so the plan is in the file alone", err=True)
    return made


def _write_frontiers(curve: Frontier, made: Plan, paths: Sequence[Path]) -> None:
    """Write what other budgets would bring."""
    from serving.plans.frontier_plot import write_frontier

    for path in paths:
        write_frontier(curve, made, path)
