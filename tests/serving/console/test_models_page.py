from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from keepwell.errors import RequestError
from serving.console.app import PAGES
from serving.console.models import FIGURES
from serving.console.roles import Right
from serving.console.text import CATALOGUES
from serving.model_desk import CARD, MONITOR, REPORT, ModelDesk
from serving.store import Store
from tests.serving.console.test_doors import token_of
from training.card.figures import FILE
from training.metrics.intervals import METRICS
from training.monitor.record import EXPERIMENT
from training.monitor.report import EXIT_CODES
from training.registry import Registry
from training.registry.promotion import GATE
from training.scorer import Scorer

KEY = "fixture", 30
MODEL = Path(__file__).parents[2] / "fixtures" / "model-v1" / "scorer"
CARD_FIGURES = {
    "customers": 1200,
    "figures": {"churn_auc": [0.81, 0.79, 0.83], "value_total_ratio": [None, None, None]},
    "calibration": [{"customers": 120, "promised": 0.1, "left": 14}, {"customers": 120, "promised": 0.4, "left": 50}],
    "warnings": ["<b>few customers</b>"],
}


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """Three versions: the second is the champion, with a card; the first the one before it; the third a challenger."""
    folder, model = tmp_path_factory.mktemp("models"), Scorer.load(MODEL)
    made = Registry(f"sqlite:///{folder / 'mlflow.db'}", folder / "artifacts")
    for _ in range(3):
        with made.run("keepwell/test", "registration") as run:
            run.log_dict(CARD_FIGURES, CARD)
            run.register(model, np.zeros((1, len(model.info.feature_names))))
    made.promote(*KEY, "1")
    made.promote(*KEY, "2")
    made.challenge(*KEY, "3")
    made.tag(*KEY, "3", {GATE: "not surely as good"})
    for status in ("fine", "drift"):
        with made.run(MONITOR, "a look") as run:
            run.log_tags({"company": KEY[0], "horizon_days": KEY[1]})
            report = {"status": status, "as_of": "2026-04-01", "version": "2", "warnings": ["<i>spend</i> has moved"]}
            run.log_text(json.dumps(report), REPORT)
    return made


@pytest.fixture
def client(empty_store: Store, open_console: Callable[..., TestClient], registry: Registry) -> TestClient:
    return open_console(empty_store, desk=ModelDesk(registry))


def test_champion_challenger_and_previous_are_shown_with_their_figures(client: TestClient) -> None:
    page = client.get("/models").text
    for words in ("Champion", "Challenger", "Previous", "0.810 [0.790, 0.830]", "not surely as good", "1,200"):
        assert words in page, words
    assert page.count('<g class="dot">') == 2


def test_the_newest_look_is_told_and_nothing_of_it_is_markup(client: TestClient) -> None:
    page = client.get("/models").text
    assert "no longer what the model learned from" in page
    assert "&lt;i&gt;spend" in page
    assert "<b>few" not in page


@pytest.mark.parametrize("language", CATALOGUES)
def test_the_page_speaks_each_language(client: TestClient, language: str) -> None:
    page = client.get("/models", params={"lang": language}).text
    assert CATALOGUES[language]["models.champion"] in page


def test_the_way_back_is_confirmed_then_taken_and_put_on_record(
    client: TestClient, registry: Registry, empty_store: Store
) -> None:
    assert "form_token" not in client.get("/models").text
    asked = client.get("/models", params={"back": "1"}).text
    previous = registry.version(*KEY, "previous")
    form = {"form_token": token_of(asked), "version": previous, "reason": "odd scores"}
    done = client.post("/models", data=form)
    assert done.status_code == 200
    assert "is the champion again" in done.text
    assert registry.version(*KEY, "champion") == previous
    newest = empty_store.audit.latest(1)[0]
    assert (newest.what, newest.company) == ("model rolled back", "fixture")
    assert "odd scores" in str(newest.detail)
    late = client.post("/models", data=form)
    assert "The champion has changed meanwhile" in late.text
    assert 'name="reason" value="odd scores"' in late.text
    assert registry.version(*KEY, "champion") == previous


def test_who_comes_too_late_for_the_way_back_is_told(registry: Registry) -> None:
    with pytest.raises(RequestError, match="no longer the previous"):
        ModelDesk(registry).roll_back(*KEY, "77", by="ann", reason="")


def test_only_who_may_go_back_does_and_everybody_may_look() -> None:
    assert (PAGES["/models"].right, PAGES["/models"].act_right) == (Right.READ, Right.ROLL_BACK)


def test_without_a_registry_or_a_model_the_page_says_so(
    empty_store: Store, open_console: Callable[..., TestClient], tmp_path: Path
) -> None:
    nothing = ModelDesk(Registry(f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path / "artifacts"))
    assert "keepwell train" in open_console(empty_store, desk=nothing).get("/models").text
    assert "exported models" in open_console(empty_store).get("/models").text
    assert not (tmp_path / "mlflow.db").exists()


def test_scores_without_a_model_in_the_registry_say_so(
    filled_store: Store, open_console: Callable[..., TestClient], registry: Registry
) -> None:
    assert "keepwell train" in open_console(filled_store, desk=ModelDesk(registry)).get("/models").text


def test_the_desk_reads_what_training_and_monitor_write() -> None:
    assert (CARD, MONITOR) == (FILE, EXPERIMENT)
    assert set(FIGURES) <= set(METRICS)
    for words in CATALOGUES.values():
        assert {f"metric.{name}" for name in FIGURES} | {f"models.watch.{status}" for status in EXIT_CODES} <= words.keys()


def test_instants_are_of_this_world(registry: Registry) -> None:
    assert registry.registered_at(*KEY, "1").tzinfo is not None
    assert registry.registered_at(*KEY, "1").year >= 2020
