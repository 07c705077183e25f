"""`keepwell copy-store`: a store moves to another database, and nothing is written where it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli import main
from tests.commands.conftest import Keepwell


def copied(home: Path, source: object, url: str) -> Result:
    told = {"KEEPWELL_HOME": str(home), "KEEPWELL_STORE_URL": url}
    return CliRunner().invoke(main, ["copy-store", str(source)], env=told)


def test_keys_of_one_store_are_those_of_its_copy(keepwell: Keepwell, tmp_path: Path) -> None:
    assert keepwell("keys", "create", "till", "--scope", "predict").exit_code == 0
    home, url = tmp_path / "home", f"sqlite:///{tmp_path / 'new' / 'store.db'}"
    done = copied(home, home / "store.db", url)
    assert done.exit_code == 0, done.output
    assert "2 rows of" in done.output  # the key, and the audit of its making
    told = CliRunner().invoke(main, ["keys", "list"], env={"KEEPWELL_HOME": str(home), "KEEPWELL_STORE_URL": url})
    assert told.stdout == keepwell("keys", "list").stdout


def test_a_store_is_not_copied_into_itself(keepwell: Keepwell, tmp_path: Path) -> None:
    keepwell("keys", "create", "till", "--scope", "predict")
    refused = keepwell("copy-store", tmp_path / "home" / "store.db")
    assert refused.exit_code == 4
    assert "SOURCE is the store that KEEPWELL_STORE_URL names" in refused.output


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    refused = copied(tmp_path / "home", tmp_path / "none.db", f"sqlite:///{tmp_path / 'new.db'}")
    assert refused.exit_code == 4
    assert "there is no file" in refused.output
    assert not any((tmp_path / name).exists() for name in ("none.db", "new.db"))


@pytest.mark.parametrize("content", [b"", b"customer_id,amount\n"])
def test_a_file_that_is_no_store_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "old.db").write_bytes(content)
    refused = copied(tmp_path / "home", tmp_path / "old.db", f"sqlite:///{tmp_path / 'new.db'}")
    assert refused.exit_code == 4
    assert "is no SQLite file" in refused.output
    assert (tmp_path / "old.db").read_bytes() == content
