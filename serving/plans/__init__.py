"""From scores to plans, and from what happened back to what plans expect."""
