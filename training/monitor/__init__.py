"""Whether a model may still be believed: drift before labels come, performance estimated without them, and promises kept."""
