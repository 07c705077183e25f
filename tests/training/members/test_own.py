"""Members of one's own: fitted, tried, weighed by evidence, stored without pickles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from keepwell.errors import ConfigError, ModelError
from tests.training.test_procedure import small_company
from training.data import TrainingData
from training.members import own as own_members
from training.members.estimators import EstimatorMember, estimator_member
from training.members.own import MemberRows, fit_own_members, take_in_member
from training.members.stack import fit_churn_blend, leaning
from training.procedure import fit_procedure
from training.recipe import Recipe
from training.scorer import Scorer

EXAMPLE = Path(__file__).parents[3] / "examples" / "own_shop"
READS = ("recency_days", "spend_365d")


@pytest.fixture(autouse=True)
def no_members_of_ones_own() -> Iterator[None]:
    forget()
    yield
    forget()


def forget() -> None:
    own_members._MEMBERS.clear()
    own_members._take_in_installed.cache_clear()


def fitted(data: TrainingData) -> Scorer:
    return fit_procedure(replace(data, memo={}), data.as_of_day, Recipe(), seed=0)


def install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    metadata = tmp_path / "site" / "own_shop-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: own-shop\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[keepwell.members]\nranks = own_shop.members:RankMember\n")
    for folder in (EXAMPLE, tmp_path / "site"):
        monkeypatch.syspath_prepend(str(folder))


def test_an_installed_member_joins_explains_is_stored_and_missed(
    shop_data: TrainingData, matrix: np.ndarray, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, tmp_path)
    scorer = fitted(shop_data)
    assert [member.name for member in scorer.members] == ["linear", "trees", "own_ranks", "lifetime"]
    explained, predicted = scorer.explain(matrix), scorer.predict(matrix)
    log_odds = np.log(predicted.churn_probability / (1 - predicted.churn_probability))
    np.testing.assert_allclose(explained.churn.sum(1) + explained.churn_baseline, log_odds, atol=1e-9)
    scorer.save(tmp_path / "model")
    again = Scorer.load(tmp_path / "model").predict(matrix)
    assert np.array_equal(again.churn_probability, predicted.churn_probability)
    assert np.array_equal(again.expected_value, predicted.expected_value)
    monkeypatch.undo()
    forget()
    with pytest.raises(ModelError, match="the model has the member own_ranks, which is not here\n  -> install the package"):
        Scorer.load(tmp_path / "model")


def test_a_member_that_knows_nothing_gets_no_weight_and_changes_nothing(
    shop_data: TrainingData, scorer: Scorer, matrix: np.ndarray
) -> None:
    take_in_member(estimator_member("own_dummy", READS, lambda _: DummyClassifier(), lambda _: DummyRegressor()))
    with_dummy = fitted(shop_data)
    weights = dict(zip((member.name for member in with_dummy.members), with_dummy.churn.weights, strict=True))
    assert weights["own_dummy"] == pytest.approx(0, abs=1e-6)
    ours = scorer.predict(matrix).churn_probability
    np.testing.assert_allclose(with_dummy.predict(matrix).churn_probability, ours, atol=1e-3)


def test_a_member_of_ones_own_waits_where_the_history_is_too_short_to_try_it(tmp_path: Path) -> None:
    take_in_member(estimator_member("own_dummy", READS, lambda _: DummyClassifier(), lambda _: DummyRegressor()))
    scorer = fitted(small_company(tmp_path, 1_200, 70))
    weights = dict(zip((member.name for member in scorer.members), scorer.churn.weights, strict=True))
    assert weights == pytest.approx({"linear": 1 / 3, "trees": 1 / 3, "own_dummy": 0, "lifetime": 1 / 3})


def test_a_member_that_knows_more_gets_weight() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=20_000)
    churned = (rng.random(20_000) < 1 / (1 + np.exp(-truth))).astype(float)
    logits = np.column_stack([rng.normal(size=20_000), truth, np.zeros(20_000)])
    blend = fit_churn_blend(logits, churned, np.zeros(20_000), 2_000, leaning(3, 5_000, own=1))
    assert blend.weights[1] > 0.5 > 2 * blend.weights[0]


def rows() -> MemberRows:
    rng = np.random.default_rng(0)
    matrix, churned = rng.normal(size=(200, 2)), rng.integers(0, 2, 200).astype(float)
    return MemberRows(
        READS, matrix, churned, np.where(churned == 1, 0.0, rng.lognormal(3, 1, 200)), np.zeros(200), np.zeros(200), 0
    )


@pytest.mark.parametrize(
    ("churn", "amount"),
    [
        (LogisticRegression, Ridge),
        (HistGradientBoostingClassifier, HistGradientBoostingRegressor),
        (lambda: RandomForestClassifier(5, random_state=0), lambda: RandomForestRegressor(5, random_state=0)),
        (lambda: make_pipeline(StandardScaler(), MLPClassifier(5, max_iter=2_000, random_state=0)), DummyRegressor),
    ],
    ids=["linear", "boosting", "forest", "pipeline"],
)
def test_estimators_of_scikit_learn_are_explained_and_stored(churn: Any, amount: Any) -> None:
    take_in_member(estimator_member("own_any", READS, lambda _: churn(), lambda _: amount()))
    assert [member.name for member in fit_own_members(rows())] == ["own_any"]


class Custom(BaseEstimator):
    """An estimator of a stranger, which skops does not know."""

    def fit(self, X: Any, y: Any) -> Custom:
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        return np.zeros(len(X))


class Forgetful(EstimatorMember):
    name, reads = "own_forgetful", READS
    makes = (lambda _: DummyClassifier(), lambda _: DummyRegressor())

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Forgetful:
        return super().from_dict({**values, "level": 0.0})


class Boastful(Forgetful):
    name = "own_boastful"

    def churn_sum(self, matrix: np.ndarray) -> tuple[np.ndarray, float]:
        return np.ones(matrix.shape), 0.0


@pytest.mark.parametrize(
    ("member", "told"),
    [
        (estimator_member("own_custom", READS, lambda _: DummyClassifier(), lambda _: Custom()), "own_custom holds .*Custom"),
        (estimator_member("own_far", ("no_such",), lambda _: DummyClassifier(), lambda _: Custom()), "own_far reads no_such"),
        (estimator_member("own_odd", READS, lambda _: 1 / 0, lambda _: Custom()), r"own_odd fails \(ZeroDivisionError"),
        (Forgetful, "own_forgetful: log_amount is another after to_dict and from_dict"),
        (Boastful, "own_boastful: the contributions to churn_logit do not sum to it"),
    ],
)
def test_a_member_that_does_not_do_what_it_must_is_refused(member: Any, told: str) -> None:
    take_in_member(member)
    with pytest.raises(ConfigError, match=told):
        fit_own_members(rows())


def test_what_is_no_member_is_refused() -> None:
    with pytest.raises(ConfigError, match="it lacks amount_sum, churn_logit, churn_sum"):
        take_in_member(DummyClassifier)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="'trees' cannot be the name of a member"):
        take_in_member(estimator_member("trees", READS, lambda _: None, lambda _: None))
    with pytest.raises(ConfigError, match="own_none reads 0 features"):
        estimator_member("own_none", (), lambda _: None, lambda _: None)
