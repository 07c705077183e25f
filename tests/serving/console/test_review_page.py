from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from decisions.reviews.actions import ORDER
from decisions.reviews.measures import MEASURES, MET, MISSED, OPEN
from decisions.reviews.review import Review
from keepwell.errors import StoreError
from serving.console.calibration import SIZE, Group, calibration_chart
from serving.console.text import CATALOGUES
from serving.review.shelf import ReviewShelf
from serving.store import Store
from tests.serving.console.reviews import a_review


@pytest.fixture
def shelf(tmp_path: Path) -> ReviewShelf:
    return ReviewShelf(tmp_path / "reviews")


@pytest.fixture
def client(filled_store: Store, open_console: Callable[..., TestClient], shelf: ReviewShelf) -> TestClient:
    return open_console(filled_store, reviews=shelf)


def test_a_review_comes_back_from_its_shelf_as_it_was(shelf: ReviewShelf) -> None:
    file = shelf.keep(a_review())
    assert str(shelf.read("northwind-tea", file.stem)) == str(a_review())  # as text, where what is not known equals itself


def test_the_review_of_the_latest_days_comes_first(shelf: ReviewShelf) -> None:
    for since, until in (
        (date(2025, 7, 1), date(2025, 10, 1)),
        (date(2026, 1, 1), date(2026, 4, 1)),
        (date(2026, 3, 1), date(2026, 4, 1)),
    ):
        shelf.keep(a_review(since, until))
    assert [name[:10] for name in shelf.names("northwind-tea")] == ["2026-03-01", "2026-01-01", "2025-07-01"]


@pytest.mark.parametrize("company", ["../../etc", "a/b", "..", "王 & Söhne"])
def test_a_company_keeps_its_reviews_below_the_folder_whatever_it_is_called(shelf: ReviewShelf, company: str) -> None:
    file = shelf.keep(replace(a_review(), company=company))
    assert shelf.folder.resolve() in file.resolve().parents
    assert shelf.read(company, file.stem).company == company


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"company": 1}', "null"])
def test_a_damaged_review_is_told_of(shelf: ReviewShelf, client: TestClient, text: str) -> None:
    file = shelf.keep(a_review())
    file.write_text(text)
    with pytest.raises(StoreError, match="cannot be read"):
        shelf.read("northwind-tea", file.stem)
    assert "keepwell review" in client.get("/review").text


def test_a_review_with_a_word_of_another_kind_is_damaged(shelf: ReviewShelf) -> None:
    file = shelf.keep(a_review())
    file.write_text(json.dumps({**json.loads(file.read_text()), "since": "yesterday"}))
    with pytest.raises(StoreError, match="cannot be read"):
        shelf.read("northwind-tea", file.stem)


@pytest.mark.parametrize("language", CATALOGUES)
def test_the_page_tells_every_section_and_nothing_of_it_is_markup(shelf: ReviewShelf, client: TestClient, language: str) -> None:
    shelf.keep(a_review())
    page = client.get("/review", params={"lang": language}).text
    for key in ("promises", "changes", "moves", "actions", "measures", "reasons", "forecast", "owners", "past", "equity"):
        assert f'<h2 id="{key}">' in page, key
    assert "nan" not in page.lower().replace("finance", "")
    assert "<script>" not in page
    assert "<i>own" not in page
    assert page.count('<g class="dot">') == 10


def test_figures_are_those_of_the_review(shelf: ReviewShelf, client: TestClient) -> None:
    shelf.keep(a_review())
    page = client.get("/review").text
    for words in (
        "24.0 %",
        "forecast 21.0 %",
        "84,000 EUR",
        "more left; they brought less",
        "79,000 to 97,000",
        "at least 210.00 for 96.00",
    ):
        assert words in page, words


def test_another_review_can_be_asked_for_and_one_that_is_none_is_not_found(shelf: ReviewShelf, client: TestClient) -> None:
    shelf.keep(a_review())
    older = shelf.keep(a_review(date(2025, 7, 1), date(2025, 10, 1))).stem
    assert f"of={older}" in client.get("/review").text
    assert "From 1 Jul 2025 to 1 Oct 2025" in client.get("/review", params={"of": older}).text
    assert client.get("/review", params={"of": "../x"}).status_code == 404


def test_without_a_review_the_page_says_how_to_make_one(client: TestClient, console: TestClient) -> None:
    for each in (client, console):
        assert "keepwell review DATA --since DATE" in each.get("/review").text


def test_a_review_that_could_tell_little_still_has_a_page(shelf: ReviewShelf, client: TestClient) -> None:
    empty: dict[str, object] = dict.fromkeys(
        ("promises", "calibration", "tier_moves", "changes", "actions", "measures", "reasons", "equity"), ()
    )
    shelf.keep(replace(a_review(), **empty, forecast=None, earned=replace(a_review().earned, value=float("nan"))))
    assert client.get("/review").status_code == 200


def test_promises_that_were_kept_lie_on_the_diagonal() -> None:
    found = calibration_chart(
        [Group(10, share, replace(a_review().earned, value=share, low=share, high=share)) for share in (0.0, 0.3, 1.0)]
    )
    assert found is not None
    assert [dot.x + dot.y for dot in found.dots] == [SIZE] * 3
    assert calibration_chart([]) is None


@pytest.mark.parametrize("language", CATALOGUES)
def test_every_word_of_a_review_is_in_the_catalogue(language: str) -> None:
    words = {f"verdict.{word}" for word in ORDER} | {f"target.{word}" for word in (MET, OPEN, MISSED)}
    assert words | {f"measure.{measure.name}" for measure in MEASURES} <= CATALOGUES[language].keys()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_a_review_that_may_not_be_read_is_told_of(shelf: ReviewShelf) -> None:
    file = shelf.keep(a_review())
    file.chmod(0)
    with pytest.raises(StoreError, match="cannot be read"):
        shelf.read("northwind-tea", file.stem)


def test_a_dict_of_another_kind_is_no_review() -> None:
    with pytest.raises(KeyError, match="company"):
        Review.from_dict({})
