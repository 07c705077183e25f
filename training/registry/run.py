"""One MLflow run: what a training leaves behind for people to read."""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from training.registry.digest import folder_digest
from training.registry.mlflow_home import mlflow, model_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from training.loading import Predictor

PYFUNC_FILE = Path(__file__).with_name("pyfunc_model.py")
REQUIREMENTS = ("mlflow", "numpy", "scipy", "lightgbm", "pandas", "polars")
OUTPUTS = ("churn_probability", "expected_value", "value_if_active", "value_low", "value_high")
EXAMPLE_ROWS = 5
_LOGGED = "models:/"  # and the id of a logged model: where a version comes from
DIGEST = "sha256"
"""The tag of a version that says what its files must be."""


class Run:
    """An open run. Files are named by their path among the run's artifacts; metrics that are NaN are kept as NaN."""

    def __init__(self, run_id: str, experiment_id: str) -> None:
        self.id = run_id
        self.experiment_id = experiment_id

    def log_params(self, params: Mapping[str, object]) -> None:
        """Log what was chosen; one name is logged once."""
        mlflow().log_params(dict(params))

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Log what was measured; names carry unit and direction."""
        mlflow().log_metrics({name: float(value) for name, value in metrics.items()}, step=step)

    def log_tags(self, tags: Mapping[str, object]) -> None:
        """Set tags, by which runs are searched."""
        mlflow().set_tags(dict(tags))

    def log_note(self, markdown: str) -> None:
        """Set the description that MLflow shows on top of the run's page."""
        mlflow().set_tag("mlflow.note.content", markdown)

    def log_figure(self, figure: Figure, path: str) -> None:
        """Store a figure as PNG or SVG, by the suffix of `path`."""
        mlflow().log_figure(figure, path)

    def log_dict(self, content: Mapping[str, Any] | list[Any], path: str) -> None:
        """Store JSON or YAML, by the suffix of `path`."""
        mlflow().log_dict(content, path)

    def log_text(self, text: str, path: str) -> None:
        """Store a text, such as Markdown or HTML."""
        mlflow().log_text(text, path)

    def log_dataset(self, frame: pl.DataFrame, name: str, fingerprint: str, context: str) -> None:
        """Log which data went in: name, fingerprint, shape and schema, not the rows."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow warns about pandas while it describes the frame
            data = mlflow().data.from_polars(frame, name=name, digest=fingerprint[:32])
            mlflow().log_input(data, context=context)

    def log_model_used(self, company: str, horizon_days: int, version: str) -> None:
        """Log which registered model this run read: MLflow shows the run on the model's page, and the model on the run's."""
        client = mlflow().MlflowClient()
        source = client.get_model_version(model_name(company, horizon_days), version).source  # databases keep no model_id
        client.log_inputs(self.id, models=[mlflow().entities.LoggedModelInput(model_id=source.removeprefix(_LOGGED))])

    @contextmanager
    def child(self, name: str) -> Iterator[Run]:
        """A nested run, such as one trial of a study."""
        with mlflow().start_run(run_name=name, nested=True, experiment_id=self.experiment_id) as opened:
            yield Run(opened.info.run_id, opened.info.experiment_id)

    def register(self, scorer: Predictor, example: np.ndarray) -> str:
        """Log `scorer` with signature and an example, register it under its company and horizon; its version.

        `example` are rows of customers (n, features): what is kept of them are rows of nobody, as `nobodys_rows` makes them.
        Aliases stay as they are: `Registry.promote` and `Registry.challenge` set them.
        """
        info, names = scorer.info, list(scorer.info.feature_names)
        with tempfile.TemporaryDirectory() as folder:
            scorer.save(Path(folder) / "scorer")
            tags = {**_model_tags(info), DIGEST: folder_digest(Path(folder) / "scorer")}
            logged = self._log_model(Path(folder) / "scorer", names, nobodys_rows(example), tags)
        name, client = model_name(info.company, info.horizon_days), mlflow().MlflowClient()
        _ensure_model(client, name, info)
        made = client.create_model_version(
            name, source=f"{_LOGGED}{logged.model_id}", run_id=self.id, model_id=logged.model_id, tags=tags
        )
        return str(made.version)

    def _log_model(self, folder: Path, names: list[str], example: np.ndarray, tags: dict[str, str]) -> Any:  # noqa: ANN401  # MLflow's
        from pandas import DataFrame  # noqa: PLC0415  # MLflow wants its example as a pandas frame

        with warnings.catch_warnings(), _no_bytecode():
            warnings.simplefilter("ignore")  # MLflow's own use of pandas
            return mlflow().pyfunc.log_model(
                name="model",
                python_model=str(PYFUNC_FILE),
                artifacts={"scorer": str(folder)},
                signature=_signature(names),
                input_example=DataFrame(example, columns=names),
                pip_requirements=[f"{package}=={installed(package)}" for package in REQUIREMENTS],
                tags=tags,
            )


def nobodys_rows(matrix: np.ndarray, rows: int = EXAMPLE_ROWS) -> np.ndarray:
    """So many rows (rows, features) that are no customer's: quantiles of each feature by itself; NaN where nobody has a value.

    >>> nobodys_rows(np.array([[1.0, 9.0], [2.0, np.nan], [3.0, 7.0], [4.0, 8.0]]), rows=2)
    array([[1., 7.],
           [3., 9.]])
    """
    levels = (np.arange(rows) + 0.5) / rows
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
        return np.asarray(np.nanquantile(matrix, levels, axis=0, method="inverted_cdf"))


@contextmanager
def _no_bytecode() -> Iterator[None]:
    """MLflow tries the model where it is stored: without this, what Python compiles of its code would stay there."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


@contextmanager
def started_run(
    client: Any,  # noqa: ANN401  # an MlflowClient
    artifact_location: str | None,
    experiment: str,
    name: str,
) -> Iterator[Run]:
    """Open a run and end it; the tracking URI that the process had before is put back."""
    module, before = mlflow(), mlflow().get_tracking_uri()
    try:
        module.set_tracking_uri(client.tracking_uri)
        joined = _run_to_join(client)
        experiment_id = None if joined else _experiment_id(client, experiment, artifact_location)
        with module.start_run(run_id=joined, run_name=name, experiment_id=experiment_id) as opened:
            yield Run(opened.info.run_id, opened.info.experiment_id)
    finally:
        module.set_tracking_uri(before)


def _run_to_join(client: Any) -> str | None:  # noqa: ANN401  # an MlflowClient
    """The run that `mlflow run` opened for this process, if our tracking URI knows it.

    The variable is taken away, as MLflow itself does: only the first run of the process may join.
    """
    run_id = os.environ.pop("MLFLOW_RUN_ID", None)
    if run_id is None:
        return None
    try:
        return str(client.get_run(run_id).info.run_id)
    except mlflow().exceptions.MlflowException:
        return None


def _experiment_id(client: Any, name: str, artifact_location: str | None) -> str:  # noqa: ANN401  # an MlflowClient
    """The id of the experiment, made if need be; another process may make it in the same moment."""
    if (found := client.get_experiment_by_name(name)) is not None:
        return str(found.experiment_id)
    try:
        return str(client.create_experiment(name, artifact_location=artifact_location))
    except mlflow().exceptions.MlflowException:
        if (found := client.get_experiment_by_name(name)) is None:
            raise
        return str(found.experiment_id)


def _ensure_model(client: Any, name: str, info: Any) -> None:  # noqa: ANN401  # an MlflowClient and a ModelInfo
    """Create the registered model unless it is there; the tags are how `Registry.champions` knows it."""
    tags = {"keepwell.company": info.company, "keepwell.horizon_days": str(info.horizon_days)}
    looks = f"over {info.horizon_days} days" if info.horizon_days else "as its labels have it"
    title = f"Churn and value of the customers of {info.company} {looks}."
    try:
        client.create_registered_model(name, tags=tags, description=title)
    except mlflow().exceptions.MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _model_tags(info: Any) -> dict[str, str]:  # noqa: ANN401  # a ModelInfo
    return {
        "company": info.company,
        "horizon_days": str(info.horizon_days),
        "trained_as_of": str(info.trained_as_of),
        "labels_until": str(info.labels_until),
        "grade": info.grade,
        "family": info.family,
    }


def _signature(names: list[str]) -> Any:  # noqa: ANN401  # a ModelSignature
    """Every feature and every prediction is a double, since a missing value must be able to stand in any column."""
    types, models = mlflow().types, mlflow().models
    double = types.DataType.double
    return models.ModelSignature(
        inputs=types.Schema([types.ColSpec(double, name) for name in names]),
        outputs=types.Schema([types.ColSpec(double, name) for name in OUTPUTS]),
    )
