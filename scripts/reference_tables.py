"""Tables of the reference in Markdown, and what a JSON Schema says of a value, in words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Schema = Mapping[str, Any]
Named = Callable[[str], str]
"""How a type that has a name is shown, as a link to its table."""

TYPES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table; a bar inside a cell would end it, so it becomes a slash. Pages that a text names become links."""
    lines = (head, ("---",) * len(head), *rows)
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(text: str) -> str:
    linked = re.sub(r"\(docs/([a-z-]+)\.md\)", r"([\1](\1.md))", text.replace("|", "/"))
    return " ".join(linked.split())


def fields(schema: Schema, named: Named, defaults: Mapping[str, Any] | None = None) -> str:
    """The table of the fields of an object; `defaults` are those of a file that holds what the schema wants given.

    Where unknown fields are refused somebody has to give them, and the table says what holds for those that are left out.
    """
    rows = [_field(name, field, schema, named, defaults or {}) for name, field in schema.get("properties", {}).items()]
    if schema.get("additionalProperties") is False:
        return table(("field", "type", "default", "meaning"), rows)
    return table(("field", "type", "meaning"), ((name, kind, meaning) for name, kind, _, meaning in rows))


def _field(name: str, field: Schema, schema: Schema, named: Named, defaults: Mapping[str, Any]) -> tuple[str, ...]:
    default = defaults.get(name, field.get("default", ...))
    must = name in schema.get("required", ()) and name not in defaults
    return f"`{name}`", in_words(field, named), "required" if must else _shown(default), field["description"]


def _shown(default: Any) -> str:  # noqa: ANN401  # any JSON value
    """A default as it would be written; what is long has a place of its own."""
    written = "" if default is ... or default is None else f"`{json.dumps(default, ensure_ascii=False)}`"
    return written if len(written) <= 40 else "see the file"


def in_words(schema: Schema, named: Named) -> str:
    """What a value may be.

    >>> in_words({"type": "array", "items": {"type": "integer", "minimum": 1}, "maxItems": 9}, str)
    'list of whole number (1 and up) (at most 9)'
    >>> in_words({"anyOf": [{"$ref": "#/$defs/Kept"}, {"type": "null"}]}, str)
    'Kept or null'
    """
    if "$ref" in schema:
        return named(schema["$ref"].rsplit("/", 1)[1])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(in_words(one, named) for one in schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{word}`" for word in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {in_words(schema['items'], named)}" + _between(schema.get("minItems"), schema.get("maxItems"))
    if schema.get("type") == "object":
        return _mapping(schema, named)
    return _single(schema)


def _mapping(schema: Schema, named: Named) -> str:
    values = schema.get("additionalProperties")
    of = in_words(values, named) if isinstance(values, Mapping) else "any value"
    return f"names, each with {of}" + _between(None, schema.get("maxProperties"))


def _single(schema: Schema) -> str:
    kind = str(schema.get("type", "any value"))
    name = {"date": "day", "date-time": "instant"}.get(schema.get("format", ""), TYPES.get(kind, kind))
    choices = re.fullmatch(r"\^\(([\w|]+)\)\$", schema.get("pattern", ""))
    if choices:
        return ", ".join(f"`{word}`" for word in choices[1].split("|"))
    if "examples" in schema and name == "text":
        return f"text, as `{schema['examples'][-1]}`"
    if "exclusiveMinimum" in schema or "exclusiveMaximum" in schema:
        return name + _open(schema)
    return name + _between(schema.get("minimum"), schema.get("maximum"))


def _open(schema: Schema) -> str:
    """Bounds of which one is no value itself."""
    said = {"exclusiveMinimum": "above {}", "minimum": "{} and up", "exclusiveMaximum": "below {}", "maximum": "at most {}"}
    given = [text.format(_figure(schema[key])) for key, text in said.items() if key in schema and abs(schema[key]) < HUGE]
    return f" ({', '.join(given)})" if given else ""


def _between(low: float | None, high: float | None) -> str:
    """Both bounds, each a value that there may be; those of 64-bit integers go without saying."""
    low, high = (None if bound is None or abs(bound) >= HUGE else bound for bound in (low, high))
    if low is None and high is None:
        return ""
    if low is None or high is None:
        return f" (at most {_figure(high)})" if high is not None else f" ({_figure(low or 0)} and up)"
    return f" ({_figure(low)} to {_figure(high)})"


HUGE = 2**62


def _figure(bound: float) -> str:
    return f"{bound:,.0f}" if float(bound).is_integer() else f"{bound:g}"
