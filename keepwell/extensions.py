"""What others add to Keepwell: objects that installed packages offer under an entry point group.

    keepwell.features   builders of features      features/own.py
    keepwell.members    members of the ensemble   training/members/own.py
    keepwell.sources    where tables come from    features/reading/own_sources.py

Whatever they add has a name that begins with `own_`, so it never hides what Keepwell brings. docs/extending.md shows each.
"""

from __future__ import annotations

import re
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from keepwell.errors import ConfigError

PREFIX = "own_"
LONGEST_NAME = 60
_NAME = re.compile(rf"{PREFIX}[a-z0-9]+(_[a-z0-9]+)*")


def checked_name(name: object, what: str, where: str = "") -> str:
    """The name of an extension; ConfigError unless it is `own_` and lower-case words, at most 60 characters in all.

    `where` begins the message: the place in a file at which the name stands.

    >>> checked_name("own_weekend_share", "feature")
    'own_weekend_share'
    """
    if isinstance(name, str) and _NAME.fullmatch(name) and len(name) <= LONGEST_NAME:
        return name
    hint = f"begin it with {PREFIX}, then lower-case letters, digits and single _, {LONGEST_NAME} characters at most"
    raise ConfigError(f"{where}{name!r} cannot be the name of a {what} of one's own", hint=hint)


def offered(group: str) -> dict[str, EntryPoint]:
    """Entry points of a group by name, in order of names; ConfigError where two packages offer the same name.

    >>> offered("keepwell.nobody")
    {}
    """
    found: dict[str, EntryPoint] = {}
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        other = found.setdefault(point.name, point)
        if other.value != point.value:
            told = f"{point.name!r} of {group} is offered twice: {other.value} and {point.value}"
            raise ConfigError(told, hint="rename one of them, or uninstall its package")
    return found


def loaded(point: EntryPoint) -> Any:  # noqa: ANN401  # what the package offers
    """The object behind an entry point; ConfigError, with the package's name, when it does not import."""
    try:
        return point.load()
    except Exception as error:  # whatever a stranger's module raises, its user wants words
        package = f" of the package {point.dist.name}" if point.dist else ""
        told = f"{point.value}{package}, an extension of {point.group}, does not import ({type(error).__name__}: {error})"
        raise ConfigError(told, hint="mend or uninstall that package") from error
