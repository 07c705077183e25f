"""Every code block of the docs is what it says: run, or at least read by what would read it."""

from __future__ import annotations

import ast
import csv
import importlib
import importlib.util
import json
import re
import subprocess
import tomllib
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import Any

import click
import pytest
import yaml

from cli import main
from decisions.policy import Policy
from features.reading.config import CompanyConfig
from keepwell.settings import Settings, described_settings
from serving.plans.policy import read_policy
from tests.doc_blocks import ASSIGNED, PAGES, ROOT, Block, blocks_of, commands_of, path_of

BLOCKS = [block for page in PAGES for block in blocks_of(page)]

RUN_BY = {
    "CONTRIBUTING.md": "tests/test_contributing.py",
    "docs/serving.md": "tests/serving/test_docs_serving.py",
    "docs/start/app.md": "tests/serving/test_docs_serving.py",
    **dict.fromkeys(("docs/start/data-scientist.md", "docs/start/quickstart.zh.md"), "tests/test_howto.py"),
    **dict.fromkeys((f"docs/howto/{name}.md" for name in ("csv-export", "notebook", "moving")), "tests/test_howto.py"),
}
"""Pages whose blocks of Python are run, and by which test."""

NOT_RUN = {
    "docs/architecture.md": "shows a declaration that stands in features/company.py",
    "docs/spark.md": "wants a session of Spark and a lake; tests/features/test_spark_partition.py runs the same functions",
    "docs/howto/schedules.md": "wants Airflow, which is no dependency; its commands are parsed as all others",
}
"""Pages whose blocks of Python are compiled and their imports found, and why they are not run."""

NOT_INSTALLED = {"airflow", "pendulum"}
"""Packages that a reader has and we do not."""


def word_of(command: click.Command, words: list[str]) -> None:
    """Parse the words of a command of ours, down to the last option; values that a shell would fill in are not converted."""
    context = click.Context(main, info_name="keepwell", **main.context_settings)
    while isinstance(command, click.Group):
        if words and words[0] in ("--help", "--version"):
            return
        name, part, words = command.resolve_command(context, words)
        assert part is not None, name
        command, context = part, click.Context(part, info_name=name, parent=context)
    given = [word for word in words if "$" not in word and "..." not in word]
    if given == words:
        command.make_context(command.name, words, parent=context)
        return
    command.make_parser(context).parse_args(list(words))


def keepwell_command(words: list[str]) -> None:
    try:
        word_of(main, words[1:])
    except click.exceptions.Exit:
        pass  # --help
    except click.ClickException as error:
        pytest.fail(f"{' '.join(words)}: {error.format_message()}")


def make_command(words: list[str]) -> None:
    targets = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    asked = [word for before, word in pairwise(words) if not word.startswith("-") and before != "-C" and "=" not in word]
    assert set(asked) <= set(targets), words


def mlflow_command(words: list[str]) -> None:
    """Options that we tell of, entry points and parameters that the project has; tests/test_mlproject.py runs them."""
    told = {"--backend-store-uri", "--env-manager", "--experiment-name", "--port", "-e", "-P"}
    assert {word for word in words if word.startswith("-")} <= told
    if words[1] == "run":
        project = yaml.safe_load((ROOT / "mlproject.yaml").read_text())
        entry = words[words.index("-e") + 1] if "-e" in words else "main"
        given = {word.partition("=")[0] for before, word in pairwise(words) if before == "-P"}
        assert given <= set(project["entry_points"][entry]["parameters"]), words


def bentoml_command(words: list[str]) -> None:
    """Commands and options that we tell of; tests/serving/test_bundle.py runs a bundle."""
    told = {"build": set(), "serve": {"--host"}, "containerize": set()}
    assert {word for word in words if word.startswith("-")} <= told[words[1]]


def pip_command(words: list[str]) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for asked in re.findall(r"^keepwell\[([\w,]+)\]$", "\n".join(words), re.MULTILINE):
        assert set(asked.split(",")) <= set(extras), words


def python_command(words: list[str]) -> None:
    """A module of ours is there; a script is one that a page shows, or one of the repository."""
    if words[1] == "-m":
        assert importlib.util.find_spec(words[2]), words
        return
    shown = {block.text.partition("\n")[0].removeprefix("# ") for block in BLOCKS if block.language == "python"}
    assert words[1] in shown or (ROOT / words[1]).is_file(), words


def settings_of(words: list[str]) -> None:
    """Settings of ours that a line exports are there, and hold what they may."""
    given = dict(word.split("=", 1) for word in words if ASSIGNED.match(word))
    Settings.from_environment(given)


def nothing(_: list[str]) -> None:
    """Not ours: bash has read it."""


def curl_command(words: list[str]) -> None:
    """Its path is one of the service; tests/serving/test_docs_serving.py makes the calls."""
    from serving.endpoints.openapi import openapi

    assert path_of(words) in openapi()["paths"], words
    if "-d" in words and not (body := words[words.index("-d") + 1]).startswith("@"):
        json.loads(body)


PROGRAMS: dict[str, Callable[[list[str]], None]] = {
    "keepwell": keepwell_command,
    "make": make_command,
    "mlflow": mlflow_command,
    "bentoml": bentoml_command,
    "pip": pip_command,
    "python": python_command,
    "curl": curl_command,
    "export": settings_of,
    **dict.fromkeys(("source", ".", "cd", "cp", "mkdir", "set", "echo", "case", "esac", "exit", "done", "fi"), nothing),
    **dict.fromkeys(("git", "flock", "mail", "psql", "spark-submit", "venv-pack", "sqlite3", "date", "sh"), nothing),
    **dict.fromkeys(("docker", "kubectl", "openssl", "chmod", "chown"), nothing),  # tests/test_deploy.py reads what they deploy
    **dict.fromkeys(("kubectl", "openssl", "chmod", "chown"), nothing),
}
"""How a command of each program is checked, beside that bash can read it."""

CASE = re.compile(r"\*|\d+|\$\w*|\[|]")
"""What stands where a command could: patterns of a case, tests."""


def shell(script: str) -> None:
    """A script: bash can read it, every program is known, and its words are those that the program takes."""
    read = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
    assert read.returncode == 0, read.stderr
    for assigned in re.findall(r"^(?:export )?(KEEPWELL_\w+)=", script, re.MULTILINE):
        assert assigned in {name for name, *_ in described_settings()}, assigned
    for words in commands_of(script):
        if not CASE.fullmatch(words[0]):
            program = words[0].rpartition("/bin/")[2]
            assert program in PROGRAMS, f"{program}: a program that this test does not know"
            PROGRAMS[program](words)


def session(block: Block) -> None:
    """An indented block: commands and perhaps what they print below them, or what is printed alone."""
    for part in re.split(r"\n\n+", block.text.strip("\n")):
        if part.split()[0].rpartition("/bin/")[2] in PROGRAMS or ASSIGNED.match(part):
            shell(part + "\n")
        else:
            output(part)


def parsed(text: str) -> ast.Module:
    """A program, or lines to be put into one: statements of a function, or entries of a tuple or a mapping."""
    for whole in (text, dedent(text), f"({text})", f"{{{text}}}"):
        with suppress(SyntaxError):
            return ast.parse(whole)
    return ast.parse(text)


def python(block: Block) -> None:
    """It compiles, and what it imports is there."""
    tree = parsed(block.text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found = [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found = [(str(node.module), alias.name) for alias in node.names]
        else:
            continue
        for module, name in found:
            if module.partition(".")[0] not in NOT_INSTALLED:
                assert not name or hasattr(importlib.import_module(module), name), f"{module} has no {name}"


def yaml_file(block: Block) -> None:
    """A company.yaml, a policy or a part of one, a workflow, or a file of containers."""
    for content in yaml.safe_load_all(block.text):
        assert isinstance(content, dict), "no keys"
        keys = set(content)
        if keys <= set(CompanyConfig.model_fields):
            CompanyConfig.model_validate(content)
        elif keys <= set(Policy.model_fields):
            Policy.from_mapping(with_changes(read_policy().model_dump(mode="json"), content))
        else:
            assert any(keys >= {*wanted} for wanted in KNOWN_FILES), f"what file is this? {sorted(map(str, keys))}"


KNOWN_FILES = (("name", True, "jobs"), ("services",), ("apiVersion", "kind"))
"""The keys of workflows (whose `on` YAML reads as true), compose files and manifests, which other tests hold to their schemas."""


def with_changes(default: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The default policy with the keys of a part of one in their places."""
    deeper = {key: with_changes(default[key], new) for key, new in changes.items() if isinstance(default.get(key), dict)}
    return default | changes | deeper


def crontab(block: Block) -> None:
    """Comments, settings, and lines of five fields and a command; a % is written with a backslash."""
    part = r"(\*|\d+(-\d+)?(,\d+(-\d+)?)*)(/\d+)?"
    for line in re.sub(r"\\\n", " ", block.text).splitlines():
        if not line or line.startswith("#") or ASSIGNED.match(line):
            continue
        fields = re.fullmatch(rf"({part} +){{5}}(?P<command>\S.*)", line)
        assert fields, line
        assert not re.search(r"(?<!\\)%", fields["command"]), line
        shell(fields["command"].replace("\\%", "%") + "\n")


def blocks_in_braces(block: Block) -> None:
    """Directives, each ended, in braces that close."""
    depth = 0
    for line in filter(None, (line.split("#")[0].strip() for line in block.text.splitlines())):
        assert block.language != "nginx" or line[-1] in "{};", line
        depth += line.count("{") - line.count("}")
        assert depth >= 0, line
    assert depth == 0


def rows(block: Block) -> None:
    """As many cells in every row."""
    assert len({len(row) for row in csv.reader(block.text.splitlines())}) == 1


def sql(block: Block) -> None:
    """Statements, each ended."""
    for statement in block.text.strip().split("\n"):
        assert re.fullmatch(r"(--.*|(CREATE|GRANT|SELECT|ALTER|INSERT|UPDATE|DELETE|WITH) .*;)?", statement), statement


def output(text: str) -> None:
    """What is shown and not typed: neither a command nor a file that could be checked as what it is."""
    begun = re.match(r"\s*(curl|make|mlflow|keepwell) ([\w-]+)", text)
    assert begun is None or (begun[1] == "keepwell" and begun[2] not in main.commands), "a command: its language is sh"
    assert not re.match(r"\s*[{[]\s*\"", text), "JSON: its language is json"
    keys = set(re.findall(r"^(\w+):", text, re.MULTILINE))
    assert not keys or not keys <= {*CompanyConfig.model_fields, *Policy.model_fields}, "a file: its language is yaml"


CHECKS: dict[str, Callable[[Block], object]] = {
    "": session,
    "sh": lambda block: shell(block.text),
    "python": python,
    "yaml": yaml_file,
    "json": lambda block: json.loads(block.text),
    "toml": lambda block: tomllib.loads(block.text),
    "sql": sql,
    "csv": rows,
    "crontab": crontab,
    "nginx": blocks_in_braces,
    "caddyfile": blocks_in_braces,
    "text": lambda block: output(block.text),
}
"""How each kind of block is checked; a kind that is not here fails."""


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_is_what_it_says(block: Block) -> None:
    assert block.language in CHECKS, f"{block}: no check for {block.language!r}"
    CHECKS[block.language](block)


def test_every_block_of_python_is_run_or_has_a_reason_why_not() -> None:
    pages = {block.page for block in BLOCKS if block.language == "python"}
    assert pages == RUN_BY.keys() | NOT_RUN.keys()
    assert not RUN_BY.keys() & NOT_RUN.keys()
    assert [test for page, test in RUN_BY.items() if page.rpartition("/")[2] not in (ROOT / test).read_text()] == []


def test_the_blocks_that_are_found_are_all_that_a_reader_sees(tmp_path: Path) -> None:
    """The site's own Markdown finds as many on every page."""
    import markdown

    extensions = ["attr_list", "md_in_html", "tables", "pymdownx.superfences", "pymdownx.details", "pymdownx.tabbed"]
    for page in PAGES:
        seen = markdown.markdown(page.read_text(), extensions=extensions).count("<pre")
        assert seen == len(blocks_of(page)), page
