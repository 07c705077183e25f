"""What came of plans: outcome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commands.terminal import AS_JSON, PATH, POLICY, TABLE_FILE, Day, Days, named_by, now, to_json
from keepwell.errors import ConfigError
from keepwell.progress import Steps
from keepwell.settings import Settings

if TYPE_CHECKING:
    import polars as pl

    from serving.store import Store
    from serving.store.records import Outcome, Recorded


@click.command()
@click.argument("file", type=PATH, required=False)
@click.option("--customer", help="Instead of a file: the customer to whom it happened.")
@click.option("--action", help="The action that it came of, as the plan calls it.")
@click.option(
    "--step", help="What happened: taken, contacted, not_now, accepted, declined, converted, do_not_contact, contact_again."
)
@click.option("--on", type=Day(), help="The day on which it happened.")
@click.option("--reason", help="Why the customer declined, as price, service, rival (plan.decline_reasons in the policy).")
@click.option("--cost", type=float, help="What it cost. Default: what the plan said.")
@click.option("--note", help="Anything worth remembering.")
@click.option("--key", help="Your own key: what comes twice under one key counts once. Default: customer, action, day and step.")
@click.option("--company", help="The key of the company. Default: the only one in the store.")
@click.option("--by", "recorded_by", help="Who says so.")
@click.option("--as-of", type=Day(), help="Nothing can have happened after this day. Default: today.")
@POLICY
@click.option("--export", type=TABLE_FILE, help="Write the contacts table of all that is recorded: .csv or .parquet.")
@click.option(
    "--answer-days", type=Days(), default=30, show_default=True, help="An answer belongs to a contact of so many days before it."
)
@click.option("--as-planned", is_flag=True, help="Export all who were drawn, reached or not: for `keepwell uplift` alone.")
@AS_JSON
@click.pass_obj
def outcome(
    settings: Settings,
    /,
    file: Path | None,
    company: str | None,
    recorded_by: str | None,
    as_of: date | None,
    policy: Path | None,
    export: Path | None,
    answer_days: int,
    as_planned: bool,
    as_json: bool,
    **said: str | float | date | None,
) -> None:
    """Take back what happened: from a file, or for one customer. What comes twice counts once.

    FILE is CSV or Parquet with customer_id, action, step and on (the day); or the plan itself, with step and on filled in. Where
    anything in it is wrong, nothing is recorded.

    Example: keepwell outcome --customer C000042 --action loyalty_reward --step accepted --on 2026-01-05
    """
    from serving.store import Store

    rows = _said(file, {name: value for name, value in said.items() if value is not None})
    if rows is None and export is None:
        raise ConfigError("there is nothing to record", hint="name a file, or say --customer, --action, --step and --on")
    store = Store(settings.resolved_store_url)
    name = company_of(store, company or settings.company)
    told: dict[str, Any] = {"company": name}
    if rows is not None:
        told |= asdict(_record(store, name, rows, policy=policy, as_of=as_of, recorded_by=recorded_by))
    if export is not None:
        table = _contacts(store, name, export, before=as_of, answer_days=answer_days, as_planned=as_planned)
        told |= {"exported": table.height, "exported_controls": int((table["arm"] == "control").sum())}
    click.echo(to_json(told) if as_json else "\n".join(_in_words(told, export)))


def _said(file: Path | None, one: Mapping[str, Any]) -> Sequence[Outcome] | None:
    """The outcomes of the file, or the one of the options; None where there is neither. Raises ConfigError for half of one."""
    from serving.plans.outcome_files import read_outcomes
    from serving.store.records import Outcome

    if file is not None:
        if one:
            raise ConfigError(f"both a file and --{next(iter(one))} were given", hint="record one after the other")
        with named_by("FILE"):
            rows, unread = read_outcomes(file)
        if unread:
            click.echo(f"  not read: {', '.join(unread)}", err=True)
        return rows
    if not one:
        return None
    if lacking := [name for name in ("customer", "step", "on") if name not in one]:
        raise ConfigError(f"--{lacking[0]} is missing", hint="say to whom it happened, what, and on which day")
    told = dict(one)
    return [Outcome(told.pop("customer"), told.pop("step"), told.pop("on"), **told)]


def company_of(store: Store, asked: str) -> str:
    """The company that is asked for, else the only one of the store. Raises ConfigError where that is none."""
    known: tuple[str, ...] = ()
    if store.exists():
        store.migrate()
        known = store.outcomes.companies()
    if not known:
        hint = "score and plan first: keepwell score DATA --as-of DATE --out FILE"
        raise ConfigError("the store has no scores and no plans yet", hint=hint)
    if asked and asked not in known:
        raise ConfigError(f"the store knows no company {asked!r}", hint=f"it knows {', '.join(known)}")
    if not asked and len(known) > 1:
        raise ConfigError(f"the store has {len(known)} companies", hint=f"choose one with --company: {', '.join(known)}")
    return asked or known[0]


def _record(
    store: Store, company: str, rows: Sequence[Outcome], *, policy: Path | None, as_of: date | None, recorded_by: str | None
) -> Recorded:
    from serving.plans.outcomes import record_outcomes
    from serving.plans.policy import read_policy

    moment, rules = now(), read_policy(policy)
    # The store does not know the company's zone: what is today anywhere on Earth has come.
    today = as_of or (moment + timedelta(hours=14)).date()
    with Steps().step("Recording outcomes"):
        return record_outcomes(store, company, rows, policy=rules, today=today, recorded_at=moment, recorded_by=recorded_by)


def _contacts(store: Store, company: str, out: Path, *, before: date | None, answer_days: int, as_planned: bool) -> pl.DataFrame:
    """Write the contacts table of what is recorded before a day, and give it back."""
    from serving.batch.scoring import write_table
    from serving.plans.contact_log import contact_table

    with Steps().step(f"Writing {out}"):
        recorded, planned = store.outcomes.recorded(company, before=before), store.outcomes.assignments(company)
        table = contact_table(recorded, planned, answer_days=answer_days, as_planned=as_planned)
        write_table(table, out)
    return table


def _in_words(told: Mapping[str, Any], export: Path | None) -> Iterator[str]:
    """What was recorded and exported, for people."""
    if "new" in told:
        yield f"{told['company']}: {told['new']:,} new, {told['known_before']:,} known before"
        if told["differing"]:
            yield f"  {told['differing']:,} of these say something else under a key that is known: what was known is kept"
        if told["controls"]:
            yield f"  {told['controls']:,} are contacts of controls, whom the plan wanted left alone: they count as none"
    if export is not None:
        yield f"{told['exported']:,} contacts, {told['exported_controls']:,} of them controls: {export}"
