# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
# ---

# %% [markdown]
# # Tiers, lifetime value, plan, frontier
#
# From a model to decisions: whom to keep by which means, under a budget, and what one more euro would bring.

# %%
import tempfile
from datetime import date
from pathlib import Path

import polars as pl

from datasets.simulate import simulate
from features.reading.sources import read_company
from training.registry import Registry
from training.run import train

place = Path(tempfile.mkdtemp())
as_of = date(2026, 1, 1)
simulate(place / "shop", customers=500, months=14, seed=2, until=as_of)
company = read_company(place / "shop")
registry = Registry(f"sqlite:///{place / 'mlflow.db'}", place / "artifacts")
scorer = train(company, 90, as_of, trials=1, seed=0, registry=registry).scorer

# %%
from serving.batch.scoring import score_company
from serving.plans.policy import read_policy

policy = read_policy()
scores = score_company(company, scorer, as_of, policy)

# %% [markdown]
# ## The pyramid
#
# Tiers follow what customers will bring, not what they brought last year.

# %%
from serving.batch.tier_report import concentration, words_in_figures

for group in words_in_figures(scores, "value_tier"):
    print(group)
top = concentration(scores["expected_value"]).customers
print(", ".join(f"{customers:.1%} of the customers will bring {share:.0%}" for share, customers in top.items()))

# %% [markdown]
# ## What is a customer worth for life, and how sure is that?

# %%
from serving.batch.lifetime_report import lifetimes

print(lifetimes(scores, policy).sort("lifetime_value", descending=True).head(5))
print(f"customer equity {scores['lifetime_value'].sum():,.0f}, at risk in 90 days {scores['value_at_risk'].sum():,.0f}")

# %% [markdown]
# ## Who needs a call?

# %%
wanted = scores.filter(pl.col("quadrant").is_in(["gold", "stream"])).sort("value_at_risk", descending=True)
print(wanted.select("customer_id", "value_tier", "churn_probability", "expected_value", "value_at_risk", "status").head(8))

# %% [markdown]
# ## A plan for a budget
#
# At most one action a customer, controls held out at random, and a reason for each choice.

# %%
from serving.plans.planning import plan_columns, plan_scores, plan_table

plan = plan_scores(scores, policy, budget=300.0, capacities={"call": 20}, company=company)
print(plan_table(plan).group_by("action").agg(pl.len(), pl.col("cost", "expected_net_value").sum()).sort("action"))

# %% [markdown]
# ## The frontier: what would more budget bring?
#
# Where the curve is flat, money is better spent elsewhere. The last column is what the next unit of budget earns.

# %%
from decisions.plans.frontier import frontier
from serving.plans.frontier_plot import write_frontier

curve = frontier(plan_columns(scores, policy, company), policy, {"call": 20})
write_frontier(curve, plan, place / "frontier.png")
facts = zip(curve.budget, curve.expected_net_value, curve.shadow_price, strict=True)
print(pl.DataFrame(list(facts), schema=["budget", "expected_net_value", "shadow_price"], orient="row"))
