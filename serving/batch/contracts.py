"""Scoring contracts: whoever has one running gets a churn probability, a value and reasons; whose contract has ended is lost."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from features.builders.attributes import parsed
from features.catalog import allows
from features.company import Company
from features.contracts import PLAN, RUNNING, contract_panel, require_contracts
from keepwell.errors import ModelError
from keepwell.progress import Progress, Silent
from serving.batch.flat import MONEY, as_scores, run_of, scored_rows
from serving.batch.scoring import MOST_EXPLAINED, refuse_misfit

if TYPE_CHECKING:
    from training.registry import ModelInfo, Predictor

LOST, ACTIVE = "lost", "active"


def contract_scoring_panel(company: Company, info: ModelInfo, as_of: date) -> pl.DataFrame:
    """What the model reads of all who had begun a contract before `as_of`, sorted by id.

    ModelError where the data lack what the model reads, HistoryError where no contract is known.
    """
    if "subscriptions" not in company.tables:
        raise ModelError(
            "the model reads subscriptions, and the data have none", hint="bring the table, or train again without it"
        )
    require_contracts(company, as_of)
    for name in info.feature_names:
        attribute = parsed(name)
        if not (attribute is not None and attribute.column == PLAN) and not allows(company, name):
            raise ModelError(
                f"the model reads {name}, and the data do not allow it",
                hint="bring its table and columns as when it was trained, or train again without them",
            )
    return contract_panel(company, [as_of], tuple(dict.fromkeys((*info.feature_names, RUNNING))))


def score_contracts(
    company: Company,
    scorer: Predictor,
    as_of: date,
    *,
    panel: pl.DataFrame | None = None,
    allow_hindsight: bool = False,
    most_explained: int = MOST_EXPLAINED,
    progress: Progress = Silent(),
) -> pl.DataFrame:
    """Score all who had begun a contract before `as_of`: the columns of SCORE_TYPES, sorted by customer_id.

    Whose contracts have all ended has status `lost`: they are gone for certain (churn probability 1), worth nothing, at no risk
    and without reasons. All others are `active`. Words that are made from purchases are null.
    """
    info = scorer.info
    refuse_misfit(company, info, as_of, allow_hindsight=allow_hindsight)
    panel = contract_scoring_panel(company, info, as_of) if panel is None else panel
    running = panel[RUNNING] > 0
    scores = scored_rows(scorer, panel.filter(running), company.data_until(as_of), most_explained, progress)
    lost = panel.filter(~running).select("customer_id", "as_of").with_columns(**run_of(info, company.data_until(as_of)))
    nothing = None if np.isnan(scorer.predict(np.full((1, len(info.feature_names)), np.nan)).expected_value[0]) else 0.0
    gone = lost.with_columns(
        *(pl.lit(nothing, pl.Float64).alias(name) for name in (*MONEY, "value_at_risk")), churn_probability=pl.lit(1.0)
    )
    told = (scores.with_columns(status=pl.lit(ACTIVE)), gone.with_columns(status=pl.lit(LOST)))
    return pl.concat([as_scores(part) for part in told]).sort("customer_id")
