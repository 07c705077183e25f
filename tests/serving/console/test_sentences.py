"""No page in Chinese holds an English sentence of Keepwell's, wherever that sentence was written."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from serving.console.app import PAGES, console_app
from serving.console.language import speak
from serving.console.passwords import hashed
from serving.console.roles import Role
from serving.console.sentences import PHRASEBOOKS, details, in_words, said
from serving.model_desk import Version
from serving.plans.draft import Wanted, draft, keep, material
from serving.plans.evidence import EvidenceShelf
from serving.plans.policy import read_policy
from serving.review.shelf import ReviewShelf
from serving.store import Store
from tests.serving.console.reviews import a_review
from tests.serving.console.shop import AS_OF, BUSY_ID, NASTY_ID, NOW, fill, new_store
from tests.serving.console.test_doors import PASSWORD, sign_in

ROOT = Path(__file__).parents[3]
CHINESE = {english: told for (language, _), book in PHRASEBOOKS.items() for english, told in book.items() if language == "zh"}

SAID_IN = {
    "decisions/plans/plan_rows.py": ("_reasons",),
    "decisions/plans/alternatives.py": ("_hindrance", "_next_best"),
    "decisions/plans/actions.py": ("offers", "_general_notes"),
    "serving/plans/planning.py": ("with_wishes",),
    "serving/plans/draft.py": ("_left_out", "CONSENT_UNKNOWN"),
    "serving/endpoints/stored_plan.py": ("consent_notes",),
    "serving/plans/evidence.py": ("expected_effects", "expected"),
    "serving/review/making.py": ("_notes",),
    "serving/batch/timeline.py": ("_complaints", "_payments", "_by_day"),
    "training/gate.py": ("verdict_of",),
    "training/run.py": ("compared_with_champion",),
    "training/contracts/run.py": ("_compared",),
    "training/flat/run.py": ("_compared",),
    "training/card/trust.py": (
        "about_the_backtest",
        "_between_dates",
        "_missed_churn",
        "_missed_value",
        "about_the_data",
        "always",
    ),
    "training/card/report.py": ("_about_size",),
    "training/flat/report.py": ("_warnings",),
    "training/leaks/search.py": ("_event_words", "_group_words", "_alone_words", "_attribute_way_out", "EVENT_WAY_OUT"),
    "training/leaks/copies.py": ("log_figures", "FIRST_PURCHASE"),
    "training/horizon_report.py": ("_came_back",),
    "training/monitor/matured.py": ("_troubles",),
    "training/monitor/volumes.py": ("volume_troubles", "silence_troubles"),
    "training/monitor/tables.py": ("table_states", "_vanishing_troubles"),
    "training/monitor/report.py": (*("broken_promises", "asked_warnings", "table_warnings", "notes", "shift_in_words"),),
}
"""Where sentences are made that pages show: functions and constants."""


@pytest.fixture
def chinese() -> Iterator[None]:
    speak("zh")
    yield
    speak("en")


def words(text: str) -> int:
    """How many words of letters a text has, names of columns left out."""
    return len(re.findall(r"(?<![\w.])[A-Za-z]{2,}(?![\w(])", text))


def fragments(path: str, names: tuple[str, ...]) -> Iterator[str]:
    """The texts of three words and more in these functions and constants, docstrings left out."""
    tree = ast.parse((ROOT / path).read_text())
    found = set()
    for node in ast.walk(tree):
        name = node.name if isinstance(node, ast.FunctionDef) else node.targets[0].id if _is_constant(node) else None
        if name not in names:
            continue
        found.add(name)
        docstring = ast.get_docstring(node, clean=False) if isinstance(node, ast.FunctionDef) else None
        texts = (each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str))
        yield from (text for text in texts if text != docstring and words(text) > 2 and "--" not in text)  # no commands
    assert found == set(names), (path, set(names) - found)


def _is_constant(node: ast.AST) -> bool:
    return isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)


@pytest.mark.parametrize("path", SAID_IN)
def test_every_sentence_that_is_made_is_in_the_phrasebook(path: str) -> None:
    book = "\n".join(re.sub(r"\{\w+\}", "\t", english) for english in CHINESE)
    assert [each for each in fragments(path, SAID_IN[path]) if each.strip(" ;,.:") not in book] == []


def rendered(node: ast.expr) -> Iterator[str]:
    """The texts that an expression may give, with 7 for each of their figures."""
    if isinstance(node, ast.IfExp):
        yield from (*rendered(node.body), *rendered(node.orelse))
    elif isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values)


def test_every_refusal_of_the_console_is_in_the_phrasebook(chinese: None) -> None:
    calls = [
        node
        for path in (ROOT / "serving" / "console").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "RequestError"
    ]
    told = [
        text
        for call in calls
        for part in (call.args[0], *(each.value for each in call.keywords if each.arg == "hint"))
        for text in rendered(part)
    ]
    assert len(told) > 40
    assert [text for text in told if in_words(text) == text] == []


def test_every_reason_of_the_catalogue_is_in_the_phrasebook() -> None:
    assert [action.why for action in read_policy().actions if action.why not in CHINESE] == []


@pytest.mark.parametrize("english", CHINESE)
def test_both_languages_name_the_same_figures(english: str) -> None:
    named = [sorted(set(re.findall(r"\{\w+\}", text))) for text in (english, CHINESE[english])]
    assert set(named[1]) <= set(named[0])
    lost = set(named[0]) - set(named[1])
    assert all(re.fullmatch(r"\{(days2|name|days)\}", each) for each in lost), "only what says the same twice, or an id"


@pytest.mark.parametrize("english", CHINESE)
def test_a_sentence_with_figures_is_found_again(english: str, chinese: None) -> None:
    figures = {
        "money": "1,234.50",
        "day": "2026-04-01",
        "further": "",
        "limit": "call contacts",
        "share": "12%",
        "features": '3% in "Open complaints"',
    }
    filled = re.sub(r"\{([a-z_]+)\d*\}", lambda found: figures.get(found[1], "7"), english)
    told = details(filled) if english in PHRASEBOOKS["zh", "details"] else in_words(filled)
    assert re.search(r"[\u4e00-\u9fff]", told), filled
    assert words(re.sub(r"keepwell [ -~]+|[a-z_]+[._][a-z_.]+|known_at|static|--as-of|AUC|VIP|DATA|CSV", "", told)) == 0, told


@given(st.text(max_size=80))
def test_what_nobody_has_translated_stays_as_it_was_written(text: str) -> None:
    assert in_words(text) == text
    speak("zh")
    try:
        assert in_words(f"Zzz {text}") == f"Zzz {text}"
    finally:
        speak("en")


def test_a_reason_is_told_whole(chinese: None) -> None:
    told = in_words(
        "A birthday is near. The chance that they stay away for 90 days is 47%, which puts 1,241.66 at risk; after its cost "
        "of 80.00 the action is expected to bring 284.17. Win-back call would bring 23.84 more, but the call hours are needed "
        "elsewhere. Next best: Do nothing. Left alone as a control, to measure what the action brings."
    )
    assert told == (
        "生日将至。客户在 90 天内不再购买的概率为 47%，有 1,241.66 面临流失；扣除成本 80.00 后，该行动预计带来 284.17。"
        "“客户挽回电话”可多带来 23.84，但电话的人工工时要用在别处。次优选择：不作打扰。作为对照不予联系，用于衡量行动的效果。"
    )


def test_a_reason_of_a_policy_of_ones_own_keeps_its_words(chinese: None) -> None:
    told = in_words(
        "Our best idea. The chance that they stay away for 90 days is 5%, which puts 1.00 at risk; after its cost of 0.10 the "
        "action is expected to bring 2.00. Next best: Flowers, 1.00."
    )
    assert told.startswith("Our best idea。客户在 90 天内")
    assert told.endswith("次优选择：Flowers，1.00。")


def test_english_stays_as_it_is() -> None:
    assert said("the model was never tried") == "The model was never tried."
    assert details("late, severity 4, still open; and 2 more") == "late, severity 4, still open; and 2 more"


class Desk:
    """A registry with a champion that has much to say against itself."""

    def first(self, *_: object) -> tuple[str, int]:
        return "northwind-tea", 90

    def versions(self, *_: object) -> tuple[Version, ...]:
        warnings = [
            "Only 2 backtest dates of the 3 wanted: one season may look like the rule.",
            "Of customers who bought on one day only, 47% were forecast to leave and 60% did (1,204 forecasts).",
            "Some of today's customers lie beyond any that could be learned from, in features that lead: "
            '3% in "Open complaints".',
            "It looks like a leak: customers.branch: alone tells who left in the 90 days from 2025-04-01 (AUC 0.99). a snapshot, "
            "taken after they left, may know it: give known_at, or remove it; never declare it static.",
            "A market-wide event (a strike, a rival's closure, a pandemic) is not in the model.",
        ]
        card = {"customers": 1200, "figures": {"churn_auc": [0.81, 0.79, 0.83]}, "warnings": warnings}
        gate = "not surely as good as the champion in log_loss (1,200 customers at 2026-01-01)"
        at = datetime(2026, 3, 1, tzinfo=UTC)
        told = ("ensemble", "B", date(2026, 1, 1), date(2026, 1, 1), at, gate, "mia", card)
        return tuple(Version(alias, str(number), *told) for number, alias in enumerate(("champion", "challenger", "previous"), 1))

    def watched(self, *_: object) -> dict[str, object]:
        moved = "Days since last purchase (recency_days): distribution moved by 0.31, limit 0.20 (mean 74, at training 51)"
        return {
            "status": "drift",
            "as_of": "2026-04-01",
            "version": "1",
            "broken_promises": ["as of 2026-01-01 (version 1): 41.0% churned, promised 35.2%"],
            "warnings": [moved, "complaints: nothing for 9 days; the longest gap of the year before was 2 days"],
            "notes": ["no scores are older than the horizon of 90 days, so nothing was held against what came"],
        }


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """A shop with everything that pages tell: a plan that was made of its scores, work on it, a review, models, an audit."""
    folder = tmp_path_factory.mktemp("office")
    store, policy = new_store(folder), read_policy()
    load = fill(store, with_plan=False)
    shelf = EvidenceShelf(folder / "evidence")
    wanted = Wanted(300.0, (("call", 3),), (("visit", 9.0),))
    made, drafted = draft(material(store, load, policy, AS_OF, shelf.expected(load.company, 90, AS_OF, policy)), wanted)
    keep(store, load, made, drafted, wanted, made_at=NOW)
    store.people.add("mia", hashed(PASSWORD), Role.ADMIN, at=NOW, by="test")
    reviews = ReviewShelf(folder / "reviews")
    reviews.keep(a_review())
    app = console_app(lambda: store, now=lambda: NOW, reviews=reviews, desk=Desk(), evidence=shelf)
    client = sign_in(TestClient(app, follow_redirects=True), "mia")
    client.planned = [item.customer_id for item in store.plan_items(store.plan(load), limit=9, controls=True)]
    return client


OWN = re.compile(
    r"northwind-tea|Lena|mia\b|<script>.*?\"GmbH\"|Ines Oliveira|Jonas Weber|Amara Okafor|Chloé Martin|Ravi Patel|Zofia Nowak"
)
"""What the company's own data say."""


def english_in(page: str) -> list[str]:
    """Three English words and more in a row that a page shows or reads out; commands and what the data say do not count."""
    page = re.sub(r"<(script|style|code)\b.*?</\1>|<!--.*?-->", " ", page, flags=re.S)
    told = re.findall(r"(?:title|aria-label|placeholder|alt)=\"([^\"]*)\"", page) + re.findall(r">([^<]+)<", page)
    shown = (re.sub(r"keepwell [a-z ]+", " ", OWN.sub(" ", unescape(text))) for text in told)
    return [text for text in shown if re.search(r"[A-Za-z]{2,}[,;]?(?: [A-Za-z]{2,}[,;]?){2,}", text)]


def test_a_page_in_english_would_be_found_out(office: TestClient) -> None:
    assert len(english_in(office.get("/plan", headers={"accept-language": "en"}).text)) > 20


@pytest.mark.parametrize("path", [*(path for path, page in PAGES.items() if page.view and "." not in path and not page.open)])
def test_a_page_in_chinese_holds_no_english_sentence(office: TestClient, path: str) -> None:
    queries = {
        "/plan": ["", "?budget=200&hours_call=2", "?standing=controls", "?budget=x"],
        "/customers/one": [f"?{urlencode({'id': each})}" for each in (BUSY_ID, NASTY_ID, *office.planned)],
    }
    for query in queries.get(path, [""]):
        answer = office.get(f"{path}{query}", headers={"accept-language": "zh"})
        assert answer.headers["content-language"] == "zh"
        assert english_in(answer.text) == [], (path, query)


@pytest.mark.parametrize(
    "path",
    [
        "/customers?churn_from=x",
        "/customers?sort=age",
        "/customers?page=0",
        "/audit?before=x",
        "/review?of=x",
        "/plan?standing=x",
    ],
)
def test_a_refusal_in_chinese_holds_no_english_sentence(office: TestClient, path: str) -> None:
    answer = office.get(path, headers={"accept-language": "zh"})
    assert answer.status_code in (400, 404)
    assert english_in(re.sub(r"可用：[^<]+", "", answer.text)) == []


@pytest.mark.parametrize("path", [*(path for path, page in PAGES.items() if page.view and "." not in path and not page.open)])
def test_an_empty_store_says_so_in_chinese(empty_store: Store, open_console: Callable[..., TestClient], path: str) -> None:
    answer = open_console(empty_store).get(path, headers={"accept-language": "zh"})
    assert answer.status_code == 200
    assert english_in(answer.text) == []
