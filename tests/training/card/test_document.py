from __future__ import annotations

from html.parser import HTMLParser

import numpy as np

from training.card.document import Bullets, Heading, Paragraph, Picture, Table, to_html, to_markdown
from training.card.plots import value_deciles

PICTURE = Picture("plots/deciles.png", "deciles & more", value_deciles(np.arange(50.0), np.arange(50.0)))
PAGE = [Heading(1, "A <card>"), Paragraph("one & two"), Bullets(["first", "second"]), Table(["a", "b"], [["1", "<2>"]]), PICTURE]


class Tags(HTMLParser):
    """Collects what a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"src", "href", "xlink:href"}]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_text_is_never_read_as_markup() -> None:
    page = Tags()
    page.feed(to_html(PAGE))
    assert "card" not in page.open
    assert "A <card>" in page.text
    assert "one & two" in page.text


def test_the_page_loads_nothing_from_anywhere() -> None:
    page = Tags()
    page.feed(to_html(PAGE))
    assert "script" not in page.open
    assert [link for link in page.links if not link.startswith(("#", "data:"))] == []


def test_a_figure_is_inside_the_html_and_beside_the_markdown() -> None:
    assert to_html(PAGE).count("<svg") == 1
    assert "![deciles & more](plots/deciles.png)" in to_markdown(PAGE)


def test_the_same_page_gives_the_same_text() -> None:
    assert to_html(PAGE) == to_html(PAGE)


def test_every_block_is_in_both_renderings() -> None:
    for text in (to_markdown(PAGE), to_html(PAGE)):
        assert all(word in text for word in ("one", "first", "second", "deciles"))
