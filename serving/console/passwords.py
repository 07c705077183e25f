"""Passwords are kept as slow hashes: scrypt with a salt of each one's own, its cost written beside it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from functools import cache

from keepwell.errors import ConfigError

SHORTEST, LONGEST = 12, 200
"""Characters. Length is what makes a password hard to guess; beyond the longest, hashing would only cost."""

_COST, _BLOCK, _LANES = 2**14, 8, 5  # what OWASP's cheat sheet on storing passwords asks of scrypt in 16 MiB
_MEMORY = 64 * 2**20


def hashed(password: str) -> str:
    """What is kept of a password. ConfigError for one that is too short or too long.

    >>> matches("correct horse battery", hashed("correct horse battery"))
    True
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise ConfigError(
            f"the password has {len(password)} characters", hint=f"use {SHORTEST} to {LONGEST}: a few words do well"
        )
    salt = secrets.token_bytes(16)
    return f"scrypt${_COST}${_BLOCK}${_LANES}${_text(salt)}${_text(_digest(password, salt, _COST, _BLOCK, _LANES))}"


def matches(password: str, kept: str) -> bool:
    """Whether a password is the one that was kept; takes the same time for a wrong one."""
    _, cost, block, lanes, salt, digest = kept.split("$")
    found = _digest(password[:LONGEST], base64.b64decode(salt), int(cost), int(block), int(lanes))
    return hmac.compare_digest(found, base64.b64decode(digest))


def _digest(password: str, salt: bytes, cost: int, block: int, lanes: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=cost, r=block, p=lanes, maxmem=_MEMORY, dklen=32)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


@cache
def nobodys() -> str:
    """What the password of an unknown name is held against, so that it takes as long as that of a known one."""
    return hashed(secrets.token_hex(16))
