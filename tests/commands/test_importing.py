from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli import main
from features.reading.sources import read_company

LINES = " 00004 0001 19970101  2   29.33\n 00021 0002 19970118  1    0.00\n"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["import", *map(str, arguments)])


@pytest.fixture
def cdnow(tmp_path: Path) -> Path:
    (tmp_path / "CDNOW_sample.txt").write_text(LINES)
    return tmp_path / "CDNOW_sample.txt"


def test_import_writes_a_company_and_says_what_it_is(tmp_path, cdnow) -> None:
    result = run("cdnow", cdnow, tmp_path / "shop")
    assert result.exit_code == 0, result.output
    assert "2 transactions of 2 customers\n  1 purchases cost nothing" in result.output
    assert read_company(tmp_path / "shop").tables["transactions"]["customer_id"].to_list() == ["00004", "00021"]


def test_nothing_is_overwritten(tmp_path, cdnow) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "mine.txt").write_text("dear to me")
    result = run("cdnow", cdnow, tmp_path / "shop")
    assert result.exit_code == 4
    assert "is there already and not empty" in result.output
    assert [file.name for file in (tmp_path / "shop").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("cdnow", "only-one"), "keepwell import cdnow FILE FOLDER"),
        (("complete-journey", "a", "b"), "keepwell import complete-journey FOLDER"),
        (("hillstrom", "a", "b"), "'hillstrom' is not one of"),
        (("cdnow", "nowhere.txt", "shop"), "nowhere.txt is no file"),
    ],
)
def test_what_cannot_be_meant_is_answered_in_words(tmp_path, monkeypatch, arguments, words) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code != 0
    assert words in result.output
    assert list(tmp_path.iterdir()) == []
