"""Writes the reference pages under docs/ from the code, so that they cannot disagree with it.

python scripts/write_reference.py            write the pages
python scripts/write_reference.py --check    exit 1 and name the pages that are stale
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from reference_schemas import company_page, http_page, policy_page
from reference_tables import table

if TYPE_CHECKING:
    from features.definitions import Entry

DOCS = Path(__file__).parents[1] / "docs"
MADE = "<!-- Made by scripts/write_reference.py from the code; change it there. -->\n\n"


def commands_page() -> str:
    """Every command with its help, as the terminal shows it."""
    from cli import main  # noqa: PLC0415  # each page imports what it describes

    parts = ["# Commands\n\nEvery command explains itself with `--help`; the same text stands here.\n"]
    for usage, command in _commands("keepwell", main):
        context = click.Context(command, info_name=usage, terminal_width=110, **main.context_settings)
        parts.append(f"## {usage}\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


def _commands(usage: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    """A command with how it is called, and all below it."""
    yield usage, command
    if isinstance(command, click.Group):
        for name, part in sorted(command.commands.items()):
            yield from _commands(f"{usage} {name}", part)


def settings_page() -> str:
    """Every setting with its default and meaning."""
    from keepwell.settings import described_settings  # noqa: PLC0415

    rows = ((f"`{name}`", f"`{default}`" if default else "", meaning) for name, default, meaning in described_settings())
    head = "# Settings\n\nRead once, from the environment; an unknown `KEEPWELL_` name is refused.\n\n"
    return head + table(("variable", "default", "meaning"), rows)


def features_page() -> str:
    """The feature catalog, one table a builder."""
    from features.catalog import CATALOG, find  # noqa: PLC0415

    parts = ["# Features\n\nEach is computed for one customer at one date, from what was known strictly before it.\n"]
    for builder in dict.fromkeys(entry.builder for entry in CATALOG.values()):
        rows = [entry for entry in CATALOG.values() if entry.builder == builder]
        parts.append(f"## {builder}\n\n{table(FEATURE_HEAD, map(_feature_row, rows))}")
    examples = (_feature_row(find(name).entry) for name in ATTRIBUTE_EXAMPLES)
    parts.append(f"## attributes\n\n{ABOUT_ATTRIBUTES}\n{table(FEATURE_HEAD, examples)}")
    return "\n".join(parts)


ATTRIBUTE_EXAMPLES = ("attr_household_size", "attr_signed_on_days_ago", "attr_plan_is_gold")
ABOUT_ATTRIBUTES = """\
The columns of `customers` that are yours alone: numbers and flags as they are, dates as the days since, and for each common
value of a text one column. `keepwell features DATA --catalog` lists those of DATA; docs/data.md says which of them enter
training. For example:
"""

FEATURE_HEAD = ("column", "title", "中文", "meaning", "unit", "range", "missing means", "table", "actionable")


def _feature_row(entry: Entry) -> tuple[str, ...]:
    texts = (
        f"`{entry.name}`",
        entry.title,
        entry.title_zh,
        entry.meaning,
        entry.unit,
        entry.range,
        entry.missing or "never missing",
        entry.table,
    )
    return (*texts, "yes" if entry.actionable else "no")


def scores_page() -> str:
    """The page about scores as it stands, with the table of all columns made anew between its two marks."""
    from serving.batch.score_columns import FURTHER, SCORE_COLUMNS  # noqa: PLC0415

    place = [column.name for column in SCORE_COLUMNS].index("churn_probability") + 1
    columns = (*SCORE_COLUMNS[:place], FURTHER, *SCORE_COLUMNS[place:])
    rows = ((f"`{c.name}`", c.type, c.unit, c.range, c.meaning, c.missing or "never") for c in columns)
    made = table(("column", "type", "unit", "range", "meaning", "missing"), rows)
    before, _, rest = (DOCS / "scores.md").read_text().partition(COLUMNS)
    return f"{before}{COLUMNS}\n{made}{COLUMNS_END}{rest.partition(COLUMNS_END)[2]}"


COLUMNS, COLUMNS_END = "<!-- columns: made by scripts/write_reference.py -->", "<!-- end of columns -->"

PAGES: dict[str, Callable[[], str]] = {
    "commands.md": lambda: MADE + commands_page(),
    "company-yaml.md": lambda: MADE + company_page(),
    "features.md": lambda: MADE + features_page(),
    "http-api.md": lambda: MADE + http_page(),
    "policy.md": lambda: MADE + policy_page(),
    "scores.md": scores_page,
    "settings.md": lambda: MADE + settings_page(),
}


def main(*, check: bool) -> int:
    """Write or check every page; return the exit code."""
    stale = 0
    for name, page in PAGES.items():
        place, made = DOCS / name, page()
        written = place.read_text() if place.exists() else ""
        if written == made:
            continue
        if check:
            stale = 1
            click.echo(f"docs/{name} is stale: run python scripts/write_reference.py")
            click.echo("\n".join(difflib.unified_diff(written.splitlines(), made.splitlines(), n=0, lineterm="")))
        else:
            place.write_text(made)
    return stale


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
