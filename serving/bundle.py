"""A service that was built into a Bento brings its model along."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from keepwell.settings import Settings

CODE = Path(__file__).parents[1]
BENTO_NOTE = "bento.yaml"


def with_bundled_models(settings: Settings, code: Path = CODE) -> Settings:
    """The settings of a service whose code lies in `code`: models inside a Bento are served, unless others are named.

    A Bento has its code in `src`, beside the file that describes it; anywhere else the settings stay as they are.
    """
    bundled = code / "models"
    is_asked_for = not settings.models and not settings.tracking_uri
    if is_asked_for and bundled.is_dir() and (code.parent / BENTO_NOTE).is_file():
        return replace(settings, models=str(bundled))
    return settings
