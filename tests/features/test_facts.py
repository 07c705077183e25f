"""Facts are made of features that there are, each in one of them."""

from __future__ import annotations

import pytest

from features.catalog import CATALOG
from features.facts import FACTS, TOLD_BY, fact_of, stem, tells


@pytest.mark.parametrize("fact", FACTS)
def test_every_feature_of_a_fact_is_in_the_catalog_and_tells_it(fact: str) -> None:
    for feature in FACTS[fact]:
        assert fact in {fact_of(name) for name in CATALOG if feature in (name, stem(name))}, feature


def test_no_feature_tells_two_facts() -> None:
    named = [name for features in FACTS.values() for name in features]
    assert len(named) == len(set(named))


def test_a_fact_takes_in_the_feature_whose_name_it_has() -> None:
    """A feature that shares no fact tells one of its own name: the two must not meet."""
    assert all(fact_of(name) == stem(name) for name in CATALOG if stem(name) in FACTS)


def test_what_a_fact_is_told_by_is_part_of_it_and_the_rest_is_silent() -> None:
    for fact, tellers in TOLD_BY.items():
        of_fact = [name for name in CATALOG if fact_of(name) == fact]
        assert [name for name in of_fact if tells(name)] == [name for name in of_fact if name in tellers]
        assert set(tellers) < set(of_fact)


def test_the_features_of_one_fact_come_from_one_table() -> None:
    for fact in FACTS:
        tables = {CATALOG[name].table for name in CATALOG if fact_of(name) == fact}
        assert len(tables) == 1 or fact == "tenure", (fact, tables)
