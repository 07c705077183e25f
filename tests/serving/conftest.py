"""A small shop, a model of it that needs no training, and the service on a home of its own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

# BentoML reads these when it is imported.
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp())
os.environ.setdefault("BENTOML_HOME", tempfile.mkdtemp())
os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")

import numpy as np
import polars as pl
import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from datasets.simulate import simulate
from features.company import Company
from features.panel import panel_names
from features.reading.sources import read_company
from keepwell.settings import Settings
from serving.batch.scoring import load_into_store, score_company, scoring_panel
from serving.plans.policy import read_policy
from serving.store import Store
from training.horizons import Further
from training.members.btyd import PurchaseModel, SpendModel
from training.members.kinds import HISTORY, LifetimeMember
from training.members.stack import Blend, equal_blend
from training.quantiles import DEFAULT_RATIOS, HIGH, Spread
from training.recipe import Recipe
from training.registry import Registry
from training.scorer import ModelInfo, Scorer

AS_OF, HORIZON = date(2025, 1, 1), 30


def scorer_for(company: Company, *, alpha: float = 40.0, names: tuple[str, ...] = ()) -> Scorer:
    """A real scorer of one member, buy-till-you-die with plausible figures, which reads `names`.

    Without them it reads all that may teach in the company.
    """
    names = names or panel_names(company, [AS_OF, AS_OF - timedelta(days=HORIZON)])
    member = LifetimeMember(
        purchases=PurchaseModel("bgnbd", 0.8, alpha, 0.7, 2.5, 0.0),
        spend=SpendModel(6.0, 4.0, 15.0),
        horizon_days=HORIZON,
        columns=tuple(names.index(name) for name in HISTORY),
        reference=(3.0, 60.0, 200.0, 40.0),
    )
    info = ModelInfo(
        company=company.key,
        horizon_days=HORIZON,
        trained_as_of=AS_OF,
        labels_until=AS_OF,
        data_until=date(2024, 12, 31),
        feature_names=names,
        family="lifetime",
        grade="B",
        backtest_dates=3,
        version="1",
        tables=tuple(sorted(company.tables)),
        decimals=dict(company.scales),
        edges={},
        zone=company.zone,
    )
    spread = Spread((), (DEFAULT_RATIOS,), (HIGH,))
    further = Further(member, dict.fromkeys((90, 180), Blend((1.0, 1.0), 0.0)))
    return Scorer(info, Recipe(), (member,), equal_blend(1), equal_blend(1), spread, refund_rate=0.02, further=further)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Company:
    folder = tmp_path_factory.mktemp("companies") / "shop"
    simulate(folder, customers=300, months=12, seed=3, until=AS_OF)
    return read_company(folder)


@pytest.fixture(scope="session")
def scorer(shop: Company) -> Scorer:
    return scorer_for(shop)


@pytest.fixture(scope="session")
def panel(shop: Company, scorer: Scorer) -> pl.DataFrame:
    return scoring_panel(shop, scorer.info, AS_OF)


@pytest.fixture(scope="session")
def scored(shop: Company, scorer: Scorer, panel: pl.DataFrame) -> pl.DataFrame:
    return score_company(shop, scorer, AS_OF, read_policy(), panel=panel)


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(home=str(tmp_path_factory.mktemp("home")), require_keys="false")


@pytest.fixture(scope="session")
def registry(settings: Settings) -> Registry:
    return Registry(settings.resolved_tracking_uri, settings.artifact_root)


def register(registry: Registry, scorer: Scorer) -> str:
    """The new version of `scorer` in the registry."""
    with registry.run("keepwell/test", "registration") as run:
        return run.register(scorer, np.full((2, len(scorer.info.feature_names)), np.nan))


def local_client(app: ASGIApp) -> TestClient:
    """A client that calls as a program on the same machine does."""
    return TestClient(app, "http://127.0.0.1:3000", client=("127.0.0.1", 50_000), raise_server_exceptions=False)


@pytest.fixture(scope="session")
def service(settings: Settings) -> Iterator[TestClient]:
    """The running service on an empty home: there is one per process, since its metrics have one registry."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.to_environment().items():
            patch.setenv(name, value)
        from serving.service import Keepwell

        with local_client(Keepwell.to_asgi()) as client:
            client.state = Keepwell.inner.state
            yield client


@pytest.fixture
def served(service: TestClient, shop: Company, scorer: Scorer, registry: Registry) -> TestClient:
    """The service with a champion."""
    if service.state.holder.champion is None:
        registry.promote(shop.key, HORIZON, register(registry, scorer))
        service.state.holder.refresh()
    return service


@pytest.fixture
def loaded(served: TestClient, shop: Company, scored: pl.DataFrame, panel: pl.DataFrame, settings: Settings) -> TestClient:
    """The service with a champion, and its scores in the store."""
    store = Store(settings.resolved_store_url)
    store.migrate()
    if store.current_load() is None:
        load_into_store(store, shop, scored, panel, loaded_at=datetime(2025, 1, 1, 6, tzinfo=UTC))
    return served


def renamed(scorer: Scorer, **changes: object) -> Scorer:
    """The same scorer with other facts about it."""
    return replace(scorer, info=replace(scorer.info, **changes))


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store, on SQLite and, where a server is installed, on PostgreSQL: the same facts hold on both."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_schema_url"))
    return f"sqlite:///{tmp_path / 'deep' / 'store.db'}"
