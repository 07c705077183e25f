from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import cli

ROOT = Path(__file__).parents[1]
PROJECT = yaml.safe_load((ROOT / "MLproject").read_text())
EXAMPLES = {"data": ".", "scores": ".", "as_of": "2026-01-01"}


def commands(entry_point: str) -> list[list[str]]:
    """The arguments of every `cli.py` call of an entry point, with its defaults and examples filled in."""
    spec = PROJECT["entry_points"][entry_point]
    defaults = {name: spec["default"] for name, spec in spec["parameters"].items() if "default" in spec}
    calls = spec["command"].format(**(EXAMPLES | defaults)).split("&&")
    return [shlex.split(call.split("cli.py", maxsplit=1)[1]) for call in calls]


def test_the_link_that_mlflow_reads_is_the_project() -> None:
    assert (ROOT / "MLproject").readlink() == Path("mlproject.yaml")
    assert (ROOT / PROJECT["python_env"]).is_file()


@pytest.mark.parametrize("entry_point", PROJECT["entry_points"])
def test_every_step_is_a_command_with_these_options(entry_point: str) -> None:
    for name, *arguments in commands(entry_point):
        context = cli.main.commands[name].make_context(name, list(arguments))  # raises click.UsageError on an unknown option
        assert not context.args, f"{entry_point}: {name} leaves {context.args} unread"


@pytest.mark.parametrize("entry_point", PROJECT["entry_points"])
def test_every_parameter_is_used_and_every_used_one_is_declared(entry_point: str) -> None:
    spec = PROJECT["entry_points"][entry_point]
    assert set(re.findall(r"{(\w+)}", spec["command"])) == set(spec["parameters"])


def test_the_default_run_trains_and_scores() -> None:
    assert [call[0] for call in commands("main")] == ["train", "score"]


def test_mlflow_runs_a_step(tmp_path: Path) -> None:
    company = tmp_path / "shop"
    company.mkdir()
    days = [f"a{day % 7},2024-{1 + day // 28:02d}-{1 + day % 28:02d},{10 + day}.5" for day in range(300)]
    (company / "transactions.csv").write_text("\n".join(["customer_id,ordered_at,amount", *days]))
    step = ["run", ".", "--env-manager", "local", "-e", "check", "-P", f"data={company}"]
    done = subprocess.run(
        [sys.executable, "-m", "mlflow", *step],
        cwd=ROOT,
        env=os.environ
        | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path / 'mlflow.db'}",
            "MLFLOW_DISABLE_TELEMETRY": "true",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "7 customers" in done.stdout + done.stderr or "customers" in done.stdout + done.stderr
