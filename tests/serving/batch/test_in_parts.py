"""Scores made for some customers at a time are those of all together, to the last bit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from decisions.policy import Policy
from decisions.population import population
from features.company import Company
from serving.batch.in_parts import (
    Together,
    as_columns,
    figures,
    part_reasons,
    part_rows,
    part_scores,
    part_steps,
    row_types,
    steps_together,
)
from serving.batch.scoring import run_facts, score_company
from serving.plans.policy import read_policy
from tests.serving.conftest import AS_OF
from training.scorer import Scorer

POLICY = read_policy()
BY_KIND = POLICY.model_copy(
    update={"split_by_kind": True, "tiers": POLICY.tiers.model_copy(update={"protected": {"1": "VIP", "2": "major"}})}
)


def parted(company: Company, parts: int) -> list[Company]:
    """The company in parts of its customers, each with all of their rows."""
    ids = company.tables["transactions"]["customer_id"].unique().sort()
    of = {number: ids.gather_every(parts, number).implode() for number in range(parts)}
    return [
        replace(company, tables={name: frame.filter(pl.col("customer_id").is_in(mine)) for name, frame in company.tables.items()})
        for mine in of.values()
    ]


def in_parts(companies: Sequence[Company], scorer: Scorer, policy: Policy, previous: pl.DataFrame | None) -> pl.DataFrame:
    rows = [part_rows(one, scorer, AS_OF, previous) for one in companies]
    gathered = as_columns(pl.concat([figures(one, policy.tiers.protected) for one in rows], how="diagonal"))
    categories, steps = steps_together(pl.concat(map(part_steps, rows)), sum(one.height for one in rows))
    until = max(one.data_until(AS_OF) for one in companies)
    together = Together(population(gathered, policy), categories, steps, {**run_facts(scorer.info), "data_until": until})
    scores = pl.concat(part_scores(one, scorer.info, policy, together) for one in rows).drop("reasons")
    reasons = pl.concat(part_reasons(one, scorer, AS_OF) for one in companies)
    return scores.join(reasons, on="customer_id").sort("customer_id")


@pytest.mark.parametrize("policy", [POLICY, BY_KIND])
@pytest.mark.parametrize("parts", [1, 7])
def test_scores_in_parts_are_those_of_all_together(shop: Company, scorer: Scorer, policy: Policy, parts: int) -> None:
    before = score_company(shop, scorer, AS_OF - timedelta(days=60), policy, allow_hindsight=True)
    for previous in (None, before):
        whole = score_company(shop, scorer, AS_OF, policy, previous=previous)
        assert_frame_equal(in_parts(parted(shop, parts), scorer, policy, previous).select(whole.columns), whole, check_exact=True)


def test_rows_in_parts_have_the_columns_and_types_that_are_promised(shop: Company, scorer: Scorer) -> None:
    types = row_types(shop.tables["transactions"]["customer_id"].dtype, scorer.further_names)
    assert dict(part_rows(shop, scorer, AS_OF, None).schema) == types


def test_without_categories_nobody_has_a_next_one(shop: Company, scorer: Scorer) -> None:
    names = [name for name in scorer.info.feature_names if "categor" not in name]
    assert len(names) < len(scorer.info.feature_names)
    bare = replace(shop, tables={**shop.tables, "transactions": shop.tables["transactions"].drop("category")})
    rows = part_rows(bare, scorer, AS_OF, None)
    assert part_steps(rows).is_empty()
    categories, steps = steps_together(part_steps(rows), rows.height)
    run = {**run_facts(scorer.info), "data_until": AS_OF}
    together = Together(population(as_columns(figures(rows, ())), POLICY), categories, steps, run)
    assert part_scores(rows, scorer.info, POLICY, together)["next_category"].null_count() == rows.height
