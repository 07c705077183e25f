"""A simulated company with known truth, and readers of public data files."""
