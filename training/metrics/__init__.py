"""How good a forecast was: each metric a function of weights, with an interval over customers."""
