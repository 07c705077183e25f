"""Scores for everybody at a date: features, predictions and decisions as one table."""
