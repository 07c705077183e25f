"""What deploy/ says: files that their own schemas accept, and two replicas that go on whatever of the rest comes and goes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import kubernetes_validate
import numpy as np
import pytest
import yaml

import cli
from features.company import Company
from keepwell.settings import Settings
from serving.batch.scoring import load_into_store
from serving.front.access import hash_of, new_key
from serving.store import Store
from serving.store.keys import ApiKey
from tests.conftest import _created
from tests.deployment import CALLERS, ROOT, Answer, Front, Part, balancer, free_ports, mlflow_server, readiness, replica, wait_for
from tests.postgres import PASSWORD, USER, running_server, stopped_server, url_of
from tests.serving.conftest import HORIZON, panel, register, scored, scorer, scorer_for, shop  # noqa: F401  # fixtures
from tests.serving.test_service import one
from training.registry import Registry
from training.registry.mlflow_home import mlflow
from training.scorer import Scorer


@dataclass(frozen=True)
class Deployment:
    """Two replicas behind a balancer, store and registry in one PostgreSQL; what a test may end and begin again."""

    front: Front
    company: str
    customer: str
    postgres: Path
    registry: Registry
    versions: tuple[str, str]
    mlflow: Part
    replicas: dict[int, Part]

    def served(self) -> set[str]:
        """The versions that the replicas answer from."""
        return {readiness(port).get("model", {}).get("version", "none") for port in self.replicas}

    def troubled(self) -> set[bool]:
        """Whether the replicas say that the registry is away."""
        return {readiness(port).get("trouble") is not None for port in self.replicas}

    def scores(self) -> Answer:
        """One customer's scores, out of the store."""
        return self.front.ask("/v1/scores", {"customer_ids": [self.customer]})

    def predicting(self) -> AbstractContextManager[list[Answer]]:
        """Steady load on the one endpoint that must never fail."""
        return self.front.asked("/v1/predict", one())


@pytest.fixture(scope="module")
def deployment(shop: Company, scored: Any, panel: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:  # noqa: F811  # a fixture's name
    front, tracking, *ports = free_ports(4)
    folders = {name: tmp_path_factory.mktemp(name) for name in ("mlflow", "balancer", "home")}
    with ExitStack() as stack:

        def part(begin: Callable[[], AbstractContextManager[Any]]) -> Part:
            made = Part(begin)
            stack.callback(made.kill)
            return made

        stack.enter_context(balancer(folders["balancer"], front, (ports[0], ports[1])))
        postgres = stack.enter_context(running_server())
        store_url, figures = (url_of(postgres, _created(postgres, "DATABASE")) for _ in range(2))
        mlflow = part(lambda: mlflow_server(folders["mlflow"], figures, tracking))
        registry = Registry(f"http://127.0.0.1:{tracking}", folders["home"] / "artifacts")
        first, second = (register(registry, scorer_for(shop, alpha=alpha)) for alpha in (40.0, 160.0))
        registry.promote(shop.key, HORIZON, first)
        key = _filled(store_url, shop, scored, panel)
        common = Settings(store_url=store_url, tracking_uri=registry.tracking_uri, require_keys="true")
        homes = {port: replace(common, home=str(folders["home"] / str(port))) for port in ports}
        replicas = {port: part(partial(replica, home, port)) for port, home in homes.items()}
        customer = str(scored["customer_id"][0])
        made = Deployment(Front(front, key), shop.key, customer, postgres, registry, (first, second), mlflow, replicas)
        wait_for(lambda: made.served() == {first})
        yield made


def _filled(store_url: str, shop: Company, scored: Any, panel: Any) -> str:  # noqa: F811
    """Fill a new store with scores; a key that may ask."""
    store, (id_, key), at = Store(store_url), new_key(), datetime(2025, 1, 1, 6, tzinfo=UTC)
    store.migrate()
    load_into_store(store, shop, scored, panel, loaded_at=at)
    store.keys.add(ApiKey(id_, "test", hash_of(key), ("predict", "read"), None, at), by="test")
    store.close()
    return key


DEPLOY = ROOT / "deploy"
NAMES = "keepwell", "mlflow"
LOCKS = ROOT / "requirements.lock", DEPLOY / "mlflow.lock"


def documents() -> list[dict[str, Any]]:
    """Every object of deploy/kubernetes."""
    files = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    return [each for file in files if file.name != "kustomization.yaml" for each in yaml.safe_load_all(file.read_text())]


def pods() -> list[dict[str, Any]]:
    """What runs in the cluster: the specs of its pods."""
    templates = (
        each["spec"].get("template") or each["spec"].get("jobTemplate", {}).get("spec", {}).get("template") for each in WORK
    )
    return [template["spec"] for template in templates if template]


COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
OBJECTS = documents()
WORK = [each for each in OBJECTS if each["kind"] in {"Deployment", "CronJob"}]
CONTAINERS = [container for pod in pods() for container in (*pod.get("initContainers", ()), *pod["containers"])]
OURS = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_the_compose_file_is_one_by_its_schema() -> None:
    words = ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(DEPLOY / "compose.yaml")]
    done = subprocess.run([str(Path(sys.executable).parent / words[0]), *words[1:]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("named", OBJECTS, ids=lambda each: f"{each['kind']}-{each['metadata']['name']}")
def test_every_object_of_the_cluster_is_one_by_its_schema(named: dict[str, Any]) -> None:
    kubernetes_validate.validate(named, "1.37.0", strict=True)  # raises for what is missing, wrong or unknown


def test_the_kustomization_names_every_file() -> None:
    listed = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())["resources"]
    assert {"kustomization.yaml", *listed} == {file.name for file in (DEPLOY / "kubernetes").iterdir()}


def test_the_container_file_is_clean() -> None:
    hadolint = [str(Path(sys.executable).parent / "hadolint"), "--failure-threshold", "info", str(DEPLOY / "Dockerfile")]
    done = subprocess.run(hadolint, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_container_file_copies_every_package_and_the_builder_is_sent_no_more() -> None:
    copied = set(re.findall(r"^COPY (?!--)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE))
    sources = {source for line in copied for source in line.split()}
    packages = {pattern.rstrip("*") for pattern in OURS["tool"]["setuptools"]["packages"]["find"]["include"]}
    assert packages <= sources
    assert sources == set(re.findall(r"^!(.+)$", (DEPLOY / "Dockerfile.dockerignore").read_text(), re.MULTILINE))


def test_mlflow_is_the_same_on_both_sides() -> None:
    versions = [re.search(r"^mlflow==(\S+)", file.read_text(), re.MULTILINE)[1] for file in LOCKS]  # type: ignore[index]
    assert versions[0] == versions[1]
    assert "://" not in LOCKS[1].read_text()


def test_every_image_has_a_tag_and_ours_is_of_this_version() -> None:
    images = {service["image"] for service in COMPOSE.values()} | {container["image"] for container in CONTAINERS}
    assert all(re.fullmatch(r"[^:]+:(?!latest)\S+", image) for image in images), images
    ours = {image for image in images if image.startswith("keepwell")}
    assert {image.partition(":")[2] for image in ours} == {OURS["project"]["version"]}


def test_every_setting_is_one() -> None:
    told = [service.get("environment", {}) for service in COMPOSE.values()]
    told += [each["data"] for each in OBJECTS if each["kind"] == "ConfigMap"]
    for settings in told:
        others = {"KEEPWELL_DB_PASSWORD"}  # PostgreSQL's container reads it
        found = Settings.from_environment({name: value for name, value in settings.items() if name not in others})
        assert not found.runs_jobs or "KEEPWELL_JOBS_ELSEWHERE" not in settings


def test_every_word_that_the_compose_file_needs_is_in_the_example() -> None:
    asked = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text()))
    assert asked == set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", (DEPLOY / "env.example").read_text(), re.MULTILINE))


@pytest.mark.parametrize("container", CONTAINERS, ids=lambda each: each["name"])
def test_no_container_may_more_than_it_needs(container: dict[str, Any]) -> None:
    wanted = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    assert container["securityContext"] == wanted
    assert container["resources"]["limits"]["memory"]


def test_no_pod_runs_as_root_or_knows_the_cluster() -> None:
    for pod in pods():
        assert (pod["securityContext"]["runAsNonRoot"], pod["automountServiceAccountToken"]) == (True, False)


def commands() -> list[list[str]]:
    """The words of every `keepwell` command that is run somewhere."""
    told = [container["args"] for container in CONTAINERS if container["image"].startswith("keepwell:") and "args" in container]
    told += [
        service["command"] for service in COMPOSE.values() if "command" in service and service["image"].startswith("keepwell:")
    ]
    return [[re.sub(r"\$\{\w+:-(.+?)\}", r"\1", word) for word in words] for words in told]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_is_one(words: list[str]) -> None:
    command = cli.main.commands[words[0]]
    command.make_context(words[0], words[1:])  # raises click.UsageError


def test_the_databases_are_made_and_only_their_owners_enter(postgres_server: Path) -> None:
    if shutil.which("psql") is None:
        pytest.skip("psql is not installed")
    words = {"KEEPWELL_DB_PASSWORD": "it's long", "MLFLOW_DB_PASSWORD": "another"}
    place = {"PGHOST": str(postgres_server), "PGPASSWORD": PASSWORD, "POSTGRES_USER": USER}
    subprocess.run(["bash", str(DEPLOY / "databases.sh")], env={**os.environ, **place, **words}, check=True, capture_output=True)

    def enters(user: str, database: str) -> bool:
        ask = ["psql", "--username", user, "--dbname", database, "--command", "CREATE TABLE mine (number integer)"]
        own = {"PGHOST": str(postgres_server), "PGPASSWORD": words[f"{user.upper()}_DB_PASSWORD"]}
        return subprocess.run(ask, env={**os.environ, **own}, check=False, capture_output=True).returncode == 0

    assert [enters(user, database) for user in NAMES for database in NAMES] == [True, False, False, True]


def statuses(seen: list[Answer]) -> set[int]:
    """All statuses that came; 0 stands for no answer."""
    return {answer.status for answer in seen}


def told(what: str, seconds: float, seen: list[Answer]) -> None:
    """Say the figures that docs/deploy.md shows: `pytest -s` lets them through."""
    slowest, failed = max(answer.took_s for answer in seen), sum(answer.status != 200 for answer in seen)
    sys.stdout.write(f"{what}: {seconds:.1f} s; {len(seen)} predictions, {failed} failed, slowest {slowest:.2f} s\n")
    sys.stdout.writelines(f"  {answer}\n" for answer in seen if answer.status != 200)


@pytest.mark.slow
def test_a_promotion_and_the_way_back_reach_both_replicas_and_no_request_fails(deployment: Deployment) -> None:
    first, second = deployment.versions
    changes = {second: deployment.registry.promote, first: deployment.registry.swap_previous}
    for version, change in changes.items():
        with deployment.predicting() as seen:
            change(deployment.company, HORIZON, version)
            took = wait_for(lambda version=version: deployment.served() == {version})
        told(f"version {version} on both replicas", took, seen)
        assert statuses(seen) == {200}
        assert {answer.version for answer in seen} <= {first, second}
        assert len({answer.told["predictions"][0]["churn_probability"] for answer in seen}) <= 2, (
            "an answer came from two versions"
        )


@pytest.mark.slow
def test_a_killed_replica_is_not_missed_and_takes_its_place_again(deployment: Deployment) -> None:
    port, killed = next(iter(deployment.replicas.items()))
    with deployment.predicting() as seen:
        wait_for(lambda: len(seen) > 20)
        with killed.away():
            before = len(seen)
            wait_for(lambda: len(seen) > before + 50)
            assert not readiness(port)
        took = wait_for(lambda: deployment.served() == {deployment.versions[0]})
    told("a killed replica", took, seen)
    assert statuses(seen) <= {0, 200}
    assert sum(answer.status == 0 for answer in seen) <= CALLERS  # whose answers had begun: nobody can take those back


@pytest.mark.slow
def test_while_postgresql_is_away_forecasts_go_on_and_what_reads_it_comes_back_by_itself(deployment: Deployment) -> None:
    assert deployment.scores().status == 200
    with deployment.predicting() as seen:
        with stopped_server(deployment.postgres):
            refused = [deployment.scores() for _ in range(6)]
            wait_for(lambda before=len(seen): len(seen) > before + 100)
        took = wait_for(lambda: deployment.scores().status == 200)
        after = [deployment.scores() for _ in range(20)]
    told("PostgreSQL away", took, seen)
    assert statuses(seen) == {200}
    assert {(answer.status, answer.told["error"]["code"]) for answer in refused} == {(503, "no_store")}
    assert statuses(after) == {200}


@pytest.mark.slow
def test_while_the_registry_is_away_forecasts_go_on_and_the_next_promotion_is_found(deployment: Deployment) -> None:
    first, second = deployment.versions
    with deployment.predicting() as seen:
        with deployment.mlflow.away():
            noticed = wait_for(lambda: deployment.troubled() == {True})
            assert deployment.served() == {first}
        deployment.registry.promote(deployment.company, HORIZON, second)
        took = wait_for(lambda: deployment.served() == {second} and deployment.troubled() == {False})
        deployment.registry.swap_previous(deployment.company, HORIZON, first)
        wait_for(lambda: deployment.served() == {first})
    told(f"the registry away, noticed after {noticed:.1f} s, back", took, seen)
    assert statuses(seen) == {200}


@pytest.mark.slow
def test_files_of_a_training_are_found_through_the_server_and_no_copy_stays(
    deployment: Deployment,
    scorer: Scorer,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry, tracking = deployment.registry, mlflow().get_tracking_uri()
    with registry.run("keepwell/test", "a training") as run:
        run.log_dict({"dates": 3}, "reference.json")
        version = run.register(scorer, np.full((2, len(scorer.info.feature_names)), np.nan))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert mlflow().get_tracking_uri() == tracking, "the server is that of the registry, and not whichever MLflow knows"
    assert registry.trained_with(deployment.company, HORIZON, version, "reference.json") == {"dates": 3}
    assert registry.trained_with(deployment.company, HORIZON, version, "totals.json") is None
    assert registry.scorer(deployment.company, HORIZON, version).info.version == version
    assert list(tmp_path.iterdir()) == []
