from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from decisions.labels import SCHEMES
from features.catalog import CATALOG
from serving.console import charts, text
from serving.console.query import FILTERS, SORTS
from serving.console.render import FOLDER
from serving.console.text import meaning, t
from serving.console.text_en import ENGLISH, PAGES
from serving.console.text_en_reasons import REASONS
from serving.console.text_zh import CHINESE
from serving.console.text_zh_words import WORDS
from training.card.report import GRADES

CODE = "\n".join(
    path.read_text() for path in (*FOLDER.rglob("*.py"), *FOLDER.glob("templates/*.html")) if not path.name.startswith("text_")
)


def test_every_text_that_code_or_templates_name_is_in_the_catalogue() -> None:
    named = set(re.findall(r"""\bt\(\s*f?["']([a-z_0-9.]+)["']\s*[,)]""", CODE))
    assert len(named) > 80
    assert {key for key in named if key not in ENGLISH and f"{key}.one" not in ENGLISH} == set()


def test_every_text_of_the_catalogue_is_used() -> None:
    families = (
        "reason.",
        "month.",
        "error.",
        "column.",
        "event.",
        "lane.",
        "mark.",
        "effect.",
        "grade.",
        "filter.",
        "role.",
        "step.",
        "decline.",
        "deed.",
        "plan.filter.",
        "plan.standing.",
        "plan.refused.",
        "plan.price.",
        "views.refused.",
        "amount.",
        "limit.",
        "review.",
        "changes.",
        "needs.",
        "outlook.",
        "peers.",
        "trouble.",
        "change.",
        "verdict.",
        "measure.",
        "target.",
        "kind.",
        "models.",
        "metric.",
    )
    by_code = {f"sign_in.refused.{code}" for code in ("sign_in", "too_many_attempts", "over")}
    by_target = {f"customer.{stem}" for target in ("churn", "value") for stem in (f"{target}_reasons", f"reasons.{target}.lead")}
    stems = {key.removesuffix(".one").removesuffix(".other") for key in ENGLISH}
    unused = {key for key in stems if not key.startswith(families) and f'"{key}"' not in CODE and f"'{key}'" not in CODE}
    assert unused - by_target - by_code == set()


def test_no_text_is_there_twice() -> None:
    assert PAGES.keys() & REASONS.keys() == set()


def test_grades_mean_in_the_console_what_they_mean_in_the_model_card() -> None:
    assert {grade: meaning("grade", grade).lower() for grade in GRADES} == {grade: f"{words}." for grade, words in GRADES.items()}
    assert meaning("grade", "none").startswith("Not graded")


def test_one_and_many_come_together() -> None:
    assert [key for key in ENGLISH if key.endswith(".one") and f"{key[:-4]}.other" not in ENGLISH] == []


def test_every_kind_sort_filter_and_month_has_its_words() -> None:
    assert all(f"{group}.{kind}.one" in ENGLISH for kind in charts.KINDS for group in ("event", "mark"))
    assert all(f"lane.{kind}" in ENGLISH for kind in ("purchase", *charts.DOT_LANES))
    assert all(f"filter.{name}" in ENGLISH for name in FILTERS)
    assert all(f"column.{sort}.means" in ENGLISH for sort in SORTS)
    assert all(f"column.{column}" in ENGLISH for column in SCHEMES)
    assert all(f"month.{number}" in ENGLISH for number in range(1, 13))


def test_every_word_of_the_decisions_has_a_meaning() -> None:
    for column, words in SCHEMES.items():
        for word in words:
            assert re.fullmatch(r"[A-Z].*\.", meaning(column, str(word))), (column, word)


def test_a_phrase_for_a_reason_names_a_feature_that_exists() -> None:
    bases = {re.sub(r"_(\d+d|all)(?=_|$)", "", name) for name in CATALOG}
    phrases = {key.split(".")[1] for key in ENGLISH if key.startswith("reason.")}
    assert phrases - bases == set()


def test_values_in_a_text_are_named_so_that_translations_may_turn_them_round() -> None:
    fields = [name for value in ENGLISH.values() for _, name, _, _ in Formatter().parse(value) if name is not None]
    assert all(name.isidentifier() for name in fields)


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_every_text_is_there_in_chinese_and_nothing_else() -> None:
    assert set(ENGLISH) - set(CHINESE) == set()
    missing_values = {key for key in CHINESE if key.endswith(".missing")}  # English has them in the feature catalog
    assert set(CHINESE) - set(ENGLISH) - missing_values - set(WORDS) == set()


@pytest.mark.parametrize("key", ENGLISH)
def test_a_text_has_the_same_values_in_chinese(key: str) -> None:
    assert fields(CHINESE[key]) == fields(ENGLISH[key])


def test_every_word_of_the_decisions_is_there_in_chinese() -> None:
    words = {f"{column}.{word}" for column, words in SCHEMES.items() for word in words}
    assert {key for word in words for key in (word, f"{word}.means")} - set(WORDS) == set()


def test_chinese_texts_are_chinese() -> None:
    ours = ("Keepwell", "DATA", "VIP", "RFM", "ABC", "CSV", "DATE", "UTC", "Excel")
    for key, text_ in CHINESE.items():
        bare = re.sub(r"\{\w+\}|keepwell [ -~]+", "", text_)  # commands are written as they are typed
        for word in ours:
            bare = bare.replace(word, "")
        assert key.startswith(("command.", "abc_class.", "credit_grade.")) or not re.search(r"[A-Za-z]{3,}", bare), (key, text_)


def test_an_unknown_text_is_an_error() -> None:
    with pytest.raises(KeyError, match="nonsense"):
        t("nonsense")


def test_templates_hold_no_words_of_their_own() -> None:
    for path in Path(FOLDER, "templates").glob("*.html"):
        bare = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<[^>]*>", " ", path.read_text(), flags=re.S)
        assert re.findall(r"[A-Za-z]{2,}", bare) == [], path.name


def test_meanings_come_from_the_decisions() -> None:
    assert set(text.MEANINGS) == set(SCHEMES)
