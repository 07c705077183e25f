"""A model that any earlier version saved loads in this one, and says what it said then."""

from __future__ import annotations

import json
import shutil
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from keepwell.errors import ModelError
from training import formats
from training.formats import FORMAT, MIGRATIONS, upgraded
from training.scorer import FILE, Predictions, Scorer

FIXTURES = Path(__file__).parents[1] / "fixtures"
FORMATS = range(1, FORMAT + 1)
OTHER_MACHINE = 1e-9
"""Another processor's linear algebra adds in another order."""


def rows_of(number: int) -> np.ndarray:
    """The customers that the model of a format was asked about."""
    return np.array(json.loads((FIXTURES / f"model-v{number}" / "expected.json").read_text())["rows"], dtype=float)


def arrays(predicted: Predictions) -> dict[str, np.ndarray]:
    """Every array of a forecast by its name."""
    own = {field.name: getattr(predicted, field.name) for field in fields(Predictions) if field.name != "further_churn"}
    return own | predicted.further_columns()


@pytest.mark.parametrize("number", FORMATS)
def test_an_old_model_gives_the_very_scores_that_it_gave(number: int) -> None:
    expected = json.loads((FIXTURES / f"model-v{number}" / "expected.json").read_text())
    predicted = Scorer.load(FIXTURES / f"model-v{number}" / "scorer").predict(rows_of(number))
    for name, values in expected["predictions"].items():
        np.testing.assert_allclose(arrays(predicted)[name], values, rtol=OTHER_MACHINE, err_msg=name)
    assert {"churn_probability", "expected_value", "value_low", "value_high"} <= set(expected["predictions"])


@pytest.mark.parametrize("number", FORMATS)
def test_an_old_model_still_explains_itself(number: int) -> None:
    scorer, rows = Scorer.load(FIXTURES / f"model-v{number}" / "scorer"), rows_of(number)
    churn, explained = scorer.predict(rows).churn_probability, scorer.explain(rows)
    assert explained.churn.sum(1) + explained.churn_baseline == pytest.approx(np.log(churn / (1 - churn)), abs=1e-9)


@pytest.mark.parametrize("number", FORMATS)
def test_an_old_model_saved_again_is_one_of_today(number: int, tmp_path: Path) -> None:
    old = Scorer.load(FIXTURES / f"model-v{number}" / "scorer")
    old.save(tmp_path)
    again = Scorer.load(tmp_path)
    assert json.loads((tmp_path / FILE).read_text())["format"] == FORMAT
    one, two = (arrays(scorer.predict(rows_of(number))) for scorer in (old, again))
    assert list(one) == list(two)
    assert all(map(np.array_equal, one.values(), two.values()))


def test_every_format_before_todays_has_its_way_to_the_next() -> None:
    assert sorted(MIGRATIONS) == list(range(1, FORMAT))


def test_migrations_are_taken_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = {1: lambda values: {**values, "b": values["a"] + 1}, 2: lambda values: {"c": values["b"] * 10}}
    monkeypatch.setattr(formats, "MIGRATIONS", steps)
    monkeypatch.setattr(formats, "FORMAT", 3)
    assert upgraded({"format": 1, "a": 1}) == {"c": 20, "format": 3}
    assert upgraded({"format": 2, "b": 5}) == {"c": 50, "format": 3}


@pytest.mark.parametrize("found", [0, FORMAT + 1, None, "1", 1.5])
def test_a_format_that_nobody_knows_is_refused(found: object) -> None:
    with pytest.raises(ModelError, match=f"the model has format {found}, and this version reads 1 to {FORMAT}"):
        upgraded({"format": found})


@pytest.mark.parametrize("damage", ["truncated", "emptied", "a list", "without members", "of another kind", "trees cut"])
def test_a_damaged_file_is_told_in_words(damage: str, tmp_path: Path) -> None:
    shutil.copytree(FIXTURES / "model-v1" / "scorer", tmp_path, dirs_exist_ok=True)
    text = (tmp_path / FILE).read_text()
    values = json.loads(text)
    trees = dict(values["members"])["trees"]
    damaged = {
        "truncated": text[: len(text) // 2],
        "emptied": "",
        "a list": "[]",
        "without members": json.dumps({**values, "members": None}),
        "of another kind": json.dumps({**values, "members": [["oracle", {}]]}),
        "trees cut": text.replace(json.dumps(trees["churn"]["text"]), json.dumps("tree")),
    }[damage]
    assert damaged != text
    (tmp_path / FILE).write_text(damaged)
    with pytest.raises(ModelError, match=r"scorer\.json is damaged"):
        Scorer.load(tmp_path)
