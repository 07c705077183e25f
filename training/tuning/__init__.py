"""The search for a recipe: what is sought, where recipes are tried, and what a study leaves."""
