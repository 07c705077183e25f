"""The command that forgets customers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands.outcomes import company_of
from commands.promotion import BY
from commands.terminal import AS_JSON, PATH, now, to_json
from keepwell.errors import ConfigError
from keepwell.progress import Steps
from keepwell.settings import Settings

if TYPE_CHECKING:
    from serving.forgetting import Forgotten

WORDS = {
    "scores": "rows of scores",
    "feature_rows": "rows of features",
    "events": "days of their histories",
    "lists": "lists of customers, written anew",
    "plan_items": "actions of plans",
    "outcomes": "outcomes with their notes",
    "unwilling": "wishes for no contact",
    "wish_notes": "notes beside wishes for no contact, which stay",
    "notes": "notes of others that named them, where the name is now 'forgotten'",
    "views": "saved views that named them",
    "jobs": "errors of jobs that named them, where the name is now 'forgotten'",
    "files": "files of results, written anew",
}
"""What is removed, by place, in words."""

UNTOUCHED = (
    "not touched: the tables of DATA, files that --out and --export wrote, backups, what is learned (models hold no rows)",
    "who is still in the tables comes back with the next scoring: delete them there, or list them in a file under "
    "leave_out_customers: in company.yaml (docs/privacy.md)",
)


@click.command()
@click.argument("customers", nargs=-1, metavar="[CUSTOMER]...")
@click.option("--file", type=PATH, help="A CSV or Parquet file with customer_id: forget all of them.")
@click.option("--company", help="The key of the company. Default: the only one in the store.")
@click.option("--keep-wishes", is_flag=True, help="Keep that somebody wants no contact: the id and the day, nothing else.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@BY
@AS_JSON
@click.pass_obj
def forget(
    settings: Settings,
    customers: tuple[str, ...],
    file: Path | None,
    company: str | None,
    keep_wishes: bool,
    dry_run: bool,
    by: str,
    as_json: bool,
) -> None:
    """Forget customers: scores, features, histories, plans, outcomes, notes and results of jobs.

    The audit keeps what was done, and says 'forgotten' for the customer. The store's part is done whole or not at all, beside a
    running service; whoever runs this twice is told the second time that nothing was found, and the exit code is 0 both times.

    Example: keepwell forget C000042 --dry-run
    """
    from features.reading.left_out import read_customer_ids
    from serving.forgetting import forget_customers
    from serving.store import Store

    ids = (*customers, *(read_customer_ids(file, "--file") if file is not None else ()))
    if not ids:
        raise ConfigError("nobody is named", hint="name customers by their ids, or a file of ids with --file")
    store = Store(settings.resolved_store_url)
    found = forget_customers(
        settings,
        store,
        company_of(store, company or settings.company),
        ids,
        at=now(),
        by=by,
        keep_wishes=keep_wishes,
        dry_run=dry_run,
        progress=Steps(),
    )
    click.echo(to_json(found.as_dict()) if as_json else "\n".join(_in_words(found)))


def _in_words(found: Forgotten) -> Iterator[str]:
    """What was found, by place, and what else there is to know."""
    removed, who = found.as_dict()["removed"], f"{found.found:,} of {found.asked:,}"
    if not any(removed.values()) and not found.kept.audit and not found.wishes_kept:
        yield f"{found.company}: nothing is kept of {'this customer' if found.asked == 1 else 'these customers'}"
    else:
        yield f"{found.company}: {who} known{'; this would go' if found.dry_run else ', and forgotten'}"
        yield from (f"  {rows:>9,} {WORDS[place]}" for place, rows in removed.items() if rows)
        if found.kept.audit:
            yield f"  {found.kept.audit:>9,} entries of the audit stay, and say 'forgotten' for the customer"
    yield from (f"  {note}" for note in (*found.notes, *UNTOUCHED))
