"""Pages become HTML here; templates take finished values and escape every one of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from serving.console.language import LANGUAGES, PARAMETER, spoken
from serving.console.text import t
from serving.console.urls import Urls

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"


class Renderer:
    """The templates, compiled once, and the version of the style sheets."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["t"] = t
        files = b"".join(file.read_bytes() for file in sorted((*STATIC.glob("*.css"), *STATIC.glob("*.js"))))
        self._style_version = hashlib.sha256(files).hexdigest()[:12]

    def urls(self, request: Request) -> Urls:
        """The links of the console as it is mounted for this request."""
        return Urls(str(request.scope.get("root_path", "")), self._style_version)

    def answer(self, request: Request, template: str, page: object, *, here: str = "", status: int = 200) -> HTMLResponse:
        """The page as a response; `here` names the entry of the navigation that it belongs to."""
        html = self._templates.get_template(template).render(
            page=page,
            urls=self.urls(request),
            here=here,
            language=spoken(),
            languages=_languages(request),
            visitor=getattr(request.state, "visitor", None),
            form_token=getattr(request.state, "form_token", ""),
        )
        return HTMLResponse(html, status_code=status)


@dataclass(frozen=True)
class LanguageLink:
    """The page in another language, which is named in its own words."""

    code: str
    name: str
    link: str


def _languages(request: Request) -> tuple[LanguageLink, ...]:
    """The page in each language but the one that is spoken."""
    kept = {name: value for name, value in request.query_params.items() if name != PARAMETER}
    others = ((code, name) for code, name in LANGUAGES.items() if code != spoken())
    return tuple(LanguageLink(code, name, f"{request.url.path}?{urlencode({**kept, PARAMETER: code})}") for code, name in others)
