"""axe, the checker of accessibility, on every page: no violation of WCAG 2.2, levels A and AA."""

from __future__ import annotations

from itertools import product

import pytest

from serving.console.language import LANGUAGES
from tests.serving.console.test_browser import PAGES, address, browser, pytestmark, tab  # noqa: F401  # fixtures and mark

SCHEMES, WIDTHS = ("light", "dark"), (1440, 390)
ALL = list(product(LANGUAGES, SCHEMES, WIDTHS))
USUAL = ("zh", "dark", 390)
"""The look in which most can go wrong; the slow sweep has the others."""

RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
VIOLATIONS = """async (rules) => (await axe.run(document, { runOnly: rules, resultTypes: ["violations"] })).violations
  .map((found) => `${found.id}: ${found.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join(" | ")}`)"""


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe; it is evaluated in the page by the browser's own door, which our policy leaves open."""
    from importlib.resources import files

    pytest.importorskip("axe_playwright_python")
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def violations(page: object, axe: str) -> list[str]:
    """What axe finds wrong with the page as it is."""
    page.evaluate(axe)
    return page.evaluate(VIOLATIONS, RULES)


def check(browser: object, address: str, axe: str, look: tuple[str, str, int]) -> None:  # noqa: F811  # a fixture's name
    language, scheme, width = look
    found = {}
    with tab(browser, width, color_scheme=scheme, locale="zh-CN" if language == "zh" else "en-GB") as page:
        for path in PAGES:
            page.goto(address + path)
            assert page.evaluate("document.documentElement.lang") == language
            if wrong := violations(page, axe):
                found[path] = wrong
    assert found == {}


def test_axe_finds_nothing(browser: object, address: str, axe: str) -> None:  # noqa: F811
    check(browser, address, axe, USUAL)


@pytest.mark.slow
@pytest.mark.parametrize("look", [look for look in ALL if look != USUAL])
def test_axe_finds_nothing_in_any_other_look(browser: object, address: str, axe: str, look: tuple[str, str, int]) -> None:  # noqa: F811
    check(browser, address, axe, look)


def test_axe_sees_what_is_wrong(browser: object, address: str, axe: str) -> None:  # noqa: F811
    """The checker itself: a picture without words is found."""
    with tab(browser) as page:
        page.goto(f"{address}/console/audit")
        page.evaluate("document.querySelector('main').append(document.createElement('img'))")
        assert any("image-alt" in wrong for wrong in violations(page, axe))
