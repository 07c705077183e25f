"""The members of the ensemble, the simple rules among them, and how they are put together."""
