"""What is counted of the table of customers."""

from __future__ import annotations

from features.definitions import View
from features.formulas import taken

JOININGS = View(name="joinings", table="customers", columns={"day": taken("joined_day")})

ATTRIBUTES = View(name="attributes", table="customers", columns={"day": taken("known_day")}, all_versions=True)
"""One row per customer, from the day on which it was known; `features.builders.attributes` says which columns it has."""
