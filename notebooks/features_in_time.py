# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
# ---

# %% [markdown]
# # Features, and the one law that matters
#
# A row of features may know only what was known before its date. This notebook shows it on one customer, then breaks the law on
# purpose, twice, and lets the house catch it.

# %%
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from datasets.simulate import simulate

place = Path(tempfile.mkdtemp())
as_of = date(2026, 1, 1)
simulate(place / "shop", customers=800, months=18, seed=5, until=as_of)

# %% [markdown]
# ## The catalog
#
# Every feature says what it means, in which unit, and what a missing value tells.

# %%
from features.catalog import CATALOG, feature_names
from features.reading.sources import read_company

company = read_company(place / "shop")
print(f"{len(feature_names(company))} of {len(CATALOG)} features can be made of these tables")
for name in ("recency_days", "overdue_ratio", "complaints_open"):
    entry = CATALOG[name]
    print(f"{name}: {entry.meaning} In {entry.unit}, {entry.range}. Missing: {entry.missing or 'never'}.")

# %% [markdown]
# ## One customer at four dates
#
# The same log, four rows. Nothing that came later is in an earlier one.

# %%
from features.panel import build_panel

dates = [as_of - timedelta(days=91 * quarters) for quarters in (3, 2, 1, 0)]
panel = build_panel(company, dates, ["recency_days", "purchase_days_all", "spend_90d", "complaints_all"])
someone = panel.sort("purchase_days_all", descending=True)["customer_id"][0]
print(panel.filter(pl.col("customer_id") == someone))

# %% [markdown]
# ## The proof, in two lines
#
# Take away all that came after a date: the rows of that date stay the same.

# %%
from training.run import known_until

before = known_until(company, dates[1])
names = feature_names(before)
assert build_panel(before, [dates[1]], names).equals(build_panel(company, [dates[1]], names))
print(f"{len(names)} features at {dates[1]}: the same without the {sum(company.events_after(dates[1]).values()):,} later rows")

# %% [markdown]
# ## A leak, caught at the door
#
# A feature of one's own that reads the purchase *after* each one. Within the log it looks harmless, and predicts churn perfectly.

# %%
from features.definitions import Aggregate, Total, View, feature
from features.formulas import same, taken
from features.own import Builder, take_in
from keepwell.errors import ConfigError

ahead = View(
    name="own_visits",
    table="transactions",
    columns={"day": taken("ordered_day"), "amount": taken("amount")},
    keys=("day",),
    totals={"spend": Total("sum", "amount")},
    following={"next_day": "day"},
)
leak = feature(
    "own_next_visit_day",
    same,
    (Aggregate("own_visits", "max", "next_day"),),
    ("Next visit", "下次到店"),
    "The day of the next visit.",
    unit="day",
    table="transactions",
    builder="notebook",
)
try:
    take_in(Builder((leak,), (ahead,)))
except ConfigError as refusal:
    print(refusal)

# %% [markdown]
# ## A leak in the data, found by the check
#
# Somebody wrote who had left into a column of `customers`. No law of ours can know that; `keepwell check` suspects it.

# %%
from training.labels import labels
from training.leaks.search import leaks

cut = dates[-2]
left = labels(company, [cut], 90, as_of).select("customer_id", gone=pl.col("churned").cast(pl.Float64))
customers = pl.read_parquet(place / "shop" / "customers.parquet").join(left, on="customer_id", how="left")
customers.write_parquet(place / "shop" / "customers.parquet")
for suspicion in leaks(read_company(place / "shop"), 90) or ():
    print(suspicion)

# %% [markdown]
# ## A feature of one's own that keeps the law
#
# The example shop counts weekends. Taken in, it is a feature like any other, in training and at the endpoint.

# %%
import features

sys.path.insert(0, str(Path(features.__file__).parents[1] / "examples" / "own_shop"))
from own_shop import features as weekends

names = take_in(weekends)
print(build_panel(company, [as_of], names).describe())
