"""A sample of what the service was asked and what it answered, for `keepwell monitor --predictions`.

Features and forecasts by column, the model's version and the date that was asked about: no id, no name, no time of day. Off
unless a share is set. Files are whole or absent and never grow; the oldest are removed once all together are larger than allowed.
"""

from __future__ import annotations

import logging
import queue
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from keepwell.files import written_whole

if TYPE_CHECKING:
    from training.registry import ModelInfo, Predictions

Floats = npt.NDArray[np.float64]

log = logging.getLogger("keepwell.serving")

WRITE_EACH_S = 60.0
ROWS_A_FILE = 5_000
MOST_PENDING = 1_000
"""Requests whose samples wait to be written; where the disk cannot keep up, samples are left out, and no request waits."""

FORECASTS = ("churn_probability", "expected_value")


class PredictionLog:
    """Keeps a random `share` of all rows in `folder`, in at most `most_bytes`; a thread writes. Processes may share a folder."""

    def __init__(self, folder: Path, share: float, most_bytes: int) -> None:
        self.folder, self.share, self.most_bytes = folder, share, most_bytes
        self._draw = np.random.default_rng()
        self._pending: queue.Queue[pl.DataFrame | None] = queue.Queue(MOST_PENDING)
        self._writer = threading.Thread(target=self._write, name="prediction-log", daemon=True)
        self._writer.start()

    def note(self, info: ModelInfo, as_of: date, matrix: Floats, found: Predictions) -> None:
        """Take down a sample of the rows (n, features) and what was forecast of them. Never waits, never raises."""
        chosen = self._draw.random(len(matrix)) < self.share
        if chosen.any():
            with suppress(queue.Full):
                self._pending.put_nowait(_rows(info, as_of, matrix[chosen], [getattr(found, name)[chosen] for name in FORECASTS]))

    def close(self) -> None:
        """Write what is pending, and end."""
        self._pending.put(None)
        self._writer.join()

    def _write(self) -> None:
        for parts in self._batches():
            try:
                for columns in dict.fromkeys(tuple(part.columns) for part in parts):  # a new champion may read other features
                    self._write_file(pl.concat([part for part in parts if tuple(part.columns) == columns]))
                self._prune()
            except OSError as error:
                log.warning("predictions cannot be logged: %s", error)

    def _batches(self) -> Iterator[list[pl.DataFrame]]:
        """What has come in WRITE_EACH_S, or sooner where there is enough for a file; ends after the word to end."""
        parts: list[pl.DataFrame] = []
        due = monotonic() + WRITE_EACH_S
        while True:
            with suppress(queue.Empty):
                part = self._pending.get(timeout=max(0.01, due - monotonic()))
                if part is None:
                    yield parts
                    return
                parts.append(part)
            if monotonic() >= due or sum(part.height for part in parts) >= ROWS_A_FILE:
                yield parts
                parts, due = [], monotonic() + WRITE_EACH_S

    def _write_file(self, rows: pl.DataFrame) -> None:
        with written_whole(self.folder / f"{uuid.uuid4().hex}.parquet") as temporary:
            rows.write_parquet(temporary)

    def _prune(self) -> None:
        """Remove the oldest files beyond the size allowed."""
        sizes = []
        for file in self.folder.glob("*.parquet"):
            with suppress(FileNotFoundError):  # another process prunes too
                sizes.append((file.stat().st_mtime_ns, file, file.stat().st_size))
        total = sum(size for *_, size in sizes)
        for _, file, size in sorted(sizes):
            if total <= self.most_bytes:
                return
            file.unlink(missing_ok=True)
            total -= size


def _rows(info: ModelInfo, as_of: date, matrix: Floats, forecasts: Sequence[Floats]) -> pl.DataFrame:
    """company, horizon_days, model_version, as_of, a column for each feature (NaN is null), the forecasts."""
    columns = dict(zip((*info.feature_names, *FORECASTS), (*matrix.T, *forecasts), strict=True))
    run = {"company": info.company, "horizon_days": info.horizon_days, "model_version": info.version, "as_of": as_of}
    of_run = [pl.lit(value).alias(name) for name, value in run.items()]
    return pl.DataFrame(columns).select(*of_run, pl.all().fill_nan(None))
