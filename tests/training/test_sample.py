"""A model that learned from a sample of customers is one of everybody, and says what it learned from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from datasets.simulate import simulate
from features.company import Company
from features.panel import build_panel
from features.reading.sources import read_company
from features.sampling import Sample
from tests.training.conftest import AS_OF, HORIZON
from training.card.report import headline
from training.monitor.run import monitor
from training.registry import Registry
from training.result import TrainingResult
from training.run import train


def registry_in(place: Path) -> Registry:
    return Registry(f"sqlite:///{place / 'mlflow.db'}", place / "artifacts")


@pytest.fixture(scope="module")
def sampled(shop_folder: Path) -> Company:
    return read_company(shop_folder, sample=250)


@pytest.fixture(scope="module")
def learned(sampled: Company, tmp_path_factory: pytest.TempPathFactory) -> tuple[Registry, TrainingResult]:
    registry = registry_in(tmp_path_factory.mktemp("home"))
    return registry, train(sampled, HORIZON, AS_OF, trials=0, seed=0, registry=registry)


def test_a_training_on_a_sample_says_so_in_headline_card_and_settings(
    sampled: Company, learned: tuple[Registry, TrainingResult]
) -> None:
    _, result = learned
    told = str(sampled.sampled)
    assert told.startswith("a sample of ")
    assert result.settings["sample"] == told
    assert f"It learned from {told}." in headline(result)
    assert told in result.card


def test_one_that_has_read_everybody_says_nothing_of_samples(sampled: Company, learned: tuple[Registry, TrainingResult]) -> None:
    everybody = {name: value for name, value in learned[1].settings.items() if name != "sample"}
    assert "sample" not in headline(replace(learned[1], settings=everybody))


def test_the_monitor_of_everybody_finds_no_rows_too_many_beside_a_sample(
    shop: Company, learned: tuple[Registry, TrainingResult]
) -> None:
    registry, result = learned
    assert not any("rows" in line for line in monitor(shop, result.scorer, AS_OF, registry=registry).warnings())


def test_the_panel_of_a_sample_has_the_rows_that_its_customers_have_among_all(shop: Company, sampled: Company) -> None:
    names = ["recency_days", "spend_90d", "complaints_90d"]
    few, whole = (build_panel(company, [AS_OF], names) for company in (sampled, shop))
    assert few.equals(whole.filter(whole["customer_id"].is_in(few["customer_id"].implode())))


@pytest.mark.slow
def test_scores_learned_from_a_third_promise_everybody_what_scores_learned_from_all_do(tmp_path: Path) -> None:
    simulate(tmp_path / "shop", customers=6_000, months=15, seed=4, until=AS_OF)
    whole, part = read_company(tmp_path / "shop"), read_company(tmp_path / "shop", sample=2_000)
    assert isinstance(part.sampled, Sample)
    scorers = [
        train(company, HORIZON, AS_OF, trials=0, seed=0, registry=registry_in(tmp_path / name)).scorer
        for name, company in (("all", whole), ("part", part))
    ]
    panel = build_panel(whole, [AS_OF], scorers[0].info.feature_names).fill_null(float("nan"))
    all_learned, part_learned = (scorer.predict(panel.select(scorer.info.feature_names).to_numpy()) for scorer in scorers)
    assert part_learned.churn_probability.mean() == pytest.approx(all_learned.churn_probability.mean(), rel=0.05)
    assert part_learned.expected_value.sum() == pytest.approx(all_learned.expected_value.sum(), rel=0.1)
    for name, edges in scorers[0].info.edges.items():
        assert scorers[1].info.edges[name] == pytest.approx(edges, rel=0.2, abs=2)
