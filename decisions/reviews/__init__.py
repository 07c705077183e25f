"""The sections of a review, as pure functions of what was promised, what came and what was done."""
