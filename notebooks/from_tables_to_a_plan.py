# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
# ---

# %% [markdown]
# # From tables to a plan, in Python
#
# What `keepwell train`, `score` and `plan` do, step by step, on a small simulated company. Every editor that knows the percent
# format shows this file as a notebook; `python notebooks/from_tables_to_a_plan.py` runs it.

# %%
import tempfile
from datetime import date
from pathlib import Path

import polars as pl

from datasets.simulate import simulate

place = Path(tempfile.mkdtemp())
as_of = date(2026, 1, 1)
truth = simulate(place / "shop", customers=1_000, months=18, seed=1, until=as_of)

# %% [markdown]
# ## What do we have?

# %%
from features.checks.check import check_report
from features.reading.sources import read_company

company = read_company(place / "shop")
print("\n".join(check_report(company, 90).lines()))

# %% [markdown]
# ## Features at any date
#
# Two dates give two rows for a customer. Each knows only what had happened before its own date.

# %%
from features.panel import build_panel

panel = build_panel(company, [date(2025, 10, 1), as_of], ["recency_days", "spend_90d", "complaints_open"])
someone = panel.filter(pl.col("as_of") == as_of).sort("complaints_open", descending=True)["customer_id"][0]
print(panel.filter(pl.col("customer_id") == someone))

# %% [markdown]
# ## Train
#
# A study, members, stack and calibration, a backtest on earlier dates, a grade; all of it is in MLflow afterwards.

# %%
from training.card.report import headline
from training.registry import Registry
from training.run import train

registry = Registry(f"sqlite:///{place / 'mlflow.db'}", place / "artifacts")
result = train(company, 90, as_of, trials=1, seed=0, registry=registry)
print(headline(result))
for name, figure in result.backtest.figures.items():
    print(f"{name:24} {figure.value:10.3f}   between {figure.low:.3f} and {figure.high:.3f}")

# %% [markdown]
# ## Score and plan

# %%
from serving.batch.scoring import score_company
from serving.plans.planning import plan_scores, plan_table
from serving.plans.policy import read_policy

scores = score_company(company, result.scorer, as_of, read_policy())
plan = plan_scores(scores, read_policy(), budget=200.0, capacities={"call": 5}, company=company)
print(plan_table(plan).head(5).select("customer_id", "action", "cost", "expected_net_value"))

# %% [markdown]
# ## Was it right?
#
# Only a simulated company tells: its customers' true chance of staying away is known.

# %%
known = truth.customers.with_columns(true_churn=pl.Series(truth.churn_probability(90)))
tenth = pl.col("churn_probability").rank("ordinal") * 10 // (pl.len() + 1)
both = scores.join(known, on="customer_id").with_columns(tenth=tenth)
print(both.group_by("tenth").agg(pl.len(), pl.col("churn_probability").mean(), pl.col("true_churn").mean()).sort("tenth"))
