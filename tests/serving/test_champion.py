from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from features.company import Company
from keepwell.errors import KeepwellError, ModelError
from serving.champion import Holder, try_out
from tests.serving.conftest import HORIZON, renamed, scorer_for
from training.scorer import Scorer


class Shelf:
    """A registry in memory, which can be made to fail."""

    def __init__(self, scorers: dict[tuple[str, int, str], Scorer]) -> None:
        self.scorers = scorers
        self.aliases = {(company, days): version for company, days, version in scorers}
        self.failure: Exception | None = None
        self.loads = 0

    def champions(self) -> tuple[tuple[str, int], ...]:
        return tuple(self.aliases)

    def champion_version(self, company: str, horizon_days: int) -> str:
        if self.failure:
            raise self.failure
        if (company, horizon_days) not in self.aliases:
            raise ModelError("no champion", hint="train")
        return self.aliases[company, horizon_days]

    def scorer(self, company: str, horizon_days: int, version: str) -> Scorer:
        self.loads += 1
        return self.scorers[company, horizon_days, version]


@pytest.fixture
def shelf(shop: Company) -> Shelf:
    versions = {str(number): scorer_for(shop, alpha=20.0 * number) for number in (2, 1)}
    return Shelf({(shop.key, HORIZON, version): scorer for version, scorer in versions.items()})


def held(shelf: Shelf, **chosen: Any) -> Holder:
    holder = Holder(shelf, **chosen)  # type: ignore[arg-type]
    holder.refresh()
    return holder


def test_the_only_champion_is_found_without_being_named(shelf: Shelf) -> None:
    assert held(shelf).require().version == "1"


def test_a_promoted_version_is_swapped_in_whole_and_loaded_once(shelf: Shelf, shop: Company) -> None:
    holder = held(shelf)
    before = holder.require()
    holder.refresh()
    assert holder.require() is before
    shelf.aliases[shop.key, HORIZON] = "2"
    holder.refresh()
    assert (holder.require().version, before.version, shelf.loads) == ("2", "1", 2)


@pytest.mark.parametrize("failure", [ModelError("the registry is away", hint="wait"), OSError("disk gone"), KeyError("x")])
def test_whatever_goes_wrong_the_old_champion_stays_and_the_trouble_is_told(shelf: Shelf, failure: Exception) -> None:
    holder = held(shelf)
    shelf.failure = failure
    holder.refresh()
    assert holder.require().version == "1"
    assert isinstance(holder.trouble, KeepwellError)
    shelf.failure = None
    holder.refresh()
    assert holder.trouble is None


def test_without_a_champion_the_way_out_is_told() -> None:
    with pytest.raises(ModelError, match="keepwell train DATA"):
        held(Shelf({})).require()


def test_before_the_first_look_there_is_no_champion(shelf: Shelf) -> None:
    with pytest.raises(ModelError, match="not loaded yet"):
        Holder(shelf).require()  # type: ignore[arg-type]


def test_of_several_champions_one_must_be_chosen(shelf: Shelf, shop: Company, scorer: Scorer) -> None:
    shelf.scorers["other", 7, "1"] = renamed(scorer, company="other", horizon_days=7)
    shelf.aliases["other", 7] = "1"
    with pytest.raises(ModelError, match="2 champions"):
        held(shelf).require()
    assert held(shelf, horizon_days=7).require().company == "other"
    assert held(shelf, company=shop.key).require().company == shop.key
    with pytest.raises(ModelError, match="no champion"):
        held(shelf, company="other", horizon_days=8).require()


def test_a_model_that_reads_an_unknown_feature_is_refused(scorer: Scorer) -> None:
    with pytest.raises(ModelError, match="'of_tomorrow', which this version of Keepwell does not have"):
        try_out(renamed(scorer, feature_names=("of_tomorrow", *scorer.info.feature_names)))


def test_a_model_that_reads_attributes_is_tried_out_without_them(shelf: Shelf, shop: Company, scorer: Scorer) -> None:
    names = (*scorer.info.feature_names, "attr_plan_is_gold", "attr_signed_on_days_ago")
    shelf.scorers[shop.key, HORIZON, "2"] = renamed(scorer, feature_names=names)
    shelf.aliases[shop.key, HORIZON] = "2"
    holder = held(shelf)
    assert (holder.require().version, holder.trouble) == ("2", None)


def test_a_model_that_predicts_nonsense_is_refused(scorer: Scorer) -> None:
    with pytest.raises(ModelError, match="failed its try-out"):
        try_out(replace(scorer, amount=replace(scorer.amount, intercept=float("inf"))))


def test_a_bad_candidate_is_refused_and_the_old_one_stays(shelf: Shelf, shop: Company, scorer: Scorer) -> None:
    holder = held(shelf)
    shelf.scorers[shop.key, HORIZON, "3"] = replace(scorer, churn=replace(scorer.churn, intercept=float("nan")))
    shelf.aliases[shop.key, HORIZON] = "3"
    with np.errstate(all="ignore"):
        holder.refresh()
    assert holder.require().version == "1"
    assert "try-out" in holder.trouble.message
