"""The store as those see it who may not know who the customers are: ids for names, and no search by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from serving.store.reading import Reader
from serving.store.records import CustomerFilter, CustomerPage, Load, ScoreRow


class Masked(Reader):
    """A reader whose customers have no names."""

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader._engine)
        self._listings = reader._listings  # one list in memory for all who look

    def customers(self, load: Load, chosen: CustomerFilter = CustomerFilter(), **how: Any) -> CustomerPage:  # noqa: ANN401  # as `Reader` takes it
        """One page of the customers, as `Reader.customers` gives it; an order by name would tell names, and is one by id."""
        page = super().customers(load, replace(chosen, ids_only=True), **_without_names(how))
        return CustomerPage(tuple(map(_masked, page.rows)), page.total)

    def customer_ids(self, load: Load, chosen: CustomerFilter = CustomerFilter(), **how: Any) -> Sequence[str]:  # noqa: ANN401
        """The ids of all of them, likewise."""
        return super().customer_ids(load, replace(chosen, ids_only=True), **_without_names(how))

    def customers_by_id(self, load: Load, customer_ids: Sequence[str]) -> dict[str, ScoreRow]:
        """The scores of these customers by id."""
        return {key: _masked(row) for key, row in super().customers_by_id(load, customer_ids).items()}


def _masked(row: ScoreRow) -> ScoreRow:
    return replace(row, name=None)


def _without_names(how: dict[str, Any]) -> dict[str, Any]:
    return {**how, "sort": "customer_id"} if how.get("sort") == "name" else how
