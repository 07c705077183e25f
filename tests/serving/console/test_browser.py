"""The pages in a real browser: what only a browser can tell."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from urllib.parse import urlencode

import pytest
import uvicorn
from playwright.sync_api import sync_playwright
from starlette.applications import Starlette
from starlette.routing import Mount

from serving.console.app import console_app
from serving.review.shelf import ReviewShelf
from serving.store import Store
from tests.serving.console.reviews import FixedDesk, a_review
from tests.serving.console.shop import BUSY_ID, NASTY_ID, NOW, QUIET_ID
from tests.serving.console.test_outlook import foresee

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None and "CI" not in os.environ, reason="no Chromium on this machine")

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
PAGES = (
    "/console/",
    "/console/customers",
    "/console/customers?q=weber&status=lapsing&sort=name",
    "/console/customers?churn_from=10&columns=churn_probability,lifetime_value,owner,kind,account_id,abc_class,next_category",
    *(f"/console/customers/one?{urlencode({'id': customer_id})}" for customer_id in (BUSY_ID, NASTY_ID, QUIET_ID)),
    "/console/plan",
    "/console/portfolio",
    "/console/models",
    "/console/models?back=1",
    "/console/review",
    "/console/audit",
    "/console/audit?who=nobody",
    "/empty/",
    "/empty/review",
    "/empty/audit",
)


@pytest.fixture(scope="module")
def address(filled_store: Store, empty_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    stores = {"/console": filled_store, "/empty": empty_store}
    shelf = ReviewShelf(tmp_path_factory.mktemp("reviews"))
    for since, until in ((date(2025, 7, 1), date(2025, 10, 1)), (date(2026, 1, 1), date(2026, 4, 1))):
        shelf.keep(a_review(since, until))
    parts = {"now": lambda: NOW, "reviews": shelf, "desk": FixedDesk(), "foresee": foresee}
    routes = [Mount(path, console_app(lambda store=store: store, **parts)) for path, store in stores.items()]
    with serving(Starlette(routes=routes)) as found:
        yield found


@contextmanager
def serving(app: Starlette) -> Iterator[str]:
    """The app on a free port of this machine, for the length of the block."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)
    listener.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    assert CHROMIUM, "CI must have Chromium"
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@contextmanager
def tab(browser: object, width: int = 1440, **options: object) -> Iterator[object]:
    """A page that fails the test when the browser complains or asks another host for anything."""
    context = browser.new_context(viewport={"width": width, "height": 900}, **options)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    # The browser itself breaks off what is still under way when it moves on to the next page.
    page.on("requestfailed", lambda request: None if "ABORTED" in request.failure else complaints.append(request.url))
    page.on("request", lambda request: None if request.url.startswith("http://127.0.0.1:") else complaints.append(request.url))
    yield page
    context.close()
    assert complaints == []


@pytest.mark.parametrize("width", [390, 1440])
def test_pages_fit_their_screen_and_load_nothing_from_outside(browser: object, address: str, width: int) -> None:
    with tab(browser, width) as page:
        for path in PAGES:
            page.goto(address + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            assert page.locator("h1").count() == 1


def test_the_list_works_without_scripts(browser: object, address: str) -> None:
    with tab(browser, java_script_enabled=False) as page:
        page.goto(f"{address}/console/")
        page.get_by_role("link", name="Customers", exact=True).click()
        page.get_by_label("Name or id").fill("weber")
        page.get_by_role("combobox", name="Status").select_option("lapsing")
        page.get_by_role("button", name="Show").click()
        assert "q=weber" in page.url
        page.get_by_role("link", name="Churn", exact=True).click()
        assert "sort=churn_probability" in page.url
        assert "q=weber" in page.url
        page.get_by_role("link", name="Jonas Weber").first.click()
        assert page.get_by_role("heading", level=1).inner_text() == "Jonas Weber"


def test_the_pages_can_be_used_by_keyboard(browser: object, address: str) -> None:
    with tab(browser) as page:
        page.goto(f"{address}/console/customers")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.name") == "q"
        page.keyboard.type("okafor")
        page.keyboard.press("Enter")
        page.wait_for_url("**q=okafor*")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(browser: object, address: str, scheme: str) -> None:
    """WCAG 2.2 AA, success criterion 1.4.3: 4.5 to 1, or 3 to 1 for large text."""
    with tab(browser, color_scheme=scheme) as page:
        for path in PAGES:
            page.goto(address + path)
            assert page.evaluate(FAINT_TEXTS) == [], path


@pytest.mark.parametrize("path", PAGES)
def test_every_field_and_picture_has_a_name(browser: object, address: str, path: str) -> None:
    with tab(browser) as page:
        page.goto(address + path)
        assert page.locator("input:not([type=hidden]), select").count() == page.locator("label input, label select").count()
        assert page.locator("svg:not([aria-hidden=true]):not([aria-label])").count() == 0
        assert page.locator("img:not([alt])").count() == 0


FAINT_TEXTS = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, ground) => [0, 1, 2].map((i) => top[i] * top[3] + ground[i] * (1 - top[3]));
  const ground = (element) => {
    if (!element) return [255, 255, 255];
    const colour = rgba(getComputedStyle(element).backgroundColor);
    return colour[3] === 1 ? colour.slice(0, 3) : over(colour, ground(element.parentElement));
  };
  const light = (colour) => {
    const [r, g, b] = colour.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const faint = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || element.closest("title")) continue;
    const style = getComputedStyle(element);
    const behind = ground(element);
    const ink = over(rgba(element.namespaceURI.endsWith("svg") ? style.fill : style.color), behind);
    const [dark, bright] = [light(ink), light(behind)].sort((a, b) => a - b);
    const size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && style.fontWeight >= 600) ? 3 : 4.5;
    const contrast = (bright + 0.05) / (dark + 0.05);
    if (contrast < needed) faint.push(`${texts.currentNode.data.trim()}: ${contrast.toFixed(2)}`);
  }
  return faint;
}"""
