# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
# ---

# %% [markdown]
# # Bring your own model
#
# A feature of one's own and any estimator of scikit-learn, in the same ensemble, gate, registry and service as ours, and stored
# without pickles. In a package, entry points do what `take_in` does here (docs/extending.md).

# %%
import sys
import tempfile
from datetime import date
from pathlib import Path

import features

sys.path.insert(0, str(Path(features.__file__).parents[1] / "examples" / "own_shop"))

from datasets.simulate import simulate
from features.reading.sources import read_company

place = Path(tempfile.mkdtemp())
as_of = date(2026, 1, 1)
simulate(place / "shop", customers=500, months=14, seed=1, until=as_of)
with (place / "shop" / "company.yaml").open("a") as config:
    config.write("features: [own_shop.features]\n")
company = read_company(place / "shop")

# %% [markdown]
# ## The feature
#
# company.yaml names its module. Before it is used, it is tried against the laws: time, order, endpoint, engines, range.

# %%
from features.panel import build_panel

weekend = ["own_weekend_share_365d", "own_weekend_share_all"]
print(build_panel(company, [as_of], weekend).describe())

# %% [markdown]
# ## The member
#
# Two functions: one makes a classifier, one a regressor. Which features they read is said, so that every forecast can be
# explained.

# %%
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from training.members.estimators import estimator_member
from training.members.own import take_in_member

reads = ("recency_days", "overdue_ratio", "purchase_days_365d", "spend_365d", "own_weekend_share_365d")
member = estimator_member(
    "own_boosting",
    reads,
    lambda seed: HistGradientBoostingClassifier(max_iter=40, learning_rate=0.05, random_state=seed),
    lambda seed: HistGradientBoostingRegressor(max_iter=40, learning_rate=0.05, random_state=seed),
)
take_in_member(member)

# %% [markdown]
# ## The same training, the same gate
#
# The weight of a member of one's own begins at 0, and only forecasts of unseen dates raise it.

# %%
from training.card.report import headline
from training.registry import Registry
from training.run import train

registry = Registry(f"sqlite:///{place / 'mlflow.db'}", place / "artifacts")
result = train(company, 90, as_of, trials=1, seed=0, registry=registry)
print(headline(result))
for each, weight in zip(result.scorer.members, result.scorer.churn.weights, strict=True):
    print(f"{each.name:14} weight for churn {weight:.2f}")

# %% [markdown]
# ## Out of the registry, and explained
#
# Where its package is missing, the model says so, and is not loaded.

# %%
champion = registry.champion(company.key, 90)
rows = build_panel(company, [as_of], champion.info.feature_names)
matrix = rows.select(champion.info.feature_names).fill_null(float("nan")).to_numpy()
predictions, explanation = champion.predict(matrix), champion.explain(matrix)
place_of = champion.info.feature_names.index("own_weekend_share_365d")
print(f"mean churn probability {predictions.churn_probability.mean():.2f}")
print(f"largest contribution of the weekend share, in log-odds: {abs(explanation.churn[:, place_of]).max():.4f}")
