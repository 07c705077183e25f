"""What MkDocs does besides: files outside docs/ that pages link to become pages, too, and the search finds Chinese words."""

from __future__ import annotations

import json
import os.path
import re
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File
from pymdownx.slugs import slugify

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|[#/])(?P<path>[^)\s#]+)(?P<anchor>#[^)\s]*)?")
BETWEEN_HAN = re.compile(r"(?<=[\u4e00-\u9fff])(?=[\u4e00-\u9fff])")
LANGUAGES = {".py": "python", ".yaml": "yaml", ".yml": "yaml", ".toml": "toml", ".sh": "sh", ".json": "json", ".js": "js"}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Anchors of headings keep Chinese words, as on GitHub."""
    config.mdx_configs["toc"]["slugify"] = slugify(case="lower")
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for every file outside docs/ that the menu names or a page links to, and for those that these link to."""
    waiting = [ROOT / name for name in re.findall(r'"source/([^"]+)"', json.dumps(config.nav))]
    waiting += [link for page in files.documentation_pages() for link in _linked(ROOT / "docs" / page.src_uri)]
    while waiting:
        file = waiting.pop()
        uri = _uri(file)
        if file.is_file() and uri.startswith("source/") and uri not in files.src_uris:
            files.append(File.generated(config, uri, content=_shown(file)))
            waiting += _linked(file) if file.suffix == ".md" else []
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Links between files of the repository, as links between pages of the site."""
    here = page.file.src_uri
    place = ROOT / here.removeprefix("source/") if here.startswith("source/") else ROOT / "docs" / here

    def moved(link: re.Match[str]) -> str:
        file = _file(place, link["path"])
        outside = here.startswith("source/") or not file.is_relative_to(ROOT / "docs")
        known = file.is_file() and outside
        return _relative(_uri(file), here) + (link["anchor"] or "") if known else link[0]

    return LINK.sub(moved, markdown)


def on_post_build(config: MkDocsConfig) -> None:
    """Part the characters of Chinese texts in the index of the search, which knows words by what stands between them."""
    place = Path(config.site_dir) / "search" / "search_index.json"
    index = json.loads(place.read_text())
    for entry in index["docs"]:
        entry |= {key: BETWEEN_HAN.sub("\u200b", entry[key]) for key in ("title", "text")}
    place.write_text(json.dumps(index, ensure_ascii=False, separators=(",", ":")))


def _linked(page: Path) -> list[Path]:
    """The files of the repository that a page links to."""
    files = [_file(page, link["path"]) for link in LINK.finditer(page.read_text())]
    return [file for file in files if file.is_relative_to(ROOT)]


def _file(page: Path, path: str) -> Path:
    """The file that a link of a page means."""
    return Path(os.path.normpath(page.parent / path))


def _uri(file: Path) -> str:
    """Where a file of the repository is in the sources of the site."""
    if file.is_relative_to(ROOT / "docs"):
        return file.relative_to(ROOT / "docs").as_posix()
    name = file.relative_to(ROOT).as_posix()
    return f"source/{name}" if file.suffix == ".md" else f"source/{name}.md"


def _relative(uri: str, here: str) -> str:
    return os.path.relpath(uri, os.path.dirname(here) or ".")  # noqa: PTH120  # URIs, not files


def _shown(file: Path) -> str:
    """A page as it is; anything else as code under its name."""
    text = file.read_text()
    if file.suffix == ".md":
        return text
    return f"# {file.relative_to(ROOT)}\n\n````{LANGUAGES.get(file.suffix, 'text')}\n{text}````\n"
