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
class Table:
    """A table of plain texts; every row has as many cells as `columns`."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Picture:
    """A figure: Markdown names its `path` beside the page, HTML holds it inside; `alt` says in words what it shows."""

    path: str
    alt: str
    figure: Figure


Block: TypeAlias = Heading | Paragraph | Bullets | Table | Picture

BAR = r"\|"  # a bar inside a Markdown cell
STYLE = """
body { font: 16px/1.55 system-ui, sans-serif; color: #1f2933; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1, h2 { line-height: 1.2 } h2 { margin-top: 2.2rem; border-bottom: 1px solid #d5dbe1; padding-bottom: .3rem }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid #e4e7eb; vertical-align: top }
figure { display: inline-block; width: min(100%, 29rem); margin: .5rem 0 } svg { max-width: 100%; height: auto }
"""


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
        case Table(columns, rows):
            head = "".join(f"<th>{escape(cell)}</th>" for cell in columns)
            body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
            return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        case Picture(_, alt, figure):
            return f'<figure role="img" aria-label="{escape(alt)}">{_svg(figure)}</figure>'


def _svg(figure: Figure) -> str:
    """The figure as an `<svg>` element: no XML head, which HTML does not want; the same figure gives the same text."""
    from matplotlib import rc_context  # noqa: PLC0415  # a page without figures needs no matplotlib

    text = StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "keepwell"}):
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()[text.getvalue().index("<svg") :]
