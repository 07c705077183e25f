"""A day at work, in a real browser, against `keepwell serve` as a process of its own, over a real store.

Screenshots are kept in build/screenshots.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keepwell.settings import Settings
from serving.console.passwords import hashed
from serving.console.roles import Role
from serving.console.text import CATALOGUES
from serving.review.shelf import ReviewShelf
from serving.store import Store
from tests.serving.console.reviews import a_review
from tests.serving.console.shop import customer_ids, feature_frame, fill, save_plan, score_rows
from tests.serving.console.test_browser import browser, pytestmark, tab  # noqa: F401  # a fixture and the mark
from tests.serving.console.test_doors import PASSWORD
from tests.serving.test_launch import free_port

ROOT = Path(__file__).parents[3]
SCREENSHOTS = ROOT / "build" / "screenshots"
MILLION = 1_000_000
STARTS_S = 90


@contextmanager
def kept_shop(home: Path, store_url: str = "", customers: int = 120) -> Iterator[str]:
    """The address of a service on `home`, in which a shop is scored and planned for, and an agent and a manager are set up.

    Keys are asked for, as on any address but this machine's own.
    """
    settings = Settings(home=str(home), store_url=store_url, require_keys="true", allowed_hosts="127.0.0.1")
    store = Store(settings.resolved_store_url)
    store.migrate()
    fill_many(store, customers) if customers > 10_000 else fill(store, customers)
    for name, role in (("ann", Role.AGENT), ("mia", Role.MANAGER)):
        store.people.add(name, hashed(PASSWORD), role, at=datetime.now(UTC) - timedelta(days=1), by="test")
    store.close()
    ReviewShelf(settings.reviews_folder).keep(a_review())
    port = free_port()
    words = [sys.executable, "-m", "cli", "serve", "--port", str(port)]
    log = (home / "serve.log").open("w")
    with (
        log,
        subprocess.Popen(words, env={**os.environ, **settings.to_environment()}, cwd=ROOT, stdout=log, stderr=log) as service,
    ):
        try:
            await_answer(f"http://127.0.0.1:{port}/livez", service)
            yield f"http://127.0.0.1:{port}/console"
        finally:
            service.terminate()


def fill_many(store: Store, customers: int) -> None:
    """So many customers, without timelines, and a plan for the first of them."""
    load = store.load_scores(
        score_rows(customers),
        company="northwind-tea",
        loaded_at=datetime(2026, 4, 1, 5, tzinfo=UTC),
        features=feature_frame(customers),
    )
    save_plan(store, load, customer_ids(customers))


def await_answer(url: str, service: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + STARTS_S
    while time.monotonic() < deadline and service.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
        else:
            return
    pytest.fail("the service does not come up")


def a_day(browser: object, address: str, language: str, shots: str, customer_id: str) -> None:  # noqa: F811  # a fixture's name
    """Sign in, find, filter, open, take on, record what came of it, see it in Today and on record, sign out."""
    words = CATALOGUES[language]
    with tab(browser, locale="zh-CN" if language == "zh" else "en-GB") as page:

        def shot(name: str) -> None:
            SCREENSHOTS.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=SCREENSHOTS / f"{shots}-{language}-{name}.png", full_page=True)

        def press(step: str) -> None:
            page.locator(f'button[name="step"][value="{step}"]').click()
            page.wait_for_url("**done=**")

        page.goto(f"{address}/customers")
        assert "/sign-in" in page.url
        shot("sign-in")
        enter(page, "ann")
        page.wait_for_url("**/customers*")
        page.get_by_label(words["customers.search"]).fill(customer_id)
        page.locator('select[name="status"]').first.select_option("")
        page.get_by_role("button", name=words["customers.show"], exact=True).first.click()
        page.wait_for_url(f"**q={customer_id}*")
        shot("list")
        page.locator(f'tbody a[href*="id={customer_id}"]').first.click()
        assert page.locator("h1").count() == 1
        press("take")
        shot("taken")
        page.goto(f"{address}/")
        assert customer_id in page.locator("main").inner_html()
        shot("today-with-mine")
        page.goto(f"{address}/customers/one?id={customer_id}")
        page.locator('textarea[name="note"]').fill("Called, was glad <b>of it</b>")
        press("accepted")
        assert words["step.accepted"] in page.locator(".happened").inner_text()
        assert "<b>of it</b>" in page.locator(".happened").inner_text()
        assert page.request.get(f"{address}/audit").status == 403  # an agent may not read it
        page.get_by_role("button", name=words["who.sign_out"]).click()
        page.wait_for_url("**/sign-in*")


def enter(page: object, name: str) -> None:
    page.locator('input[name="name"]').fill(name)
    page.locator('input[name="password"]').fill(PASSWORD)
    page.locator("main button").click()


def look_round(browser: object, address: str, language: str, shots: str) -> None:  # noqa: F811
    """A manager sees in Today and on the record what the agent has done, and every page, wide and narrow."""
    for width in (1440, 390):
        scheme = "light" if width == 1440 else "dark"
        with tab(browser, width, color_scheme=scheme, locale="zh-CN" if language == "zh" else "en-GB") as page:
            page.goto(f"{address}/sign-in")
            enter(page, "mia")
            page.wait_for_url(re.compile(r"/console/$"))
            for path in ("", "customers", "plan", "portfolio", "models", "review", "audit"):
                page.goto(f"{address}/{path}")
                assert page.evaluate("document.documentElement.scrollWidth") <= width, path
                SCREENSHOTS.mkdir(parents=True, exist_ok=True)
                page.screenshot(path=SCREENSHOTS / f"{shots}-{language}-{width}-{path or 'today'}.png", full_page=True)
            assert "ann" in page.locator(".deeds").inner_text()
            assert CATALOGUES[language]["step.accepted"] in page.locator(".deeds").inner_text()


def seen_in_today(browser: object, address: str) -> None:  # noqa: F811
    """What the agents recorded counts in the plan's progress."""
    with tab(browser, locale="en-GB") as page:
        page.goto(f"{address}/sign-in")
        enter(page, "mia")
        page.wait_for_url(re.compile(r"/console/$"))
        assert "8.00 EUR of 500.00 EUR spent" in page.locator(".budget").inner_text()  # two actions at 4.00


def test_a_day_at_work_in_both_languages(browser: object, tmp_path: Path) -> None:  # noqa: F811
    with kept_shop(tmp_path) as address:
        a_day(browser, address, "en", "sqlite", "C00001")
        a_day(browser, address, "zh", "sqlite", "C00002")
        look_round(browser, address, "en", "sqlite")
        seen_in_today(browser, address)


@pytest.mark.slow
def test_the_pages_in_chinese(browser: object, tmp_path: Path) -> None:  # noqa: F811
    with kept_shop(tmp_path) as address:
        a_day(browser, address, "zh", "sqlite", "C00001")
        look_round(browser, address, "zh", "sqlite")


@pytest.mark.slow
def test_a_day_at_work_on_postgresql(browser: object, tmp_path: Path, postgres_url: str) -> None:  # noqa: F811
    with kept_shop(tmp_path, postgres_url) as address:
        a_day(browser, address, "en", "postgresql", "C00001")
        look_round(browser, address, "en", "postgresql")


@pytest.mark.slow
def test_a_day_at_work_with_a_million_customers(browser: object, tmp_path: Path) -> None:  # noqa: F811
    with kept_shop(tmp_path, customers=MILLION) as address:
        a_day(browser, address, "en", "million", "C00001")
        a_day(browser, address, "zh", "million", "C00002")
