"""promote and rollback, as typed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import Result

from features.reading.sources import read_key
from training.registry import Registry

if TYPE_CHECKING:
    from tests.commands.conftest import Shop

Keepwell = Callable[..., Result]


@pytest.fixture
def second(shop: Shop, tmp_path: Path) -> str:
    """The home of `keepwell` gets the shop's champion and, as challenger, the same model once more; the company's key."""
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(shop.home / "mlflow.db", home)
    registry, key = Registry(f"sqlite:///{home / 'mlflow.db'}", home / "artifacts"), read_key(shop.data)
    scorer = registry.champion(key, 90)
    with registry.run("keepwell/test", "challenger") as run:
        version = run.register(scorer, np.zeros((1, len(scorer.info.feature_names))))
    registry.challenge(key, 90, version)
    return key


def test_a_challenger_becomes_champion_and_goes_back_again(keepwell: Keepwell, shop: Shop, second: str) -> None:
    promoted = keepwell("promote", shop.data, "--reason", "the new branch", "--by", "ada")
    assert promoted.exit_code == 0, promoted.output
    assert f"Version 2 is the champion of {second} over 90 days, in place of version 1." in promoted.output
    back = keepwell("rollback", second, "--horizon", "90d", "--json")
    assert back.exit_code == 0, back.output
    told = json.loads(back.stdout)
    assert (told["version"], told["replaced"], told["change"]) == ("1", "2", "rollback")
    assert told["gate"] == "the first model for this company and horizon"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("promote", "nobody"), "there is no model of company 'nobody'"),
        (("promote", "KEY", "--horizon", "30d"), "has no model for a horizon of 30 days"),
        (("promote", "KEY", "9"), "has no version '9'"),
        (("promote", "KEY", "newest"), "has no version 'newest'"),
        (("promote", "KEY", "1"), "is the champion already"),
        (("rollback", "KEY"), "has no previous champion to go back to"),
    ],
)
def test_what_cannot_be_is_refused_in_words(keepwell: Keepwell, second: str, words: tuple[str, ...], said: str) -> None:
    refused = keepwell(*(second if word == "KEY" else word for word in words))
    assert refused.exit_code == 6
    assert said in refused.output
    assert "  -> " in refused.output


def test_without_any_model_the_way_to_one_is_told(keepwell: Keepwell, tmp_path: Path) -> None:
    refused = keepwell("rollback", "shop")
    assert refused.exit_code == 6
    assert "train one: keepwell train DATA" in refused.output
    assert not (tmp_path / "home").exists()
