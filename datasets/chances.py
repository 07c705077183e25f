"""The random numbers of a simulated shop: one stream for all, or numbers that belong to customers."""

from __future__ import annotations

import numpy as np

from datasets.population import Floats, Ints


class Stream:
    """One stream: what is drawn for some shifts what all others get."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def begin(self, day: int, purpose: int) -> None:
        """Say what the next numbers are for, which is all the same to a stream."""

    def uniform(self, who: Ints) -> Floats:
        """A number in [0, 1) for each of `who`, shape (who,)."""
        return self._rng.random(who.size)

    def exponential(self, who: Ints, mean: Floats) -> Floats:  # noqa: ARG002  # `Common` needs to know who
        """An exponential number of this `mean` (who,) for each of `who`."""
        return self._rng.exponential(mean)

    def below(self, who: Ints, count: int) -> Ints:
        """A whole number from 0 to `count` - 1 for each of `who`."""
        return self._rng.integers(count, size=who.size)


class Common(Stream):
    """Numbers that hang on the seed, the day, what they are for and the customer alone.

    Two shops of one seed then differ by what was done in them and by nothing else: whoever is treated alike in both has the same
    luck in both. (Common random numbers, as simulations are compared.)
    """

    def __init__(self, seed: int, customers: int) -> None:
        super().__init__(np.random.default_rng(seed))
        self._seed, self._customers = seed, customers

    def begin(self, day: int, purpose: int) -> None:
        """Say what the next numbers are for; the order of calls under one purpose must not hang on what was done."""
        self._rng = np.random.default_rng([self._seed, day, purpose])

    def uniform(self, who: Ints) -> Floats:
        """A number in [0, 1) for each of `who`, shape (who,)."""
        return np.asarray(self._rng.random(self._customers)[who])

    def exponential(self, who: Ints, mean: Floats) -> Floats:
        """An exponential number of this `mean` (who,) for each of `who`."""
        return np.asarray(self._rng.standard_exponential(self._customers)[who] * mean)

    def below(self, who: Ints, count: int) -> Ints:
        """A whole number from 0 to `count` - 1 for each of `who`."""
        return np.asarray(self._rng.integers(count, size=self._customers)[who])
