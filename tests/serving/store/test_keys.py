from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keepwell.errors import StoreError
from serving.store import Store
from serving.store.audit import Deed
from serving.store.keys import ApiKey

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TILL = ApiKey("00000000000000aa", "till", "f" * 64, ("predict", "read"), 60, NOW, NOW + timedelta(days=1))
SHOP = ApiKey("00000000000000bb", "shop", "e" * 64, ("admin",), None, NOW + timedelta(hours=1))


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path / 'store.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    store = Store(url)
    store.migrate()
    yield store
    store.close()


def test_keys_come_back_as_they_were_kept_oldest_first(store: Store) -> None:
    for key in (SHOP, TILL):
        store.keys.add(key, by="ann")
    assert store.keys.all() == (TILL, SHOP)


def test_a_key_is_ended_once_by_its_id_or_its_name(store: Store) -> None:
    store.keys.add(TILL, by="ann")
    store.keys.add(SHOP, by="ann")
    later = NOW + timedelta(hours=2)
    assert store.keys.revoke("till", at=later, by="bob").id == TILL.id
    assert store.keys.revoke(SHOP.id, at=later, by="bob").id == SHOP.id
    store.keys.revoke(TILL.id, at=later + timedelta(hours=1), by="eve")
    assert store.keys.all() == (replace(TILL, revoked_at=later), replace(SHOP, revoked_at=later))


def test_a_name_means_the_one_valid_key_that_has_it(store: Store) -> None:
    gone, twin = replace(TILL, id="00000000000000a1", revoked_at=NOW), replace(TILL, id="00000000000000a2")
    for key in (gone, TILL):
        store.keys.add(key, by="ann")
    store.keys.add(replace(twin, name="other"), by="ann")
    assert store.keys.revoke("till", at=NOW, by="ann").id == TILL.id
    with pytest.raises(StoreError, match="there is no key 'nobody'"):
        store.keys.revoke("nobody", at=NOW, by="ann")


def test_a_name_that_several_valid_keys_have_is_not_enough(store: Store) -> None:
    store.keys.add(TILL, by="ann")
    store.keys.add(replace(TILL, id="00000000000000a2"), by="ann")
    with pytest.raises(StoreError, match="2 keys are named 'till'"):
        store.keys.revoke("till", at=NOW, by="ann")
    assert all(key.revoked_at is None for key in store.keys.all())


def test_who_made_and_who_ended_a_key_is_in_the_audit(store: Store) -> None:
    store.keys.add(TILL, by="ann")
    store.keys.revoke("till", at=NOW, by="bob")
    store.keys.revoke(TILL.id, at=NOW, by="eve")
    expected = (
        Deed(NOW, "bob", "key revoked", detail=f"{TILL.id} till"),
        Deed(NOW, "ann", "key created", detail=f"{TILL.id} till: predict, read"),
    )
    assert store.audit.latest() == expected
    assert store.audit.latest(limit=1) == expected[:1]


@pytest.mark.parametrize(
    ("after", "revoked", "state"),
    [
        (0, None, "valid"),
        (86_399, None, "valid"),
        (86_400, None, "expired"),
        (5, 5, "revoked"),
        (5, 6, "valid"),
        (90_000, 5, "revoked"),
    ],
)
def test_a_key_is_worth_something_until_it_expires_or_is_revoked(after: int, revoked: int | None, state: str) -> None:
    key = TILL if revoked is None else replace(TILL, revoked_at=NOW + timedelta(seconds=revoked))
    assert key.state(NOW + timedelta(seconds=after)) == state
