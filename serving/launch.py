"""Start the service as a child process, and wait until it answers: open on loopback, for holders of keys elsewhere."""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from keepwell.errors import ConfigError
from keepwell.interrupts import sigterm_as_interrupt
from keepwell.settings import Settings

LOOPBACK = "127.0.0.1"
LONGEST_START_S = 120.0
LONGEST_STOP_S = 20.0
MOST_FILES = 65_536

_CODE = Path(__file__).parents[1]
"""Where the packages of Keepwell lie."""

_LITTLE_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "20"}
"""The service looks for its champion every few seconds; MLflow's own four minutes of trying would hide that it is back."""

_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Whatever proxy the environment names, our own address is not behind it."""


def serve(settings: Settings, port: int = 3000, host: str = LOOPBACK, workers: int = 1) -> None:
    """Serve until interrupted (Ctrl-C or SIGTERM). Raises ConfigError as `serving` and `await_end` do."""
    with serving(settings, port, host, workers) as child:
        await_end(child)


def await_end(child: subprocess.Popen[bytes]) -> None:
    """Wait for the end of a service. Raises ConfigError for one that fails, as where another took its port while both started."""
    if code := child.wait():
        raise _ended(code)


@contextmanager
def serving(settings: Settings, port: int = 3000, host: str = LOOPBACK, workers: int = 1) -> Iterator[subprocess.Popen[bytes]]:
    """Run the service while the block runs; it answers when the block begins, and is stopped when the block ends.

    It asks for keys as `asks_for_keys` says. Raises ConfigError for a host that is no IP address, a port that is taken, and a
    service that does not start.
    """
    host = "127.0.0.1" if host == "localhost" else host
    asked = "true" if asks_for_keys(settings, host) else "false"
    require_free(host, port)
    settings = replace(settings, home=str(settings.home_path), require_keys=asked)
    environment = _environment(settings, workers)
    settings.home_path.mkdir(parents=True, exist_ok=True)
    _allow_many_connections()
    # By default SIGTERM would end this process alone, and the child would keep the port.
    with sigterm_as_interrupt(), tempfile.TemporaryDirectory(prefix="keepwell-") as figures:
        environment["PROMETHEUS_MULTIPROC_DIR"] = figures  # of this start: another service of this home has its own
        words = [sys.executable, "-m", "serving.workers", host, str(port), str(workers)]
        # The working directory goes first on the import path of a worker: home holds no modules that could hide ours.
        child = subprocess.Popen(words, env=environment, cwd=settings.home_path)  # noqa: S603  # our own words
        try:
            _await_answer(child, host, port)
            with suppress(KeyboardInterrupt):
                yield child
        finally:
            _stop(child)


def asks_for_keys(settings: Settings, host: str) -> bool:
    """Whether a service on `host` asks for keys: on loopback where the settings say so, elsewhere always.

    Raises ConfigError for a host that is no IP address, and for settings that would leave a network without keys.
    """
    if _is_loopback(host):
        return settings.require_keys != "" and settings.asks_for_keys
    if not settings.asks_for_keys:
        raise ConfigError(
            f"KEEPWELL_REQUIRE_KEYS is false, and {host} can be reached from elsewhere",
            hint="leave the setting out, and make keys with `keepwell keys create`",
        )
    return True


def require_callers(settings: Settings, host: str, at: datetime) -> None:
    """Raise ConfigError where a service on `host` would ask who comes, and there is neither a valid key nor a user."""
    if not asks_for_keys(settings, host):
        return
    from serving.store import Store  # noqa: PLC0415  # most services begin without a look at it, and shall begin quickly

    store = Store(settings.resolved_store_url)
    store.migrate()
    anybody = any(key.state(at) == "valid" for key in store.keys.all()) or store.people.any()
    store.close()
    if not anybody:
        raise ConfigError(
            f"there is no valid key, so nobody could call the service on {host}",
            hint="make one: keepwell keys create NAME --scope predict (or set up a user of the console: keepwell users add NAME)",
        )


def _environment(settings: Settings, workers: int) -> dict[str, str]:
    """The variables of this process, the settings, and what keeps BentoML at home and quiet."""
    settings.logs_json, settings.logged_share, settings.logged_bytes, settings.runs_jobs  # noqa: B018  # what is wrong is told now, and not by each worker
    options = {"services.keepwell.logging.access.enabled": "false", "services.keepwell.workers": workers, **_tracing(settings)}
    ours = {
        "BENTOML_HOME": str(settings.home_path / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "True",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "BENTOML_CONFIG_OPTIONS": " ".join(f"{name}={value}" for name, value in options.items()),
        "PYTHONPATH": os.pathsep.join(filter(None, (str(_CODE), os.environ.get("PYTHONPATH")))),
        "FORWARDED_ALLOW_IPS": settings.trusted_proxies,  # the server's own default believes whoever is on this machine
    }
    return {**_LITTLE_PATIENCE, **os.environ, **ours, **settings.to_environment()}


def _tracing(settings: Settings) -> dict[str, object]:
    """What BentoML is told of traces: nothing unless there is a collector. Raises ConfigError where nothing could send them."""
    if not settings.traced_share:
        return {}
    try:
        found = importlib.util.find_spec("opentelemetry.exporter.otlp.proto.http")
    except ModuleNotFoundError:  # one of its parents
        found = None
    if found is None:
        hint = "install it: pip install opentelemetry-exporter-otlp-proto-http"
        raise ConfigError("KEEPWELL_OTLP_ENDPOINT is set, and there is nothing to send traces with", hint=hint)
    place = {"exporter_type": "otlp", "otlp.protocol": "http", "otlp.endpoint": settings.otlp_endpoint}
    return {f"services.keepwell.tracing.{name}": value for name, value in {**place, "sample_rate": settings.traced_share}.items()}


def _allow_many_connections() -> None:
    """Let this process and its children have many open files: each connection is one, and idle ones soon fill the usual 1,024."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if most == resource.RLIM_INFINITY else min(most, MOST_FILES)
    if now != resource.RLIM_INFINITY and now < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError as error:
        raise ConfigError(f"{host!r} is no IP address", hint="use --host 0.0.0.0 for all addresses of this machine") from error


def require_free(host: str, port: int) -> None:
    """Raise ConfigError when the port cannot be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            raise ConfigError(f"port {port} cannot be used: {error}", hint="choose another one with --port") from error


def _await_answer(child: subprocess.Popen[bytes], host: str, port: int) -> None:
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # compared, not bound
    address = f"[{reached}]" if ":" in reached else reached
    deadline = time.monotonic() + LONGEST_START_S
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise _ended(child.returncode)
        if _answers(f"http://{address}:{port}/livez"):
            return
        time.sleep(0.1)
    raise ConfigError(f"the service did not answer within {LONGEST_START_S:g} s", hint="what it printed above says why")


def _ended(code: int) -> ConfigError:
    return ConfigError(f"the service ended with code {code}", hint="what it printed above says why")


def _answers(url: str) -> bool:
    try:
        with _DIRECTLY.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _stop(child: subprocess.Popen[bytes]) -> None:
    """Ask the service to end, and make it when it does not."""
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
    try:
        child.wait(LONGEST_STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
