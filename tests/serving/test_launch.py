from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path

import pytest

from keepwell.errors import ConfigError
from keepwell.settings import Settings
from serving.front.access import hash_of, new_key
from serving.launch import _environment, asks_for_keys, await_end, serving
from serving.store import Store
from serving.store.keys import ApiKey

# A shell's background jobs ignore Ctrl-C, and so does all they start: this Python heeds it again, then becomes the command.
HEEDS_CTRL_C = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5"])
def test_whoever_is_reached_from_elsewhere_asks_for_keys(host: str) -> None:
    assert asks_for_keys(Settings(), host)
    with pytest.raises(ConfigError, match=f"{host} can be reached from elsewhere"):
        asks_for_keys(Settings(require_keys="false"), host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_on_loopback_keys_are_asked_for_when_that_is_said(host: str) -> None:
    assert [asks_for_keys(Settings(require_keys=said), host) for said in ("", "false", "true")] == [False, False, True]


@pytest.mark.parametrize("host", ["example.org", "", "0.0.0.0.0"])
def test_a_host_that_is_no_address_is_refused(host: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no IP address"), serving(Settings(home=str(tmp_path)), 0, host):
        pass


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (Settings(require_keys="yes"), "KEEPWELL_REQUIRE_KEYS is 'yes'"),
        (Settings(log_format="xml"), "KEEPWELL_LOG_FORMAT is 'xml'"),
        (Settings(trace_share="2", otlp_endpoint="http://127.0.0.1:4318"), "KEEPWELL_TRACE_SHARE is '2'"),
    ],
)
def test_a_setting_that_makes_no_sense_is_told_before_anything_starts(settings: Settings, told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=told), serving(replace(settings, home=str(tmp_path / "home")), free_port()):
        pass
    assert not (tmp_path / "home").exists()


def test_nothing_is_traced_unless_a_collector_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: object())
    assert "tracing" not in _environment(Settings(), 1)["BENTOML_CONFIG_OPTIONS"]
    options = _environment(Settings(otlp_endpoint="http://127.0.0.1:4318/v1/traces", trace_share="0.5"), 1)[
        "BENTOML_CONFIG_OPTIONS"
    ]
    assert "services.keepwell.tracing.otlp.endpoint=http://127.0.0.1:4318/v1/traces" in options
    assert "services.keepwell.tracing.sample_rate=0.5" in options


def test_a_collector_without_anything_to_send_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match="nothing to send traces with"):
        _environment(Settings(otlp_endpoint="http://127.0.0.1:4318/v1/traces"), 1)


def test_only_proxies_that_are_named_are_believed() -> None:
    assert _environment(Settings(), 1)["FORWARDED_ALLOW_IPS"] == ""
    assert _environment(Settings(trusted_proxies="10.0.0.2"), 1)["FORWARDED_ALLOW_IPS"] == "10.0.0.2"


def test_a_port_that_is_taken_is_refused(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port} cannot be used"), serving(Settings(home=str(tmp_path)), port):
            pass


def test_a_service_that_fails_after_its_start_fails_its_command() -> None:
    failed, told_to_end = ([sys.executable, "-c", f"raise SystemExit({code})"] for code in (3, 0))
    with pytest.raises(ConfigError, match="the service ended with code 3"), subprocess.Popen(failed) as child:
        await_end(child)
    with subprocess.Popen(told_to_end) as child:
        await_end(child)


def test_a_port_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="port 70000 cannot be used"), serving(Settings(home=str(tmp_path)), 70_000):
        pass


def test_the_service_starts_without_a_model_answers_and_ends(tmp_path: Path) -> None:
    port = free_port()
    with serving(Settings(home=str(tmp_path / "home")), port) as child:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/console/") as page:
            assert "keepwell score" in page.read().decode()
        with pytest.raises(urllib.error.HTTPError, match="503") as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz")
        assert "keepwell train" in json.load(refused.value)["error"]["hint"]
        refused.value.close()
    assert child.poll() is not None
    assert not answers(port)


@pytest.mark.parametrize("is_running", [False, True])
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_the_service_ends_with_the_command_that_started_it(end: signal.Signals, is_running: bool, tmp_path: Path) -> None:
    port = free_port()
    words = [sys.executable, "-c", HEEDS_CTRL_C, "-m", "cli", "serve", "--port", str(port)]
    root = Path(__file__).parents[2]
    home = tmp_path / "home"
    environment = {**os.environ, "KEEPWELL_HOME": str(home)}
    with subprocess.Popen(words, env=environment, cwd=root, stderr=subprocess.PIPE) as parent:
        deadline = time.monotonic() + 60
        while not (answers(port) if is_running else home.exists()) and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(0.5)
        parent.send_signal(end)
        told = parent.communicate(timeout=120)[1].decode()
    assert "fault of Keepwell" not in told
    assert not answers(port)


@pytest.mark.slow
def test_the_service_goes_on_when_one_of_its_workers_is_killed_under_load(tmp_path: Path) -> None:
    settings, port, key = Settings(home=str(tmp_path), require_keys="true"), free_port(), _new_key(tmp_path)
    with serving(settings, port, workers=2) as child, ThreadPoolExecutor(8) as threads:
        _await_workers(child.pid, 2)
        until = time.monotonic() + 8
        asked = [threads.submit(_statuses, port, key, until) for _ in range(8)]
        time.sleep(1)
        os.kill(_workers(child.pid)[0], signal.SIGKILL)
        statuses = sum((one.result() for one in asked), Counter[int | str]())
        _await_workers(child.pid, 2)
        assert _statuses(port, key, time.monotonic() + 1).keys() == {200}
    lost = statuses.total() - statuses[200]
    assert lost <= 8, statuses  # those that the killed one was answering
    assert statuses[200] > 100


def _new_key(home: Path) -> str:
    store = Store(Settings(home=str(home)).resolved_store_url)
    store.migrate()
    id_, key = new_key()
    store.keys.add(ApiKey(id_, "test", hash_of(key), ("read",), None, datetime(2026, 1, 1, tzinfo=UTC)), by="test")
    store.close()
    return key


def _statuses(port: int, key: str, until: float) -> Counter[int | str]:
    """What a client of new connections is answered until then; the name of the error where the connection breaks."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/docs.json", headers={"Authorization": f"Bearer {key}"})
    seen: Counter[int | str] = Counter()
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                answer.read()
                seen[answer.status] += 1
        except (OSError, HTTPException) as error:  # the second: the worker died amid its answer
            seen[type(error).__name__] += 1
    return seen


def _workers(pid: int) -> list[int]:
    """The worker processes of a service: children of its process whose command names the worker's module."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid and b"_bentoml_impl.worker.service" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except (OSError, IndexError, ValueError):  # it has ended meanwhile
            continue
    return sorted(found)


def _await_workers(pid: int, number: int) -> None:
    deadline = time.monotonic() + 60
    while len(_workers(pid)) != number and time.monotonic() < deadline:
        time.sleep(0.2)
    assert len(_workers(pid)) == number


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
