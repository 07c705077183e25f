"""The people who use the console, and their sessions: passwords and tokens are kept as hashes alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, RowMapping, and_, delete, func, insert, select, update

from keepwell.errors import StoreError
from serving.store.access_schema import audit, sessions, users
from serving.store.audit import Deed, note
from serving.store.engine import reading, writing

SIGNED_IN, SIGNED_OUT, REFUSED = "signed in", "signed out", "sign-in refused"
"""What the audit calls them."""


@dataclass(frozen=True)
class User:
    """A person: `role` is a word of `serving.console.roles.Role`; `disabled_at` None while the person may sign in."""

    id: int
    name: str
    password_hash: str
    role: str
    created_at: datetime
    disabled_at: datetime | None = None


class People:
    """The users and sessions of a store. All methods raise StoreError when it cannot be used."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self) -> tuple[User, ...]:
        """Every user there is or was, by name."""
        with reading(self._engine) as connection:
            return tuple(map(_user, connection.execute(_USERS.order_by(users.c.name)).mappings()))

    def any(self) -> bool:
        """Whether anybody has been set up: from then on, whoever comes must sign in."""
        with reading(self._engine) as connection:
            return connection.scalar(select(func.count()).select_from(users)) != 0

    def find(self, name: str) -> User | None:
        """The user of a name; None when there is none."""
        with reading(self._engine) as connection:
            return _find(connection, name)

    def add(self, name: str, password_hash: str, role: str, *, at: datetime, by: str) -> None:
        """Set up a user. StoreError when the name is taken."""
        with writing(self._engine) as connection:
            if _find(connection, name):
                raise StoreError(f"there is a user {name!r} already", hint="choose another name, or change this one")
            connection.execute(insert(users).values(name=name, password_hash=password_hash, role=role, created_at=at))
            note(connection, Deed(at, by, "user added", detail=f"{name}: {role}"))

    def change(self, name: str, *, at: datetime, by: str, **values: object) -> None:
        """Give a user another `role`, `password_hash` or `disabled_at`; their sessions end. StoreError for an unknown name."""
        with writing(self._engine) as connection:
            user = _find(connection, name)
            if user is None:
                raise StoreError(f"there is no user {name!r}", hint="`keepwell users list` shows who there is")
            connection.execute(update(users).where(users.c.id == user.id).values(**values))
            connection.execute(delete(sessions).where(sessions.c.user_id == user.id))
            told = ", ".join("password" if key == "password_hash" else f"{key} {value}" for key, value in values.items())
            note(connection, Deed(at, by, "user changed", detail=f"{name}: {told}"))

    def begin_session(self, user: User, token_hash: str, *, at: datetime, lasts: timedelta, origin: str) -> None:
        """Let a user in; sessions that are over are cleared away. `origin` is where the request came from."""
        values = {"token_hash": token_hash, "user_id": user.id, "created_at": at, "seen_at": at, "expires_at": at + lasts}
        with writing(self._engine) as connection:
            connection.execute(delete(sessions).where(sessions.c.expires_at <= at))
            connection.execute(insert(sessions).values(**values))
            note(connection, Deed(at, user.name, SIGNED_IN, detail=origin))

    def end_session(self, token_hash: str, *, at: datetime, who: str) -> None:
        """Let a user out; nothing happens where the session is over."""
        with writing(self._engine) as connection:
            if connection.execute(delete(sessions).where(sessions.c.token_hash == token_hash)).rowcount:
                note(connection, Deed(at, who, SIGNED_OUT))

    def session(self, token_hash: str, *, at: datetime, idle: timedelta) -> tuple[User, datetime] | None:
        """Whose session it is, and when it was last used; None for one that is over or of a user who may come no more."""
        alive = and_(sessions.c.token_hash == token_hash, sessions.c.expires_at > at, sessions.c.seen_at > at - idle)
        columns = [*_USERS.selected_columns, sessions.c.seen_at]
        query = select(*columns).join(users, users.c.id == sessions.c.user_id).where(alive, users.c.disabled_at.is_(None))
        with reading(self._engine) as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else (_user(row), row["seen_at"])

    def seen(self, token_hash: str, *, at: datetime) -> None:
        """Note that a session is in use."""
        with writing(self._engine) as connection:
            connection.execute(update(sessions).where(sessions.c.token_hash == token_hash).values(seen_at=at))

    def refused(self, name: str, origin: str, *, at: datetime) -> None:
        """Note that somebody could not sign in by this name."""
        with writing(self._engine) as connection:
            note(connection, Deed(at, name, REFUSED, detail=origin))

    def refusals(self, name: str, origin: str, *, since: datetime) -> tuple[int, int]:
        """How often this name was refused since an instant: from this origin, and from anywhere."""
        query = select(audit.c.detail, func.count().label("times")).where(
            audit.c.at > since, audit.c.actor == name, audit.c.what == REFUSED
        )
        with reading(self._engine) as connection:
            by_origin = {row.detail: row.times for row in connection.execute(query.group_by(audit.c.detail))}
        return by_origin.get(origin, 0), sum(by_origin.values())


_USERS = select(*(users.c[name] for name in User.__dataclass_fields__))


def _find(connection: Connection, name: str) -> User | None:
    row = connection.execute(_USERS.where(users.c.name == name)).mappings().first()
    return None if row is None else _user(row)


def _user(row: RowMapping) -> User:
    return User(**{name: row[name] for name in User.__dataclass_fields__})
