"""The rules of the house, read from the code: who imports whom, and where each outside library lives."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("keepwell", "features", "training", "decisions", "serving", "datasets", "commands")

MAY_IMPORT = {
    "keepwell": set(),
    "features": {"keepwell"},
    "training": {"keepwell", "features"},
    "decisions": {"keepwell.errors"},
    "datasets": {"keepwell", "features"},
    "serving": {"keepwell", "features", "training.registry", "decisions"},
    "commands": {"keepwell", "features", "training", "decisions", "datasets", "serving"},
}

HOME_OF = {
    "mlflow": ("training.registry",),
    "optuna": ("training.tuning.search", "training.flat.tune"),
    "lightgbm": ("training.members.trees",),
    "bentoml": ("serving.service",),
    "_bentoml_sdk": ("serving.service",),
    "_bentoml_impl": ("serving.service",),
    "sqlalchemy": ("serving.store", "features.reading.databases", "features.reading.copying"),
    "alembic": ("serving.store",),
    "pyspark": (
        "features.spark",
        "features.spark_words",
        "serving.spark.scoring",
        "serving.spark.frames",
        "commands.scoring_on_spark",
    ),
    "jinja2": ("serving.console",),
    "xlsxwriter": ("serving.console.export",),
    "click": ("cli", "commands"),
    "prometheus_client": ("serving.front.metrics",),
    "uvicorn": ("serving.front.connections",),
}

READS_CLOCK = ("serving.service", "commands.terminal")


def modules() -> Iterator[tuple[str, Path]]:
    yield "cli", ROOT / "cli.py"
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield name.removesuffix(".__init__"), path


MODULES = dict(modules())


def imports(path: Path) -> Iterator[str]:
    """Every module that the file names in an import, at any depth; `from a import b` gives `a` and `a.b`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide who imports whom"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def lies_in(name: str, places: object) -> bool:
    return any(name == place or name.startswith(f"{place}.") for place in places)  # type: ignore[attr-defined]


@pytest.mark.parametrize("module", [m for m in MODULES if m != "cli"])
def test_a_package_imports_only_what_lies_below_it(module: str) -> None:
    package = module.split(".", maxsplit=1)[0]
    allowed = MAY_IMPORT[package] | {package}
    ours = {name for name in imports(MODULES[module]) if name.split(".")[0] in PACKAGES or name == "cli"}
    packages_named_by_from = {place.split(".")[0] for place in allowed if "." in place}
    wrong = {name for name in ours if not lies_in(name, allowed) and name not in packages_named_by_from}
    assert not wrong, f"{module} must not import {sorted(wrong)}"


@pytest.mark.parametrize("library", HOME_OF)
def test_an_outside_library_has_one_home(library: str) -> None:
    strangers = {
        module
        for module, path in MODULES.items()
        if any(lies_in(name, (library,)) for name in imports(path)) and not lies_in(module, HOME_OF[library])
    }
    assert not strangers, f"{library} belongs to {HOME_OF[library]}, not to {sorted(strangers)}"


def test_features_cannot_see_labels() -> None:
    for module, path in MODULES.items():
        if module.startswith("features"):
            assert not any("label" in part for name in imports(path) for part in name.split(".")), module


@pytest.mark.parametrize("module", MODULES)
def test_only_the_edges_read_the_clock(module: str) -> None:
    clocks = {"now", "today", "utcnow", "time_ns"}
    calls = {
        f"{whose}.{node.func.attr}"
        for node in ast.walk(ast.parse(MODULES[module].read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in clocks
        # a clock that was handed in may be asked: whoever hands it in reads the real one
        if (whose := ast.unparse(node.func.value).rpartition(".")[2]) in {"datetime", "date", "time"}
    }
    assert lies_in(module, READS_CLOCK) or not calls, f"{module} reads the clock: {sorted(calls)}"


@pytest.mark.parametrize("module", MODULES)
def test_no_module_loads_pickles_or_evaluates_text(module: str) -> None:
    names = set(imports(MODULES[module]))
    assert not names & {"pickle", "cloudpickle", "dill", "joblib", "marshal"}
    calls = {
        node.func.id
        for node in ast.walk(ast.parse(MODULES[module].read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not calls & {"eval", "exec"}


def test_mlproject_is_the_file_that_mlflow_reads() -> None:
    link = ROOT / "MLproject"
    assert link.is_symlink()
    assert link.resolve() == ROOT / "mlproject.yaml"
