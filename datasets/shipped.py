"""Public data that other packages bring, where they are installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from datasets.folder import Imported
from datasets.public import cdnow_text
from keepwell.errors import ConfigError

SAMPLE = Path("datasets") / "CDNOW_sample.txt"


def shipped_cdnow() -> Path | None:
    """The sample of one in ten customers of CDNOW in the package lifetimes, which is not imported; None without it."""
    found = find_spec("lifetimes")
    places = [] if found is None else [Path(place) / SAMPLE for place in found.submodule_search_locations or ()]
    return next((place for place in places if place.is_file()), None)


def unpack_cdnow_sample(folder: Path) -> Imported:
    """Write that sample to `folder` as a company. Raises ConfigError where the package is not installed."""
    sample = shipped_cdnow()
    if sample is None:
        hint = "pip install lifetimes, or bring the file yourself: keepwell import cdnow CDNOW_sample.txt cdnow"
        raise ConfigError("the package lifetimes, which brings the sample of CDNOW, is not installed", hint=hint)
    return cdnow_text(sample, folder)
