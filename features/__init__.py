"""From input tables to one row of features per customer and date; only what was known before `as_of` counts."""
