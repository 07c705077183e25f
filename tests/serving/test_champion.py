from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.company import Company
from keepwell.errors import KeepwellError, ModelError
from serving.champion import LOOKS_TO_SKIP, Holder, try_out
from tests.serving.conftest import HORIZON, renamed, scorer_for
from training.registry import ModelFolder, model_name
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


def test_a_candidate_of_another_company_is_refused(shelf: Shelf, shop: Company, scorer: Scorer) -> None:
    holder = held(shelf)
    shelf.scorers[shop.key, HORIZON, "9"] = renamed(scorer, company="other")
    shelf.aliases[shop.key, HORIZON] = "9"
    holder.refresh()
    assert holder.require().version == "1"
    assert "is a model of 'other'" in holder.trouble.message


def test_a_version_that_failed_is_not_loaded_again_at_each_look(shelf: Shelf, shop: Company, scorer: Scorer) -> None:
    holder = held(shelf)
    shelf.scorers[shop.key, HORIZON, "9"] = renamed(scorer, company="other")
    shelf.aliases[shop.key, HORIZON] = "9"
    for _ in range(LOOKS_TO_SKIP + 1):
        holder.refresh()
    assert shelf.loads == 2
    holder.refresh()
    assert shelf.loads == 3, "it may have been mended"
    shelf.aliases[shop.key, HORIZON] = "1"
    holder.refresh()
    assert (shelf.loads, holder.trouble) == (3, None)
    shelf.aliases[shop.key, HORIZON] = "2"
    holder.refresh()
    assert holder.require().version == "2", "another version does not wait"


def test_a_champion_that_was_deleted_serves_on(shelf: Shelf, shop: Company) -> None:
    holder = held(shelf)
    del shelf.aliases[shop.key, HORIZON]
    for _ in range(2):
        holder.refresh()
        assert (holder.require().version, "no champion" in holder.trouble.message) == ("1", True)


@pytest.fixture
def kept(tmp_path: Path) -> ModelFolder:
    return ModelFolder(tmp_path / "kept-models")


def gone(shelf: Shelf) -> Shelf:
    """The same registry, away."""
    shelf.failure = OSError("no route to host")
    return shelf


def test_a_start_without_the_registry_begins_with_the_champion_of_last_time(
    shelf: Shelf, kept: ModelFolder, shop: Company
) -> None:
    before = held(shelf, kept=kept).require()
    again = held(gone(shelf), kept=kept)
    assert "no route to host" in again.trouble.message
    rows = np.full((3, len(before.scorer.info.feature_names)), np.nan)
    rows[1:] = np.random.default_rng(0).uniform(0, 50, (2, rows.shape[1]))
    np.testing.assert_array_equal(again.require().scorer.predict(rows).expected_value, before.scorer.predict(rows).expected_value)
    assert again.require().version == before.version
    shelf.failure = None
    shelf.aliases[shop.key, HORIZON] = "2"
    again.refresh()
    assert (again.require().version, again.trouble) == ("2", None)


def test_a_start_serves_the_champion_of_last_time_before_it_asks_the_registry(
    shelf: Shelf, kept: ModelFolder, shop: Company
) -> None:
    held(shelf, kept=kept)
    loads, shelf.aliases[shop.key, HORIZON] = shelf.loads, "2"
    holder = Holder(shelf, kept=kept)  # type: ignore[arg-type]
    holder.begin()
    assert (holder.require().version, holder.trouble, shelf.loads) == ("1", None, loads)
    holder.refresh()
    assert (holder.require().version, holder.trouble) == ("2", None)


def test_a_first_start_asks_the_registry_at_once(shelf: Shelf, kept: ModelFolder) -> None:
    holder = Holder(shelf, kept=kept)  # type: ignore[arg-type]
    holder.begin()
    assert holder.require().version == "1"
    nothing = Holder(Shelf({}), kept=ModelFolder(kept.folder / "none"))  # type: ignore[arg-type]
    nothing.begin()
    with pytest.raises(ModelError, match="keepwell train DATA"):
        nothing.require()


def test_a_registry_that_counts_anew_is_believed(shelf: Shelf, kept: ModelFolder, shop: Company) -> None:
    held(shelf, kept=kept)
    shelf.scorers[shop.key, HORIZON, "1"] = scorer_for(shop, alpha=99.0)
    holder = Holder(shelf, kept=kept)  # type: ignore[arg-type]
    holder.begin()
    holder.refresh()
    assert holder.require().scorer is shelf.scorers[shop.key, HORIZON, "1"]


def test_of_last_time_only_what_the_settings_ask_for_is_served(shelf: Shelf, kept: ModelFolder) -> None:
    held(shelf, kept=kept)
    for chosen in ({"company": "other"}, {"horizon_days": 7}, {"company": "other", "horizon_days": HORIZON}):
        with pytest.raises(ModelError, match=r"no champion|no route"):
            held(gone(shelf), kept=kept, **chosen).require()


def test_where_the_user_must_choose_last_time_chooses_nothing(shelf: Shelf, kept: ModelFolder, scorer: Scorer) -> None:
    held(shelf, kept=kept)
    shelf.aliases["other", 7] = "1"
    with pytest.raises(ModelError, match="2 champions"):
        held(shelf, kept=kept).require()
    holder = Holder(shelf, kept=kept)  # type: ignore[arg-type]
    holder.begin()
    holder.refresh()
    with pytest.raises(ModelError, match="2 champions"):
        holder.require()


def test_a_kept_model_that_was_changed_is_not_served(shelf: Shelf, kept: ModelFolder) -> None:
    held(shelf, kept=kept)
    (file,) = kept.folder.rglob("scorer.json")
    file.write_text(file.read_text().replace("0.8", "0.9", 1))
    with pytest.raises(ModelError, match="no route to host"):
        held(gone(shelf), kept=kept).require()


def test_a_folder_that_cannot_be_written_to_stops_no_service(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert held(shelf, kept=ModelFolder(tmp_path / "file")).require().version == "1"


def test_a_folder_of_models_is_served_as_a_registry_is(shelf: Shelf, kept: ModelFolder, shop: Company) -> None:
    for number in ("1", "2"):
        kept.keep(shelf.scorers[shop.key, HORIZON, number].versioned(number))
    holder = held(kept)
    assert (holder.require().version, kept.champions()) == ("2", ((shop.key, HORIZON),))
    assert len([path for path in (kept.folder / model_name(shop.key, HORIZON)).iterdir() if path.is_dir()]) == 1
    with pytest.raises(ModelError, match="has version 2, not 1"):
        kept.scorer(shop.key, HORIZON, "1")
    kept.keep(shelf.scorers[shop.key, HORIZON, "1"].versioned("3"))
    holder.refresh()
    assert holder.require().version == "3"


def test_a_folder_without_models_says_what_puts_one_there(kept: ModelFolder, shop: Company) -> None:
    assert kept.champions() == ()
    with pytest.raises(ModelError, match="keepwell export"):
        kept.champion_version(shop.key, HORIZON)


@pytest.mark.parametrize("note", ["", "[]", "{}", "null"])
def test_a_note_that_says_nothing_is_refused(kept: ModelFolder, shelf: Shelf, shop: Company, note: str) -> None:
    kept.keep(shelf.scorers[shop.key, HORIZON, "1"])
    (kept.folder / model_name(shop.key, HORIZON) / "model.json").write_text(note)
    with pytest.raises(ModelError, match="cannot be read"):
        kept.champions()
