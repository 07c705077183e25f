"""What every part of a policy is: frozen, without unknown keys, each value in its range."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Days: TypeAlias = Annotated[int, Field(ge=0)]
Slug: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=50)]
Positive: TypeAlias = Annotated[float, Field(gt=0)]
NotNegative: TypeAlias = Annotated[float, Field(ge=0)]
AtLeastOne: TypeAlias = Annotated[int, Field(ge=1)]


class Part(BaseModel):
    """A part of the policy: frozen, without unknown keys, without silent conversion of texts to numbers or of infinities."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True, use_attribute_docstrings=True)


def as_tuple(value: object) -> object:
    """A list, as YAML has it, as a tuple, which cannot be changed; anything else as it is.

    >>> as_tuple([1, 2]), as_tuple("all")
    ((1, 2), 'all')
    """
    return tuple(value) if isinstance(value, list) else value
