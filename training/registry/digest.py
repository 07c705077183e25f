"""What a stored model must still be when it is read: one digest over its files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from keepwell.errors import ModelError


def folder_digest(folder: Path) -> str:
    """SHA-256 over names and contents of all files below `folder`, in the order of their names.

    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp())
    >>> empty = folder_digest(place)
    >>> _ = (place / "model.json").write_text("{}")
    >>> folder_digest(place) == empty
    False
    """
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(folder).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def require_unchanged(folder: Path, promised: str | None) -> None:
    """Raise ModelError when the files below `folder` are not those that were registered; None: nobody noted what they were.

    It comes before anything reads them: LightGBM may end the process over a text that is cut.
    """
    if promised is not None and folder_digest(folder) != promised:
        raise ModelError(
            f"the model's files in {folder} are not those that were registered: damaged, or changed by hand",
            hint="restore them, go back to another version (keepwell rollback DATA), or train again",
        )
