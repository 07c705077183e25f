"""What CONTRIBUTING promises of the whole code: short functions and files, reasons for exceptions, fresh lists and pictures."""

from __future__ import annotations

import ast
import re
import runpy
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from tests.test_architecture import MAY_IMPORT, MODULES, imports, lies_in

ROOT = Path(__file__).parents[1]
LONGEST_FUNCTION, LONGEST_FILE = 40, 300
CODE = ("keepwell", "features", "training", "decisions", "serving", "datasets", "commands", "benchmarks", "scripts")
Function = ast.FunctionDef | ast.AsyncFunctionDef


def code_files() -> list[Path]:
    return [ROOT / "cli.py", *(path for folder in CODE for path in sorted((ROOT / folder).rglob("*.py")))]


def lines_of(function: Function) -> int:
    """The lines of a function from `def` to its end, without its docstring."""
    first = function.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if documented else 0
    return (function.end_lineno or function.lineno) - function.lineno + 1 - docstring


def long_functions(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, Function) and lines_of(node) > LONGEST_FUNCTION:
            yield f"{node.name} ({lines_of(node)} lines)"


def test_no_function_is_longer_than_a_screen() -> None:
    found = {str(path.relative_to(ROOT)): list(long_functions(path.read_text(encoding="utf-8"))) for path in code_files()}
    assert {path: functions for path, functions in found.items() if functions} == {}


def test_a_function_that_is_too_long_is_seen_and_its_docstring_is_not_counted() -> None:
    body = "\n".join(f"    a = {n}" for n in range(39))
    docstring = '    """One.\n\n    Two.\n    """\n'
    assert list(long_functions(f"def f():\n{docstring}{body}\n")) == []
    assert list(long_functions(f"def f():\n{docstring}{body}\n    return a\n")) == ["f (41 lines)"]


def test_no_file_holds_more_than_one_can_keep_in_mind() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in code_files()}
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_FILE} == {}


NOQA = re.compile(r"# noqa\b(?:: (?P<codes>[A-Z]+\d+(?:, ?[A-Z]+\d+)*))?(?P<reason>\s+# \S.*)?")


def without_reason(text: str) -> list[str]:
    """The exceptions of a file without a reason beside them, or beside an earlier one of the same rule in this file."""
    explained: set[str] = set()
    bare = []
    for number, line in enumerate(text.splitlines(), 1):
        for found in NOQA.finditer(line):
            codes = set((found["codes"] or "all rules").replace(" ", "").split(","))
            if found["reason"]:
                explained |= codes
            elif not codes <= explained:
                bare.append(f"{number}: {line.strip()}")
    return bare


def test_every_exception_from_a_rule_has_its_reason() -> None:
    files = [*code_files(), *sorted((ROOT / "tests").rglob("*.py"))]
    found = {
        str(path.relative_to(ROOT)): without_reason(path.read_text(encoding="utf-8"))
        for path in files
        if path.name != "test_house.py"
    }
    assert {path: bare for path, bare in found.items() if bare} == {}


def test_an_exception_without_a_reason_is_seen() -> None:
    assert without_reason("import a  # noqa: F401  # for its fixtures\nimport b  # noqa: F401\n") == []
    assert without_reason("import a  # noqa: F401\n") == ["1: import a  # noqa: F401"]
    assert without_reason("import a  # noqa: F401, E402\n") == ["1: import a  # noqa: F401, E402"]
    assert without_reason("import a  # noqa\n") == ["1: import a  # noqa"]


def entries(text: str, begin: str, end: str) -> list[str]:
    """The lines of a list or table in pyproject.toml."""
    _, _, after = text.partition(begin)
    return [line for line in after.partition(end)[0].splitlines() if line.strip()]


def test_every_exception_in_pyproject_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lists = {
        "rules ignored": entries(text, "\nignore = [\n", "\n]"),
        "rules ignored in folders": entries(text, "[tool.ruff.lint.per-file-ignores]\n", "\n["),
        "warnings": [line for line in entries(text, "filterwarnings = [\n", "\n]") if "ignore" in line],
    }
    for name, lines in lists.items():
        assert lines, name
        assert [line for line in lines if "  # " not in line] == [], name


def test_no_note_to_self_is_left_behind() -> None:
    word = re.compile(r"\b(TODO|FIXME|XXX)\b")
    assert [str(path) for path in code_files() if word.search(path.read_text(encoding="utf-8"))] == []


def script(name: str) -> dict[str, object]:
    return runpy.run_path(str(ROOT / "scripts" / f"{name}.py"))


def drawn() -> set[tuple[str, str]]:
    """The arrows of the picture of the architecture."""
    tree = ElementTree.parse(ROOT / "docs" / "architecture.svg")
    return {(node.attrib["data-from"], node.attrib["data-to"]) for node in tree.iter() if "data-from" in node.attrib}


def imported() -> set[tuple[str, str]]:
    """The same from the imports, as the rules of the architecture read them."""

    def package(name: str) -> str:
        return "training.registry" if lies_in(name, ("training.registry",)) else name.split(".", maxsplit=1)[0]

    known = {*MAY_IMPORT, "cli"}
    found = set()
    for module, path in MODULES.items():
        named = set(imports(path))
        # `from a import b` names a and a.b: where a.b is a module, it is what was meant
        meant = {name for name in named if name in MODULES and not any(f"{name}." in other for other in named)}
        meant |= {name.rpartition(".")[0] for name in named if name not in MODULES and name.rpartition(".")[0] in MODULES}
        found |= {(package(module), package(name)) for name in meant if name.split(".")[0] in known}
    return {(importer, other) for importer, other in found if importer != other}


def test_the_picture_of_the_architecture_shows_the_imports_and_no_others() -> None:
    assert drawn() == imported()


def test_the_picture_is_what_its_script_draws() -> None:
    assert script("draw_architecture")["main"](check=True) == 0, "run python scripts/draw_architecture.py"  # type: ignore[operator]


def test_the_picture_is_shown_where_the_architecture_is_told() -> None:
    assert "](architecture.svg)" in (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_the_licences_are_those_of_the_lock_and_all_accepted() -> None:
    assert script("write_licences")["main"](check=True) == 0, "run python scripts/write_licences.py"  # type: ignore[operator]


def test_every_package_of_the_lock_has_its_licence() -> None:
    lock = re.findall(r"^([\w.-]+)(?:\[[^]]*\])?==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    page = (ROOT / "LICENSES.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| ([\w.-]+) \| (\S+) \| ([^|]+) \|", page, re.MULTILINE)
    assert sorted(lock) == sorted((name, version) for name, version, _ in listed if name != "package")
    assert [name for name, _, licence in listed if licence.strip() in {"", "unknown"}] == []


def test_a_licence_that_would_bind_users_is_refused() -> None:
    package = script("write_licences")["Package"]
    accepted = {
        licence: package("p", "1", licence, "").is_accepted for licence in ("GPL-3.0-only", "AGPL-3.0", "MIT AND GPL-2.0", "")
    }  # type: ignore[operator]
    assert accepted == dict.fromkeys(accepted, False)
    assert package("p", "1", "GPL-2.0-only OR MIT", "").is_accepted  # type: ignore[operator]


def test_make_alone_lists_every_target() -> None:
    told = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    assert {line.split()[0] for line in told.splitlines()} == set(phony[1].split())


def hooks() -> list[dict[str, object]]:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    return [hook for repo in config["repos"] for hook in repo["hooks"]]


def test_hooks_fetch_nothing_and_run_the_tools_of_the_lock() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert {repo["repo"] for repo in config["repos"]} == {"local"}
    assert all(hook["language"] == "pygrep" or str(hook["entry"]).startswith(".venv/bin/") for hook in hooks())


@pytest.mark.parametrize("hook", hooks(), ids=lambda hook: hook["id"])
def test_scripts_that_hooks_run_are_there(hook: dict[str, object]) -> None:
    for name in re.findall(r"\S+\.py\b", str(hook["entry"])) if hook["language"] == "system" else []:
        assert (ROOT / name).is_file()


def test_what_hooks_check_make_check_and_the_tests_check_too() -> None:
    checked = (ROOT / "Makefile").read_text() + Path(__file__).read_text() + (ROOT / "tests" / "test_docs.py").read_text()
    for script_name in ("ruff format", "ruff check", "mypy", "write_reference", "draw_architecture", "write_licences"):
        assert any(script_name in str(hook["entry"]) for hook in hooks())
        assert script_name in checked


def test_files_of_data_do_not_get_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refuse = script("refuse_large_files")["main"]
    small, large = tmp_path / "small.csv", tmp_path / "large.csv"
    small.write_bytes(b"1")
    large.write_bytes(bytes(400_001))
    assert refuse([str(small), str(tmp_path / "gone.csv")]) == 0  # type: ignore[operator]
    assert refuse([str(small), str(large)]) == 1  # type: ignore[operator]
    assert "large.csv is larger than 400 kB" in capsys.readouterr().err


def test_the_version_is_told_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert script_version() == project["version"]


def script_version() -> str:
    from keepwell import __version__

    return __version__
