"""What every command promises: help with an example, errors in words, exit codes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli import main
from commands import data as data_commands

Keepwell = Callable[..., Result]

NEVER_FOR_FILES = {"pandas", "duckdb", "sqlalchemy", "psycopg", "fastexcel", "pyspark", "mlflow", "scipy"}
"""Libraries that nobody waits for who has plain files and wants features."""


@pytest.mark.parametrize("name", main.commands)
def test_every_command_shows_an_example_in_its_help(keepwell: Keepwell, name: str) -> None:
    shown = keepwell(name, "--help")
    assert shown.exit_code == 0
    assert f"Example: keepwell {name} " in shown.output


@pytest.mark.parametrize("name", main.commands)
def test_every_option_says_what_it_means(name: str) -> None:
    options = [option for option in main.commands[name].params if option.param_type_name == "option"]
    assert all(option.help for option in options), [option.name for option in options if not option.help]  # type: ignore[attr-defined]


def test_a_missing_folder_is_told_in_words_and_a_code_of_its_own(keepwell: Keepwell, tmp_path: Path) -> None:
    failed = keepwell("check", tmp_path / "nowhere")
    assert failed.exit_code == 4
    assert "does not exist" in failed.output
    assert "  -> " in failed.output
    assert "Traceback" not in failed.output


def test_a_fault_of_ours_is_told_without_a_traceback(keepwell: Keepwell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the wheel came off")

    monkeypatch.setattr("features.reading.sources.read_company", fail)
    failed = keepwell("check", tmp_path)
    assert failed.exit_code == 1
    assert "RuntimeError: the wheel came off" in failed.output
    assert "Traceback" not in failed.output


def test_a_place_that_cannot_be_written_to_is_no_fault_of_ours(keepwell: Keepwell, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    failed = keepwell("simulate", tmp_path / "file" / "shop", "--customers", 5, "--months", 1)
    assert failed.exit_code == 1
    assert "a file is where its folder would be" in failed.output
    assert "you may read and write there" in failed.output


def test_a_traceback_comes_when_asked_for(keepwell: Keepwell, tmp_path: Path) -> None:
    failed = keepwell("--traceback", "check", tmp_path / "nowhere")
    assert type(failed.exception).__name__ == "ConfigError"


def test_an_unknown_setting_in_the_environment_is_refused(tmp_path: Path) -> None:
    failed = CliRunner().invoke(main, ["check", str(tmp_path)], env={"KEEPWELL_HOOME": "x"})
    assert failed.exit_code == 4
    assert "unknown setting KEEPWELL_HOOME" in failed.output


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("train", "x", "--horizon", "soon"), "'soon' is no number of days from 1 to 3660; write it as 90d"),
        (("train", "x", "--horizon", "0d"), "'0d' is no number of days"),
        (("train", "x", "--horizon", "90d", "--as-of", "1998-31-12"), "'1998-31-12' is no day; write it as 2026-03-31"),
        (("plan", "x", "--out", "p.csv", "--capacity", "call"), "'call' is no capacity; write it as call=200"),
        (("score", "x", "--out", "scores.xlsx"), "'scores.xlsx' must end in .parquet or .csv"),
        (("features", "x"), "give DATA and --out, or --catalog"),
    ],
)
def test_what_is_typed_wrongly_is_named_with_the_right_way(keepwell: Keepwell, words: tuple[str, ...], complaint: str) -> None:
    failed = keepwell(*words)
    assert failed.exit_code == 2
    assert complaint in failed.output.replace("\n", " ")


def test_importing_the_command_line_loads_no_heavy_library() -> None:
    """`keepwell --help` must answer at once; libraries load with the command that needs them."""
    assert not hasattr(data_commands, "pl")
    assert not loaded_by("import cli") & {"polars", "narwhals", "sklearn", "bentoml", *NEVER_FOR_FILES}


def test_features_of_plain_files_load_neither_databases_nor_other_engines(tmp_path) -> None:
    (tmp_path / "transactions.csv").write_text("customer_id,ordered_at,amount,category\na,2024-01-01,5,x\n")
    words = ["features", str(tmp_path), "--as-of", "2024-02-01", "--out", str(tmp_path / "f.csv")]
    assert not loaded_by(f"from cli import main; main({words}, standalone_mode=False)") & NEVER_FOR_FILES


def loaded_by(code: str) -> set[str]:
    """The modules that are there after this code, in an interpreter of its own."""
    shown = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(shown.stdout.split())


NOWHERE = (
    ("outcome", "{place}"),
    ("uplift", "{place}", "--treatment", "arm", "--control", "none", "--outcome", "bought"),
)


@pytest.mark.parametrize("words", NOWHERE)
@pytest.mark.parametrize("place", ["nowhere.csv", "afile.parquet"])
def test_a_file_that_is_no_table_of_a_company_is_told_of_without_company_yaml(
    keepwell: Keepwell, tmp_path: Path, words: tuple[str, ...], place: str
) -> None:
    (tmp_path / "afile.parquet").write_text("no parquet")
    result = keepwell(*(word.format(place=tmp_path / place) for word in words))
    assert result.exit_code == 3
    assert "must name a CSV file in UTF-8, or a Parquet file" in result.stderr
    assert "company.yaml" not in result.stderr


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("nowhere.parquet", "does not exist"),
        ("folder", "holds no Parquet file"),
        ("afile.parquet", "cannot be read: the Parquet file is incomplete, or is none"),
        ("empty.csv", "cannot be read: there is no header line"),
    ],
)
def test_scores_that_cannot_be_read_are_told_of_in_our_words(keepwell: Keepwell, tmp_path: Path, place: str, told: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "afile.parquet").write_text("no parquet")
    (tmp_path / "empty.csv").touch()
    result = keepwell("tiers", tmp_path / place)
    assert result.exit_code == 3
    assert f"scores: {tmp_path / place} {told}\n" in result.stderr


def test_a_file_where_a_folder_would_be_is_named(keepwell: Keepwell, tmp_path: Path) -> None:
    (tmp_path / "afile").touch()
    result = keepwell("import", "complete-journey", tmp_path / "afile" / "shop")
    assert result.exit_code == 1
    assert "Errno" not in result.stderr
    assert str(tmp_path / "afile" / "shop") in result.stderr
