from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from decisions.labels import SCHEMES
from serving.console.actions import action_title
from serving.console.language import COOKIE, LANGUAGES, preferred, speak, spoken
from serving.plans.policy import read_policy
from tests.serving.console.shop import BUSY_ID


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("zh", "zh"),
        ("zh-Hans-CN", "zh"),
        ("de, zh;q=0.3", "zh"),
        ("en;q=0.4, zh;q=0.5", "zh"),
        ("de", "en"),
        ("zh;q=0", "en"),
    ],
)
def test_a_browser_gets_the_first_language_that_it_prefers(accepted: str, language: str) -> None:
    assert preferred(accepted) == language


@given(st.text())
def test_any_header_gives_a_language(accepted: str) -> None:
    assert preferred(accepted) in LANGUAGES


def test_a_language_that_there_is_not_is_an_error() -> None:
    with pytest.raises(KeyError, match="tlh"):
        speak("tlh")
    assert spoken() == "en"


def test_every_page_is_whole_in_chinese(console: TestClient) -> None:
    for path in ("/", "/customers", f"/customers/one?id={BUSY_ID}", "/customers/one?id=nobody", "/nowhere"):
        answer = console.get(path, headers={"accept-language": "zh-CN"})
        assert answer.headers["content-language"] == "zh"
        assert '<html lang="zh">' in answer.text
        assert "客户" in answer.text


def test_a_page_in_chinese_has_no_english_word_of_the_schemes(console: TestClient) -> None:
    page = console.get("/customers", headers={"accept-language": "zh"}).text
    shown = set(re.findall(r">\s*([A-Za-z][a-z ]+)\s*<", page))
    assert shown & {str(word) for words in SCHEMES.values() for word in words} == set()


def test_the_language_chosen_on_a_page_stays(console: TestClient) -> None:
    assert console.get("/?lang=zh").headers["content-language"] == "zh"
    assert console.cookies[COOKIE] == "zh"
    assert console.get("/customers").headers["content-language"] == "zh"
    assert console.get("/?lang=en").headers["content-language"] == "en"
    console.cookies.clear()


def test_a_page_links_to_itself_in_the_other_language(console: TestClient) -> None:
    page = console.get("/customers?q=a&value_tier=VIP").text
    assert "customers?q=a&amp;value_tier=VIP&amp;lang=zh" in page


def test_a_nonsensical_choice_is_no_choice(console: TestClient) -> None:
    answer = console.get("/?lang=klingon", headers={"cookie": f'{COOKIE}="x; {COOKIE}=tlh'})
    assert answer.headers["content-language"] == "en"


def test_every_action_of_the_catalogue_has_a_chinese_title() -> None:
    assert [action.name for action in read_policy().actions if not re.search(r"[\u4e00-\u9fff]", action.title_zh)] == []


def test_an_action_of_ones_own_keeps_its_title() -> None:
    assert action_title("own_idea", "Our own idea") == "Our own idea"
