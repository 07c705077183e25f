"""Commands about API keys: create, list, revoke."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from commands.promotion import BY
from commands.terminal import AS_JSON, Days, now, to_json
from keepwell.settings import Settings
from serving.front.scopes import SCOPES

if TYPE_CHECKING:
    from serving.store.keys import ApiKey, Keys

LONGEST_NAME = 200


@click.group()
def keys() -> None:
    """Make, list and end the API keys of the service.

    A key is needed wherever the service is reached over a network; a service on its own machine (127.0.0.1) asks for none.

    Example: keepwell keys create checkout --scope predict
    """


def _name(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """A key's name: something to read, and no longer than the store's column."""
    name = value.strip()
    if not name.isprintable() or not 0 < len(name) <= LONGEST_NAME:
        raise click.BadParameter(f"a name has at least 1 and at most {LONGEST_NAME} printable characters")
    return name


@keys.command()
@click.argument("name", callback=_name)
@click.option(
    "--scope", "scopes", type=click.Choice(list(SCOPES)), multiple=True, required=True, help="What it may do; repeatable."
)
@click.option("--valid-for", type=Days(), help="Days until it ends, as 365d. Default: it does not end.")
@click.option("--requests-per-minute", type=click.IntRange(min=1), help="How many requests a minute it may make. Default: any.")
@BY
@AS_JSON
@click.pass_obj
def create(
    settings: Settings,
    name: str,
    scopes: tuple[str, ...],
    valid_for: int | None,
    requests_per_minute: int | None,
    by: str,
    as_json: bool,
) -> None:
    """Make a key and print it: this once, since only its hash is kept. NAME says whose it is.

    Scopes: predict (predict and explain), read (stored scores, the model), plan, outcome (record what came of actions), admin
    (everything, batch jobs and metrics among it).

    Example: keepwell keys create checkout --scope predict --scope read --valid-for 365d
    """
    from serving.front.access import hash_of, new_key
    from serving.store.keys import ApiKey

    id_, key = new_key()
    made_at = now()
    ends = None if valid_for is None else made_at + timedelta(days=valid_for)
    row = ApiKey(id_, name, hash_of(key), tuple(dict.fromkeys(scopes)), requests_per_minute, made_at, ends)
    _keys(settings).add(row, by=by)
    if as_json:
        click.echo(to_json({"key": key, **_told(row, made_at)}))
        return
    click.echo(key)
    click.echo(f"This is the key of {name!r}: keep it now, it is not shown again. Its id is {id_}.", err=True)


@keys.command("list")
@AS_JSON
@click.pass_obj
def list_keys(settings: Settings, as_json: bool) -> None:
    """Show every key there is or was, without its secret.

    Example: keepwell keys list
    """
    at = now()
    told = [_told(key, at) for key in _keys(settings).all()]
    if as_json:
        click.echo(to_json(told))
    elif told:
        _print_table(told)
    else:
        click.echo("There are no keys. Make one: keepwell keys create NAME --scope predict")


@keys.command()
@click.argument("key", metavar="ID|NAME")
@BY
@AS_JSON
@click.pass_obj
def revoke(settings: Settings, key: str, by: str, as_json: bool) -> None:
    """End a key for good; a running service refuses it within 10 seconds.

    Example: keepwell keys revoke checkout
    """
    ended = _keys(settings).revoke(key, at=now(), by=by)
    if as_json:
        click.echo(to_json(_told(ended, now())))
    else:
        click.echo(f"Key {ended.id} ({ended.name}) is revoked.")


def _keys(settings: Settings) -> Keys:
    from serving.store import Store

    store = Store(settings.resolved_store_url)
    store.migrate()
    return store.keys


def _told(key: ApiKey, at: datetime) -> dict[str, object]:
    """A key as people and programs see it."""
    return {
        "id": key.id,
        "name": key.name,
        "state": key.state(at),
        "scopes": list(key.scopes),
        "requests_per_minute": key.requests_per_minute,
        "created_at": key.created_at.isoformat(timespec="seconds"),
        "expires_at": key.expires_at and key.expires_at.isoformat(timespec="seconds"),
        "revoked_at": key.revoked_at and key.revoked_at.isoformat(timespec="seconds"),
    }


def _print_table(told: list[dict[str, object]]) -> None:
    head = ("id", "name", "state", "scopes", "requests_per_minute", "created_at", "expires_at")
    rows = [[_cell(key[column]) for column in head] for key in told]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _cell(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else "-" if value is None else str(value)
