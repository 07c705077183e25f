"""What experiments say: average effects, who gains, and what choosing them would have brought."""
