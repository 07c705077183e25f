import re
from pathlib import Path

import pytest

from features.reading.config import CompanyConfig, TableConfig
from features.tables import EVENT_TABLES, TABLES, Kind

DATA_PAGE = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")


def test_there_are_eight_tables_and_six_of_events() -> None:
    assert len(TABLES) == 8
    assert set(TABLES) - set(EVENT_TABLES) == {"customers", "labels"}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_every_table_and_column_is_in_the_docs(table) -> None:
    section = DATA_PAGE.split(f"### {table.name}\n", 1)[1].split("\n### ", 1)[0]
    documented = re.findall(r"^\| \**`(\w+)`\** \| (\w+) \|", section, re.MULTILINE)
    assert documented == [(column.name, column.kind.value) for column in table.columns]
    bold = re.findall(r"^\| \*\*`(\w+)`\*\*", section, re.MULTILINE)
    assert tuple(bold) == table.required


@pytest.mark.parametrize("model", [CompanyConfig, TableConfig])
def test_every_key_of_company_yaml_is_in_the_docs(model) -> None:
    assert all(f"| `{key}` |" in DATA_PAGE for key in model.model_fields)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_a_table_is_about_customers_and_its_rules_name_its_own_columns(table) -> None:
    assert table.columns[0].name == "customer_id"
    named = {*table.version_key, *table.unique, *([table.event_time] if table.event_time else [])}
    assert named <= set(table.names)
    assert len(set(table.names)) == len(table.names)


@pytest.mark.parametrize("name", EVENT_TABLES)
def test_every_event_table_may_carry_known_at(name) -> None:
    assert TABLES[name].column("known_at").kind is Kind.TIME
    assert TABLES[name].column(TABLES[name].event_time).required


def test_a_column_that_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="transactions has no column colour"):
        TABLES["transactions"].column("colour")
