from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from keepwell.settings import Settings
from serving.bundle import with_bundled_models
from tests.serving.conftest import scorer_for
from tests.serving.test_launch import answers, free_port
from tests.serving.test_service import one
from training.registry import ModelFolder

ROOT = Path(__file__).parents[2]


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """The code of a Bento that has models inside."""
    (tmp_path / "bento.yaml").write_text("name: keepwell\n")
    (tmp_path / "src" / "models").mkdir(parents=True)
    return tmp_path / "src"


def test_the_models_of_a_bundle_are_served(code: Path) -> None:
    assert with_bundled_models(Settings(), code).models_path == code / "models"


@pytest.mark.parametrize("chosen", [{"models": "/mine"}, {"tracking_uri": "https://tracking.example"}])
def test_what_is_named_goes_before_the_models_of_a_bundle(code: Path, chosen: dict[str, str]) -> None:
    assert with_bundled_models(Settings(**chosen), code) == Settings(**chosen)


def test_outside_a_bundle_a_folder_of_that_name_is_just_a_folder(code: Path) -> None:
    (code.parent / "bento.yaml").unlink()
    assert with_bundled_models(Settings(), code) == Settings()


@pytest.mark.slow
def test_a_bundle_starts_elsewhere_with_its_own_model(shop: Any, tmp_path: Path) -> None:
    """The build copies what bentofile.yaml names; nothing of the checkout may be needed afterwards."""
    source = tmp_path / "source"
    source.mkdir()
    for part in (*ROOT.glob("*.py"), *ROOT.glob("*.yaml"), ROOT / "LICENSE", ROOT / "requirements.lock"):
        shutil.copy(part, source)
    for package in ("keepwell", "features", "training", "decisions", "serving", "datasets", "commands"):
        shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("__pycache__"))
    ModelFolder(source / "models").keep(scorer_for(shop))
    environment = {**os.environ, "BENTOML_HOME": str(tmp_path / "bentoml"), "BENTOML_DO_NOT_TRACK": "True"}
    build = [sys.executable, "-m", "bentoml", "build", "-f", "bentofile.yaml", "-o", "tag"]
    subprocess.run(build, cwd=source, env=environment, check=True, capture_output=True, timeout=120)
    (bento,) = (tmp_path / "bentoml" / "bentos" / "keepwell").glob("*/")
    moved = bento.rename(tmp_path / "elsewhere")

    port = free_port()
    words = [sys.executable, "-m", "bentoml", "serve", str(moved), "--host", "127.0.0.1", "--port", str(port)]
    settings = Settings(home=str(tmp_path / "home"), require_keys="false")
    with subprocess.Popen(words, cwd=tmp_path, env={**environment, **settings.to_environment()}) as service:
        deadline = time.monotonic() + 90
        while not answers(port) and time.monotonic() < deadline:
            time.sleep(0.2)
        try:
            body = json.dumps(one()).encode()
            url = f"http://127.0.0.1:{port}/v1/predict"
            asked = urllib.request.Request(url, body, {"content-type": "application/json"})
            answer = json.load(urllib.request.urlopen(asked, timeout=30))
        finally:
            service.terminate()
    assert answer["model"]["family"] == "lifetime"
    assert 0 < answer["predictions"][0]["churn_probability"] < 1
    assert (tmp_path / "home" / "store.db").exists()
