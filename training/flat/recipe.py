"""What a study of a flat table may choose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from training.members.trees import TreeSettings

CHURN_TREES = TreeSettings(rounds=200, learning_rate=0.1, leaves=63, leaf_rows=10, feature_share=0.8, ridge=0.01, row_share=0.9)
"""Bold trees: on one date there is no later season to be cautious of, and calibration takes their confidence back."""


@dataclass(frozen=True)
class FlatRecipe:
    """Everything about the procedure for flat tables that is not in the data; docs/flat-tables.md says how it was chosen."""

    churn_trees: TreeSettings = CHURN_TREES
    amount_trees: TreeSettings = field(default_factory=TreeSettings)
    churn_ridge: float = 3.0
    amount_ridge: float = 30.0
    prior_rows: float = 50.0

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON.

        >>> FlatRecipe.from_dict(FlatRecipe(churn_ridge=1.0).as_dict()) == FlatRecipe(churn_ridge=1.0)
        True
        """
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FlatRecipe:
        """Read what `as_dict` gave."""
        trees = {name: TreeSettings(**values[name]) for name in ("churn_trees", "amount_trees")}
        return cls(**{**values, **trees})
