from __future__ import annotations

import time
from pathlib import Path

import pytest
from sqlalchemy import make_url

from keepwell.errors import StoreError
from serving.store.engine import _network_options, open_engine, writing


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_writer_waits_for_as_long_as_is_said_and_then_says_why(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}" if kind == "sqlite" else request.getfixturevalue("postgres_url")
    first, second = open_engine(url), open_engine(url, writer_waits_s=0.3)
    with writing(first):
        began = time.monotonic()
        with pytest.raises(StoreError, match="lock") as refused, writing(second):
            pass
        assert 0.25 < time.monotonic() - began < 5
        assert "another program is writing" in refused.value.hint
    with writing(second):
        pass
    first.dispose(), second.dispose()


def test_a_lost_postgresql_server_is_given_up_soon_unless_the_url_says_when() -> None:
    options = _network_options(make_url("postgresql+psycopg://keepwell@db.example/keepwell?connect_timeout=2"))
    assert options["pool_pre_ping"], "a server that came again has closed the connections that were kept"
    assert options["connect_args"]["tcp_user_timeout"] == 10_000
    assert "connect_timeout" not in options["connect_args"]
    assert _network_options(make_url("sqlite://")) == {}
