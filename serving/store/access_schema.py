"""The tables of who may do what, and who did it: keys of programs, people with their sessions, and the audit."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, Text

from serving.store.schema import PERSON_CHARACTERS, UtcDateTime, metadata

# A key is shown once, when it is made; what is kept cannot be turned back into it.
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(20), primary_key=True),
    Column("name", String(PERSON_CHARACTERS), nullable=False),
    Column("hash", String(100), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("requests_per_minute", Integer),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
)

users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(PERSON_CHARACTERS), nullable=False, unique=True),
    Column("password_hash", String(200), nullable=False),
    Column("role", String(20), nullable=False),
    Column("language", String(10)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("disabled_at", UtcDateTime),
    sqlite_autoincrement=True,
)

# The cookie has the token, the store its hash.
sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(100), primary_key=True),
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

saved_views = Table(
    "saved_views",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("company", String(200), nullable=False),
    Column("owner", String(PERSON_CHARACTERS), nullable=False),
    Column("name", String(100), nullable=False),
    Column("query", Text, nullable=False),
    Column("saved_at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_saved_views_name", saved_views.c.company, saved_views.c.owner, saved_views.c.name, unique=True)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("actor", String(PERSON_CHARACTERS), nullable=False),
    Column("what", String(100), nullable=False),
    Column("company", String(200)),
    Column("customer_id", String(500)),
    Column("detail", Text),
    Column("request_id", String(100)),
    sqlite_autoincrement=True,
)
Index("ix_audit_customer", audit.c.company, audit.c.customer_id)
