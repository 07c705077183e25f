from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli
from commands.people import ROLES
from serving.console.passwords import matches
from serving.console.roles import Role
from serving.store import Store


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KEEPWELL_HOME", str(tmp_path))
    return tmp_path


def users(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(cli.main, ["users", *arguments], input=stdin)


def test_the_roles_of_the_command_are_those_of_the_console() -> None:
    assert tuple(map(str, Role)) == ROLES


def test_a_person_is_set_up_with_a_password_that_is_asked_for_twice(home: Path) -> None:
    done = users("add", "ann", "--role", "manager", stdin="a long password\na long password\n")
    assert done.exit_code == 0, done.output
    user = Store(f"sqlite:///{home / 'store.db'}").people.find("ann")
    assert (user.role, matches("a long password", user.password_hash)) == ("manager", True)
    assert "a long password" not in done.output


def test_a_program_gives_the_password_on_standard_input(home: Path) -> None:
    assert users("add", "ann", "--role", "viewer", "--password-stdin", stdin="a long password\n").exit_code == 0
    assert json.loads(users("list", "--json").stdout)[0] | {"created_at": ""} == {
        "name": "ann",
        "role": "viewer",
        "state": "active",
        "created_at": "",
    }


def test_a_short_password_is_refused_and_nobody_is_set_up(home: Path) -> None:
    done = users("add", "ann", "--role", "viewer", "--password-stdin", stdin="short\n")
    assert done.exit_code != 0
    assert "12 to 200" in done.output
    assert "Nobody is set up" in users("list").output


@pytest.mark.parametrize("name", ["", " ann", "a\nb", "x" * 201])
def test_a_name_that_nobody_could_type_is_refused(home: Path, name: str) -> None:
    assert users("add", name, "--role", "viewer", "--password-stdin", stdin="a long password\n").exit_code == 2


def test_a_name_is_given_once(home: Path) -> None:
    again = [users("add", "ann", "--role", "viewer", "--password-stdin", stdin="a long password\n") for _ in range(2)][1]
    assert again.exit_code != 0
    assert "already" in again.output


def test_role_and_password_change_and_a_person_goes_and_comes_back(home: Path) -> None:
    users("add", "ann", "--role", "viewer", "--password-stdin", stdin="a long password\n")
    assert users("change", "ann", "--role", "admin", "--password-stdin", stdin="another password\n").exit_code == 0
    people = Store(f"sqlite:///{home / 'store.db'}").people
    assert matches("another password", people.find("ann").password_hash)
    assert people.find("ann").role == "admin"
    assert users("disable", "ann").exit_code == 0
    assert "disabled" in users("list").output
    assert users("enable", "ann").exit_code == 0
    assert people.find("ann").disabled_at is None


def test_a_change_of_nothing_and_an_unknown_name_are_refused(home: Path) -> None:
    assert users("change", "ann").exit_code == 2
    unknown = users("change", "ann", "--role", "admin")
    assert unknown.exit_code != 0
    assert "no user 'ann'" in unknown.output
