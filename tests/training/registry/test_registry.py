from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepwell.errors import ModelError
from training.registry import Registry, model_name
from training.registry.mlflow_home import make_database
from training.scorer import Scorer

COMPANY, HORIZON = "shop: north/south", 30


@pytest.fixture
def absent(tmp_path: Path) -> Registry:
    return Registry(f"sqlite:///{tmp_path / 'home' / 'mlflow.db'}", tmp_path / "home" / "artifacts")


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "mlflow.db"
    make_database(file, file.parent)
    return file


@pytest.fixture
def registry(absent: Registry, empty_database: Path) -> Registry:
    """An empty registry; its database is copied, since making one takes seconds."""
    absent.artifact_root.parent.mkdir()
    shutil.copy(empty_database, absent.artifact_root.parent)
    return absent


@pytest.mark.parametrize("content", [b"garbage " * 100, None])
def test_what_is_no_database_is_told_and_left_alone(absent: Registry, content: bytes | None) -> None:
    file = absent.artifact_root.parent / "mlflow.db"
    file.mkdir(parents=True) if content is None else (file.parent.mkdir(), file.write_bytes(content))
    with pytest.raises(ModelError, match=r"mlflow\.db is no SQLite database"):
        absent.champions()
    with pytest.raises(ModelError, match="is no SQLite database"), absent.run("keepwell/test", "nothing"):
        pass
    (file.parent / "studies.db").write_bytes(b"garbage")
    with pytest.raises(ModelError, match=r"studies\.db is no SQLite database"):
        absent.study_storage()
    assert file.is_dir() if content is None else file.read_bytes() == content


def test_a_database_that_is_cut_is_told(registry: Registry) -> None:
    file = registry.artifact_root.parent / "mlflow.db"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 3])
    with pytest.raises(ModelError, match=r"mlflow\.db is damaged: a part of it is missing"):
        registry.champions()


def test_an_address_that_mlflow_does_not_know_is_told(tmp_path: Path) -> None:
    unknown = Registry("nope://somewhere", tmp_path / "artifacts")
    with pytest.raises(ModelError, match="MLflow cannot use nope://somewhere"), unknown.run("keepwell/test", "nothing"):
        pass


def registered(registry: Registry, scorer: Scorer, count: int = 1) -> list[str]:
    """The versions of `count` registrations of `scorer` under COMPANY and HORIZON."""
    ours = renamed(scorer)
    example = np.full((2, len(ours.info.feature_names)), np.nan)
    with registry.run("keepwell/test", "registration") as run:
        return [run.register(ours, example) for _ in range(count)]


def renamed(scorer: Scorer) -> Scorer:
    return replace(scorer, info=replace(scorer.info, company=COMPANY, horizon_days=HORIZON))


@given(st.text(min_size=1), st.text(min_size=1), st.integers(1, 999), st.integers(1, 999))
def test_two_keys_never_share_a_model_name(one: str, other: str, days: int, other_days: int) -> None:
    same = (one, days) == (other, other_days)
    assert (model_name(one, days) == model_name(other, other_days)) == same


@given(st.text(min_size=1))
def test_a_model_name_has_no_sign_that_mlflow_refuses(company: str) -> None:
    assert not set("/:") & set(model_name(company, 90))


def test_reading_creates_nothing(absent: Registry) -> None:
    with pytest.raises(ModelError, match="no champion for company 'nobody' and a horizon of 90 days"):
        absent.champion("nobody", 90)
    assert absent.champions() == ()
    assert not absent.artifact_root.parent.exists()


def test_no_champion_names_those_there_are(registry: Registry, scorer: Scorer) -> None:
    registry.promote(COMPANY, HORIZON, registered(registry, scorer)[0])
    with pytest.raises(ModelError, match="champions there are for: shop: north/south \\(30 days\\)"):
        registry.champion(COMPANY, 90)


def test_a_registered_model_is_no_champion_until_promoted(registry: Registry, scorer: Scorer) -> None:
    (version,) = registered(registry, scorer)
    assert registry.horizons(COMPANY) == ()
    registry.promote(COMPANY, HORIZON, version)
    assert registry.horizons(COMPANY) == (HORIZON,)
    assert registry.champion_version(COMPANY, HORIZON) == version


def test_the_champion_so_far_becomes_previous(registry: Registry, scorer: Scorer) -> None:
    first, second = registered(registry, scorer, 2)
    registry.promote(COMPANY, HORIZON, first)
    registry.challenge(COMPANY, HORIZON, second)
    registry.promote(COMPANY, HORIZON, second)
    aliases = {alias: registry.version(COMPANY, HORIZON, alias) for alias in ("champion", "previous", "challenger")}
    assert aliases == {"champion": second, "previous": first, "challenger": None}


def test_promoting_the_champion_again_changes_nothing(registry: Registry, scorer: Scorer) -> None:
    first, second = registered(registry, scorer, 2)
    for version in (first, second, second):
        registry.promote(COMPANY, HORIZON, version)
    assert registry.version(COMPANY, HORIZON, "previous") == first


@pytest.mark.parametrize("version", ["99", "", "newest", "-1"])
def test_a_version_that_is_not_there_is_refused(registry: Registry, scorer: Scorer, version: str) -> None:
    registered(registry, scorer)
    for change in (registry.promote, registry.challenge, registry.scorer):
        with pytest.raises(ModelError, match=f"has no version '{version}'"):
            change(COMPANY, HORIZON, version)


def test_the_champion_predicts_as_the_scorer_that_was_registered(registry: Registry, scorer: Scorer, matrix: np.ndarray) -> None:
    (version,) = registered(registry, scorer)
    registry.promote(COMPANY, HORIZON, version)
    champion = registry.champion(COMPANY, HORIZON)
    assert champion.info == renamed(scorer).versioned(version).info
    for name in ("churn_probability", "expected_value", "value_low", "value_high"):
        assert (getattr(champion.predict(matrix), name) == getattr(scorer.predict(matrix), name)).all()


def test_files_that_are_gone_are_said_to_be_gone(registry: Registry, scorer: Scorer) -> None:
    registry.promote(COMPANY, HORIZON, registered(registry, scorer)[0])
    registry.artifact_root.rename(registry.artifact_root.with_name("moved"))
    with pytest.raises(ModelError, match="the model's files are gone"):
        registry.champion(COMPANY, HORIZON)


def test_mlflow_itself_loads_the_model_and_predicts_a_frame(registry: Registry, scorer: Scorer, matrix: np.ndarray) -> None:
    import mlflow

    registry.promote(COMPANY, HORIZON, registered(registry, scorer)[0])
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(registry.tracking_uri)
    try:
        model = mlflow.pyfunc.load_model(f"models:/{model_name(COMPANY, HORIZON)}@champion")
    finally:
        mlflow.set_tracking_uri(before)
    names = list(scorer.info.feature_names)
    frame = pd.DataFrame(matrix, columns=names)[names[::-1]]
    predicted = model.predict(frame)
    expected = scorer.predict(matrix)
    assert len(predicted) == len(matrix)
    for name in predicted.columns:
        assert (predicted[name].to_numpy() == getattr(expected, name)).all()
    assert model.metadata.signature.inputs.input_names() == names


def test_nothing_that_is_stored_is_a_pickle(registry: Registry, scorer: Scorer) -> None:
    registered(registry, scorer)
    suffixes = {path.suffix for path in registry.artifact_root.rglob("*") if path.is_file()}
    assert suffixes <= {".json", ".txt", ".yaml", ".py", ".lgb", ""}


def test_a_run_keeps_what_was_logged(registry: Registry) -> None:
    import mlflow

    with registry.run("keepwell/test", "log") as run:
        run.log_params({"seed": 3})
        run.log_metrics({"log_loss": 0.5})
        run.log_text("hello", "card.md")
        with run.child("trial 0") as child:
            child.log_metrics({"loss": 1.0})
    client = mlflow.MlflowClient(registry.tracking_uri)
    kept, nested = client.get_run(run.id), client.get_run(child.id)
    assert kept.data.params == {"seed": "3"}
    assert kept.data.metrics == {"log_loss": 0.5}
    assert nested.data.tags["mlflow.parentRunId"] == run.id
    assert [file.path for file in client.list_artifacts(run.id)] == ["card.md"]
    assert kept.info.status == nested.info.status == "FINISHED"


def test_a_run_that_raises_is_kept_as_failed_and_the_tracking_uri_is_put_back(registry: Registry) -> None:
    import mlflow

    before = mlflow.get_tracking_uri()
    with pytest.raises(ZeroDivisionError, match="division"), registry.run("keepwell/test", "failing") as run:
        run.log_metrics({"ratio": 1 / 0})
    assert mlflow.MlflowClient(registry.tracking_uri).get_run(run.id).info.status == "FAILED"
    assert mlflow.get_tracking_uri() == before


def test_a_run_below_mlflow_run_joins_it(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    with registry.run("keepwell/test", "opened by mlflow run") as outer:
        pass
    monkeypatch.setenv("MLFLOW_RUN_ID", outer.id)
    with registry.run("keepwell/train", "joined") as joined:
        pass
    with registry.run("keepwell/train", "the next one") as after:
        pass
    assert joined.id == outer.id
    assert after.id != outer.id


def test_a_run_of_another_mlflow_is_not_joined(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_RUN_ID", "0" * 32)
    with registry.run("keepwell/train", "own") as run:
        assert run.id != "0" * 32


WRITER = """
import sys
from pathlib import Path
from training.registry import Registry
registry = Registry(sys.argv[1], Path(sys.argv[2]))
for number in range(2):
    with registry.run("keepwell/test", f"run {number}") as run:
        run.log_metrics({"loss": number})
        with run.child("trial") as child:
            child.log_params({"number": number})
"""


def test_several_processes_write_to_a_new_database_at_once(absent: Registry) -> None:
    import mlflow

    command = [sys.executable, "-c", WRITER, absent.tracking_uri, str(absent.artifact_root)]
    writers = [subprocess.Popen(command, stderr=subprocess.PIPE, cwd=Path(__file__).parents[3]) for _ in range(2)]
    errors = [writer.communicate(timeout=120)[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0], errors
    client = mlflow.MlflowClient(absent.tracking_uri)
    experiment = client.get_experiment_by_name("keepwell/test")
    assert len(client.search_runs([experiment.experiment_id])) == 8
    assert Path(experiment.artifact_location.removeprefix("file://")).is_relative_to(absent.artifact_root)


def test_importing_the_registry_does_not_import_mlflow() -> None:
    code = "import sys, training.registry; sys.exit('mlflow' in sys.modules or 'lightgbm' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], check=False).returncode == 0
