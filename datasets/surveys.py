"""What the customers of a simulated shop answer when they are asked how they find it.

Everybody who has bought is asked once a quarter, and few answer. The answers of a day hang on what the customer went through
until the evening before, on how easily they leave, and on what kind of person they are. How the answers hang together follows
the American Customer Satisfaction Index: quality against expectation and price makes satisfaction, and that makes loyalty.
Reference: Fornell, Johnson, Anderson, Cha and Bryant (1996), Journal of Marketing 60(4).
"""

from __future__ import annotations

import numpy as np
import polars as pl

from datasets.population import Bools, Floats, Ints, Population, instants
from datasets.shop import GONE_NEVER, Shop

LOWEST_ANSWERS = {"satisfaction": 1, "expectation": 1, "quality": 1, "perceived_value": 1, "loyalty": 1, "recommend": 0}
"""The questions, each with the low end of its scale; all scales end at 10."""
SHORT_FORM = ("satisfaction", "recommend")
ASKED_EVERY_DAYS = 91
WILLING_SHARE = 0.3
"""Share of customers who ever answer."""
GONE_SHARE = 0.1
"""Share of its answers that a customer still gives after leaving."""
SHORT_SHARE = 0.3
"""Share of questionnaires that ask only the questions of `SHORT_FORM`."""
SKIPPED_SHARE = 0.06
"""Share of questions that are left open by those who are asked them."""
USUAL_HAZARD = 1 / 400
"""The daily chance of leaving of a customer of middling loyalty."""


class Surveys:
    """The questionnaires of a shop; `ask(shop)` collects the answers of the day that begins, `table` is what came in.

    The random stream is its own, and asking changes nothing in the shop.
    """

    def __init__(self, rng: np.random.Generator, people: Population) -> None:
        n = len(people)
        self._rng, self._people = rng, people
        self._first_day = people.first_buy_day + 1 + rng.integers(ASKED_EVERY_DAYS, size=n)
        self._willingness = np.where(rng.random(n) < WILLING_SHARE, rng.beta(3, 3, n), 0.0)
        self._leniency = rng.normal(0.0, 0.8, n)
        self._hopes = rng.normal(0.0, 0.8, n)
        self._who: list[Ints] = [np.empty(0, dtype=np.int64)]
        self._moments: list[Floats] = [np.empty(0)]
        self._answers: list[Floats] = [np.empty((0, len(LOWEST_ANSWERS)))]

    def ask(self, shop: Shop) -> None:
        """Collect the answers of the day `shop.day`, of which the shop has lived nothing yet."""
        gone = shop.gone_day != GONE_NEVER
        who = self._who_answer(shop.day, gone)
        if who.size:
            # Whoever has left is certain to; beyond eight times the usual, or below an eighth, people feel no difference.
            risk = np.log((np.where(gone, 1.0, shop.hazard())[who] / USUAL_HAZARD).clip(1 / 8, 8))
            self._who.append(who)
            self._moments.append(shop.day + self._rng.uniform(8 / 24, 22 / 24, who.size))
            self._answers.append(self._written_down(self._opinions(who, shop.trouble()[who], risk)))

    def table(self, start: np.datetime64) -> pl.DataFrame:
        """The `surveys` table: one row per questionnaire that came back, by time; `start` is the date of day 0."""
        ids, moments = self._people.ids[np.concatenate(self._who)], instants(np.concatenate(self._moments), start)
        answers = np.concatenate(self._answers)
        columns = {name: answers[:, position] for position, name in enumerate(LOWEST_ANSWERS)}
        return (
            pl.DataFrame({"customer_id": ids, "answered_at": moments, **columns})
            .with_columns(pl.col(*LOWEST_ANSWERS).fill_nan(None).cast(pl.Int64))
            .filter(pl.any_horizontal(pl.col(*LOWEST_ANSWERS).is_not_null()))
            .sort("answered_at", "customer_id")
        )

    def _who_answer(self, day: int, gone: Bools) -> Ints:
        """Those who are asked on this day, a multiple of a quarter after their first time, and answer."""
        asked = np.flatnonzero((day >= self._first_day) & ((day - self._first_day) % ASKED_EVERY_DAYS == 0))
        chance = self._willingness[asked] * np.where(gone[asked], GONE_SHARE, 1.0)
        return asked[self._rng.random(asked.size) < chance]

    def _opinions(self, who: Ints, trouble: Floats, risk: Floats) -> Floats:
        """What each of `who` thinks of each question, before it is squeezed into a scale: shape (who, questions).

        `trouble` is what they went through and `risk` how easily they leave now, both logs of a factor on the usual hazard.
        """
        noise = self._rng.normal(0.0, 0.7, (len(LOWEST_ANSWERS), who.size))
        expectation = 7.6 + self._hopes[who] + noise[0]
        quality = 7.9 + self._leniency[who] - 0.9 * trouble + noise[1]
        perceived_value = 2.2 + 0.7 * quality - 0.8 * self._people.deal_seeker[who] + noise[2]
        satisfaction = 0.7 * quality + 0.3 * perceived_value + 0.3 * (quality - expectation) - 0.2 * trouble + noise[3]
        loyalty = 2.2 + 0.7 * satisfaction - 0.7 * risk + noise[4]
        recommend = 0.6 * satisfaction + 0.4 * loyalty + noise[5]
        return np.stack([satisfaction, expectation, quality, perceived_value, loyalty, recommend], axis=1)

    def _written_down(self, opinions: Floats) -> Floats:
        """Opinions as whole points on their scales; NaN where the question was not asked or was left open."""
        is_short = self._rng.random(len(opinions)) < SHORT_SHARE
        asked = ~is_short[:, None] | np.isin(list(LOWEST_ANSWERS), SHORT_FORM)
        answered = asked & (self._rng.random(opinions.shape) >= SKIPPED_SHARE)
        points = np.rint(opinions).clip(list(LOWEST_ANSWERS.values()), 10)
        return np.where(answered, points, np.nan)
