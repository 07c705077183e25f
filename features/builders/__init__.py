"""The features that ship, by what they tell of; each module is a list of definitions."""
