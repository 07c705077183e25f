"""Files that are whole or absent: written beside their place and renamed into it."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SYSTEM_ERROR = re.compile(r"\(os error (\d+)\)")
"""How libraries written in Rust end what they say when the system refused them; their own types of error do not tell."""


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`; rename it to `path` when the block ends well, else remove it.

    What the system refuses in the block, as for want of room, is an OSError, whoever told it.

    >>> import tempfile as t
    >>> place = Path(t.mkdtemp()) / "note.txt"
    >>> with written_whole(place) as temporary:
    ...     _ = temporary.write_text("done")
    >>> place.read_text()
    'done'
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise NotADirectoryError(errno.ENOTDIR, "a file is where its folder would be", str(path)) from error
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    except OSError as error:
        error.filename = str(path)  # nobody knows the temporary one
        raise
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        _give_usual_rights(temporary)
        temporary.replace(path)
    except Exception as error:
        refused = _SYSTEM_ERROR.search(str(error))
        if refused is None:
            raise
        raise OSError(int(refused[1]), os.strerror(int(refused[1])), str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8, whole or not at all."""
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _give_usual_rights(path: Path) -> None:
    """Undo mkstemp's owner-only mode: a finished file has the rights that `open` would have given it."""
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)
