"""Forms in a real browser: whoever reloads the page after sending one sends nothing again, and what was typed is not lost."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, Request
from starlette.applications import Starlette
from starlette.routing import Mount

from serving.console.app import console_app
from serving.store import Store
from tests.serving.console.shop import NOW, fill, new_store
from tests.serving.console.test_browser import browser, serving  # noqa: F401  # a fixture
from tests.serving.console.test_browser import pytestmark as needs_chromium

pytestmark = [needs_chromium, pytest.mark.slow]  # a browser of its own, and a store that it may change

CUSTOMER = "C00004"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = new_store(tmp_path_factory.mktemp("forms"))
    fill(store)
    return store


@pytest.fixture(scope="module")
def address(shop: Store) -> Iterator[str]:
    app = Starlette(routes=[Mount("/console", console_app(lambda: shop, now=lambda: NOW))])
    with serving(app) as found:
        yield f"{found}/console"


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:  # noqa: F811  # the fixture
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def sent(tab: Page) -> list[Request]:
    """The forms that the tab sends."""
    found: list[Request] = []
    tab.on("request", lambda request: found.append(request) if request.method == "POST" else None)
    return found


def test_work_that_was_recorded_is_not_recorded_again_by_a_reload(
    tab: Page,
    address: str,
    shop: Store,
    sent: list[Request],
) -> None:
    tab.goto(f"{address}/customers/one?{urlencode({'id': CUSTOMER})}")
    tab.click("button[value=take]")
    tab.fill("textarea[name=note]", "rang at nine")
    tab.click("button[value=contacted]")
    tab.wait_for_selector(".done")
    told = shop.work.history("northwind-tea", CUSTOMER)
    for _ in range(2):
        tab.reload()
        assert tab.is_visible(".done")
    assert len(sent) == 2
    assert shop.work.history("northwind-tea", CUSTOMER) == told
    assert [each.note for each in told] == ["rang at nine"]


def test_a_plan_that_was_approved_or_shared_out_is_not_so_again_by_a_reload(
    tab: Page,
    address: str,
    shop: Store,
    sent: list[Request],
) -> None:
    tab.goto(f"{address}/plan")
    for button in ("Approve the plan", "Share out"):
        tab.get_by_role("button", name=button).click()
        tab.wait_for_selector(".done")
        tab.reload()
        assert tab.is_visible(".done")
    assert len(sent) == 2
    deeds = [deed.what for deed in shop.audit.latest(50)]
    assert (deeds.count("plan approved"), deeds.count("plan shared out")) == (1, 1)


def test_a_view_is_saved_once(tab: Page, address: str, sent: list[Request]) -> None:
    tab.goto(f"{address}/customers?value_tier=VIP")
    tab.click("#keep summary")
    tab.fill("#keep input[name=name]", "The best")
    tab.click("#keep button")
    tab.wait_for_selector("nav.views a[aria-current]")
    tab.reload()
    assert len(sent) == 1
    assert tab.locator("nav.views a").count() == 1


def test_the_way_back_from_a_customer_leads_to_the_list_as_it_was_left(tab: Page, address: str) -> None:
    tab.goto(f"{address}/customers?status=active&sort=name")
    tab.locator("tbody th a").first.click()
    tab.get_by_role("link", name="Back to the list").click()
    assert tab.url == f"{address}/customers?status=active&sort=name"


def test_a_note_that_cannot_be_recorded_stays_in_its_field(tab: Page, address: str, shop: Store) -> None:
    """The browser would not let it be longer; whoever writes a form of their own is answered all the same."""
    other = "C00005"
    tab.goto(f"{address}/customers/one?{urlencode({'id': other})}")
    tab.click("button[value=take]")
    tab.evaluate("document.querySelector('textarea[name=note]').removeAttribute('maxlength')")
    tab.fill("textarea[name=note]", "too long " * 500)
    tab.click("button[value=contacted]")
    assert "The note is too long. Write at most 4,000 characters." in tab.inner_text(".refused")
    assert tab.input_value("textarea[name=note]") == "too long " * 500
    assert shop.work.history("northwind-tea", other) == ()


def test_a_limit_that_is_no_number_stays_in_its_field(tab: Page, address: str) -> None:
    tab.goto(f"{address}/plan")
    tab.fill("input[name=budget]", "about 500")
    tab.get_by_role("button", name="Work it out").click()
    assert tab.input_value("input[name=budget]") == "about 500"
    assert tab.get_attribute("input[name=budget]", "aria-invalid") == "true"


def test_an_owner_is_typed_and_found(tab: Page, address: str) -> None:
    tab.goto(f"{address}/customers")
    tab.get_by_text("More filters").click()
    tab.fill("input[name=owner]", "len")
    tab.get_by_role("button", name="Show").click()
    assert "of 120" in tab.inner_text("section.list .heading")
