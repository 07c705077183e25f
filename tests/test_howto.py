"""The quickstarts and how-tos are followed literally: their files are written, their commands run, in an empty folder."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from cli import main
from tests.howto_data import (
    chinese_export,
    invoices_and_traders,
    monthly_sheet,
    postgres_shop,
    purchases,
    sales_with_clear_names,
    telco_table,
)

ROOT = Path(__file__).parents[1]
HOWTO, START = ROOT / "docs" / "howto", ROOT / "docs" / "start"
CRON_FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))

NOT_RUN = {
    "curl": "asks a running service: tests/test_docs.py does",
    "export": "names hosts of the reader's",
    "git": "fetches from outside",
    "make": "installs, or runs for minutes",
    "mlflow": "serves until interrupted, or runs tests/test_mlproject.py's project",
    "source": "changes the reader's shell",
}
SERVES = ("serve",)
"""Commands of ours that run until they are interrupted."""

SCRIPTS = {
    (START / "data-scientist.md", "look.py"): "silent for days, from",
    (START / "quickstart.zh.md", "look.py"): "流失概率",
    (HOWTO / "notebook.md", "explore.py"): "version 1, grade (A|B|C|D|none), ",
    (HOWTO / "notebook.md", "own_model.py"): r"AUC 0\.\d{3} of \d+ customers as of 2025-10-03",
}
"""Scripts of a reader who has a champion, and what each shows."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page. A first line that is a comment with a path names the file that it is."""

    language: str
    text: str

    @property
    def file(self) -> str | None:
        named = re.match(r"# (\S+\.(?:py|ya?ml|sh))\n", self.text)
        return named[1] if named else None

    @property
    def commands(self) -> Iterator[list[str]]:
        """The words of each command of a shell block; quotes and a backslash may lead over lines."""
        begun = ""
        for line in self.text.splitlines(keepends=True):
            begun += line
            try:
                words = shlex.split(begun.replace("\\\n", " "), comments=True)
            except ValueError:  # a quote is open
                continue
            if not begun.endswith("\\\n"):
                begun = ""
                if words:
                    yield words


def blocks(page: Path) -> list[Block]:
    return [Block(*found) for found in re.findall(r"^```(\w+)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)]


def written(page: Path, file: str) -> str:
    """The text of the block that is `file`."""
    return next(block.text for block in blocks(page) if block.file == file)


def follow(page: Path, folder: Path, *, refused: int = 0) -> None:
    """Do in `folder` what `page` says, in its order; the first `refused` commands of ours must be refused, all others done."""
    for block in blocks(page):
        if block.file:
            (folder / block.file).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.file).write_text(block.text)
        elif block.language == "sh":
            for words in block.commands:
                if words[0] == "keepwell":
                    keepwell(folder, *words[1:], refused=refused > 0)
                    refused -= 1
                elif words[0] not in NOT_RUN:
                    shell(folder, *words)


def keepwell(folder: Path, *words: str, refused: bool = False) -> str:
    """Run a command in `folder`; a training without its study, which takes minutes."""
    if words[0] in SERVES:
        return ""
    quick = ("--trials", "0") if words[0] in ("train", "retrain") else ()
    with chdir(folder):
        done = CliRunner().invoke(main, [*words, *quick], env={"KEEPWELL_HOME": None})
    assert (done.exit_code != 0) == refused, f"keepwell {shlex.join(words)}\n{done.output}"
    return done.output


def shell(folder: Path, *words: str) -> str:
    """Run mkdir, cp or a script of the page's."""
    ours = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    run = [sys.executable, "-W", "error::DeprecationWarning:__main__", *words[1:]] if words[0] == "python" else words
    done = subprocess.run(run, cwd=folder, env=os.environ | ours, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def pages_with_commands() -> Iterator[tuple[Path, list[str]]]:
    for page in (*HOWTO.glob("*.md"), *START.glob("*.md")):
        for block in blocks(page):
            if block.language == "sh" and not block.file:
                yield from ((page, words) for words in block.commands)


def parsed(*words: str) -> None:
    """Raise click.UsageError where the words of a command of ours are not as it takes them."""
    context = main.commands[words[0]].make_context(words[0], list(words[1:]))
    assert not context.args, f"{context.args} is not read"


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the export that the page on CSV makes to practise on, of few customers."""
    folder = tmp_path_factory.mktemp("practice")
    script = written(HOWTO / "csv-export.md", "make_export.py")
    assert '"25400"' in script
    (folder / "make_export.py").write_text(script.replace('"25400"', '"300"'))
    shell(folder, "python", "make_export.py")
    return folder


@pytest.fixture(scope="module")
def trained(practice: Path) -> Path:
    """The folder of a reader who has followed the page on CSV exports to its end."""
    follow_without_the_export(practice)
    return practice


def follow_without_the_export(folder: Path) -> None:
    page = folder / "page.md"
    text = (HOWTO / "csv-export.md").read_text()
    page.write_text(text[: text.index("## A file without amounts")])
    follow(page, folder, refused=1)


def test_every_command_is_run_or_has_a_reason_not_to_be() -> None:
    run = {"keepwell", "python", "mkdir", "cp"}
    assert {words[0] for _, words in pages_with_commands()} <= run | set(NOT_RUN)


def test_a_folder_that_holds_an_export_under_its_own_name_is_told_how_to_go_on(practice: Path, tmp_path: Path) -> None:
    (tmp_path / "my-shop").mkdir()
    shell(tmp_path, "cp", str(practice / "sales.csv"), "my-shop")
    told = keepwell(tmp_path, "check", "my-shop", "--horizon", "90d", refused=True)
    assert "file: sales.csv" in told


def test_an_export_is_read_as_the_page_says(practice: Path, tmp_path: Path) -> None:
    (tmp_path / "my-shop").mkdir()
    shell(tmp_path, "cp", str(practice / "sales.csv"), "my-shop")
    (tmp_path / "my-shop" / "company.yaml").write_text(written(HOWTO / "csv-export.md", "my-shop/company.yaml"))
    told = keepwell(tmp_path, "check", "my-shop", "--horizon", "90d")
    assert "Yes, for a horizon of 90d." in told
    assert "refunds in" in told
    assert " 0 refunds" not in told


def test_a_file_without_amounts_gets_them_and_keeps_its_ids(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("Customer,Quantity,Price\n00042,3,1.15\n00042,-1,1.15\n")
    (tmp_path / "add_amounts.py").write_text(written(HOWTO / "csv-export.md", "add_amounts.py"))
    shell(tmp_path, "python", "add_amounts.py")
    assert (tmp_path / "sales.csv").read_text().splitlines()[1:] == ["00042,3,1.15,3.45", "00042,-1,1.15,-1.15"]


def test_a_table_of_facts_and_answer_is_read_as_two(tmp_path: Path) -> None:
    telco_table(tmp_path)
    (tmp_path / "my-telco" / "company.yaml").write_text(written(HOWTO / "telco-table.md", "my-telco/company.yaml"))
    told = keepwell(tmp_path, "check", "my-telco")
    assert "600 of 600 customers have one" in told
    assert "nothing looks like one" in told


def test_the_answer_among_the_facts_is_a_leak_that_is_told(tmp_path: Path) -> None:
    telco_table(tmp_path)
    without = written(HOWTO / "telco-table.md", "my-telco/company.yaml").replace("leave_out: [Churn]\n", "")
    (tmp_path / "my-telco" / "company.yaml").write_text(without)
    assert "customers.Churn: alone tells who left" in keepwell(tmp_path, "check", "my-telco")


def test_invoices_are_read_as_purchases_and_as_payments(tmp_path: Path) -> None:
    invoices_and_traders(tmp_path)
    (tmp_path / "my-wholesale" / "company.yaml").write_text(written(HOWTO / "trader.md", "my-wholesale/company.yaml"))
    told = keepwell(tmp_path, "check", "my-wholesale", "--horizon", "90d")
    rows = dict(re.findall(r"^  (transactions|payments) +([\d,]+) rows", told, re.MULTILINE))
    assert rows["transactions"] == rows["payments"]


def test_tables_are_read_out_of_postgresql(postgres_url: str, tmp_path: Path) -> None:
    postgres_shop(postgres_url, tmp_path)
    page = written(HOWTO / "postgresql.md", "my-shop/company.yaml")
    url = "postgresql+psycopg://keepwell@db.example.com/shop"
    assert page.count(url) == 2
    (tmp_path / "my-shop").mkdir()
    (tmp_path / "my-shop" / "company.yaml").write_text(page.replace(url, postgres_url))
    told = keepwell(tmp_path, "check", "my-shop", "--horizon", "90d")
    assert "complaints" in told.split("not given")[0]
    assert "read from 'placed_at'" in told


def test_the_statements_for_a_reader_of_the_database_are_understood(postgres_url: str, tmp_path: Path) -> None:
    from sqlalchemy import create_engine, text

    postgres_shop(postgres_url, tmp_path)
    engine = create_engine(postgres_url)
    (statements,) = (block.text for block in blocks(HOWTO / "postgresql.md") if block.language == "sql")
    own = statements.replace("DATABASE shop", f'DATABASE "{engine.url.database}"').replace(
        "keepwell", f"reader_of_{engine.url.database}"
    )
    with engine.connect() as database:
        transaction = database.begin()
        for statement in own.split(";"):
            if statement.strip():
                database.execute(text(statement))
        transaction.rollback()
    engine.dispose()


def test_the_page_on_moving_is_followed(tmp_path: Path) -> None:
    purchases(tmp_path / "purchases.csv")
    monthly_sheet(tmp_path / "sheet.csv")
    (tmp_path / "my-shop").mkdir()
    text = (HOWTO / "moving.md").read_text()
    before_training, after_training = text.split("**Is it worth it?**")
    page = tmp_path / "page.md"
    page.write_text(
        before_training + after_training[after_training.index("## From a spreadsheet") : after_training.index("### Your rules")]
    )
    follow(page, tmp_path)
    header, *rows = (tmp_path / "my-sheet" / "transactions.csv").read_text().splitlines()
    assert header == "customer_id,ordered_at,amount"
    assert rows[0] == "001,2024-01-31,1.5"
    assert len(rows) == 60 * 24 * 2 / 3


def test_frequency_recency_and_t_are_those_of_the_other_libraries(tmp_path: Path) -> None:
    purchases(tmp_path / "transactions.csv")
    (tmp_path / "my-shop").mkdir()
    (tmp_path / "transactions.csv").rename(tmp_path / "my-shop" / "transactions.csv")
    (tmp_path / "summary.py").write_text(written(HOWTO / "moving.md", "summary.py"))
    shell(tmp_path, "python", "summary.py")
    header, *rows = (tmp_path / "summary.csv").read_text().splitlines()
    assert header == "customer_id,frequency,recency,T,monetary_value"
    # a buys on 1 March, 11 March (twice) and 20 December 2025; the last day of observation is 31 December
    assert rows[0] == "a,2.0,294.0,305.0,20.0"
    assert rows[1] == "b,0.0,0.0,30.0,5.0"


@pytest.mark.slow
def test_an_export_becomes_a_promoted_model_and_scores(trained: Path) -> None:
    assert (trained / "scores.parquet").exists()
    assert "Grade" in (trained / "card.html").read_text() or "grade" in (trained / "card.html").read_text()


@pytest.mark.slow
def test_the_notebooks_of_the_pages_run_on_that_model(trained: Path) -> None:
    for (page, name), shows in SCRIPTS.items():
        (trained / name).write_text(written(page, name))
        assert re.search(shows, shell(trained, "python", name)), name


@pytest.mark.slow
def test_the_page_on_a_telco_table_is_followed(tmp_path: Path) -> None:
    telco_table(tmp_path)
    follow(HOWTO / "telco-table.md", tmp_path)
    assert (tmp_path / "scores.parquet").exists()


@pytest.mark.slow
def test_the_page_on_traders_is_followed(tmp_path: Path) -> None:
    invoices_and_traders(tmp_path)
    follow(HOWTO / "trader.md", tmp_path)
    assert (tmp_path / "plan.csv").exists()
    assert (tmp_path / "accounts.csv").read_text().startswith("account_id,")


def test_the_quickstart_reads_a_file_with_its_names(tmp_path: Path) -> None:
    sales_with_clear_names(tmp_path / "my-shop" / "sales.csv")
    (tmp_path / "my-shop" / "company.yaml").write_text(written(START / "data-scientist.md", "my-shop/company.yaml"))
    told = keepwell(tmp_path, "check", "my-shop", "--horizon", "90d")
    assert "read from 'Client No'" in told
    assert "ignored" not in told.split("noticed while reading")[1]


def test_the_chinese_quickstart_reads_a_chinese_export(tmp_path: Path) -> None:
    chinese_export(tmp_path / "my-shop" / "订单导出.csv")
    (tmp_path / "my-shop" / "company.yaml").write_text(written(START / "quickstart.zh.md", "my-shop/company.yaml"))
    told = keepwell(tmp_path, "check", "my-shop", "--horizon", "90d")
    assert "rows without it are left out, as company.yaml says (37 rows)" in told
    assert re.search(r"purchases +\d+ and \d\d refunds", told)


def our_calls(script: str) -> list[list[str]]:
    """The words of every call of ours in a script, with a date in the place of what stands for one."""
    dated = re.sub(r"\$day|{{.*?}}", "2026-01-01", script)
    calls = r"(?:^|[/ ])keepwell ((?:monitor|score|retrain|plan|check|rollback) [^;|&\n]*)"
    return [shlex.split(call) for call in re.findall(calls, dated, re.MULTILINE)]


def checked(calls: list[list[str]], folder: Path) -> set[str]:
    """Parse every call with our command line; the names of the commands."""
    (folder / "my-shop").mkdir(exist_ok=True)
    (folder / "scores.parquet").touch()
    with chdir(folder):
        for words in calls:
            parsed(*words)
    return {name for name, *_ in calls}


def test_the_daily_script_is_a_script_whose_commands_are_ours(tmp_path: Path) -> None:
    script = written(HOWTO / "schedules.md", "/srv/shop/daily.sh")
    assert subprocess.run(["sh", "-n"], input=script, text=True, check=False).returncode == 0
    assert checked(our_calls(script), tmp_path) == {"monitor", "score", "retrain"}


@pytest.mark.parametrize(("code", "does"), [(0, "monitor score"), (10, "monitor score"), (11, "monitor retrain"), (6, "monitor")])
def test_the_daily_script_does_what_the_exit_code_calls_for(code: int, does: str, tmp_path: Path) -> None:
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "activate").write_text("PATH=$PWD:$PATH")
    stand_in = tmp_path / "keepwell"
    stand_in.write_text(f'#!/bin/sh\necho "$1" >> done\n[ "$1" = monitor ] && exit {code}\nexit 0\n')
    stand_in.chmod(0o755)
    script = written(HOWTO / "schedules.md", "/srv/shop/daily.sh").replace("/srv/shop", str(tmp_path))
    ran = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (tmp_path / "done").read_text().split() == does.split()
    assert ran.returncode == (6 if code == 6 else 0)


def test_the_crontab_has_times_that_exist_and_commands_of_ours(tmp_path: Path) -> None:
    (crontab,) = (block.text for block in blocks(HOWTO / "schedules.md") if block.language == "crontab")
    jobs = [line for line in crontab.splitlines() if line and not line.startswith("#") and "=" not in line.split()[0]]
    for job in jobs:
        *fields, command = job.split(maxsplit=5)
        for field, (low, high) in zip(fields, CRON_FIELDS, strict=True):
            assert field == "*" or all(low <= int(number) <= high for number in re.split(r"[-,/]", field))
        assert not re.search(r"(?<!\\)%", command), "cron takes a bare % for the end of the line"
    assert len(jobs) == 2
    assert checked(our_calls(crontab), tmp_path) == {"retrain"}


def test_the_airflow_file_is_python_whose_commands_are_ours(tmp_path: Path) -> None:
    source = written(HOWTO / "schedules.md", "dags/keepwell_daily.py")
    constants = [node for node in ast.parse(source).body if isinstance(node, ast.Assign)]
    words = {ast.unparse(node.targets[0]): str(ast.literal_eval(node.value)) for node in constants}
    commands = [command.format(**words) for command in re.findall(r'bash_command=f"(.*)"', source)]
    assert len(commands) == 4
    calls = [call for command in commands for call in our_calls(command)]
    assert checked(calls, tmp_path) == {"monitor", "score", "retrain", "plan"}


def test_the_workflow_keeps_the_schema_and_its_commands_are_ours(tmp_path: Path) -> None:
    workflow = tmp_path / "keepwell.yaml"
    workflow.write_text(written(HOWTO / "schedules.md", ".github/workflows/keepwell.yaml"))
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(workflow)]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    steps = yaml.safe_load(workflow.read_text())["jobs"]["scores"]["steps"]
    scripts = [step["run"] for step in steps if "run" in step]
    for script in scripts:
        assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0
    assert checked([call for script in scripts for call in our_calls(script)], tmp_path) == {"monitor", "score", "retrain"}
