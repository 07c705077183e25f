"""Reviews put together from scorings, plans and outcomes."""
