"""Pages become HTML here; templates take finished values and escape every one of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from serving.console.text import t
from serving.console.urls import Urls

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"


class Renderer:
    """The templates, compiled once, and the version of the style sheet."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["t"] = t
        self._style_version = hashlib.sha256((STATIC / "console.css").read_bytes()).hexdigest()[:12]

    def urls(self, request: Request) -> Urls:
        """The links of the console as it is mounted for this request."""
        return Urls(str(request.scope.get("root_path", "")), self._style_version)

    def answer(self, request: Request, template: str, page: object, *, here: str = "", status: int = 200) -> HTMLResponse:
        """The page as a response; `here` names the entry of the navigation that it belongs to."""
        html = self._templates.get_template(template).render(page=page, urls=self.urls(request), here=here)
        return HTMLResponse(html, status_code=status)
