"""English: the words of the portfolio page."""

from __future__ import annotations

PORTFOLIO = {"nav.portfolio": "Portfolio"}
