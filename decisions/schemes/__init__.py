"""Each scheme of words for customers, with why, and with hysteresis."""
