"""The docs say what the code does: reference pages are fresh, links lead somewhere, every column and command is explained."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cli import main
from decisions.policy import Policy
from features.reading.config import CompanyConfig
from serving.batch.scoring import SCORE_TYPES
from serving.endpoints.openapi import openapi

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_reference_pages_are_what_the_code_says() -> None:
    """In a process of its own: Click keeps what a command was first asked with."""
    command = [sys.executable, str(ROOT / "scripts" / "write_reference.py"), "--check"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def not_described(schema: Mapping[str, Any]) -> list[str]:
    """The fields of a model and of those within that say nothing of what they mean."""
    models = {"": schema, **schema.get("$defs", {})}
    named = [(model, field, told) for model, part in models.items() for field, told in part.get("properties", {}).items()]
    return [f"{model}.{field}" for model, field, told in named if not told.get("description")]


def test_every_key_of_the_policy_and_of_company_yaml_and_field_of_the_api_says_what_it_means() -> None:
    assert not_described(Policy.model_json_schema()) == []
    assert not_described(CompanyConfig.model_json_schema()) == []
    assert not_described({"$defs": openapi()["components"]["schemas"]}) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
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
