"""What holds for all tests."""

from hypothesis import settings

settings.register_profile("keepwell", deadline=None)  # a busy machine must not break a law; speed is measured in benchmarks/
settings.load_profile("keepwell")
