"""The page that compares is fair: of each figure the best peer is named, and bold is whoever is better."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "comparison.md"
PEERS = Path(__file__).parents[2] / "shared" / "bench" / "peers.json"
COMPANIES = {"accuracy": ("online_retail_2", "cdnow"), "flat": ("iranian_telco", "ecommerce_complaints")}
LEVEL = 0.005
"""Figures so near to each other, as a share, are level."""

HIGHER = {
    "AUC of churn": "auc",
    "average precision": "average_precision",
    "rank correlation of value": "spearman",
    "Gini of value": "gini",
    "best tenth captured": "top_decile_value_share",
}
LOWER = {
    "log loss of churn": "log_loss",
    "Brier loss": "brier",
    "calibration error": "ece",
    "mean absolute error": "mae",
    "root mean squared error": "rmse",
}
TOTAL = "total, forecast over true"
NAMES = {
    "naive": "last period",
    "bgnbd_gamma_gamma": "BG/NBD",
    "lightgbm_default": "LightGBM",
    "lightgbm_panel": "LightGBM, panel",
    "logistic_ridge": "logistic, ridge",
    "logistic": "logistic",
    "catboost_panel": "CatBoost",
    "ziln_dnn": "network",
}


def comparisons() -> Iterator[tuple[str, str, str, str]]:
    """(company, label, our cell, the peer's cell) of every line of the tables."""
    text = PAGE.read_text()
    for name, companies in COMPANIES.items():
        table = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", text, re.DOTALL)
        assert table
        for line in table[1].splitlines()[2:]:
            label, *cells = (cell.strip() for cell in line.strip("|").split("|"))
            for place, company in enumerate(companies):
                yield company, label, cells[2 * place], cells[2 * place + 1]


def digits(cell: str) -> str:
    """The figure of a cell as it is written."""
    found = re.search(r"[\d,]*\.?\d+", cell)
    assert found
    return found[0]


def number(cell: str) -> float:
    """The figure of a cell."""
    return float(digits(cell).replace(",", ""))


def loss(label: str, figure: float) -> float:
    """Lower is better, whatever the figure."""
    if label == TOTAL:
        return abs(math.log(figure))
    return -figure if label in HIGHER else figure


def best_peer(company: str, label: str) -> tuple[str, float]:
    peers = json.loads(PEERS.read_text())
    found = {**peers["transactions"], **peers["labelled"]}[company]["peers"]
    metric = "total_ratio" if label == TOTAL else (HIGHER | LOWER)[label]
    name = min(found, key=lambda one: loss(label, found[one][metric]))
    return NAMES[name], found[name][metric]


def test_both_tables_have_every_figure() -> None:
    told = [(company, label) for company, label, _, _ in comparisons()]
    logs = [(company, label) for company in COMPANIES["accuracy"] for label in (*HIGHER, *LOWER, TOTAL)]
    flat = [
        (company, label) for company in COMPANIES["flat"] for label in ("AUC of churn", "log loss of churn", "calibration error")
    ]
    assert sorted(told) == sorted(logs + flat)


@pytest.mark.parametrize(("company", "label", "ours", "theirs"), list(comparisons()))
def test_bold_is_who_is_better(company: str, label: str, ours: str, theirs: str) -> None:
    mine, best = number(ours), number(theirs)
    scale = 1.0 if label in {TOTAL, "calibration error"} else best
    behind = (loss(label, mine) - loss(label, best)) / scale
    assert ("**" in ours) == (behind < 0)
    assert ("**" in theirs) == (behind > LEVEL)
    assert ("level" in ours) == (0 <= behind <= LEVEL)


@pytest.mark.skipif(not PEERS.exists(), reason="the peers' figures are not here")
@pytest.mark.parametrize(
    ("company", "label", "theirs"), [(company, label, theirs) for company, label, _, theirs in comparisons()]
)
def test_the_best_peer_of_each_figure_is_told(company: str, label: str, theirs: str) -> None:
    name, figure = best_peer(company, label)
    assert theirs.endswith(f" {name}")
    assert digits(theirs) == f"{figure:,.{len(digits(theirs).partition('.')[2])}f}"
