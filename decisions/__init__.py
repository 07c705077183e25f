"""From scores to tiers, actions and plans: pure functions of columns and one policy."""
