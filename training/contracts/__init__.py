"""Models of contracts: leaving means that a contract ends."""
