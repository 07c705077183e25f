"""From feature panels to one registered model: labels, members, calibration, evaluation, registry."""
