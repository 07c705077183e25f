"""Start the service as a child process, on loopback, and wait until it answers."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from keepwell.errors import ConfigError
from keepwell.interrupts import sigterm_as_interrupt
from keepwell.settings import Settings

SERVICE = "serving.service:Keepwell"
LOOPBACK = "127.0.0.1"
LONGEST_START_S = 120.0
LONGEST_STOP_S = 20.0


def serve(settings: Settings, port: int = 3000, host: str = LOOPBACK) -> None:
    """Serve until interrupted (Ctrl-C or SIGTERM). Raises ConfigError as `serving` does."""
    with serving(settings, port, host) as child:
        child.wait()


@contextmanager
def serving(settings: Settings, port: int = 3000, host: str = LOOPBACK) -> Iterator[subprocess.Popen[bytes]]:
    """Run the service while the block runs; it answers when the block begins, and is stopped when the block ends.

    Raises ConfigError for an address that is not loopback, a port that is taken, and a service that does not start.
    """
    _require_loopback(host)
    require_free(host, port)
    settings = replace(settings, home=str(settings.home_path))
    settings.home_path.mkdir(parents=True, exist_ok=True)
    with sigterm_as_interrupt():  # by default it would end this process alone, and the child would keep the port
        child = subprocess.Popen(_command(host, port, settings.home_path), env=_environment(settings))  # noqa: S603  # our own words
        try:
            _await_answer(child, host, port)
            with suppress(KeyboardInterrupt):
                yield child
        finally:
            _stop(child)


def _command(host: str, port: int, home: Path) -> list[str]:
    # The working directory of `bentoml serve` goes first on its import path: home holds no modules that could hide ours.
    serve = [sys.executable, "-m", "bentoml", "serve", SERVICE, "--working-dir", str(home)]
    return [*serve, "--host", host, "--port", str(port)]


def _environment(settings: Settings) -> dict[str, str]:
    """The variables of this process, the settings, and what keeps BentoML at home and quiet."""
    ours = {
        "BENTOML_HOME": str(settings.home_path / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "True",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "BENTOML_CONFIG_OPTIONS": "services.keepwell.logging.access.enabled=false",
    }
    return {**os.environ, **ours, **settings.to_environment()}


def _require_loopback(host: str) -> None:
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise ConfigError(
            f"this version serves on this machine only, not on {host!r}: nothing would ask who calls",
            hint="serve on 127.0.0.1, and put a proxy that knows its users in front",
        )


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
    address = f"[{host}]" if ":" in host else host
    deadline = time.monotonic() + LONGEST_START_S
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise ConfigError(f"the service ended with code {child.returncode}", hint="what it printed above says why")
        if _answers(f"http://{address}:{port}/livez"):
            return
        time.sleep(0.1)
    raise ConfigError(f"the service did not answer within {LONGEST_START_S:g} s", hint="what it printed above says why")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  # our own loopback address
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
