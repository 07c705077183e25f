"""What a person decides about champions: refused in words, and recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pytest

from keepwell.errors import ModelError
from training.registry import Registry
from training.registry.mlflow_home import make_database
from training.registry.promotion import EXPERIMENT, GATE, promote, rollback
from training.scorer import FILE, Scorer

MODEL = Path(__file__).parents[2] / "fixtures" / "model-v1" / "scorer"
KEY = "fixture", 30
WHY = {"by": "ada", "reason": "the new branch"}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "mlflow.db"
    make_database(file, file.parent)
    return file


@pytest.fixture
def registered(tmp_path: Path, template: Path) -> Callable[..., Registry]:
    (tmp_path / "mlflow.db").write_bytes(template.read_bytes())
    registry = Registry(f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path / "artifacts")

    def make(*scorers: Scorer) -> Registry:
        with registry.run("keepwell/test", "registration") as run:
            for scorer in scorers:
                run.register(scorer, np.zeros((1, len(scorer.info.feature_names))))
        return registry

    return make


@pytest.fixture(scope="module")
def model() -> Scorer:
    return Scorer.load(MODEL)


def damage(registry: Registry, version: str) -> None:
    uri = registry._client.get_model_version_download_uri("fixture-30d", version)
    file = Path(uri.removeprefix("file://")) / "artifacts" / "scorer" / FILE
    file.write_text(file.read_text()[:1000])


def test_a_challenger_is_promoted_by_name_with_what_the_gate_said(registered: Callable[..., Registry], model: Scorer) -> None:
    registry = registered(model, model)
    registry.promote(*KEY, "1")
    registry.challenge(*KEY, "2")
    registry.tag(*KEY, "2", {GATE: "not surely as good as the champion in log_loss"})
    decision = promote(registry, *KEY, "challenger", **WHY)
    assert (decision.version, decision.replaced, decision.by) == ("2", "1", "ada")
    assert decision.gate == "not surely as good as the champion in log_loss"
    assert registry.champion_version(*KEY) == "2"
    assert registry.version(*KEY, "challenger") is None


def test_a_decision_is_a_run_that_says_who_what_and_why(registered: Callable[..., Registry], model: Scorer) -> None:
    registry = registered(model, model)
    promote(registry, *KEY, "1", **WHY)
    promote(registry, *KEY, "2", **WHY)
    rollback(registry, *KEY, by="grace", reason="odd scores")
    client = mlflow.MlflowClient(registry.tracking_uri)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    runs = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time DESC"])
    told = [{name: run.data.params[name] for name in ("change", "version", "replaced", "by", "reason")} for run in runs]
    assert told == [
        {"change": "rollback", "version": "1", "replaced": "2", "by": "grace", "reason": "odd scores"},
        {"change": "promote", "version": "2", "replaced": "1", "by": "ada", "reason": "the new branch"},
        {"change": "promote", "version": "1", "replaced": "None", "by": "ada", "reason": "the new branch"},
    ]
    assert registry.tags(*KEY, "1")["decided_because"] == "odd scores"


def test_without_a_previous_champion_there_is_no_way_back(registered: Callable[..., Registry], model: Scorer) -> None:
    registry = registered(model)
    registry.promote(*KEY, "1")
    with pytest.raises(ModelError, match="fixture-30d has no previous champion to go back to"):
        rollback(registry, *KEY, **WHY)
    assert registry.champion_version(*KEY) == "1"


def test_a_damaged_champion_does_not_keep_anyone_from_going_back(registered: Callable[..., Registry], model: Scorer) -> None:
    registry = registered(model, model)
    registry.promote(*KEY, "1")
    registry.promote(*KEY, "2")
    damage(registry, "2")
    with pytest.raises(ModelError, match="are not those that were registered"):
        registry.champion(*KEY)
    rollback(registry, *KEY, **WHY)
    assert registry.champion(*KEY).info.version == "1"
    with pytest.raises(ModelError, match="are not those that were registered"):
        rollback(registry, *KEY, **WHY)
    assert registry.champion(*KEY).info.version == "1"


@pytest.mark.parametrize(
    ("version", "said"),
    [("7", "has no version '7'"), ("challenger", "has no challenger"), ("1", "version 1 of fixture-30d is the champion already")],
)
def test_a_version_that_cannot_become_champion_is_refused(
    registered: Callable[..., Registry], model: Scorer, version: str, said: str
) -> None:
    registry = registered(model)
    registry.promote(*KEY, "1")
    with pytest.raises(ModelError, match=said):
        promote(registry, *KEY, version, **WHY)


def test_a_damaged_version_is_not_promoted(registered: Callable[..., Registry], model: Scorer) -> None:
    registry = registered(model, model)
    registry.promote(*KEY, "1")
    damage(registry, "2")
    with pytest.raises(ModelError, match="are not those that were registered"):
        promote(registry, *KEY, "2", **WHY)
    assert registry.champion_version(*KEY) == "1"


def test_a_version_that_reads_what_nobody_knows_is_not_promoted(registered: Callable[..., Registry], model: Scorer) -> None:
    names = ("from_the_future", *model.info.feature_names[1:])
    registry = registered(replace(model, info=replace(model.info, feature_names=names)))
    with pytest.raises(ModelError, match="version 1 reads the feature 'from_the_future'"):
        promote(registry, *KEY, "1", **WHY)
