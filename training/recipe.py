"""What a study may choose: the settings of the members and the strengths with which evidence is believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from training.members.trees import TreeSettings


@dataclass(frozen=True)
class Recipe:
    """Everything about a procedure that is not in the data; how the defaults were chosen is in docs/models.md."""

    churn_trees: TreeSettings = field(default_factory=TreeSettings)
    amount_trees: TreeSettings = field(default_factory=TreeSettings)
    churn_ridge: float = 100.0
    amount_ridge: float = 100.0
    prior_rows: float = 2_000.0

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON.

        >>> Recipe.from_dict(Recipe(churn_ridge=3.0).as_dict()) == Recipe(churn_ridge=3.0)
        True
        """
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Recipe:
        """Read what `as_dict` gave."""
        trees = {name: TreeSettings(**values[name]) for name in ("churn_trees", "amount_trees")}
        return cls(**{**values, **trees})
