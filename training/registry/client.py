"""Champions: which version of a model may score, and the scorer behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keepwell.errors import ModelError
from training.registry.aliases import CHALLENGER, CHAMPION, PREVIOUS, aliases_of, change_aliases, one_at_a_time
from training.registry.digest import require_unchanged
from training.registry.mlflow_home import (
    database_file,
    downloaded,
    is_database,
    is_local,
    local_folder,
    make_database,
    mlflow,
    model_name,
)
from training.registry.run import DIGEST, Run, started_run

if TYPE_CHECKING:
    from training.loading import Predictor


class Registry:
    """Runs and models in the MLflow at `tracking_uri`; on a database, files go below `artifact_root`.

    Nothing is opened or created until a method needs it; reading never creates a database. Several processes may use it at once.
    """

    def __init__(self, tracking_uri: str, artifact_root: Path) -> None:
        self.tracking_uri = tracking_uri
        self.artifact_root = artifact_root.resolve()

    @contextmanager
    def run(self, experiment: str, name: str) -> Iterator[Run]:
        """Log one run of `experiment`; inside `mlflow run` on the same tracking URI, join the run that it opened.

        The run ends as FINISHED, or as FAILED when the block raises.
        """
        if (file := database_file(self.tracking_uri)) is not None:
            make_database(file, self.artifact_root)
        with started_run(self._client, self._artifact_location(experiment), experiment, name) as run:
            yield run

    def study_storage(self) -> str:
        """The SQLAlchemy URL of the studies' own database, beside the artifacts; its folder is made.

        Raises ModelError when another kind of file stands there.
        """
        home = self.artifact_root.parent
        home.mkdir(parents=True, exist_ok=True)
        is_database(home / "studies.db")
        return f"sqlite:///{home / 'studies.db'}"

    def champion(self, company: str, horizon_days: int) -> Predictor:
        """The scorer that may score now. Raises ModelError when there is none."""
        return self.scorer(company, horizon_days, self.champion_version(company, horizon_days))

    def champion_version(self, company: str, horizon_days: int) -> str:
        """The champion's version: one query. Raises ModelError when there is no champion."""
        version = self.version(company, horizon_days, CHAMPION)
        if version is None:
            raise ModelError(
                f"no champion for company {company!r} and a horizon of {horizon_days} days in {self.tracking_uri}",
                hint=self._champion_hint(horizon_days),
            )
        return version

    def scorer(self, company: str, horizon_days: int, version: str) -> Predictor:
        """The scorer of one version, with `info.version` filled in.

        Raises ModelError when there is no such version, or its files are gone or damaged.
        """
        from training.loading import load_predictor  # noqa: PLC0415  # LightGBM is for those who load a model

        found = self._require_version(company, horizon_days, version)
        uri = self._client.get_model_version_download_uri(found.name, version)
        with local_folder(f"{uri}/artifacts/scorer", self.tracking_uri) as folder:
            require_unchanged(folder, found.tags.get(DIGEST))
            return load_predictor(folder).versioned(version)

    def version(self, company: str, horizon_days: int, alias: str) -> str | None:
        """The version under `alias` (champion, challenger or previous); None when there is none."""
        if not self._exists:
            return None
        try:
            found = self._client.get_model_version_by_alias(model_name(company, horizon_days), alias)
        except mlflow().exceptions.MlflowException as error:
            _reraise_unless_absent(error)
            return None
        return str(found.version)

    def champions(self) -> tuple[tuple[str, int], ...]:
        """Every (company, horizon in days) that has a champion, in order."""
        return tuple(sorted(_key(model) for model in self._our_models() if CHAMPION in model.aliases))

    def horizons(self, company: str) -> tuple[int, ...]:
        """The horizons in days for which `company` has a champion, shortest first; empty when there is none."""
        return tuple(horizon for key, horizon in self.champions() if key == company)

    def promote(self, company: str, horizon_days: int, version: str) -> None:
        """Make `version` the champion; the champion so far becomes `previous`. Promoting the champion changes nothing.

        Raises ModelError when there is no such version.
        """
        with self._changing(company, horizon_days, version) as (name, aliases):
            self._crown(name, aliases, version)

    def succeed(self, company: str, horizon_days: int, champion: str | None, version: str) -> bool:
        """Promote `version` if `champion` (None: nobody) is the champion still; whether it was.

        So a candidate replaces only the champion that it was compared with. Raises ModelError when there is no such version.
        """
        with self._changing(company, horizon_days, version) as (name, aliases):
            if aliases.get(CHAMPION) != champion:
                return False
            self._crown(name, aliases, version)
        return True

    def swap_previous(self, company: str, horizon_days: int, previous: str) -> None:
        """Let champion and previous change places. Raises ModelError when `previous` no longer is the previous one."""
        with self._changing(company, horizon_days, previous) as (name, aliases):
            if aliases.get(PREVIOUS) != previous:
                raise ModelError(f"version {previous} is no longer the previous one", hint="look again: the champion has changed")
            change_aliases(self._client, name, {CHAMPION: previous, PREVIOUS: aliases.get(CHAMPION)})

    def challenge(self, company: str, horizon_days: int, version: str) -> None:
        """Name `version` the challenger: kept for a person to promote. Raises ModelError when there is no such version."""
        with self._changing(company, horizon_days, version) as (name, _):
            change_aliases(self._client, name, {CHALLENGER: version})

    def tags(self, company: str, horizon_days: int, version: str) -> dict[str, str]:
        """What was noted on a version. Raises ModelError when there is no such version."""
        return dict(self._require_version(company, horizon_days, version).tags)

    def registered_at(self, company: str, horizon_days: int, version: str) -> datetime:
        """When a version was registered, in UTC. Raises ModelError when there is no such version."""
        found = self._require_version(company, horizon_days, version)
        return datetime.fromtimestamp(found.creation_timestamp / 1000, UTC)

    def newest_logged(self, experiment: str, company: str, horizon_days: int, path: str) -> dict[str, Any] | None:
        """The JSON file `path` of the newest finished run of `experiment` that is tagged with this company and horizon.

        None where there is no such run, or it has no such file.
        """
        found = self._client.get_experiment_by_name(experiment) if self._exists else None
        if found is None:
            return None
        search = partial(
            self._client.search_runs,
            [found.experiment_id],
            f"tags.horizon_days = '{horizon_days}' AND attributes.status = 'FINISHED'",
            order_by=["attributes.start_time DESC"],
            max_results=50,
        )
        runs = (run for run in _all_pages(search) if run.data.tags.get("company") == company)
        newest = next(runs, None)
        return None if newest is None else self._json_of(newest, path)

    def tag(self, company: str, horizon_days: int, version: str, tags: Mapping[str, object]) -> None:
        """Note something on a version."""
        for name, value in tags.items():
            self._client.set_model_version_tag(model_name(company, horizon_days), version, name, str(value))

    def models(self) -> tuple[tuple[str, int], ...]:
        """Every (company, horizon in days) that has a model, with a champion or without, in order."""
        return tuple(sorted(_key(model) for model in self._our_models()))

    def trained_with(self, company: str, horizon_days: int, version: str, path: str) -> dict[str, Any] | None:
        """The JSON file `path` of the training that made a version; None where it left none, or its run is gone."""
        run_id = self._require_version(company, horizon_days, version).run_id
        try:
            return self._json_of(self._client.get_run(run_id), path) if run_id else None
        except mlflow().exceptions.MlflowException:
            return None

    @contextmanager
    def _changing(self, company: str, horizon_days: int, version: str) -> Iterator[tuple[str, dict[str, str]]]:
        """The model's name and its aliases, while nobody else changes them."""
        name = self._require_version(company, horizon_days, version).name
        with one_at_a_time(self.artifact_root.parent / "aliases.lock"):
            yield name, aliases_of(self._client, name)

    def _crown(self, name: str, aliases: Mapping[str, str], version: str) -> None:
        before = aliases.get(CHAMPION)
        if before == version:
            return
        left = {CHALLENGER: None} if aliases.get(CHALLENGER) == version else {}
        change_aliases(self._client, name, {PREVIOUS: before, CHAMPION: version, **left})

    @cached_property
    def _client(self) -> Any:  # noqa: ANN401  # MLflow is not typed for its callers
        try:
            return mlflow().MlflowClient(self.tracking_uri, registry_uri=self.tracking_uri)
        except mlflow().exceptions.MlflowException as error:
            raise ModelError(f"MLflow cannot use {self.tracking_uri}", hint="check KEEPWELL_TRACKING_URI") from error

    @property
    def _exists(self) -> bool:
        """Whether there is a database to ask: opening a missing SQLite file would create one."""
        file = database_file(self.tracking_uri)
        return file is None or is_database(file)

    def _artifact_location(self, experiment: str) -> str | None:
        """An absolute place, since MLflow keeps it for good; None leaves the choice to a tracking server."""
        return (self.artifact_root / experiment.replace("/", "-")).as_uri() if is_local(self.tracking_uri) else None

    def _our_models(self) -> list[Any]:
        """The registered models that are Keepwell's: others may live in the same MLflow."""
        models = _all_pages(self._client.search_registered_models) if self._exists else ()
        return [model for model in models if "keepwell.company" in model.tags]

    def _json_of(self, run: Any, path: str) -> dict[str, Any] | None:  # noqa: ANN401  # MLflow's Run
        """A JSON file of a run; None where it has none."""
        try:
            with downloaded(f"{run.info.artifact_uri}/{path}", self.tracking_uri) as file:
                return dict(json.loads(file.read_text(encoding="utf-8")))
        except (mlflow().exceptions.MlflowException, OSError, ValueError):
            return None

    def _require_version(self, company: str, horizon_days: int, version: str) -> Any:  # noqa: ANN401  # MLflow's ModelVersion
        name = model_name(company, horizon_days)
        try:
            found = self._exists and version.isdigit() and self._client.get_model_version(name, version)
        except mlflow().exceptions.MlflowException as error:
            _reraise_unless_absent(error)
            found = False
        if not found:
            raise ModelError(f"model {name!r} has no version {version!r}", hint=self._version_hint(name))
        return found

    def _version_hint(self, name: str) -> str:
        quote = '"' if "'" in name else "'"  # MLflow has no way to write both kinds
        asked = self._exists and not {'"', "'"} <= set(name)
        versions = self._client.search_model_versions(f"name = {quote}{name}{quote}") if asked else ()
        known = ", ".join(str(number) for number in sorted(int(found.version) for found in versions))
        return f"its versions are {known}" if known else "train one, or look at the versions in MLflow"

    def _champion_hint(self, horizon_days: int) -> str:
        known = ", ".join(f"{key} ({horizon} days)" for key, horizon in self.champions())
        train = f"train one: keepwell train DATA --horizon {horizon_days}d --as-of DATE"
        return f"{train}; champions there are for: {known}" if known else train


def _reraise_unless_absent(error: Any) -> None:  # noqa: ANN401  # an MlflowException, whose module is imported late
    """MLflow says "absent" in two ways: no such model, or no such alias of a model."""
    if error.error_code not in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
        raise ModelError(f"MLflow does not answer: {error.message}", hint="check KEEPWELL_TRACKING_URI") from error


def _key(model: Any) -> tuple[str, int]:  # noqa: ANN401  # MLflow's RegisteredModel
    return model.tags["keepwell.company"], int(model.tags["keepwell.horizon_days"])


def _all_pages(search: Any) -> Iterator[Any]:  # noqa: ANN401  # MLflow's paged search methods
    page = search()
    yield from page
    while page.token:
        page = search(page_token=page.token)
        yield from page
