"""A shop's own extensions of Keepwell: features, a member of the ensemble, a source of tables. Copy it and make it yours."""
