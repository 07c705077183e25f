from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.asof import day_number
from features.company import Company
from features.panel import build_panel
from features.reading.sources import read_company
from features.sampling import Sample
from keepwell.errors import HistoryError
from tests.training.conftest import AS_OF, HORIZON
from training.data import TrainingData
from training.evaluation.backtest import Backtest
from training.procedure import fit_procedure
from training.recipe import Recipe
from training.registry import Registry
from training.result import TrainingResult
from training.run import compared_with_champion, importance, known_until, read_by, train
from training.scorer import Scorer

TRIALS = 2
EVENT_TIMES = {
    "transactions": ("ordered_at", ["promised_at", "delivered_at"]),
    "complaints": ("opened_at", ["first_response_at", "closed_at"]),
    "payments": ("due_at", ["paid_at"]),
    "contacts": ("contacted_at", []),
}


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    home = tmp_path_factory.mktemp("home")
    return Registry(f"sqlite:///{home / 'mlflow.db'}", home / "artifacts")


@pytest.fixture(scope="module")
def first(shop: Company, registry: Registry) -> TrainingResult:
    return train(shop, HORIZON, AS_OF, trials=TRIALS, seed=0, registry=registry)


@pytest.fixture(scope="module")
def with_another_future(shop_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Company:
    """The same shop up to AS_OF; from that day on nothing that happened in it, but a thousand other events in every table."""
    folder = tmp_path_factory.mktemp("companies") / "other"
    folder.mkdir()
    for file in shop_folder.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    for name, (time, later_times) in EVENT_TIMES.items():
        write_another_future(folder / f"{name}.parquet", time, later_times)
    return read_company(folder)


def write_another_future(file: Path, time: str, later_times: list[str]) -> None:
    frame, cut = pl.read_parquet(file), datetime(AS_OF.year, AS_OF.month, AS_OF.day)
    past = frame.filter(pl.col(time) < cut)
    # What the past rows say of days to come was not known either.
    past = past.with_columns(pl.when(pl.col(column) < cut).then(column).alias(column) for column in later_times)
    random = np.random.default_rng(7)
    days = pl.Series([timedelta(days=int(day)) for day in random.integers(0, 400, 1_000)])
    future = past.sample(1_000, with_replacement=True, seed=7).with_columns(
        (pl.lit(cut) + days).cast(frame.schema[time]).alias(time)
    )
    future = future.with_columns(pl.lit(None, dtype=frame.schema[column]).alias(column) for column in later_times)
    if "amount" in frame.columns:
        future = future.with_columns(pl.Series("amount", random.lognormal(6, 2, 1_000).round(2)).cast(frame.schema["amount"]))
    pl.concat([future, past]).write_parquet(file)


def scorer_bytes(scorer: Scorer, folder: Path) -> bytes:
    """What the scorer's files hold, without the version."""
    scorer.versioned("").save(folder)
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()))


def test_nothing_at_or_after_the_date_changes_a_byte_of_the_model(
    first: TrainingResult, with_another_future: Company, tmp_path: Path
) -> None:
    other_home = Registry(f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path / "artifacts")
    other = train(with_another_future, HORIZON, AS_OF, trials=TRIALS, seed=0, registry=other_home)
    assert scorer_bytes(other.scorer, tmp_path / "a") == scorer_bytes(first.scorer, tmp_path / "b")


@settings(max_examples=25, deadline=None)
@given(date_after=st.integers(0, 30), part=st.floats(0, 1), seed=st.integers(0, 99))
def test_what_is_known_before_a_date_is_the_same_with_and_without_later_rows(
    shop: Company, date_after: int, part: float, seed: int
) -> None:
    as_of = AS_OF - timedelta(days=date_after)
    day, random = day_number(as_of), np.random.default_rng(seed)
    thinned = {
        name: frame.filter((pl.col("known_day") < day) | pl.Series(random.random(frame.height) < part, dtype=pl.Boolean))
        for name, frame in shop.event_tables.items()
    }
    other = replace(shop, tables=dict(shop.tables) | thinned)
    assert known_until(other, as_of).fingerprint() == known_until(shop, as_of).fingerprint()


def test_a_company_cut_at_a_date_has_the_same_features_there(shop: Company) -> None:
    assert build_panel(known_until(shop, AS_OF), [AS_OF]).equals(build_panel(shop, [AS_OF]))


def test_a_table_of_the_future_is_no_table_yet(shop: Company) -> None:
    complaints = shop.tables["complaints"].with_columns(known_day=pl.lit(day_number(AS_OF), dtype=pl.Int32))
    assert "complaints" not in known_until(replace(shop, tables={**shop.tables, "complaints": complaints}), AS_OF).tables


def test_a_first_model_is_the_champion(first: TrainingResult, registry: Registry, matrix: np.ndarray) -> None:
    assert first.verdict.promote
    champion = registry.champion(first.scorer.info.company, HORIZON)
    assert champion.info == first.scorer.info
    assert (champion.predict(matrix).expected_value == first.scorer.predict(matrix).expected_value).all()
    assert champion.info.labels_until <= AS_OF


def test_training_again_gives_the_same_bytes_and_is_no_worse_than_itself(
    first: TrainingResult, shop: Company, registry: Registry, tmp_path: Path
) -> None:
    again = train(shop, HORIZON, AS_OF, trials=TRIALS, seed=0, registry=registry)
    assert scorer_bytes(again.scorer, tmp_path / "a") == scorer_bytes(first.scorer, tmp_path / "b")
    assert again.verdict.promote
    assert again.verdict.compared_at == AS_OF - timedelta(days=HORIZON)
    assert all(comparison.candidate == comparison.champion for comparison in again.verdict.comparisons)
    assert registry.version(shop.key, HORIZON, "previous") == first.scorer.info.version


def test_everything_about_a_training_is_in_mlflow(first: TrainingResult, registry: Registry) -> None:
    import mlflow

    client = mlflow.MlflowClient(registry.tracking_uri)
    run = client.get_run(first.run_id)
    assert run.data.params["fingerprint"] == first.fingerprint
    assert run.data.params["as_of"] == str(AS_OF)
    assert {"seed", "trials", "family", "grade", "labels_until", "data_until", "recipe.churn_ridge"} <= set(run.data.params)
    for name, interval in first.backtest.figures.items():
        assert run.data.metrics[name] == pytest.approx(interval.value, nan_ok=True)
        assert f"interval/{name}_low" in run.data.metrics
    files = {file.path for folder in ("", "plots") for file in client.list_artifacts(first.run_id, folder)}
    assert {
        "card.md",
        "card.html",
        "features.json",
        "recipe.json",
        "dates.json",
        "left_out.txt",
        "plots/calibration.png",
        "plots/gain.png",
    } <= files
    assert {data.dataset.digest for data in run.inputs.dataset_inputs} == {first.fingerprint[:32]}
    trials = client.search_runs([run.info.experiment_id], f"tags.mlflow.parentRunId = '{first.run_id}'")
    assert len(trials) == TRIALS
    version = client.get_model_version(f"{first.scorer.info.company}-{HORIZON}d", first.scorer.info.version)
    assert version.run_id == first.run_id
    assert version.tags["grade"] == first.scorer.info.grade


def test_the_recipe_in_mlflow_is_the_recipe_of_the_model(first: TrainingResult, registry: Registry, tmp_path: Path) -> None:
    import mlflow

    path = mlflow.MlflowClient(registry.tracking_uri).download_artifacts(first.run_id, "recipe.json", str(tmp_path))
    assert Recipe.from_dict(json.loads(Path(path).read_text())) == first.scorer.recipe


@pytest.mark.parametrize(
    ("as_of", "horizon_days", "said"),
    [(date(2020, 1, 1), 30, "no purchase is known before 2020-01-01"), (AS_OF, 900, "a horizon of 900 days is longer")],
)
def test_too_little_history_is_said_and_nothing_is_written(
    shop: Company, tmp_path: Path, as_of: date, horizon_days: int, said: str
) -> None:
    home = Registry(f"sqlite:///{tmp_path / 'home' / 'mlflow.db'}", tmp_path / "home" / "artifacts")
    with pytest.raises(HistoryError, match=said):
        train(shop, horizon_days, as_of, trials=0, seed=0, registry=home)
    assert not (tmp_path / "home").exists()


Champion = Callable[[Scorer], Registry]


@pytest.fixture(scope="module")
def with_champion(tmp_path_factory: pytest.TempPathFactory) -> Champion:
    home = tmp_path_factory.mktemp("home")
    registry = Registry(f"sqlite:///{home / 'mlflow.db'}", home / "artifacts")

    def make(scorer: Scorer) -> Registry:
        with registry.run("keepwell/test", "champion") as run:
            version = run.register(scorer, np.zeros((1, len(scorer.info.feature_names))))
        registry.promote(scorer.info.company, scorer.info.horizon_days, version)
        return registry

    return make


def worse(tested: Backtest) -> Backtest:
    """A backtest whose newest forecasts hold loyal customers for leavers."""
    fold = tested.folds[0]
    predictions = replace(fold.predictions, churn_probability=1 - fold.predictions.churn_probability)
    return replace(tested, champion="", folds=(replace(fold, predictions=predictions), *tested.folds[1:]))


def test_a_worse_candidate_does_not_replace_a_champion(
    with_champion: Champion, scorer: Scorer, shop: Company, shop_data: TrainingData, tested: Backtest
) -> None:
    verdict = compared_with_champion(with_champion(scorer), shop, shop_data, worse(tested), seed=0)
    assert not verdict.promote
    assert "log_loss" in verdict.reason


def test_a_champion_from_before_the_compared_date_is_judged_as_it_is(
    with_champion: Champion, shop: Company, shop_data: TrainingData, tested: Backtest
) -> None:
    fold = tested.folds[0]
    old = fit_procedure(shop_data, day_number(fold.as_of) - HORIZON, Recipe(), seed=0)
    verdict = compared_with_champion(with_champion(old), shop, shop_data, tested, seed=0)
    losses = {comparison.metric: comparison.champion for comparison in verdict.comparisons}
    probability = old.predict(fold.matrix).churn_probability
    assert losses["log_loss"] == pytest.approx(-np.log(np.where(fold.churned, probability, 1 - probability)).mean())


def test_a_champion_that_these_data_cannot_feed_gives_way(
    with_champion: Champion, scorer: Scorer, shop: Company, shop_data: TrainingData, tested: Backtest
) -> None:
    info = replace(scorer.info, feature_names=("no_such_feature", *scorer.info.feature_names[1:]))
    verdict = compared_with_champion(with_champion(replace(scorer, info=info)), shop, shop_data, tested, seed=0)
    assert verdict.promote
    assert "needs no_such_feature, which the data no longer give" in verdict.reason


def test_a_champion_that_only_a_sample_cannot_feed_stays(
    with_champion: Champion, scorer: Scorer, shop: Company, shop_data: TrainingData, tested: Backtest
) -> None:
    info = replace(scorer.info, feature_names=("no_such_feature", *scorer.info.feature_names[1:]))
    few = replace(shop, sampled=Sample(0.02, 500))
    verdict = compared_with_champion(with_champion(replace(scorer, info=info)), few, shop_data, tested, seed=0)
    assert not verdict.promote
    assert "needs no_such_feature, which this sample does not give" in verdict.reason


def test_a_champion_is_compared_though_a_value_that_it_knows_has_become_rare(
    with_champion: Champion, scorer: Scorer, shop: Company, shop_data: TrainingData, tested: Backtest
) -> None:
    customers = shop.tables["customers"].with_columns(plan=pl.lit("basic"))
    known = replace(shop, tables={**shop.tables, "customers": customers}, attributes={"plan": "static"})
    fold, reads = tested.folds[0], (*scorer.info.feature_names, "attr_plan_is_gold")
    rows = read_by(replace(scorer.info, feature_names=reads), known, shop_data, fold)
    np.testing.assert_array_equal(rows[:, :-1], fold.matrix)
    assert not rows[:, -1].any()


def test_without_a_past_date_to_compare_on_the_champion_stays(
    with_champion: Champion, scorer: Scorer, shop: Company, shop_data: TrainingData, tested: Backtest
) -> None:
    verdict = compared_with_champion(with_champion(scorer), shop, shop_data, replace(tested, folds=()), seed=0)
    assert not verdict.promote


def test_importance_is_the_mean_size_of_the_contributions_in_order(scorer: Scorer, matrix: np.ndarray) -> None:
    weights = importance(scorer, matrix)["churn"]
    explained = np.abs(scorer.explain(matrix).churn).mean(axis=0)
    assert list(weights.values()) == sorted(weights.values(), reverse=True)
    assert weights == {name: explained[place] for place, name in enumerate(scorer.info.feature_names)}
