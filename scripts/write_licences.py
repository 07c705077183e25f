"""Writes LICENSES.md: every package that an installation of Keepwell brings, with its version, licence and home.

python scripts/write_licences.py            write the page
python scripts/write_licences.py --check    exit 1 if it is stale, or a licence is not among those that we accept

What a package says of itself is read from the environment, for exactly the packages of requirements.lock.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageMetadata, metadata
from itertools import groupby
from pathlib import Path

import click

ROOT = Path(__file__).parents[1]
PAGE, LOCK = ROOT / "LICENSES.md", ROOT / "requirements.lock"

PERMISSIVE = (
    *("MIT", "MIT-0", "MIT-CMU", "0BSD", "BSD", "BSD-2-Clause", "BSD-3-Clause", "BSD-3-Clause-Clear"),
    *("Apache-2.0", "PSF-2.0", "Zlib", "CC0-1.0"),
)
WEAK_COPYLEFT = ("MPL-2.0", "LGPL-3.0-only")
"""Their own files stay under their licence; programs that use them need not be."""

ACCEPTED = (*PERMISSIVE, *WEAK_COPYLEFT)

WORDS: Mapping[str, str] = {
    "MIT License": "MIT",
    "MIT license": "MIT",
    "BSD License": "BSD",
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
"""What packages write, and what SPDX calls it."""

READ: Mapping[str, str] = {
    "huey": "MIT",
    "matplotlib": "PSF-2.0",
    "skops": "MIT",
}
"""Packages whose metadata say nothing, or a whole text: what their licence file says. (matplotlib's own is made after PSF's.)"""

HOMES = ("repository", "source", "source code", "github", "github: repo", "code", "homepage", "home")
"""Labels of the addresses that packages name, the most telling first."""

HEAD = """\
# Licences

Made by `scripts/write_licences.py` from what the packages of `requirements.lock` say of themselves; change it there.

Keepwell is under the [MIT licence](LICENSE). What it needs to run is below, each package under its own licence. None of them
forbids to use, change, sell or keep to yourself what you build with Keepwell. Nothing of these packages is part of this
repository: they are installed beside it. `BSD` stands where a package does not say how many clauses it means.
"""
WEAK = """\
These ask for something in return. Whoever hands on a *changed* copy of such a package gives its source, too; programs that
only use it, as Keepwell does, stay under their own licence. What is handed on with psycopg in it must let its user replace that
library, as any Python environment does; only PostgreSQL needs it.
"""


@dataclass(frozen=True)
class Package:
    """One package of the lock; `licence` is an SPDX expression, `home` an address or empty."""

    name: str
    version: str
    licence: str
    home: str

    @property
    def parts(self) -> tuple[str, ...]:
        """The licences of the expression; where there is a choice, those that we accept.

        >>> Package("", "", "Apache-2.0 AND MIT", "").parts, Package("", "", "GPL-2.0-only OR MIT", "").parts
        (('Apache-2.0', 'MIT'), ('MIT',))
        """
        choices = [tuple(re.split(r" AND ", choice)) for choice in self.licence.split(" OR ")]
        return next((choice for choice in choices if set(choice) <= set(ACCEPTED)), choices[0])

    @property
    def is_accepted(self) -> bool:
        """Whether we may use it as we do."""
        return set(self.parts) <= set(ACCEPTED)

    @property
    def is_weak_copyleft(self) -> bool:
        """Whether it asks for something in return."""
        return bool(set(self.parts) & set(WEAK_COPYLEFT))


def packages() -> list[Package]:
    """The packages of the lock, by name."""
    pinned = re.findall(r"^([\w.-]+)(?:\[[^]]*\])?==(\S+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    return [_package(name, version) for name, version in sorted(pinned, key=lambda pin: pin[0].lower())]


def _package(name: str, version: str) -> Package:
    said = metadata(name)
    if said["Version"] != version:
        raise SystemExit(f"{name} is {said['Version']} here and {version} in the lock: run make dev first")
    return Package(name, version, READ.get(name) or _licence(said), _home(said))


def _licence(said: PackageMetadata) -> str:
    """The SPDX expression that a package gives, or what its classifiers or its short text mean."""
    if expression := _field(said, "License-Expression"):
        return expression
    prefix = "License :: OSI Approved :: "
    classified = [each.removeprefix(prefix) for each in said.get_all("Classifier") or [] if each.startswith(prefix)]
    text = _field(said, "License")
    if classified == ["BSD License"] and _spdx(text) in ACCEPTED:
        return _spdx(text)  # says the clauses, too
    return " OR ".join(map(_spdx, classified)) if classified else _spdx(text)


def _spdx(words: str) -> str:
    first = words.strip().partition("\n")[0]
    return WORDS.get(first, first or "unknown")


def _home(said: PackageMetadata) -> str:
    named = [each.partition(", ") for each in said.get_all("Project-URL") or []]
    urls = {label.lower(): url for label, _, url in named}
    return next((urls[label] for label in HOMES if label in urls), _field(said, "Home-page"))


def _field(said: PackageMetadata, name: str) -> str:
    """What stands under a name; empty where nothing does."""
    return str((said.get_all(name) or [""])[0])


def page(all_packages: list[Package]) -> str:
    """The whole page."""
    by_kind = groupby(sorted(all_packages, key=lambda each: each.is_weak_copyleft), key=lambda each: each.is_weak_copyleft)
    tables = {
        weak: "\n".join(["| package | version | licence | home |", "|---|---|---|---|", *map(_row, group)])
        for weak, group in by_kind
    }
    return f"{HEAD}\n## Permissive\n\n{tables[False]}\n\n## Weak copyleft\n\n{WEAK}\n{tables[True]}\n"


def _row(one: Package) -> str:
    home = f"<{one.home.replace('http://', 'https://')}>" if one.home else ""  # who still says http answers by https
    return f"| {one.name} | {one.version} | {one.licence} | {home} |"


def main(*, check: bool) -> int:
    """Write the page, or say whether it is stale; 1 where it is, or where a licence is not accepted."""
    found = packages()
    refused = [each for each in found if not each.is_accepted]
    for each in refused:
        click.echo(f"{each.name} {each.version}: {each.licence!r} is not among the licences that we accept", err=True)
    text = page(found)
    stale = not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text
    if not check and not refused:
        PAGE.write_text(text, encoding="utf-8")
    elif stale:
        click.echo("LICENSES.md is stale: run python scripts/write_licences.py", err=True)
    return int(bool(refused) or (check and stale))


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
