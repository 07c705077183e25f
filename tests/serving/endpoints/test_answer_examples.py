"""The answers that the reference shows are such as the published document tells of, one for every endpoint that has a form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from serving.endpoints.openapi import openapi

ANSWERS = json.loads((Path(__file__).parents[3] / "scripts" / "answer_examples.json").read_text())
DOCUMENT = openapi()


def forms() -> dict[str, dict[str, Any]]:
    """The schema of each answer that has one, by method and path."""
    found = {}
    for path, item in DOCUMENT["paths"].items():
        for method, call in item.items():
            schema = call["responses"]["200"]["content"].get("application/json", {}).get("schema")
            if schema is not None:
                found[f"{method.upper()} {path}"] = schema
    return found


@pytest.mark.parametrize("call", forms())
def test_the_answer_that_is_shown_is_as_the_document_says(call: str) -> None:
    schema = forms()[call] | {"components": DOCUMENT["components"]}
    assert [error.message for error in Draft202012Validator(schema).iter_errors(ANSWERS[call])] == []
    model = DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    assert set(ANSWERS[call]) == set(model["properties"]), "run scripts/make_answer_examples.py: the form has changed"


def test_the_answers_are_to_the_examples_beside_them() -> None:
    example = next(
        iter(DOCUMENT["paths"]["/v1/scores"]["post"]["requestBody"]["content"]["application/json"]["examples"].values())
    )
    assert [score["customer_id"] for score in ANSWERS["POST /v1/scores"]["scores"]] == example["value"]["customer_ids"]
    assert ANSWERS["POST /v1/predict"]["predictions"] == ANSWERS["POST /v1/predict_rows"]["predictions"]
