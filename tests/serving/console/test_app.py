from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import polars as pl
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from keepwell.errors import StoreError
from serving.console.app import console_app
from serving.console.headers import SAFE_HEADERS
from serving.store import Store
from tests.serving.console.shop import AS_OF, BUSY_ID, NASTY_ID, NASTY_NAME, NOW, QUIET_ID, fill, new_store, score_rows

Opener = Callable[..., TestClient]
ONE = "/customers/one?"
PAGES = (
    "/",
    "/customers",
    "/customers?q=weber",
    f"{ONE}id={BUSY_ID}",
    f"{ONE}id={QUIET_ID}",
    f"{ONE}{urlencode({'id': NASTY_ID})}",
)


def people(page: str) -> list[str]:
    """The links to customers in a list, in order."""
    return [unescape(link) for link in re.findall(r'<th scope="row" class="who">\s*<a href="([^"]*)"', page)]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_answers_and_carries_the_safe_headers(console: TestClient, path: str) -> None:
    answer = console.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert SAFE_HEADERS.items() <= dict(answer.headers).items()


@pytest.mark.parametrize("path", PAGES)
def test_no_page_asks_for_what_its_policy_forbids(console: TestClient, path: str) -> None:
    page = console.get(path).text
    assert not re.search(r"<script(?! src=\S+/static/)|\sstyle=|\son[a-z]+=|<iframe|javascript:", page)
    links = re.findall(r'(?:href|src|action)="([^"]*)"', page)
    assert links
    assert all(link.startswith(("/", "#")) for link in links)


def test_today_shows_the_figures_of_the_store(console: TestClient, filled_store: Store) -> None:
    page = console.get("/").text
    summary = filled_store.summary(filled_store.current_load())
    assert f"{summary.value_at_risk:,.0f} EUR" in page
    assert f">{summary.customers_at_risk}<" in page
    assert f">{summary.customers_lost}<" in page
    assert f"with a value of {summary.value_lost:,.0f} EUR" in page
    assert f">{summary.complaints_open}<" in page
    assert "30 actions for 120.00 EUR" in page
    assert "20 customers have no consent." in page
    assert page.index(">VIP<") < page.index(">Major<") < page.index(">Ordinary<") < page.index(">Small<")


def test_the_first_of_the_plan_come_first(console: TestClient, filled_store: Store) -> None:
    plan = filled_store.plan(filled_store.current_load())
    planned = [item.customer_id for item in filled_store.plan_items(plan, limit=8)]
    page = console.get("/").text
    assert "First on the plan" in page
    assert [parse_qs(urlsplit(link).query)["id"][0] for link in people(page)] == planned


def test_without_a_plan_the_most_value_at_risk_comes_first(open_console: Opener, tmp_path: Path) -> None:
    store = new_store(tmp_path)
    fill(store, 30, with_plan=False)
    page = open_console(store).get("/").text
    assert "Most value at risk" in page
    assert "No plan has been made from these scores yet." in page
    assert "keepwell plan scores.parquet" in page
    at_risk = [float(figure.replace(",", "")) for figure in re.findall(r'<td class="number strong"[^>]*>([\d,.]+)<', page)]
    assert at_risk == sorted(at_risk, reverse=True)
    assert len(at_risk) == 8
    assert ">Lost<" not in page


def test_the_figures_of_today_are_those_of_the_lists_behind_their_links(console: TestClient) -> None:
    page = console.get("/").text
    tiers = re.findall(r'<th scope="row"><a href="([^"]*)"[^>]*>[^<]*</a></th>\s*<td class="number">([\d,]+)', page)
    lost = re.findall(r'<dd class="big"><a href="([^"]*)">([\d,]+)</a>', page)
    assert (len(tiers), len(lost)) == (4, 1)
    for link, customers in [*tiers, *lost]:
        assert f"of {customers}</p>" in console.get(unescape(link)).text


def test_the_list_begins_without_the_lost_says_so_and_lets_them_in_again(console: TestClient) -> None:
    link = re.search(r'<nav.*?href="([^"]*customers[^"]*)"', console.get("/").text, re.S)
    assert link
    assert unescape(link[1]) == "/customers?status=all_but_lost"
    page = console.get(link[1]).text
    assert '<option value="all_but_lost" selected>all but lost</option>' in page
    assert "1–50 of 90" in page
    assert ">Lost</span>" not in page
    everybody = console.get("/customers?q=&value_tier=&status=&quadrant=&action=").text
    assert "1–50 of 120" in everybody
    assert '<option value="" selected>all</option>' in everybody


def test_an_interval_that_ends_at_0_is_told_in_words(open_console: Opener, tmp_path: Path) -> None:
    store = new_store(tmp_path)
    rows = score_rows(3).with_columns(value_low=pl.lit(0.0), value_high=pl.Series([0.0, 0.2, None], dtype=pl.Float64))
    store.load_scores(rows, company="small", loaded_at=datetime(2026, 4, 1, tzinfo=UTC))
    console = open_console(store)
    page = console.get("/customers").text
    assert '<small title="9 of 10 such customers buy nothing">most likely nothing</small>' in page
    assert ">0.00 to 0.20</small>" in page
    assert "0 to 0<" not in page
    one = console.get(f"{ONE}{urlencode({'id': NASTY_ID})}").text
    assert "most likely nothing: 9 of 10 such customers buy nothing" in one
    assert "The interval is not known." in console.get(f"{ONE}id=C00002").text


def test_amounts_without_a_known_currency_are_plain_numbers(open_console: Opener, tmp_path: Path) -> None:
    store = new_store(tmp_path)
    fill(store, 30, currency=None)
    pages = [open_console(store).get(path).text for path in ("/", f"{ONE}id={BUSY_ID}")]
    assert not any("EUR" in page or " None" in page for page in pages)


def test_a_shop_whose_customers_are_all_lost_has_its_page(open_console: Opener, tmp_path: Path) -> None:
    store = new_store(tmp_path)
    rows = score_rows(3).with_columns(status=pl.lit("lost"))
    store.load_scores(rows, company="small", loaded_at=datetime(2026, 4, 1, tzinfo=UTC))
    page = open_console(store).get("/").text
    assert "0 % of 0 not yet lost" in page


def test_a_name_with_markup_is_shown_and_not_run(console: TestClient) -> None:
    for path in ("/", "/customers", f"{ONE}{urlencode({'id': NASTY_ID})}"):
        page = console.get(path).text
        assert "<script>" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#39;Söhne&#39; &#34;GmbH&#34;" in page


def test_a_search_with_markup_comes_back_as_text(console: TestClient) -> None:
    page = console.get("/customers", params={"q": '"><script>alert(2)</script>'}).text
    assert "<script>" not in page
    assert "No customers match." in page


def test_a_link_of_the_list_leads_to_a_customer_with_any_id(console: TestClient) -> None:
    page = console.get("/customers").text
    link = re.search(r'<a href="([^"]*)">&lt;script&gt;', page)
    assert link
    assert f'<p class="id">{NASTY_ID}' in unescape(console.get(unescape(link[1])).text)


def test_search_filters_and_order_narrow_the_list(console: TestClient) -> None:
    page = console.get("/customers?q=jonas&status=lapsing&sort=churn_probability&order=asc").text
    names = re.findall(r'<a href="/customers/one[^"]*">([^<]*)</a>', page)
    assert names
    assert set(names) == {"Jonas Weber"}
    churn = [float(figure) for figure in re.findall(r'<span class="figure">(\d+) %', page)]
    assert churn == sorted(churn)
    assert 'aria-sort="ascending"' in page
    assert '<option value="lapsing" selected>Lapsing</option>' in page


def test_the_actions_of_the_plan_can_be_filtered_by(console: TestClient) -> None:
    page = console.get("/customers?action=winback_call").text
    assert "1–10 of 10" in page
    assert '<option value="winback_call" selected>Win-back call</option>' in page


def test_pages_of_the_list_together_show_everybody_once(console: TestClient) -> None:
    seen, path = [], "/customers?sort=name"
    while path:
        page = console.get(path).text
        seen += people(page)
        following = re.search(r'rel="next" href="([^"]*)"', page)
        path = unescape(following[1]) if following else ""
    assert len(seen) == len(set(seen)) == 120


def test_a_page_behind_the_last_one_says_so_and_leads_back(console: TestClient) -> None:
    page = console.get("/customers?page=99").text
    assert "No customers match." in page
    assert 'rel="prev"' in page


@pytest.mark.parametrize(
    ("query", "message"),
    [("page=0", "Page cannot be"), ("page=x", "from 1 to"), ("sort=age", "Sort cannot"), ("order=up", "Order")],
)
def test_a_wrong_address_is_refused_with_the_way_out(console: TestClient, query: str, message: str) -> None:
    answer = console.get(f"/customers?{query}")
    assert answer.status_code == 400
    assert message in answer.text


def test_one_customer_shows_what_the_store_knows(console: TestClient) -> None:
    page = console.get(f"{ONE}id={BUSY_ID}").text
    assert "the newest 25 of 10,000 entries" in page
    assert "Last purchase 81 days ago" in page
    assert "Raises the risk" in page
    assert "Lowers the risk" in page
    assert re.search(r'<dd class="big">[\d,.]+ EUR</dd>', page)
    assert "Service recovery" in page
    assert "A complaint is open" in page
    assert "Looked after by Lena" in page
    assert "between" not in page


def test_ten_thousand_events_are_drawn_in_a_bounded_page(console: TestClient) -> None:
    page = console.get(f"{ONE}id={BUSY_ID}")
    assert len(page.content) < 200_000
    assert 100 < page.text.count('class="mark') < 700


def test_a_customer_without_events_has_a_page(console: TestClient) -> None:
    page = console.get(f"{ONE}id={QUIET_ID}").text
    assert "Nothing is on record before the scoring day." in page
    assert "<table" not in page


def test_a_customer_who_was_not_explained_is_told_so(console: TestClient) -> None:
    assert console.get(f"{ONE}id=C00004").text.count("Not explained") == 2


@pytest.mark.parametrize("path", [f"{ONE}id=nobody", ONE, f"{ONE}id=%3Cscript%3E", "/nowhere", "/static/nothing.css"])
def test_what_does_not_exist_is_a_page_that_says_so(console: TestClient, path: str) -> None:
    answer = console.get(path)
    assert answer.status_code == 404
    assert "<script>" not in answer.text
    assert "Keepwell" in answer.text
    assert SAFE_HEADERS.items() <= dict(answer.headers).items()


def test_pages_are_read_only(console: TestClient) -> None:
    assert console.post("/customers").status_code == 405


@pytest.mark.parametrize("path", ["/", "/customers", f"{ONE}id=1"])
def test_an_empty_store_tells_what_to_run(open_console: Opener, empty_store: Store, path: str) -> None:
    answer = open_console(empty_store).get(path)
    assert answer.status_code == 200
    assert "There are no scores yet" in answer.text
    assert "keepwell score DATA --as-of DATE" in answer.text


def test_an_empty_store_has_no_file_to_export(open_console: Opener, empty_store: Store) -> None:
    assert open_console(empty_store).get("/customers.csv").status_code == 404


def test_scores_of_another_company_or_horizon_are_not_shown(open_console: Opener, filled_store: Store) -> None:
    assert "There are no scores yet" in open_console(filled_store, company="southwind").get("/").text
    assert "There are no scores yet" in open_console(filled_store, horizon_days=30).get("/").text
    assert "northwind-tea" in open_console(filled_store, company="northwind-tea", horizon_days=90).get("/").text


def test_old_scores_are_called_out(open_console: Opener, filled_store: Store) -> None:
    week, more = timedelta(days=7), timedelta(days=8)
    assert "These scores describe" not in open_console(filled_store, AS_OF + week).get("/").text
    assert "These scores describe 1 Apr 2026, 8 days ago." in open_console(filled_store, AS_OF + more).get("/").text


def test_a_store_that_cannot_be_read_is_a_page_with_the_way_out() -> None:
    def closed() -> Store:
        raise StoreError("the store is locked", hint="try again when the other program is done")

    answer = TestClient(console_app(closed, now=lambda: NOW)).get("/")
    assert answer.status_code == 503
    assert "The store is locked." in answer.text
    assert "Try again when the other program is done." in answer.text


def test_a_bug_is_a_page_without_its_innards() -> None:
    def broken() -> Store:
        raise RuntimeError("secret detail")

    answer = TestClient(console_app(broken, now=lambda: NOW), raise_server_exceptions=False).get("/")
    assert answer.status_code == 500
    assert "Something went wrong" in answer.text
    assert "secret detail" not in answer.text
    assert SAFE_HEADERS.items() <= dict(answer.headers).items()


def test_links_follow_the_place_where_the_console_is_mounted(filled_store: Store) -> None:
    outer = Starlette(routes=[Mount("/console", console_app(lambda: filled_store, now=lambda: NOW))])
    page = TestClient(outer).get("/console/").text
    links = re.findall(r'(?:href|src)="(/[^"]*)"', page)
    assert all(link.startswith("/console/") for link in links)
    assert TestClient(outer).get(next(link for link in links if "console.css" in link)).status_code == 200


def test_the_style_sheet_may_be_kept_and_its_link_names_its_version(console: TestClient) -> None:
    link = re.search(r'href="(/static/console\.css\?v=[0-9a-f]{12})"', console.get("/").text)
    assert link
    answer = console.get(link[1])
    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]


def test_the_name_is_the_title_of_the_page(console: TestClient) -> None:
    page = console.get(f"{ONE}{urlencode({'id': NASTY_ID})}").text
    assert f"<title>{NASTY_NAME} · Keepwell</title>" in unescape(page)
