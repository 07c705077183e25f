"""One way to score with any kind of model: of purchases, of contracts, of labels that were given."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from decisions.decide import PREVIOUS
from decisions.policy import Policy
from features.company import Company
from keepwell.progress import Progress, Silent
from serving.batch.contracts import contract_scoring_panel, score_contracts
from serving.batch.flat import flat_scoring_panel, score_flat
from serving.batch.scoring import MOST_EXPLAINED, score_company, scoring_panel
from serving.store import Store

if TYPE_CHECKING:
    from training.registry import ModelInfo, Predictor

OTHER_KINDS = {"labels": score_flat, "contracts": score_contracts}
"""What `ModelInfo.churn` says of models that do not learn from purchases, and what scores with them; no policy is asked."""


def panel_of_kind(company: Company, info: ModelInfo, as_of: date) -> pl.DataFrame:
    """The rows that a model reads; errors as those of its kind."""
    panels = {"labels": flat_scoring_panel, "contracts": contract_scoring_panel}
    return panels.get(info.churn, scoring_panel)(company, info, as_of)


def scores_of_kind(
    store: Store,
    company: Company,
    scorer: Predictor,
    as_of: date,
    policy: Policy,
    *,
    panel: pl.DataFrame,
    previous: pl.DataFrame | None = None,
    allow_hindsight: bool = False,
    most_explained: int | None = None,
    progress: Progress = Silent(),
) -> pl.DataFrame:
    """The scores of a panel. `previous` (None: what the store has) are scores of an earlier date, where customers come from.

    `most_explained`: how many customers get reasons; None: the usual number.
    """
    explained = MOST_EXPLAINED if most_explained is None else most_explained
    if scored := OTHER_KINDS.get(scorer.info.churn):
        return scored(
            company, scorer, as_of, panel=panel, allow_hindsight=allow_hindsight, most_explained=explained, progress=progress
        )
    return score_company(
        company,
        scorer,
        as_of,
        policy,
        panel=panel,
        previous=_words_before(store, company, scorer.info.horizon_days, as_of) if previous is None else previous,
        allow_hindsight=allow_hindsight,
        most_explained=explained,
        progress=progress,
    )


def _words_before(store: Store, company: Company, horizon_days: int, as_of: date) -> pl.DataFrame | None:
    """What the store has of the last scoring of an earlier date."""
    store.migrate()
    return store.words_before(company.key, horizon_days, as_of, tuple(PREVIOUS))
