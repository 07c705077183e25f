"""The pages of the reference that are made of schemas: the policy, company.yaml and the HTTP API."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from reference_tables import Schema, fields, table


def policy_page() -> str:
    """Every key of the policy, with its default of decisions/policy.yaml."""
    from decisions.policy import Policy  # noqa: PLC0415  # each page imports what it describes
    from serving.plans.policy import read_policy  # noqa: PLC0415

    return "\n".join([ABOUT_POLICY, *_sections(Policy.model_json_schema(), read_policy().model_dump(mode="json"))])


ABOUT_POLICY = """\
# The policy

Every threshold that decisions use and the catalogue of actions are one YAML file. `decisions/policy.yaml` is the default, and its
values are shown here; copy it, change it, and name it with `--policy`, or `KEEPWELL_POLICY` for the service. An unknown key, a
required one that is missing and a value out of range are refused. [Decisions](decisions.md) tells what each word means and how a
plan is made.
"""


def company_page() -> str:
    """Every key of company.yaml."""
    from features.reading.config import CompanyConfig  # noqa: PLC0415

    sections = _sections(CompanyConfig.model_json_schema(), {})
    return "\n".join([ABOUT_COMPANY, *sections, "## The columns of the tables\n", ABOUT_TABLES, *_input_tables()])


ABOUT_COMPANY = """\
# company.yaml

Where each table is, and which of your names mean what. The file lies beside the tables; every key is optional, and an unknown one
is refused. [Your data](data.md) explains it with examples.
"""


def _sections(schema: Schema, defaults: Mapping[str, Any]) -> Iterator[str]:
    """The table of an object, then those of the parts that its fields name, each under the key where it is first met."""
    headings = _headings(schema, schema)

    def named(model: str) -> str:
        return f"[{headings[model]}](#{_anchor(headings[model])})"

    single = {key: value for key, value in defaults.items() if not isinstance(value, dict | list)}
    yield f"## The whole\n\n{fields(schema, named, single)}"
    for model, key in headings.items():
        part, known = schema["$defs"][model], defaults.get(key)
        yield f"## {key}\n\n{part['description']}\n"
        yield fields(part, named, known if isinstance(known, dict) else None)


def _headings(schema: Schema, part: Schema) -> dict[str, str]:
    """Each model that the fields of `part` name, and those within: the key under which it is first met."""
    found: dict[str, str] = {}
    for key, field in part["properties"].items():
        for model in re.findall(r"/(\w+)\"", json.dumps(field)):
            found |= {
                new: word for new, word in {model: key, **_headings(schema, schema["$defs"][model])}.items() if new not in found
            }
    return found


ABOUT_TABLES = """\
What may stand under `tables`, and the columns that `columns` maps. Required ones are bold.
"""


def _input_tables() -> Iterator[str]:
    from features.tables import INPUTS  # noqa: PLC0415

    for name, declared in INPUTS.items():
        rows = (
            (f"**`{c.name}`**" if c.required else f"`{c.name}`", str(c.kind), _bounds(c), c.meaning) for c in declared.columns
        )
        yield f"### {name}\n\n{declared.meaning}\n"
        yield table(("column", "holds", "may be", "meaning"), rows)


def _bounds(column: Any) -> str:  # noqa: ANN401  # features.tables.Column, which is imported with its page
    if column.choices:
        return ", ".join(f"`{word}`" for word in column.choices)
    return "" if column.low is None else f"{column.low:,g} to {column.high:,g}"


def http_page() -> str:
    """Every path of the service, from the OpenAPI document that it publishes."""
    from serving.endpoints.openapi import ERRORS, openapi  # noqa: PLC0415

    document = openapi()
    schemas = {"$defs": document["components"]["schemas"]}
    calls = [(method.upper(), path, call) for path, item in document["paths"].items() for method, call in item.items()]
    index = ((f"[`{method} {path}`](#{_anchor(f'{method} {path}')})", call["summary"]) for method, path, call in calls)
    parts = [ABOUT_HTTP, table(("path", "what it does"), index)]
    parts += [part for call in calls for part in _call(schemas, *call)]
    shown = [name for _, _, call in calls for name in (_model(_body(call)), _model(_good(call))) if name]
    parts += ["## Types\n", *_types(schemas, [name for name in _reached(schemas, *shown) if name not in shown])]
    parts += ["## Statuses\n", table(("status", "when"), ((str(status), text) for status, text in ERRORS.items()))]
    return "\n".join([*parts, "Every one of them is answered in one shape:\n", fields(schemas["$defs"]["ErrorBody"], _link)])


ABOUT_HTTP = """\
# HTTP API

What the service takes and gives, field by field. A running service publishes the same as OpenAPI 3.1 under `/docs.json`, with the
features of its model and examples that work with it. [The service](serving.md) shows how to call it, [access](access.md) who may.
Unknown fields are refused.

The answers shown are those of a simulated shop, to the examples beside them: numbers cut to six digits, lists to three entries,
and fields left out that are null.
"""

ANSWERS: Mapping[str, Any] = json.loads(Path(__file__).with_name("answer_examples.json").read_text(encoding="utf-8"))
"""Answers by method and path, as `make_answer_examples.py` recorded them."""


def _call(schemas: Schema, method: str, path: str, call: Schema) -> Iterator[str]:
    """One path: what it takes, what it gives, what else it may answer, and an example."""
    yield f"## {method} {path}\n\n{call['summary']}.\n"
    for parameter in call.get("parameters", ()):
        yield f"In the query: `{parameter['name']}`, for example `{path}?{parameter['name']}={parameter['example']}`.\n"
    if body := _body(call):
        yield f"It takes\n\n{fields(_of(schemas, body['schema']), _link)}"
    if name := _model(_good(call)):
        yield f"and gives\n\n{fields(schemas['$defs'][name], _link)}"
    for title, example in body.get("examples", {}).items():
        yield f"For example {title}:\n\n```json\n{_json(example['value'])}\n```\n"
    if f"{method} {path}" in ANSWERS:
        which = "The first of them was answered" if len(body.get("examples", ())) > 1 else "The answer was"
        yield f"{which}\n\n```json\n{_json(ANSWERS[f'{method} {path}'])}\n```\n"
    yield f"Statuses: {', '.join(call['responses'])} ([what they mean](#statuses)).\n"


def _json(value: Any) -> str:  # noqa: ANN401  # any JSON value
    """An example without columns that say nothing, one row a line."""
    lines = json.dumps(_told(value), indent=2, ensure_ascii=False)
    return re.sub(r"\{[^{}]*\}|\[[^][{}]*\]", lambda part: re.sub(r"\s*\n\s*", " ", part[0]), lines)


def _told(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    if isinstance(value, dict):
        return {key: _told(one) for key, one in value.items() if one is not None}
    return [_told(one) for one in value] if isinstance(value, list) else value


def _types(schemas: Schema, names: list[str]) -> Iterator[str]:
    for name in names:
        yield f"### {name}\n\n{schemas['$defs'][name].get('description', '')}\n"
        yield fields(schemas["$defs"][name], _link)


def _body(call: Schema) -> Mapping[str, Any]:
    content: Mapping[str, Any] = call.get("requestBody", {}).get("content", {}).get("application/json", {})
    return content


def _good(call: Schema) -> Mapping[str, Any]:
    content: Mapping[str, Any] = call["responses"]["200"]["content"].get("application/json", {})
    return content


def _model(content: Schema) -> str:
    """The name of the model of a body or an answer; "" where there is none."""
    return str(content.get("schema", {}).get("$ref", "")).rsplit("/", 1)[-1]


def _of(schemas: Schema, field: Schema) -> Schema:
    part: Schema = schemas["$defs"][field["$ref"].rsplit("/", 1)[1]]
    return part


def _reached(schemas: Schema, *names: str) -> list[str]:
    """These models and those that their fields name, each once, a model before its parts."""
    found: list[str] = []
    for name in names:
        inside = re.findall(r"/(\w+)\"", json.dumps(schemas["$defs"][name]))
        found += [name, *_reached(schemas, *inside)]
    return list(dict.fromkeys(found))


def _link(name: str) -> str:
    return f"[{name}](#{_anchor(name)})"


def _anchor(heading: str) -> str:
    """The anchor of a heading, as GitHub and the site make it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
