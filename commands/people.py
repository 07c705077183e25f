"""Commands about who uses the console: users add, list, change, disable."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from commands.promotion import BY
from commands.terminal import AS_JSON, now, to_json
from keepwell.settings import Settings

if TYPE_CHECKING:
    from serving.store.people import People, User

ROLES = ("viewer", "agent", "manager", "admin")
ROLE = click.Choice(ROLES)
PASSWORD_FROM_STDIN = click.option("--password-stdin", is_flag=True, help="Read the password from standard input; do not ask.")


@click.group()
def users() -> None:
    """Set up the people who use the console, and their roles.

    A viewer reads, without names; an agent sees names and works on customers; a manager plans and assigns too; an admin may do
    everything, rollback among it. While nobody is set up, a console on its own machine opens to whoever uses the machine.

    Example: keepwell users add ann --role manager
    """


@users.command()
@click.argument("name")
@click.option("--role", type=ROLE, required=True, help="What the person may do.")
@PASSWORD_FROM_STDIN
@BY
@click.pass_obj
def add(settings: Settings, name: str, role: str, password_stdin: bool, by: str) -> None:
    """Set up a person, whose password it asks for.

    Example: keepwell users add ann --role manager
    """
    _require_name(name)
    _people(settings).add(name, _password(password_stdin), role, at=now(), by=by)
    click.echo(f"{name} may sign in, as {role}.")


@users.command("list")
@AS_JSON
@click.pass_obj
def list_users(settings: Settings, as_json: bool) -> None:
    """Show everybody who is or was set up.

    Example: keepwell users list
    """
    told = [_told(user) for user in _people(settings).all()]
    if as_json:
        click.echo(to_json(told))
        return
    for user in told:
        click.echo(f"{user['name']:<24} {user['role']:<10} {user['state']}")
    if not told:
        click.echo("Nobody is set up. Begin with: keepwell users add NAME --role admin")


@users.command()
@click.argument("name")
@click.option("--role", type=ROLE, help="Another role.")
@click.option("--password", "new_password", is_flag=True, help="Another password, which is asked for.")
@PASSWORD_FROM_STDIN
@BY
@click.pass_obj
def change(settings: Settings, name: str, role: str | None, new_password: bool, password_stdin: bool, by: str) -> None:
    """Give a person another role or password; whoever is signed in by that name has to sign in again.

    Example: keepwell users change ann --role admin
    """
    values = {"role": role} if role else {}
    if new_password or password_stdin:
        values["password_hash"] = _password(password_stdin)
    if not values:
        raise click.UsageError("give --role, --password, or both")
    _people(settings).change(name, at=now(), by=by, **values)
    click.echo(f"{name} is changed.")


@users.command()
@click.argument("name")
@BY
@click.pass_obj
def disable(settings: Settings, name: str, by: str) -> None:
    """Let a person in no more, at once; what they did stays on record.

    Example: keepwell users disable ann
    """
    _people(settings).change(name, at=now(), by=by, disabled_at=now())
    click.echo(f"{name} may not sign in any more.")


@users.command()
@click.argument("name")
@BY
@click.pass_obj
def enable(settings: Settings, name: str, by: str) -> None:
    """Let a disabled person in again.

    Example: keepwell users enable ann
    """
    _people(settings).change(name, at=now(), by=by, disabled_at=None)
    click.echo(f"{name} may sign in again.")


def _people(settings: Settings) -> People:
    from serving.store import Store

    store = Store(settings.resolved_store_url)
    store.migrate()
    return store.people


def _password(from_stdin: bool) -> str:
    """What is kept of the password that was asked for."""
    from serving.console.passwords import hashed

    if from_stdin:
        return hashed(sys.stdin.readline().rstrip("\r\n"))
    return hashed(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


def _require_name(name: str) -> None:
    if not (name.strip() == name and name.isprintable() and 1 <= len(name) <= 200):
        raise click.BadParameter("use 1 to 200 characters, without spaces at the ends", param_hint="NAME")


def _told(user: User) -> dict[str, str]:
    """A user as people and programs see them."""
    return {
        "name": user.name,
        "role": user.role,
        "state": "disabled" if user.disabled_at else "active",
        "created_at": user.created_at.isoformat(timespec="seconds"),
    }
