# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
# ---

# %% [markdown]
# # Train, compare, read the card, promote
#
# One training on a small shop: what each member says, how the blend does against simple rivals on earlier dates, what the card
# says of trust, and how a person decides.

# %%
import tempfile
from datetime import date
from pathlib import Path

import numpy as np

from datasets.simulate import simulate
from features.reading.sources import read_company

place = Path(tempfile.mkdtemp())
as_of = date(2026, 1, 1)
simulate(place / "shop", customers=500, months=14, seed=1, until=as_of)
company = read_company(place / "shop")

# %%
from training.card.document import to_markdown
from training.card.report import headline, model_card
from training.registry import Registry
from training.run import train

registry = Registry(f"sqlite:///{place / 'mlflow.db'}", place / "artifacts")
result = train(company, 60, as_of, trials=1, seed=0, registry=registry)
print(headline(result))

# %% [markdown]
# ## The members
#
# Each forecasts alone; the blend weighs them by what they foretold of dates that they had not seen.

# %%
from features.panel import build_panel

scorer = result.scorer
rows = build_panel(company, [as_of], scorer.info.feature_names)
matrix = rows.select(scorer.info.feature_names).fill_null(float("nan")).to_numpy()
together = scorer.predict(matrix).churn_probability
for member, churn, amount in zip(scorer.members, scorer.churn.weights, scorer.amount.weights, strict=True):
    alone = 1 / (1 + np.exp(-member.churn_logit(matrix)))
    agrees = np.corrcoef(alone, together)[0, 1]
    print(f"{member.name:9} weight for churn {churn:4.2f}, for amounts {amount:4.2f}; correlation with the blend {agrees:.2f}")

# %% [markdown]
# ## Against simple rivals, on earlier dates
#
# Figures with bounds, of forecasts made before what they foretell. A rival that is as good would be the better model, being
# simpler.

# %%
tested = result.backtest
for metric, figure in tested.figures.items():
    print(f"{metric:24} {figure.value:10.3f}   between {figure.low:.3f} and {figure.high:.3f}")
for rival, figures in tested.rival_figures.items():
    print(f"{rival:24} " + ", ".join(f"{metric} {figure.value:.3f}" for metric, figure in list(figures.items())[:2]))

# %% [markdown]
# ## Is a probability of 30 % a risk of 30 %?

# %%
from training.card.plots import calibration_curve, importance_bars

fold = tested.folds[0]
calibration_curve(fold.churned.astype(bool), fold.predictions.churn_probability)

# %%
importance_bars(dict(list(result.importance["churn"].items())[:12]), "What moves the forecast of churn")

# %% [markdown]
# ## The card: what to trust it with

# %%
print(to_markdown(model_card(result, [])))

# %% [markdown]
# ## Promote and go back
#
# A second training. The gate compares it with the champion on a date that neither has learned from; a person may decide
# otherwise, with name and reason, and go back again.

# %%
from training.registry.promotion import promote, rollback

second = train(company, 60, as_of, trials=1, seed=1, registry=registry)
print(headline(second))
champion = registry.champion_version(company.key, 60)
other = next(each.scorer.info.version for each in (result, second) if each.scorer.info.version != champion)
print(promote(registry, company.key, 60, other, by="Ann", reason="the pilot wants it"))
print(rollback(registry, company.key, 60, by="Ann", reason="the pilot is over"))
assert registry.champion_version(company.key, 60) == champion
