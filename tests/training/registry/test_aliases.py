"""Champion, challenger, previous: whole changes, right also when several come at once or one is killed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keepwell.errors import ModelError
from training.registry import Registry, aliases
from training.registry.aliases import PENDING, one_at_a_time
from training.registry.mlflow_home import make_database
from training.scorer import FILE, Scorer

ROOT = Path(__file__).parents[3]
MODEL = ROOT / "tests" / "fixtures" / "model-v1"
KEY = "fixture", 30
VERSIONS = ("1", "2", "3")


@pytest.fixture(scope="module")
def home_with_versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose registry has three versions of one model and no alias."""
    home = tmp_path_factory.mktemp("home")
    make_database(home / "mlflow.db", home / "artifacts")
    scorer, registry = Scorer.load(MODEL / "scorer"), at(home)
    with registry.run("keepwell/test", "registration") as run:
        example = np.zeros((1, len(scorer.info.feature_names)))
        assert tuple(run.register(scorer, example) for _ in VERSIONS) == VERSIONS
    return home


def at(home: Path) -> Registry:
    return Registry(f"sqlite:///{home / 'mlflow.db'}", home / "artifacts")


@pytest.fixture
def registry(home_with_versions: Path, tmp_path: Path) -> Registry:
    """The three versions with aliases of this test's own: artifacts are shared, since MLflow keeps their absolute places."""
    shutil.copy(home_with_versions / "mlflow.db", tmp_path)
    return at(tmp_path)


def standing(registry: Registry) -> dict[str, str | None]:
    return {alias: registry.version(*KEY, alias) for alias in ("champion", "challenger", "previous")}


def test_a_candidate_succeeds_only_the_champion_that_it_was_compared_with(registry: Registry) -> None:
    assert registry.succeed(*KEY, None, "1")
    assert not registry.succeed(*KEY, None, "2")
    assert standing(registry) == {"champion": "1", "challenger": None, "previous": None}
    assert registry.succeed(*KEY, "1", "2")
    assert standing(registry) == {"champion": "2", "challenger": None, "previous": "1"}


def test_going_back_twice_is_where_one_was(registry: Registry) -> None:
    registry.promote(*KEY, "1")
    registry.promote(*KEY, "2")
    registry.swap_previous(*KEY, "1")
    assert standing(registry) == {"champion": "1", "challenger": None, "previous": "2"}
    registry.swap_previous(*KEY, "2")
    assert standing(registry) == {"champion": "2", "challenger": None, "previous": "1"}


def test_nobody_goes_back_to_what_is_no_longer_the_previous_one(registry: Registry) -> None:
    for version in VERSIONS:
        registry.promote(*KEY, version)
    with pytest.raises(ModelError, match="version 1 is no longer the previous one"):
        registry.swap_previous(*KEY, "1")
    assert standing(registry) == {"champion": "3", "challenger": None, "previous": "2"}


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(versions=st.lists(st.sampled_from(VERSIONS), min_size=1, max_size=6))
def test_previous_is_always_the_champion_before(registry: Registry, versions: list[str]) -> None:
    for version in versions:
        before = standing(registry)
        registry.promote(*KEY, version)
        expected = before["previous"] if before["champion"] == version else before["champion"]
        assert standing(registry) == {"champion": version, "challenger": None, "previous": expected}


class KilledError(BaseException):
    """The end of the process, as the next one sees it."""


@pytest.mark.parametrize("writes", [0, 1, 2, 3])
def test_a_change_that_was_killed_is_carried_out_by_the_next(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    registry.promote(*KEY, "1")
    registry.challenge(*KEY, "2")
    client, done = registry._client, []

    def until_killed(name: str) -> None:
        inner = getattr(client, name)

        def write(*arguments: object) -> object:
            if len(done) == writes:
                raise KilledError
            done.append(name)
            return inner(*arguments)

        monkeypatch.setattr(client, name, write)

    for name in ("set_registered_model_alias", "delete_registered_model_alias", "delete_registered_model_tag"):
        until_killed(name)
    with pytest.raises(KilledError):
        registry.promote(*KEY, "2")
    monkeypatch.undo()
    registry.challenge(*KEY, "3")
    assert standing(registry) == {"champion": "2", "challenger": "3", "previous": "1"}
    assert PENDING not in client.get_registered_model("fixture-30d").tags


def test_a_change_waits_for_the_one_before_it(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aliases, "PATIENCE_SECONDS", 0.05)
    lock = registry.artifact_root.parent / "aliases.lock"
    with one_at_a_time(lock), pytest.raises(ModelError, match="another process is changing the champions"):
        registry.promote(*KEY, "1")
    registry.promote(*KEY, "1")
    assert registry.champion_version(*KEY) == "1"


def test_what_is_told_while_the_lock_is_held_goes_through(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError, match="division"), one_at_a_time(tmp_path / "lock"):
        _ = 1 / 0
    with one_at_a_time(tmp_path / "lock"):
        pass


def test_of_promotions_at_once_each_sees_the_one_before(registry: Registry) -> None:
    registry.promote(*KEY, "1")
    won: list[bool] = []
    start = threading.Barrier(2)

    def succeed(version: str) -> None:
        own = Registry(registry.tracking_uri, registry.artifact_root)
        start.wait()
        won.append(own.succeed(*KEY, "1", version))

    threads = [threading.Thread(target=succeed, args=(version,)) for version in ("2", "3")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False, True]
    assert standing(registry)["previous"] == "1"


@pytest.mark.parametrize("damage", ["cut", "one sign", "a file more"])
def test_files_that_are_not_those_that_were_registered_are_refused(home_with_versions: Path, damage: str) -> None:
    registry = at(home_with_versions)
    uri = registry._client.get_model_version_download_uri("fixture-30d", "3")
    file = Path(uri.removeprefix("file://")) / "artifacts" / "scorer" / FILE
    text = file.read_text()
    other = file.with_name("other.json")
    try:
        match damage:
            case "cut":
                file.write_text(text[: len(text) // 2])
            case "one sign":
                file.write_text(text.replace("0.1", "0.2", 1))
            case _:
                other.write_text("{}")
        with pytest.raises(ModelError, match="are not those that were registered: damaged, or changed by hand"):
            registry.scorer(*KEY, "3")
    finally:
        file.write_text(text)
        other.unlink(missing_ok=True)
    assert registry.scorer(*KEY, "3").info.version == "3"


def test_what_a_training_left_is_found_and_what_it_did_not_is_none(registry: Registry) -> None:
    assert registry.trained_with(*KEY, "1", "nothing.json") is None
    assert registry.models() == (KEY,)


WITHOUT_PICKLE = """
import sys, types
import pickle
import numpy as np

def refuse(*arguments, **options):
    raise RuntimeError("something was unpickled")

from pathlib import Path
from training.registry import Registry
import mlflow.pyfunc, lightgbm, polars, pandas

pickle.load = pickle.loads = pickle.Unpickler = pickle._Unpickler = refuse
import cloudpickle
cloudpickle.load = cloudpickle.loads = refuse
uri, artifacts = sys.argv[1], Path(sys.argv[2])
registry = Registry(uri, artifacts)
scorer = registry.champion("fixture", 30)
rows = np.zeros((3, len(scorer.info.feature_names)))
mlflow.set_tracking_uri(uri)
model = mlflow.pyfunc.load_model("models:/fixture-30d@champion")
frame = pandas.DataFrame(rows, columns=scorer.info.feature_names)
assert (model.predict(frame)["churn_probability"].to_numpy() == scorer.predict(rows).churn_probability).all()
print("loaded", scorer.info.version)
"""


def test_a_model_loads_where_nothing_can_be_unpickled(registry: Registry) -> None:
    registry.promote(*KEY, "2")
    command = [sys.executable, "-W", "ignore", "-c", WITHOUT_PICKLE, registry.tracking_uri, str(registry.artifact_root)]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert (ran.returncode, ran.stdout) == (0, "loaded 2\n"), ran.stderr
