"""Training on flat tables: what is refused, what is learned, what adds up."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from datasets.contracts import simulate_flat
from features.company import Company
from features.reading.assemble import assemble
from features.reading.sources import read_company
from keepwell.errors import ConfigError, DataError, HistoryError, ModelError
from training.arrays import logit
from training.flat.data import FlatData, flat_data
from training.flat.leaks import label_leaks, left_out_columns
from training.flat.model import FlatScorer
from training.flat.recipe import FlatRecipe
from training.flat.run import train_flat
from training.flat.validation import FAMILY, Unseen, fit_flat, fold_of, judged, label_info, unseen
from training.loading import load_predictor
from training.members.trees import TreeSettings
from training.registry import Registry

DAY, MOMENT = date(2026, 1, 1), datetime(2026, 1, 1)
RECIPE = FlatRecipe(churn_trees=TreeSettings(rounds=30, leaves=8), amount_trees=TreeSettings(rounds=30, leaves=8))


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    folder = tmp_path_factory.mktemp("flat")
    simulate_flat(folder, customers=500, seed=3, as_of=DAY, values=True)
    return read_company(folder)


@pytest.fixture(scope="module")
def data(company: Company) -> FlatData:
    return flat_data(company, 0, None, ())


@pytest.fixture(scope="module")
def found(data: FlatData) -> Unseen:
    return unseen(data, RECIPE, seed=0)


@pytest.fixture(scope="module")
def scorer(data: FlatData, found: Unseen) -> FlatScorer:
    return fit_flat(data, found, RECIPE, label_info(data, FAMILY), seed=0)


def table(columns: dict[str, list[object]], churned: list[object], **rules: object) -> Company:
    ids = [str(number) for number in range(len(churned))]
    people = pl.DataFrame({"customer_id": ids, **columns}, strict=False)
    labels = pl.DataFrame({"customer_id": ids, "as_of": [MOMENT] * len(ids), "churned": churned})
    return assemble({"customers": people, "labels": labels}, key="table")


def noise(rows: int, seed: int = 0) -> list[object]:
    return np.random.default_rng(seed).normal(size=rows).tolist()


HALF: list[object] = [number % 2 for number in range(100)]


def test_contributions_add_up_to_the_forecasts_of_churn_and_value(scorer: FlatScorer, data: FlatData) -> None:
    told, why = scorer.predict(data.matrix), scorer.explain(data.matrix)
    np.testing.assert_allclose(why.churn.sum(axis=1) + why.churn_baseline, logit(told.churn_probability), atol=1e-9)
    np.testing.assert_allclose(why.value.sum(axis=1) + why.value_baseline, np.log(told.expected_value), atol=1e-9)
    assert (told.value_low <= told.value_high).all()
    assert (told.expected_value <= told.value_if_active * (1 + 1e-12)).all()


def test_a_saved_scorer_comes_back_to_the_same_bits(scorer: FlatScorer, data: FlatData, tmp_path: Path) -> None:
    scorer.save(tmp_path)
    again = load_predictor(tmp_path)
    assert again.info == scorer.info
    np.testing.assert_array_equal(again.predict(data.matrix).expected_value, scorer.predict(data.matrix).expected_value)
    with pytest.raises(ModelError, match="no scorer in"):
        FlatScorer.load(tmp_path / "elsewhere")


def test_forecasts_of_unseen_customers_are_calibrated_and_beat_one_column(found: Unseen, data: FlatData) -> None:
    tested = judged((fold_of(found, data.as_of, RECIPE),), seed=0)
    assert tested.figures["churn_auc"].low > 0.7
    assert tested.gains["one_column"].low > 0
    assert tested.figures["churn_calibration_error"].value < 0.06
    assert 0.9 < tested.figures["value_total_ratio"].value < 1.1


def test_a_customers_fold_hangs_on_id_and_seed_alone(data: FlatData) -> None:
    part = FlatData(**{**vars(data), "customer_id": data.customer_id[100:], "churned": data.churned[100:]})
    np.testing.assert_array_equal(data.folds(5, seed=1)[100:], part.folds(5, seed=1))
    assert (data.folds(5, seed=1) != data.folds(5, seed=2)).any()


def test_the_order_of_rows_changes_nothing(company: Company, data: FlatData) -> None:
    shuffled = Company(
        **{
            **vars(company),
            "tables": {name: each.sample(fraction=1, shuffle=True, seed=1) for name, each in company.tables.items()},
        }
    )
    again = flat_data(shuffled, 0, None, ())
    assert again.names == data.names
    np.testing.assert_array_equal(again.matrix, data.matrix)


@pytest.mark.parametrize(
    ("columns", "churned", "message"),
    [
        ({"x": noise(100)}, [1] * 100, "all 100 labelled customers left, so there is nothing to tell apart"),
        ({"x": noise(100)}, [0] * 100, "all 100 labelled customers stayed"),
        ({"x": noise(20)}, [0, 1] * 10, "20 labelled customers, of whom 10 left, are too few"),
        ({"x": noise(100)}, [1] * 5 + [0] * 95, "100 labelled customers, of whom 5 left, are too few"),
        ({"x": [1.0] * 100, "y": [None] * 100}, HALF, "no column of customers differs between them"),
        ({}, HALF, "no column of customers differs between them"),
    ],
)
def test_what_cannot_teach_is_refused_in_words(columns: dict[str, list[object]], churned: list[object], message: str) -> None:
    with pytest.raises(HistoryError, match=message):
        flat_data(table(columns, churned), 0, None, ())


@pytest.mark.parametrize("wrong", [2, -1])
def test_a_label_is_yes_or_no(wrong: int) -> None:
    with pytest.raises(DataError, match=r"labels.churned: must be yes or no \(1 row"):
        table({"x": noise(100)}, [wrong, *HALF[1:]])


def test_a_customer_who_is_there_twice_is_refused_and_a_label_of_a_stranger_is_told() -> None:
    people = pl.DataFrame({"customer_id": ["a", "a"], "x": [1.0, 2.0]})
    labels = pl.DataFrame({"customer_id": ["a", "z"], "as_of": [MOMENT] * 2, "churned": [1, 0]})
    with pytest.raises(DataError, match="customers"):
        assemble({"customers": people, "labels": labels}, key="twice")
    read = assemble({"customers": people.head(1), "labels": labels}, key="stranger")
    assert any("belongs to no known customer" in note.message for note in read.notes)


@pytest.mark.slow
def test_constant_columns_and_missing_ones_are_left_out_and_a_thousand_columns_are_learned_from() -> None:
    random = np.random.default_rng(0)
    columns = {f"x{number}": random.normal(size=120).tolist() for number in range(1_000)} | {"same": [1.0] * 120}
    data = flat_data(table(columns, [number % 3 == 0 for number in range(120)]), 0, None, ())
    assert len(data.names) == 1_000
    found = unseen(data, RECIPE, seed=0)
    assert np.isfinite(found.log_odds).all()


def test_a_column_that_gives_the_label_away_is_left_out_unless_the_user_insists() -> None:
    random = np.random.default_rng(1)
    left = random.random(400) < 0.3
    columns = {
        "honest": (left + random.normal(0, 1.2, 400)).tolist(),
        "closed": [str(DAY) if gone else None for gone in left],
        "why": ["moved" if gone and random.random() < 0.6 else None for gone in left],
    }
    company = table(columns, left.tolist())
    assert set(left_out_columns(company, ())) == {"closed", "why"}
    assert set(left_out_columns(company, ["why"])) == {"closed"}
    assert all(name.startswith("attr_honest") for name in flat_data(company, 0, None, left_out_columns(company, ())).names)
    with pytest.raises(ConfigError, match="there is no column 'wy' to keep"):
        left_out_columns(company, ["wy"])


def test_a_reason_that_few_leavers_have_is_told_and_stays() -> None:
    random = np.random.default_rng(2)
    left = random.random(1_000) < 0.3
    products = np.where(left & (random.random(1_000) < 0.1), 4, random.integers(1, 3, 1_000))
    (leak,) = label_leaks(table({"products": products.tolist(), "x": noise(1_000)}, left.tolist()))
    assert (leak.column, leak.certain) == ("products", False)


@pytest.mark.parametrize("name", ["iranian_telco", "ecommerce_complaints"])
def test_no_honest_column_of_real_tables_is_thrown_away(name: str) -> None:
    folder = Path(__file__).parents[3].parent / "shared" / "data" / name / "history"
    if not folder.exists():
        pytest.skip("the real data sets are not here")
    assert label_leaks(read_company(folder)) == ()


def test_a_second_training_of_the_same_data_is_the_same_model_and_takes_the_place_of_the_first(
    company: Company, tmp_path: Path
) -> None:
    registry = Registry(f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path / "artifacts")
    first, second = (train_flat(company, trials=0, seed=0, registry=registry) for _ in range(2))
    assert first.scorer.info.churn == "labels"
    assert (first.verdict.promote, second.verdict.promote) == (True, True)
    matrix = flat_data(company, 0, None, ()).matrix
    np.testing.assert_array_equal(
        first.scorer.predict(matrix).churn_probability, registry.champion(company.key, 0).predict(matrix).churn_probability
    )
    assert registry.champion_version(company.key, 0) == second.scorer.info.version
    assert "customers" in second.card
