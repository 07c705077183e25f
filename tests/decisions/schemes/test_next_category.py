from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from decisions.schemes.next_category import Steps, next_after, next_categories, steps_of

CUSTOMERS, CATEGORIES = 6, 5
purchases = st.lists(st.tuples(st.integers(0, CUSTOMERS - 1), st.integers(0, 12), st.integers(-1, CATEGORIES - 1)), max_size=60)


def answer(rows):
    who, day, what = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return next_categories(who, day, what, customers=CUSTOMERS, categories=CATEGORIES).tolist()


def by_hand(rows):
    """The same rule with dictionaries: paths of steps, mean counts of followers, popularity for ties."""
    first = {}
    for who, day, what in rows:
        if what >= 0:
            first[who, what] = min(day, first.get((who, what), day))
    paths = defaultdict(lambda: defaultdict(set))
    for (who, what), day in first.items():
        paths[who][day].add(what)
    follows, popular = Counter(), Counter(what for _, what in first)
    for path in paths.values():
        steps = [path[day] for day in sorted(path)]
        for one, other in pairwise(steps):
            for a in one:
                for b in other:
                    follows[a, b] += 1 / len(one)
    answers = []
    for who in range(CUSTOMERS):
        new = [what for what in range(CATEGORIES) if (who, what) not in first]
        last = paths[who][max(paths[who])] if paths[who] else set()
        chances = {what: round(sum(follows[a, what] for a in last) / max(len(last), 1), 6) for what in new}
        answers.append(max(new, key=lambda what: (chances[what], popular[what], -what)) if last and new else -1)
    return answers


@given(purchases)
def test_the_answer_is_that_of_the_rule_written_out(rows):
    assert answer(rows) == by_hand(rows)


@given(purchases, st.randoms())
def test_the_order_of_rows_changes_nothing(rows, random):
    shuffled = random.sample(rows, len(rows))
    assert answer(shuffled) == answer(rows)


@given(purchases)
def test_the_answer_is_always_new_to_the_customer(rows):
    for who, what in enumerate(answer(rows)):
        assert what == -1 or (who, what) not in {(row[0], row[2]) for row in rows}


def test_who_follows_the_crowd_is_led_where_it_went():
    crowd = [(who, day, what) for who in range(3) for day, what in enumerate((0, 3, 1))]
    assert answer([*crowd, (3, 5, 0), (4, 5, 0), (4, 7, 3)])[3:] == [3, 1, -1]


def test_a_customer_who_has_everything_or_nothing_known_gets_no_category():
    everything = [(0, what, what) for what in range(CATEGORIES)]
    assert answer([*everything, (1, 3, -1)])[:2] == [-1, -1]


def test_without_categories_there_is_no_next_one():
    none = np.empty(0, dtype=np.int64)
    assert next_categories(none, none, none, customers=2, categories=0).tolist() == [-1, -1]


@given(purchases, st.lists(st.integers(0, 2), min_size=CUSTOMERS, max_size=CUSTOMERS))
def test_steps_counted_in_parts_add_up_and_give_each_part_the_answer_of_all(rows, part):
    who, day, what = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    mine = [np.array(part)[who] == number for number in range(3)]
    parts = [steps_of(who[rows], day[rows], what[rows], customers=CUSTOMERS, categories=CATEGORIES) for rows in mine]
    together = Steps(np.concatenate([one.follows for one in parts]), sum(one.customers_of for one in parts), CUSTOMERS)
    found = [next_after(who[rows], day[rows], what[rows], customers=CUSTOMERS, steps=together) for rows in mine]
    assert np.max(found, axis=0).tolist() == answer(rows)
