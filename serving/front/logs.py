"""What the service writes to its log: lines for people, or one JSON object a line for programs."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime

from serving.front.context import REQUEST_ID

FACTS = "facts"
"""The attribute of a record that holds what a JSON line says beside its message."""


class JsonLines(logging.Formatter):
    """Each record as one JSON object: time, level, logger, message, the request's id, its facts, and a traceback if any."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": REQUEST_ID.get() or None,
            **getattr(record, FACTS, {}),
        }
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False, default=str)


def set_up_logs(*, as_json: bool) -> None:
    """Let our loggers speak from INFO on, through the handlers that the server has set up, as JSON where asked."""
    logging.getLogger("keepwell").setLevel(logging.INFO)
    if as_json:
        for handler in _handlers():
            handler.setFormatter(JsonLines())


def _handlers() -> Iterator[logging.Handler]:
    loggers = [logging.getLogger(), *(logging.getLogger(name) for name in logging.root.manager.loggerDict)]
    for logger in loggers:
        yield from logger.handlers
