"""What looks like a leak: columns and rows that know too much."""
