"""简体中文: the words of the portfolio page."""

from __future__ import annotations

PORTFOLIO = {"nav.portfolio": "客户组合"}
