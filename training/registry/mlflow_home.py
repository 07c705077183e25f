"""The door to MLflow: imported on first use, quiet, and without a word to the outside."""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote, urlsplit

from keepwell.errors import ModelError

SQLITE = "sqlite:///"
SQLITE_HEAD = b"SQLite format 3\0"
HEAD_BYTES = 100


@cache
def mlflow() -> ModuleType:
    """The mlflow module, without telemetry and progress bars: it reads the variables when it is first imported."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # standard output is for programs that read ours
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow warns about type hints of its own
        import mlflow as module  # noqa: PLC0415  # two seconds that only those who need the registry pay
        import mlflow.pyfunc  # noqa: PLC0415

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return module


def database_file(tracking_uri: str) -> Path | None:
    """The file behind a SQLite tracking URI; None for any other kind of URI.

    >>> database_file("sqlite:////data/mlflow.db").as_posix()
    '/data/mlflow.db'
    >>> database_file("http://tracking.example:5000") is None
    True
    """
    return Path(tracking_uri.removeprefix(SQLITE)) if tracking_uri.startswith(SQLITE) else None


def is_database(file: Path) -> bool:
    """Whether there is a SQLite database at `file`, an empty file being one.

    ModelError when something else stands there, or a database that is cut.
    """
    if not file.exists():
        return False
    head = _head(file) if file.is_file() else None
    if head is None or (head and not head.startswith(SQLITE_HEAD)):
        hint = "move it away, or name another place in KEEPWELL_HOME or KEEPWELL_TRACKING_URI"
        raise ModelError(f"{file} is no SQLite database", hint=hint)
    if head and file.stat().st_size < _promised_bytes(head):
        raise ModelError(
            f"{file} is damaged: a part of it is missing", hint="restore it from a copy, or move it away and train again"
        )
    return True


def _head(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(HEAD_BYTES)


def _promised_bytes(head: bytes) -> int:
    """How large a SQLite file with this head is, 0 where it does not say (sqlite.org/fileformat2.html, 1.3)."""
    if len(head) < HEAD_BYTES or head[24:28] != head[92:96]:
        return 0
    page_bytes = int.from_bytes(head[16:18], "big")
    return (65_536 if page_bytes == 1 else page_bytes) * int.from_bytes(head[28:32], "big")


def make_database(file: Path, artifact_root: Path) -> None:
    """Make MLflow's database at `file` unless it is there: whole or absent, however many processes begin at once.

    MLflow itself would create the tables in place, and two of them at the same moment trip over each other.
    """
    if is_database(file):
        return
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore  # noqa: PLC0415

    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        fresh = Path(folder) / file.name
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)  # it announces every table
        store = SqlAlchemyStore(f"{SQLITE}{fresh}", (artifact_root / "default").as_uri())  # type: ignore[no-untyped-call]
        store.engine.dispose()
        try:
            file.hardlink_to(fresh)  # unlike a renaming, a link never replaces what another process was quicker to make
        except FileExistsError:
            return
        except OSError:  # a file system without links
            fresh.replace(file)


def is_local(tracking_uri: str) -> bool:
    """Whether artifacts go to a folder of ours: true for a database, false for an MLflow server, which has its own place.

    >>> is_local("sqlite:////data/mlflow.db"), is_local("https://tracking.example")
    (True, False)
    """
    return urlsplit(tracking_uri).scheme not in {"http", "https", "databricks"}


@contextmanager
def local_folder(uri: str, tracking_uri: str) -> Iterator[Path]:
    """The folder that `uri` names: itself where it is on this machine, else a copy that is gone with the block.

    Raises ModelError when the artifacts are gone: the database knows them, the folder is not there.
    """
    parts = urlsplit(uri)
    if parts.scheme not in {"", "file"}:
        with downloaded(uri, tracking_uri) as copy:
            yield copy
        return
    folder = Path(unquote(parts.path))
    if not folder.is_dir():
        raise ModelError(
            f"the model's files are gone: {folder}",
            hint="put the artifacts back where they were (MLflow keeps absolute paths), or train again",
        )
    yield folder


@contextmanager
def downloaded(uri: str, tracking_uri: str) -> Iterator[Path]:
    """A copy of an artifact, file or folder, that is gone with the block. Raises what MLflow raises where there is none."""
    with tempfile.TemporaryDirectory(prefix="keepwell-") as place:
        yield Path(mlflow().artifacts.download_artifacts(artifact_uri=uri, dst_path=place, tracking_uri=tracking_uri))


def model_name(company: str, horizon_days: int) -> str:
    """The registered model's name; `/`, `:` and `%`, which MLflow or we cannot have, are percent-encoded: no two keys collide.

    >>> model_name("corner-shop", 90), model_name("shop: north/south", 28)
    ('corner-shop-90d', 'shop%3A north%2Fsouth-28d')
    """
    safe = company.replace("%", "%25").replace("/", "%2F").replace(":", "%3A")
    return f"{safe}-{horizon_days}d"
