"""A page as data, written once and rendered twice: Markdown for MLflow, one HTML file that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from io import StringIO
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is the page's title."""

    level: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of plain text."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    items: Sequence[str]


@dataclass(frozen=True)
class Facts:
    """Figures to be seen first: each a number, what it is, and a note in small letters."""

    items: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class Table:
    """A table of plain texts; every row has as many cells as `columns`."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Picture:
    """A figure: Markdown names its `path` beside the page, HTML holds it inside; `alt` says in a sentence what it shows."""

    path: str
    alt: str
    figure: Figure


Block: TypeAlias = Heading | Paragraph | Bullets | Facts | Table | Picture

BAR = r"\|"  # a bar inside a Markdown cell
STYLE = """
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1f2933; --soft: #52606d; --line: #d5dbe1; --tile: #f5f7f9;
  --blue: #2563ab; --orange: #b8651b; --grey: #7b8794 }
@media (prefers-color-scheme: dark) { :root { --paper: #12171c; --ink: #e4e9ee; --soft: #a5b1bd; --line: #36414c; --tile: #1b2229;
  --blue: #74aef0; --orange: #eda558; --grey: #8b98a5 } }
body { font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 64rem; margin: 2rem auto;
  padding: 0 1rem }
h1, h2 { line-height: 1.2; text-wrap: balance }
h2 { margin-top: 2.4rem; border-bottom: 1px solid var(--line); padding-bottom: .3rem }
p, li { max-width: 46rem } li { margin: .3rem 0 }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .8rem; margin: 1.5rem 0 }
dl div { background: var(--tile); border-radius: .5rem; padding: .7rem .9rem } dt { font-size: 1.6rem; font-weight: 600 }
dd { margin: 0; line-height: 1.35 } small { color: var(--soft) }
.wide { overflow-x: auto; margin: 1rem 0 }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .92rem }
th, td { text-align: left; padding: .35rem 1rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
th { color: var(--soft); font-weight: 600 } td { white-space: nowrap } td.words { white-space: normal; min-width: 16rem }
figure { display: inline-block; vertical-align: top; width: min(100%, 30rem); margin: .8rem .8rem .8rem 0 }
figcaption { color: var(--soft); font-size: .9rem; line-height: 1.4; padding-left: .3rem }
svg { max-width: 100%; height: auto } svg text { fill: currentColor }
"""
COLOURS = {
    "#000000": "--ink",
    "#1f2933": "--ink",
    "#ffffff": "--paper",
    "#2563ab": "--blue",
    "#d9822b": "--orange",
    "#9aa5b1": "--grey",
}
"""The colours of the pictures, as a page names them: it has others in the dark."""

WORDS_LENGTH = 40
"""A cell with more letters may be broken into lines."""


def to_markdown(blocks: Sequence[Block]) -> str:
    r"""The page as Markdown.

    >>> print(to_markdown([Heading(1, "Card"), Table(["a", "b"], [["1", "x|y"]])]))
    # Card
    <BLANKLINE>
    | a | b |
    | --- | --- |
    | 1 | x\|y |
    <BLANKLINE>
    """
    return "\n\n".join(_markdown(block) for block in blocks) + "\n"


def to_html(blocks: Sequence[Block], language: str = "en") -> str:
    """The page as one HTML file: figures as SVG inside it, nothing is loaded from anywhere."""
    title = next((block.text for block in blocks if isinstance(block, Heading)), "")
    body = "\n".join(_html(block) for block in blocks)
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    return f'<!doctype html>\n<html lang="{language}"><head>{head}<style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n'


def _markdown(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"{'#' * level} {text}"
        case Paragraph(text):
            return text
        case Bullets(items):
            return "\n".join(f"- {item}" for item in items)
        case Facts(items):
            return "\n".join(f"- **{number}** {words} ({note})" for number, words, note in items)
        case Table(columns, rows):
            return "\n".join(_markdown_row(cells) for cells in (columns, ["---"] * len(columns), *rows))
        case Picture(path, alt):
            return f"![{alt}]({path})"


def _markdown_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |"


def _html(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"<h{level}>{escape(text)}</h{level}>"
        case Paragraph(text):
            return f"<p>{escape(text)}</p>"
        case Bullets(items):
            return f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>"
        case Facts(items):
            tiles = "".join(
                f"<div><dt>{escape(number)}</dt><dd>{escape(words)}<br><small>{escape(note)}</small></dd></div>"
                for number, words, note in items
            )
            return f"<dl>{tiles}</dl>"
        case Table(columns, rows):
            head = "".join(f"<th>{escape(cell)}</th>" for cell in columns)
            body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
            return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        case Picture(_, alt, figure):
            return f"<figure>{_svg(figure, alt)}<figcaption>{escape(alt)}</figcaption></figure>"


def _cell(text: str) -> str:
    return f"<td{' class=words' if len(text) > WORDS_LENGTH else ''}>{escape(text)}</td>"


def _svg(figure: Figure, alt: str) -> str:
    """The figure as an `<svg>` element: no XML head, which HTML does not want; the same figure gives the same text."""
    from matplotlib import rc_context  # noqa: PLC0415  # a page without figures needs no matplotlib

    text = StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "keepwell"}):
        figure.savefig(text, format="svg", metadata={"Date": None})
    drawn = text.getvalue()[text.getvalue().index("<svg") :]
    for colour, name in COLOURS.items():
        drawn = drawn.replace(colour, f"var({name})")
    return drawn.replace("<svg", f'<svg role="img" aria-label="{escape(alt)}"', 1)
