"""Models in a plain folder: what a service reads where there is no MLflow, or while it is away.

    models/shop-90d/
      model.json     which version, and the digest of its files
      3-1f6c2a90/    the scorer: JSON and LightGBM text

A model's files are complete before its JSON names them, so a reader sees the old version or the new one, whole.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keepwell.errors import ModelError
from keepwell.files import write_text
from training.registry.digest import folder_digest, require_unchanged
from training.registry.mlflow_home import model_name

if TYPE_CHECKING:
    from training.loading import Predictor

NOTE = "model.json"


class ModelFolder:
    """One version of each model, readable as a registry is. Several processes may use it at once; reading writes nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def champions(self) -> tuple[tuple[str, int], ...]:
        """Every (company, horizon in days) that has a model, in order."""
        notes = map(_note, self.folder.glob(f"*/{NOTE}"))
        return tuple(sorted((note["company"], note["horizon_days"]) for note in notes))

    def horizons(self, company: str) -> tuple[int, ...]:
        """The horizons in days for which `company` has a model, shortest first; empty when there is none."""
        return tuple(horizon for key, horizon in self.champions() if key == company)

    def champion(self, company: str, horizon_days: int) -> Predictor:
        """The model that may score now. Raises ModelError when there is none."""
        return self.scorer(company, horizon_days, self.champion_version(company, horizon_days))

    def champion_version(self, company: str, horizon_days: int) -> str:
        """The version of a model. Raises ModelError when there is none."""
        return str(self._require(company, horizon_days)["version"])

    def scorer(self, company: str, horizon_days: int, version: str) -> Predictor:
        """The model in the version that is there. Raises ModelError for another one, and for files that are gone or damaged."""
        from training.loading import load_predictor  # noqa: PLC0415  # LightGBM is for those who load a model

        note = self._require(company, horizon_days)
        if note["version"] != version:
            raise ModelError(f"{self.folder} has version {note['version']}, not {version}", hint="ask for the version it has")
        place = self._place(company, horizon_days) / Path(note["files"]).name
        require_unchanged(place, note["sha256"])
        return load_predictor(place).versioned(version)

    def keep(self, scorer: Predictor) -> None:
        """Write a model with its version, in the place of the one before. Raises OSError when it cannot be written."""
        info = scorer.info
        place = self._place(info.company, info.horizon_days)
        files, digest = _write_files(scorer, place)
        note = {"company": info.company, "horizon_days": info.horizon_days, "version": info.version}
        write_text(place / NOTE, json.dumps({**note, "files": files.name, "sha256": digest}, indent=2) + "\n")
        for old in place.iterdir():
            if old.is_dir() and old != files and not old.name.startswith("."):
                shutil.rmtree(old, ignore_errors=True)

    def _place(self, company: str, horizon_days: int) -> Path:
        return self.folder / model_name(company, horizon_days)

    def _require(self, company: str, horizon_days: int) -> dict[str, Any]:
        file = self._place(company, horizon_days) / NOTE
        if not file.is_file():
            hint = "put one there: keepwell export DATA --out FOLDER"
            raise ModelError(f"no model of {company!r} for {horizon_days} days in {self.folder}", hint=hint)
        return _note(file)


def prepare_to_load() -> None:
    """Import what loads models without what LightGBM brings along for data frames and scikit-learn, which takes a second.

    For a process that gives its models arrays alone, as a service does: LightGBM knows neither from then on.
    """
    spared = [name for name in ("pandas", "sklearn") if name not in sys.modules]
    sys.modules.update(dict.fromkeys(spared))  # type: ignore[arg-type]  # None: "there is none"
    try:
        import training.loading  # noqa: F401, PLC0415  # see above
    finally:
        for name in spared:
            del sys.modules[name]


def _write_files(scorer: Predictor, place: Path) -> tuple[Path, str]:
    """The folder of a model's files and their digest; one that is there already holds the same."""
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place, prefix=".") as temporary:
        fresh = Path(temporary) / "scorer"
        scorer.save(fresh)
        digest = folder_digest(fresh)
        files = place / f"{scorer.info.version}-{digest[:8]}"
        try:
            fresh.rename(files)
        except OSError:
            if not files.is_dir():
                raise
    return files, digest


def _note(file: Path) -> dict[str, Any]:
    try:
        note = json.loads(file.read_text(encoding="utf-8"))
        return {name: note[name] for name in ("company", "horizon_days", "version", "files", "sha256")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{file} cannot be read: {error}", hint="put the model there again: keepwell export DATA") from error
