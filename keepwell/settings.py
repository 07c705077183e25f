"""The settings of a Keepwell installation: read once, at the edge, from `KEEPWELL_*` variables.

Every setting is a field of `Settings`; its name, default and meaning are what `docs/settings.md` lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from math import nan
from pathlib import Path

from keepwell.errors import ConfigError

PREFIX = "KEEPWELL_"


def _setting(default: str, meaning: str) -> str:
    """A text field that carries its meaning, for the docs."""
    value: str = field(default=default, metadata={"meaning": meaning})
    return value


@dataclass(frozen=True)
class Settings:
    """Where state lives, what is served, and to whom. All are texts; an empty one means what its meaning says."""

    home: str = _setting("keepwell-home", "Folder of all state: MLflow database, models, store.")
    store_url: str = _setting("", "SQLAlchemy URL of the store; empty: SQLite file `store.db` below home.")
    tracking_uri: str = _setting("", "MLflow tracking URI; empty: SQLite file `mlflow.db` below home.")
    company: str = _setting("", "Company key that the service serves; empty: the only one there is.")
    horizon: str = _setting("", "Horizon that the service serves, as `90d`; empty: the only one there is.")
    policy: str = _setting("", "Policy file of the plans that the service answers; empty: the one that Keepwell brings.")
    require_keys: str = _setting(
        "", "Whether the service asks for API keys, `true` or `false`; empty: `keepwell serve` asks on any address but loopback."
    )
    allowed_hosts: str = _setting("", "Further host names that requests may name, with commas between them (docs/access.md).")
    trusted_proxies: str = _setting(
        "", "Addresses of proxies whose `X-Forwarded-For` and `-Proto` are believed, with commas between them."
    )
    log_format: str = _setting("text", "How the service logs: `text` for people, `json` for programs, a line a request.")
    otlp_endpoint: str = _setting("", "URL of an OpenTelemetry collector that takes traces over HTTP; empty: nothing is traced.")
    trace_share: str = _setting("1", "Share of the requests that are traced, from 0 to 1.")
    models: str = _setting("", "Folder of exported models to serve; empty: the champions of the registry.")
    prediction_log_share: str = _setting("0", "Share of predictions whose features and figures are kept for the monitor, 0 to 1.")
    prediction_log_mb: str = _setting("64", "The most that kept predictions may take, in megabytes; the oldest go first.")
    jobs_root: str = _setting("", "Folder below which jobs over HTTP find their data; empty: the service takes no jobs.")
    jobs_elsewhere: str = _setting(
        "", "`true`: the service takes jobs and runs none; `keepwell jobs run` does, where there is memory for them."
    )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read the `KEEPWELL_*` variables of `environ`.

        Raises ConfigError for a `KEEPWELL_*` name that is no setting.

        >>> Settings.from_environment({"KEEPWELL_HOME": "/data/kw"}).home
        '/data/kw'
        """
        given = {key.removeprefix(PREFIX).lower(): value for key, value in environ.items() if key.startswith(PREFIX)}
        known = [setting.name for setting in fields(cls)]
        unknown = sorted(set(given) - set(known))
        if unknown:
            raise ConfigError(
                f"unknown setting {PREFIX}{unknown[0].upper()}",
                hint=f"known are {', '.join(PREFIX + name.upper() for name in known)}",
            )
        return cls(**given)

    def to_environment(self) -> dict[str, str]:
        """The `KEEPWELL_*` variables that `from_environment` reads back to the same value, for a child process."""
        return {PREFIX + setting.name.upper(): str(getattr(self, setting.name)) for setting in fields(self)}

    @property
    def asks_for_keys(self) -> bool:
        """Whether the service asks for keys: unless it is told not to, it does. Raises ConfigError for another word."""
        return _choice("require_keys", self.require_keys, ("", "true", "false")) != "false"

    @property
    def allowed_host_names(self) -> tuple[str, ...]:
        """The names of `allowed_hosts`."""
        return tuple(name.strip().lower() for name in self.allowed_hosts.split(",") if name.strip())

    @property
    def logs_json(self) -> bool:
        """Whether logs are for programs. Raises ConfigError for a format that there is not."""
        return _choice("log_format", self.log_format, ("text", "json")) == "json"

    @property
    def traced_share(self) -> float:
        """The share of requests that are traced: 0 where there is no collector. Raises ConfigError for what is no share."""
        try:
            share = float(self.trace_share)
        except ValueError:
            share = nan
        if not 0 <= share <= 1:
            raise ConfigError(f"{PREFIX}TRACE_SHARE is {self.trace_share!r}", hint="it can be a number from 0 to 1")
        return share if self.otlp_endpoint else 0.0

    @property
    def home_path(self) -> Path:
        """The state folder, absolute."""
        return Path(self.home).expanduser().resolve()

    @property
    def logged_share(self) -> float:
        """The share of predictions that is kept. Raises ConfigError for what is no share."""
        return _number("prediction_log_share", self.prediction_log_share, 1.0)

    @property
    def logged_bytes(self) -> int:
        """The most bytes that kept predictions may take. Raises ConfigError for what is no such number."""
        return int(_number("prediction_log_mb", self.prediction_log_mb, 1e6) * 1e6)

    @property
    def predictions_folder(self) -> Path:
        """Where predictions are kept for the monitor."""
        return self.home_path / "predictions"

    @property
    def models_path(self) -> Path | None:
        """The folder of exported models, absolute; None where the registry's champions are served."""
        return Path(self.models).expanduser().resolve() if self.models else None

    @property
    def kept_models(self) -> Path:
        """Where a service keeps the champions that it has served, for a start without the registry."""
        return self.home_path / "kept-models"

    @property
    def jobs_root_path(self) -> Path | None:
        """The folder of the data of jobs, absolute; None where no jobs are taken."""
        return Path(self.jobs_root).expanduser().resolve() if self.jobs_root else None

    @property
    def runs_jobs(self) -> bool:
        """Whether the service runs the jobs that it takes. Raises ConfigError for another word than true or false."""
        return _choice("jobs_elsewhere", self.jobs_elsewhere, ("", "true", "false")) != "true" and self.jobs_root != ""

    @property
    def jobs_folder(self) -> Path:
        """Where the results of jobs lie."""
        return self.home_path / "jobs"

    @property
    def reviews_folder(self) -> Path:
        """Where reviews are kept for the console."""
        return self.home_path / "reviews"

    @property
    def evidence_folder(self) -> Path:
        """Where what came of actions is kept for the plans of console and service."""
        return self.home_path / "evidence"

    @property
    def policy_path(self) -> Path | None:
        """The policy file; None for the one that Keepwell brings."""
        return Path(self.policy).expanduser().resolve() if self.policy else None

    @property
    def resolved_store_url(self) -> str:
        """The store's SQLAlchemy URL, with the default filled in."""
        return self.store_url or f"sqlite:///{self.home_path / 'store.db'}"

    @property
    def resolved_tracking_uri(self) -> str:
        """MLflow's tracking URI, with the default filled in."""
        return self.tracking_uri or f"sqlite:///{self.home_path / 'mlflow.db'}"

    @property
    def mlflow_pages(self) -> str:
        """Where MLflow's pages are: at its server's address, or what serves them from a database.

        >>> Settings(tracking_uri="http://mlflow:5000").mlflow_pages
        'http://mlflow:5000'
        """
        uri = self.resolved_tracking_uri
        return uri if uri.startswith(("http://", "https://")) else f"mlflow ui --backend-store-uri {uri}"

    @property
    def artifact_root(self) -> Path:
        """Where MLflow keeps artifacts when it runs on the local database."""
        return self.home_path / "artifacts"


def _choice(name: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        allowed = ", ".join(word or "nothing" for word in known)
        raise ConfigError(f"{PREFIX}{name.upper()} is {value!r}", hint=f"it can be {allowed}")
    return value


def _number(name: str, value: str, most: float) -> float:
    """A setting that is a number from 0 to `most`."""
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number <= most:
        raise ConfigError(f"{PREFIX}{name.upper()} is {value!r}", hint=f"it can be a number from 0 to {most:g}")
    return number


def described_settings() -> list[tuple[str, str, str]]:
    """(variable, default, meaning) of every setting, in order.

    >>> described_settings()[0][:2]
    ('KEEPWELL_HOME', 'keepwell-home')
    """
    return [
        (PREFIX + setting.name.upper(), "" if setting.default is MISSING else str(setting.default), setting.metadata["meaning"])
        for setting in fields(Settings)
    ]
