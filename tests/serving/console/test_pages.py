from __future__ import annotations

import re
from dataclasses import fields

import pytest

from serving.console.customer import CustomerPage
from serving.console.customers import CustomerLine, CustomersPage
from serving.console.frame import Frame
from serving.console.message import MessagePage
from serving.console.render import FOLDER
from serving.console.today import ActionLine, TierLine, TodayPage

SHOWN = [
    (TodayPage, "page", "today.html"),
    (TierLine, "line", "today.html"),
    (ActionLine, "action", "today.html"),
    (CustomersPage, "page", "customers.html"),
    (CustomerLine, "customer", "_customers.html"),
    (CustomerPage, "page", "customer.html"),
    (MessagePage, "page", "message.html"),
    (Frame, "page.frame", "base.html"),
]


@pytest.mark.parametrize(("kind", "variable", "template"), SHOWN)
def test_a_page_shows_every_field_of_its_dataclass(kind: type, variable: str, template: str) -> None:
    texts = [(FOLDER / "templates" / name).read_text() for name in {template, "base.html"}]
    shown = set(re.findall(rf"\b{re.escape(variable)}\.(\w+)", "\n".join(texts)))
    assert {field.name for field in fields(kind)} - shown == set()


@pytest.mark.parametrize("kind", [kind for kind, _, _ in SHOWN])
def test_a_page_says_what_it_shows(kind: type) -> None:
    assert kind.__doc__
    assert not kind.__doc__.startswith(f"{kind.__name__}(")
