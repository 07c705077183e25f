# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
# ---

# %% [markdown]
# # Know your customers
#
# Before any model: how often do they buy, when, who brings the money, and after how long a silence is somebody gone? Change the
# folder and the date in the first cell, and the rest speaks of your shop.

# %%
import tempfile
from datetime import date
from pathlib import Path

import polars as pl

from datasets.simulate import simulate

place = Path(tempfile.mkdtemp())
as_of = date(2026, 1, 1)
simulate(place / "shop", customers=1_500, months=24, seed=3, until=as_of)

# %% [markdown]
# ## What is there, and can one train on it?

# %%
from features.checks.check import check_report
from features.reading.sources import read_company

company = read_company(place / "shop")
print("\n".join(check_report(company, 90).lines()))

# %% [markdown]
# ## Gaps: how long is a silence that means something?
#
# Each customer counts once. A horizon shorter than most gaps would call half of the faithful customers lost.

# %%
from training.horizon_report import horizon_report

report = horizon_report(company, as_of)
print("\n".join(report.lines()))

# %% [markdown]
# ## Seasons
#
# Turnover by month: a fall in January is the season, and no churn. The model takes it out date by date.

# %%
from features.asof import day_number
from training.card.plots import canvas

known = company.known_rows("transactions", day_number(as_of))
by_month = (
    known.with_columns(month=pl.col("ordered_day").cast(pl.Date).dt.truncate("1mo"))
    .group_by("month")
    .agg(
        turnover=pl.col("amount").sum() / 10 ** company.scales["transactions.amount"], customers=pl.col("customer_id").n_unique()
    )
    .sort("month")
)
figure, axes = canvas("Turnover by month", "", "turnover")
axes.bar(by_month["month"].to_list(), by_month["turnover"].to_list(), width=25)
figure

# %%
print(by_month.tail(12))

# %% [markdown]
# ## Concentration: who brings the money?

# %%
from decisions.concentration import lorenz_curve
from features.panel import build_panel
from serving.batch.tier_report import concentration

spend = build_panel(company, [as_of], ["net_spend_365d"])["net_spend_365d"]
found = concentration(spend)
for share, customers in found.customers.items():
    print(f"{customers:6.1%} of the customers bring {share:.0%} of last year's turnover")
print(f"Gini coefficient {found.gini:.2f}")

# %%
customers, value = lorenz_curve(spend.to_numpy())
figure, axes = canvas("A few customers bring most of it", "share of customers, poorest first", "share of turnover")
axes.plot(customers, value)
axes.plot([0, 1], [0, 1], linestyle="--")
figure
