from __future__ import annotations

import json
from pathlib import Path

import pytest

from serving.front.access import hash_of, id_of
from tests.commands.conftest import Keepwell


def test_a_key_is_printed_alone_and_once_and_only_its_hash_is_kept(keepwell: Keepwell, tmp_path: Path) -> None:
    made = keepwell("keys", "create", "till", "--scope", "predict", "--scope", "read", "--valid-for", "30d")
    key = made.stdout.strip()
    assert made.exit_code == 0
    assert id_of(key) is not None
    assert "not shown again" in made.stderr
    (listed,) = json.loads(keepwell("keys", "list", "--json").stdout)
    assert (listed["name"], listed["state"], listed["scopes"]) == ("till", "valid", ["predict", "read"])
    kept = b"".join(file.read_bytes() for file in (tmp_path / "home").glob("store.db*"))
    assert hash_of(key).encode() in kept
    assert key.split("_", 2)[2].encode() not in kept


def test_programs_get_the_key_with_what_is_known_of_it(keepwell: Keepwell) -> None:
    words = ("keys", "create", "shop", "--scope", "admin", "--requests-per-minute", 60, "--json")
    made = json.loads(keepwell(*words).stdout)
    assert id_of(made.pop("key")) == made["id"]
    assert json.loads(keepwell("keys", "list", "--json").stdout) == [made]
    assert (made["requests_per_minute"], made["expires_at"]) == (60, None)


def test_the_list_shows_every_key_and_what_became_of_it(keepwell: Keepwell) -> None:
    assert "keepwell keys create" in keepwell("keys", "list").stdout
    for name in ("till", "shop"):
        keepwell("keys", "create", name, "--scope", "predict")
    assert "is revoked" in keepwell("keys", "revoke", "till").stdout
    head, *rows = keepwell("keys", "list").stdout.splitlines()
    assert head.split()[:4] == ["id", "name", "state", "scopes"]
    assert [row.split()[1:3] for row in rows] == [["till", "revoked"], ["shop", "valid"]]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("keys", "create", "till"), 2, "--scope"),
        (("keys", "create", "till", "--scope", "everything"), 2, "'everything' is not one of"),
        (("keys", "create", "till", "--scope", "read", "--valid-for", "soon"), 2, "no number of days"),
        (("keys", "create", "till", "--scope", "read", "--requests-per-minute", "0"), 2, "0 is not in the range"),
        (("keys", "create", "x" * 201, "--scope", "read"), 2, "at most 200"),
        (("keys", "create", " ", "--scope", "read"), 2, "a name"),
        (("keys", "revoke", "nobody"), 7, "there is no key 'nobody'"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(words: tuple[str, ...], code: int, told: str, keepwell: Keepwell) -> None:
    refused = keepwell(*words)
    assert refused.exit_code == code
    assert told in refused.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5"])
def test_other_addresses_are_served_only_when_somebody_could_call(host: str, keepwell: Keepwell) -> None:
    refused = keepwell("serve", "--host", host, "--port", 3999)
    assert refused.exit_code == 4
    assert f"nobody could call the service on {host}" in refused.stderr
    assert "keepwell keys create" in refused.stderr


def test_a_key_that_is_revoked_does_not_open_other_addresses(keepwell: Keepwell) -> None:
    keepwell("keys", "create", "till", "--scope", "read")
    keepwell("keys", "revoke", "till")
    assert keepwell("serve", "--host", "0.0.0.0", "--port", 3999).exit_code == 4


def test_no_setting_opens_other_addresses_without_keys(keepwell: Keepwell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEEPWELL_REQUIRE_KEYS", "false")
    refused = keepwell("serve", "--host", "0.0.0.0", "--port", 3999)
    assert (refused.exit_code, "KEEPWELL_REQUIRE_KEYS is false" in refused.stderr) == (4, True)
