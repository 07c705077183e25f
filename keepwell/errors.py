"""The exceptions that Keepwell raises on purpose.

    KeepwellError            exit code 1
      DataError              3   a table breaks a rule: names table, column, rule, rows, example
      ConfigError            4   company.yaml, policy.yaml or a setting is wrong
      HistoryError           5   the data are fine but too short or too empty for what was asked
      ModelError             6   no champion, a model that may not be used, or one that fits no longer
      StoreError             7   the store cannot be opened, read or written
      RequestError           8   the endpoint was asked for something that it refuses

Every message says what was found, by which rule it is wrong, and `hint` says what to do.
"""

from __future__ import annotations


class KeepwellError(Exception):
    """Base of all: `message` says what is wrong, `hint` the way out.

    >>> print(KeepwellError("the cup is empty", hint="fill it"))
    the cup is empty
      -> fill it
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  -> {self.hint}"


class DataError(KeepwellError):
    """A table breaks a rule of the input contract.

    `rows` is the number of offending rows (None: the table as a whole), `example` one offending value.

    >>> print(DataError("transactions", "ordered_at", "must be a date", hint="use YYYY-MM-DD", rows=2, example="soon"))
    transactions.ordered_at: must be a date (2 rows, for example 'soon')
      -> use YYYY-MM-DD
    """

    exit_code = 3

    def __init__(
        self,
        table: str,
        column: str | None,
        rule: str,
        *,
        hint: str,
        rows: int | None = None,
        example: object | None = None,
    ) -> None:
        self.table, self.column, self.rule, self.rows, self.example = table, column, rule, rows, example
        place = table if column is None else f"{table}.{column}"
        super().__init__(f"{place}: {rule}{_evidence(rows, example)}", hint=hint)


class ConfigError(KeepwellError):
    """A configuration file or a setting is wrong."""

    exit_code = 4


class HistoryError(KeepwellError):
    """The data keep the rules, but hold too little for what was asked."""

    exit_code = 5


class ModelError(KeepwellError):
    """There is no champion, or the model may not or can not be used here."""

    exit_code = 6


class StoreError(KeepwellError):
    """The store cannot be opened, read or written."""

    exit_code = 7


class RequestError(KeepwellError):
    """The endpoint refuses a request.

    `status` is the HTTP status, `code` a stable word for programs, `field` the path of the offending field (None: the whole).
    """

    exit_code = 8

    def __init__(
        self, message: str, *, hint: str, status: int = 400, code: str = "bad_request", field: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.status, self.code, self.field = status, code, field


def _evidence(rows: int | None, example: object | None) -> str:
    parts = []
    if rows is not None:
        parts.append(f"{rows:,} row{'s' if rows != 1 else ''}")
    if example is not None:
        parts.append(f"for example {example!r}")
    return f" ({', '.join(parts)})" if parts else ""
