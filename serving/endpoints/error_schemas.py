"""The one shape of every answer of 400 and above."""

from __future__ import annotations

from pydantic import Field

from serving.endpoints.field_types import Answer


class ErrorBody(Answer):
    """What went wrong."""

    code: str = Field(description="A stable word for programs.")
    message: str
    """What is wrong, for people."""
    field: str | None = Field(description="The path of the field that is wrong; null: the request as a whole.")
    hint: str = Field(description="What to do.")


class ErrorAnswer(Answer):
    """The one shape of every answer of 400 and above."""

    error: ErrorBody
    """What went wrong, and what to do."""
