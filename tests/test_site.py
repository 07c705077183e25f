"""The docs as a site: it builds without a warning, every link leads somewhere, and nothing comes from outside."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from playwright.sync_api import Page as Tab
from playwright.sync_api import TimeoutError as TooLate
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
LEFT_OUT: dict[str, str] = {}
"""Pages that are in no menu, each with the reason."""

LOADING = {"img": "src", "script": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src", "object": "data"}
LOADED_LINKS = {"stylesheet", "icon", "shortcut icon", "apple-touch-icon", "preload", "modulepreload", "manifest", "preconnect"}


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
in_a_browser = pytest.mark.skipif(CHROMIUM is None and "CI" not in os.environ, reason="no Chromium on this machine")
PATIENCE_MS, TRIES = 120_000, 6


@dataclass
class Page(HTMLParser):
    """What one page of the site links to, loads, and has anchors for."""

    place: Path
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    images: list[dict[str, str | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.place.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        self.anchors |= {name for name in (of.get("id"), of.get("name")) if name}
        if tag == "a" and of.get("href"):
            self.links.append(str(of["href"]))
        if of.get(LOADING.get(tag, "")):
            self.loads.append(str(of[LOADING[tag]]))
        if tag == "link" and of.get("rel") in LOADED_LINKS:
            self.loads.append(str(of["href"]))
        if tag == "img":
            self.images.append(of)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(place)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    made = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    assert "WARNING" not in made.stderr
    return place


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {place: Page(place) for place in sorted(site.rglob("*.html"))}


def target(page: Page, link: str, site: Path) -> Path:
    """The file that a link means; the page for what is missing is served from anywhere, so its links begin at the root."""
    path = unquote(urlsplit(link).path)
    found = site / path.lstrip("/") if page.place.name == "404.html" else page.place.parent / path
    found = Path(os.path.normpath(found)) if path else page.place
    return found / "index.html" if found.is_dir() else found


def inside(link: str) -> bool:
    return not urlsplit(link).scheme and not urlsplit(link).netloc


def leads_somewhere(page: Page, link: str, site: Path, pages: dict[Path, Page]) -> bool:
    found, anchor = target(page, link, site), unquote(urlsplit(link).fragment)
    return found.is_file() and (not anchor or anchor in pages[found].anchors)


def test_every_link_and_anchor_leads_somewhere(site: Path, pages: dict[Path, Page]) -> None:
    links = [(page, link) for page in pages.values() for link in page.links if inside(link)]
    assert len(links) > 1_000
    broken = {(page.place.name, link) for page, link in links if not leads_somewhere(page, link, site, pages)}
    assert broken == set()


def test_links_to_elsewhere_are_well_formed_and_encrypted(pages: dict[Path, Page]) -> None:
    outside = {link for page in pages.values() for link in page.links if not inside(link)}
    assert outside
    assert {link for link in outside if not re.fullmatch(r"https://[\w-]+(\.[\w-]+)+(/[^\s<>\"]*)?", link)} == set()


def test_no_page_loads_anything_from_outside(site: Path, pages: dict[Path, Page]) -> None:
    loaded = [(page, link) for page in pages.values() for link in page.loads]
    assert {(page.place.name, link) for page, link in loaded if not link.startswith("data:") and not inside(link)} == set()
    assert {(page.place.name, link) for page, link in loaded if inside(link) and not target(page, link, site).is_file()} == set()
    for sheet in site.rglob("*.css"):
        fetched = re.findall(r"url\(['\"]?([^'\")]+)|@import", sheet.read_text())
        assert [url for url in fetched if not url.startswith(("data:", "#"))] == [], sheet


def test_no_page_asks_for_a_script_that_the_theme_would_fetch(pages: dict[Path, Page]) -> None:
    """The theme brings Mermaid and typesetting of formulas only from elsewhere; pictures here are drawn beforehand."""
    assert [page.place.name for page in pages.values() if re.search(r'class="(mermaid|arithmatex)', page.place.read_text())] == []


def test_every_picture_says_what_it_shows(pages: dict[Path, Page]) -> None:
    mute = [(page.place.name, picture["src"]) for page in pages.values() for picture in page.images if picture.get("alt") is None]
    assert mute == []


def in_menu(entry: object) -> list[str]:
    """The pages below an entry of the menu."""
    if isinstance(entry, str):
        return [entry]
    return [page for part in (entry.values() if isinstance(entry, dict) else entry) for page in in_menu(part)]  # type: ignore[attr-defined]  # what YAML gives


def test_every_page_is_in_the_menu_once_or_left_out_for_a_reason() -> None:
    menu = in_menu(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"])
    written = [page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")]
    assert len(menu) == len(set(menu))
    assert sorted([page for page in menu if not page.startswith("source/")] + list(LEFT_OUT)) == sorted(written)


def test_the_site_bears_the_sign_of_the_console() -> None:
    assert (DOCS / "images" / "icon.svg").read_bytes() == (ROOT / "serving" / "console" / "static" / "icon.svg").read_bytes()


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, and says nothing of it."""

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def tab(address: str) -> Iterator[Tab]:
    """A tab as wide as a telephone; a request to another host fails the test."""
    assert CHROMIUM, "CI must have Chromium"
    faults: list[str] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tab = browser.new_page(viewport={"width": 390, "height": 844})
        tab.set_default_timeout(PATIENCE_MS)
        tab.on(
            "request",
            lambda asked: faults.append(asked.url) if asked.url.startswith("http") and address not in asked.url else None,
        )
        yield tab
        browser.close()
    assert faults == []


@in_a_browser
@pytest.mark.parametrize("page", ["index", "scores", "http-api", "performance", "start/data-scientist", "console.zh"])
def test_a_page_fits_a_telephone(tab: Tab, address: str, page: str) -> None:
    tab.goto(f"{address}/{page}.html")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390


@in_a_browser
@pytest.mark.parametrize(
    ("words", "found"), [("hysteresis", "decisions.html"), ("流失", ".zh.html"), ("value_tier", "scores.html")]
)
def test_the_search_finds_english_chinese_and_names(tab: Tab, address: str, words: str, found: str) -> None:
    tab.set_viewport_size({"width": 1440, "height": 900})
    tab.goto(f"{address}/index.html")
    tab.click("input.md-search__input")
    assert any(search(tab, words, found) for _ in range(TRIES))


def search(tab: Tab, words: str, found: str) -> bool:
    """Type words into the search; whether a link to the page that was to be found comes before patience ends."""
    tab.fill("input.md-search__input", "")
    tab.keyboard.insert_text(words)
    tab.keyboard.press("End")  # the page listens to keys
    try:
        tab.wait_for_selector(f".md-search-result__link[href*='{found}']", state="attached", timeout=PATIENCE_MS / TRIES)
    except TooLate:
        return False
    return True
