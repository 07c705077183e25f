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
from pathlib import Path

import pytest

from keepwell.errors import ConfigError
from keepwell.settings import Settings
from serving.launch import serving


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", ""])
def test_only_this_machine_is_served(host: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"serves on this machine only"), serving(Settings(home=str(tmp_path)), 0, host):
        pass


def test_a_port_that_is_taken_is_refused(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port} cannot be used"), serving(Settings(home=str(tmp_path)), port):
            pass


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
    words = [sys.executable, "-m", "cli", "serve", "--port", str(port)]
    root = Path(__file__).parents[2]
    home = tmp_path / "home"
    with subprocess.Popen(words, env={**os.environ, "KEEPWELL_HOME": str(home)}, cwd=root, stderr=subprocess.PIPE) as parent:
        deadline = time.monotonic() + 60
        while not (answers(port) if is_running else home.exists()) and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(0.5)
        parent.send_signal(end)
        told = parent.communicate(timeout=40)[1].decode()
    assert "fault of Keepwell" not in told
    assert not answers(port)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
