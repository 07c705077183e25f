"""Errors as the endpoint speaks them: one shape for every answer of 400 and above."""

from __future__ import annotations

import logging
from http import HTTPStatus

from pydantic import ValidationError
from starlette.responses import JSONResponse

from keepwell.errors import DataError, HistoryError, KeepwellError, ModelError, RequestError, StoreError
from serving.front.context import REQUEST_ID

log = logging.getLogger("keepwell.serving")

RETRY_AFTER_S = 5
"""What an answer of 503 tells a client to wait: the champion and the store are looked for again that often."""

_CODES = {
    400: ("bad_request", "send a JSON object as /docs.json describes it"),
    401: ("no_key", "send `Authorization: Bearer kw_...`"),
    403: ("forbidden", "ask whoever runs the service"),
    404: ("not_found", "see /docs.json for what there is"),
    405: ("method_not_allowed", "use one of the methods in the answer's Allow header"),
    408: ("slow_body", "send the body faster, or fewer customers at a time"),
    413: ("too_large", "send fewer customers at a time"),
    415: ("not_json", "send JSON, with the content type application/json"),
    422: ("bad_field", "see /docs.json for the fields"),
    429: ("too_many_requests", "wait as long as Retry-After says"),
    500: ("internal_error", "the server's log says more; please report it"),
    503: ("not_ready", "try again in a few seconds"),
    504: ("timeout", "send fewer customers at a time"),
}


def error_answer(
    status: int, message: str, *, code: str = "", hint: str = "", field: str | None = None, wait_s: int = RETRY_AFTER_S
) -> JSONResponse:
    """An answer in the one error shape; code and hint have a default for each status.

    `wait_s` is what an answer of 429 or 503 asks the client to wait, in seconds.

    >>> error_answer(404, "there is no /v2").body.decode()
    '{"error":{"code":"not_found","message":"there is no /v2","field":null,"hint":"see /docs.json for what there is"}}'
    """
    usual_code, usual_hint = _CODES.get(status, _CODES[400 if status < 500 else 500])
    body = {"code": code or usual_code, "message": message, "field": field, "hint": hint or usual_hint}
    return JSONResponse({"error": body}, status, _headers(status, wait_s))


def _headers(status: int, wait_s: int) -> dict[str, str]:
    if status == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": 'Bearer realm="keepwell"'}
    return {"Retry-After": str(wait_s)} if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE) else {}


_OURS: dict[type[KeepwellError], tuple[int, str]] = {
    DataError: (422, "bad_field"),
    HistoryError: (422, "no_history"),
    ModelError: (503, "no_model"),
    StoreError: (503, "no_store"),
}


def answer_to(error: Exception) -> JSONResponse:
    """The answer to an exception; one that we did not foresee is logged, and tells nothing of our insides."""
    if isinstance(error, RequestError):
        return error_answer(error.status, error.message, code=error.code, hint=error.hint, field=error.field)
    if isinstance(error, KeepwellError):
        return _answer_to_ours(error)
    log.error("a request failed", exc_info=error)
    return fault_answer()


def fault_answer() -> JSONResponse:
    """The answer of 500: it tells nothing of our insides, but where the log tells of them."""
    return error_answer(
        500, "something went wrong on our side", hint=f"please report it: the log tells of request {REQUEST_ID.get()}"
    )


def _answer_to_ours(error: KeepwellError) -> JSONResponse:
    status, code = next((told for kind, told in _OURS.items() if isinstance(error, kind)), (500, ""))
    message, field = error.message, None
    if isinstance(error, DataError):
        field = error.table if error.column is None else f"{error.table}.{error.column}"
    if isinstance(error, StoreError):  # where the store lies is not for clients
        log.warning("%s", error.message)
        message = "the store cannot be read"
    return error_answer(status, message, code=code, hint=error.hint, field=field)


def answer_to_wrong_body(error: ValidationError) -> JSONResponse:
    """The first thing that is wrong with a body; the message says how many more there are."""
    first, count = error.errors(include_url=False, include_context=False, include_input=False)[0], error.error_count()
    if first["type"] == "json_invalid":
        return error_answer(400, first["msg"])
    more = f" (and {count - 1} more)" if count > 1 else ""
    return error_answer(422, f"{first['msg']}{more}", field=_path(first["loc"]) or None)


def _path(location: tuple[int | str, ...]) -> str:
    """A place in a body as people write it; the names of union members, which pydantic adds at the end, are left out.

    >>> _path(("customers", 0, "transactions", 3, "amount"))
    'customers[0].transactions[3].amount'
    """
    steps = [step for step in location if isinstance(step, int) or step.isidentifier()]
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")
