"""What every part of Keepwell stands on: errors, settings, safe files, progress.

The lowest package: it imports none of the others.
"""

__version__ = "0.1.0"
