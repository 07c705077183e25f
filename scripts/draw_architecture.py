"""Draws docs/architecture.svg from the imports in the code: a bar for each package, an arrow for whom it imports.

python scripts/draw_architecture.py            draw it
python scripts/draw_architecture.py --check    exit 1 if the picture is stale
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

import click

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "architecture.svg"

BARS: Mapping[str, tuple[str, str]] = {
    "cli": ("the edge", "reads the environment, once"),
    "commands": ("the edge", "composes: what a user calls, from tables to pages"),
    "serving": ("what answers", "scores, store, endpoints, console"),
    "datasets": ("what answers", "a simulated company, public data"),
    "decisions": ("what is decided", "tiers, actions, plan: pure functions"),
    "training": ("what is learned", "labels, models, backtests, uplift, monitor"),
    "training.registry": ("what is learned", "the only door to MLflow"),
    "features": ("what is known", "tables in, rows of features out"),
    "keepwell": ("what all share", "errors, settings, files, progress"),
}
"""Package -> its layer, and what it is for; from the top down."""

COLOURS = ("#d9e2ef", "#dcebdd", "#f3e6cf", "#eadcec", "#d5e8ea", "#e4e4e4")
INK, FAINT, LINE = "#1d2733", "#5b6875", "#2f4a6d"
LEFT, LABEL, LANE, BAR, GAP, TOP = 132, 330, 26, 44, 16, 14

Edge = tuple[str, str]
"""Importer and imported."""


def edges() -> set[Edge]:
    """Which packages import which others."""
    modules = dict(_modules())
    pairs = {(_bar(name), _bar(imported)) for name, path in modules.items() for imported in _imports(path, modules)}
    return {(importer, imported) for importer, imported in pairs if importer and imported and importer != imported}


def _modules() -> Iterator[tuple[str, Path]]:
    yield "cli", ROOT / "cli.py"
    for package in (bar for bar in BARS if bar != "cli" and "." not in bar):
        for path in sorted((ROOT / package).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


def _imports(path: Path, modules: Mapping[str, Path]) -> Iterator[str]:
    """The modules that a file imports anywhere in it, also for types alone."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if name in modules else node.module for name in inner)


def _bar(module: str) -> str | None:
    """The package that a module belongs to, the innermost one; None for what is not ours."""
    ours = (bar for bar in BARS if module == bar or module.startswith(f"{bar}."))
    return max(ours, key=len, default=None)


def picture(found: Iterable[Edge]) -> str:
    """The whole SVG; lanes run from left to right in the order of importers, then of the imported."""
    places = {bar: TOP + place * (BAR + GAP) for place, bar in enumerate(BARS)}
    order = list(BARS)
    lanes = sorted(found, key=lambda edge: (order.index(edge[0]), order.index(edge[1])))
    width, height = LEFT + LABEL + LANE * (len(lanes) + 1), places["keepwell"] + BAR + TOP
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
            'font-family="system-ui, sans-serif" font-size="13">',
            "<title>Who imports whom: an arrow leads from a package to one that it imports</title>",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
            f'<path d="M0 0 8 4 0 8z" fill="{LINE}"/></marker></defs>',
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            *_layers(places),
            *(_box(bar, places[bar], width) for bar in BARS),
            *(_arrow(edge, places, LEFT + LABEL + LANE * (lane + 1)) for lane, edge in enumerate(lanes)),
            "</svg>\n",
        ]
    )


def _layers(places: Mapping[str, int]) -> Iterator[str]:
    """The name of each layer, beside the bars that it holds."""
    for layer, group in groupby(BARS, key=lambda bar: BARS[bar][0]):
        bars = list(group)
        middle = (places[bars[0]] + places[bars[-1]] + BAR) / 2
        yield f'<text x="12" y="{middle + 4:g}" fill="{FAINT}">{escape(layer)}</text>'


def _box(bar: str, y: int, width: int) -> str:
    layers = list(dict.fromkeys(layer for layer, _ in BARS.values()))
    colour = COLOURS[layers.index(BARS[bar][0])]
    return (
        f'<rect x="{LEFT}" y="{y}" width="{width - LEFT - 12}" height="{BAR}" rx="6" fill="{colour}"/>'
        f'<text x="{LEFT + 14}" y="{y + 19}" font-weight="600" fill="{INK}">{escape(bar)}</text>'
        f'<text x="{LEFT + 14}" y="{y + 36}" font-size="12" fill="{FAINT}">{escape(BARS[bar][1])}</text>'
    )


def _arrow(edge: Edge, places: Mapping[str, int], x: int) -> str:
    """A line from the edge of the importer's bar to that of the imported one; a point marks where it begins."""
    importer, imported = edge
    down = places[importer] < places[imported]
    begin, end = places[importer] + (BAR if down else 0), places[imported] + (0 if down else BAR)
    return (
        f'<g data-from="{importer}" data-to="{imported}"><title>{importer} imports {imported}</title>'
        f'<circle cx="{x}" cy="{begin}" r="3.5" fill="{LINE}"/>'
        f'<path d="M{x} {begin}V{end}" stroke="{LINE}" stroke-width="1.6" marker-end="url(#tip)"/></g>'
    )


def main(*, check: bool) -> int:
    """Draw the picture, or say whether it is stale; 1 where it is."""
    drawn = picture(edges())
    if not check:
        PICTURE.write_text(drawn, encoding="utf-8")
    elif not PICTURE.exists() or PICTURE.read_text(encoding="utf-8") != drawn:
        click.echo("docs/architecture.svg is stale: run python scripts/draw_architecture.py", err=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
