import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.plans.expressions import Expression
from keepwell.errors import ConfigError, KeepwellError

COLUMNS = {
    "x": np.array([1.0, 3.0, np.nan]),
    "y": np.array([2, 2, 2]),
    "flag": np.array([True, False, None], dtype=object),
    "tier": np.array(["VIP", "small", "major"]),
    "note": np.array(["a", None, "b"], dtype=object),
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("x > 1", [False, True, False]),
        ("not x > 1", [True, False, False]),
        ("x >= 1 and y == 2", [True, True, False]),
        ("x > 1 or y == 2", [True, True, True]),
        ("1 <= x < 3", [True, False, False]),
        ("x + y * 2 - 1 > 5", [False, True, False]),
        ("-x < -2", [False, True, False]),
        ("y / 0 > 1", [True, True, True]),
        ("x / 0 > 1 and not known(x)", [False, False, False]),
        ("flag", [True, False, False]),
        ("not flag", [False, True, False]),
        ("tier == 'VIP'", [True, False, False]),
        ("tier in ('VIP', 'major')", [True, False, True]),
        ("tier not in ['VIP', 'major']", [False, True, False]),
        ("note != 'a'", [False, False, True]),
        ("note in ('a', 'b')", [True, False, True]),
        ("known(note) and known(y)", [True, False, True]),
        ("not known(x)", [False, False, True]),
        ("x in (1, 2)", [True, False, False]),
        ("x not in (1, 2)", [False, True, False]),
        ("tier == 3", [False, False, False]),
        ("-" * 480 + "x > 1", [False, True, False]),
        ("not " * 120 + "x > 1", [False, True, False]),
    ],
)
def test_a_condition_holds_where_it_is_true_and_known(text, holds):
    assert Expression(text).holds(COLUMNS, 3).tolist() == holds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "x >",
        "3",
        "True",
        "x and 3",
        "x ** 2 > 1",
        "x.real > 1",
        "x[0] > 1",
        "x is None",
        "x == None",
        "x in y",
        "x in ()",
        "x in 'VIP'",
        "x if y else x",
        "lambda: x",
        "(z := x) > 1",
        "[x for x in y]",
        "open('file')",
        "known('x')",
        "known(x, y)",
        "known(x=y)",
        "__import__('os').getcwd() == 1",
        "f'{x}' == 'a'",
        "x > 1; y",
        "x > b'1'",
        "x > 1j",
        "x" * 501 + " > 1",
        "(" * 240 + "x" + ")" * 240 + " > 1",
        "x > 1\x00",
    ],
)
def test_what_is_no_condition_is_refused(text):
    with pytest.raises(ConfigError, match=r"cannot be read|is not understood"):
        Expression(text).holds({**COLUMNS, "z": COLUMNS["x"]}, 3)


@pytest.mark.parametrize("text", ["tier > 3", "tier + 1 > 2", "-tier > 1", "note < 2"])
def test_a_text_and_a_number_cannot_be_ordered_or_added(text):
    with pytest.raises(ConfigError, match="orders or adds a text and a number"):
        Expression(text).holds(COLUMNS, 3)


@given(st.text(max_size=80) | st.text("xy<>=()'+-*/ andotrik123,.[]", max_size=60))
def test_no_text_does_anything_but_hold_or_be_refused(text):
    try:
        held = Expression(text).holds({"x": COLUMNS["x"], "y": COLUMNS["y"]}, 3)
    except (KeepwellError, KeyError):
        return
    assert held.shape == (3,)


@given(st.lists(st.one_of(st.none(), st.floats(-3, 3)), min_size=1, max_size=8), st.floats(-3, 3))
def test_a_comparison_and_its_opposite_never_hold_together_and_neither_where_missing(numbers, limit):
    columns = {"x": np.array([np.nan if each is None else each for each in numbers])}
    yes = Expression(f"x >= {limit}").holds(columns, len(numbers))
    no = Expression(f"not x >= {limit}").holds(columns, len(numbers))
    assert not (yes & no).any()
    assert ((yes | no) == ~np.isnan(columns["x"])).all()


def test_names_are_the_columns_that_are_read():
    assert Expression("known(b) and a > 1 or c in (1, 2)").names == ("a", "b", "c")
