"""The docs say what the code does: reference pages are fresh, links lead somewhere, every column and command is explained."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from cli import main
from serving.scoring import SCORE_TYPES

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_reference_pages_are_what_the_code_says() -> None:
    reference = runpy.run_path(str(ROOT / "scripts" / "write_reference.py"))
    assert reference["main"](check=True) == 0, "run python scripts/write_reference.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("column", SCORE_TYPES)
def test_every_score_column_is_explained(column: str) -> None:
    assert f"`{column}`" in (ROOT / "docs" / "scores.md").read_text()


@pytest.mark.parametrize("command", main.commands)
def test_the_readme_or_the_changelog_names_every_command(command: str) -> None:
    told = (ROOT / "README.md").read_text() + (ROOT / "CHANGELOG.md").read_text()
    assert re.search(rf"\b{command}\b", told)


def test_every_make_target_says_what_it_is_for() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split())  # type: ignore[index]
    assert targets == set(re.findall(r"^([a-z-]+):.*##", makefile, re.MULTILINE))


def test_lock_files_name_no_host() -> None:
    for lock in ROOT.glob("requirements*.lock"):
        assert "://" not in lock.read_text()
        assert "--hash=sha256:" in lock.read_text()
