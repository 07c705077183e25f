"""A member of the ensemble: a logistic regression and a ridge on five features, one of them the shop's own.

Any classifier and regressor of scikit-learn will do; the functions take the training's seed.
"""

from __future__ import annotations

from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import QuantileTransformer

from training.members.estimators import estimator_member

READS = ("recency_days", "overdue_ratio", "purchase_days_365d", "spend_365d", "days_since_first_purchase")


def _on_ranks(estimator: object, seed: int) -> Pipeline:
    return make_pipeline(SimpleImputer(strategy="median"), QuantileTransformer(n_quantiles=100, random_state=seed), estimator)


def _churn(seed: int) -> Pipeline:
    return _on_ranks(LogisticRegression(max_iter=500), seed)


def _amount(seed: int) -> Pipeline:
    return _on_ranks(Ridge(alpha=1.0), seed)


RankMember = estimator_member("own_ranks", READS, _churn, _amount)
