"""What is counted of the table of customers."""

from __future__ import annotations

from features.definitions import View
from features.formulas import taken

JOININGS = View(name="joinings", table="customers", columns={"day": taken("joined_day")})
