"""Conditions over columns, as the action catalogue writes them: `status == "lapsing" and complaints_open > 0`.

The text is parsed by Python's own parser and turned into functions; only what is listed here is accepted, and nothing is ever
run as code. Truth has three values: a comparison with a missing value is neither true nor false, and a condition holds only
where it is true. So neither `x > 3` nor `not x > 3` holds where x is missing, and `known(x)` asks for it.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from decisions.columns import Bools, Columns
from keepwell.errors import ConfigError

MAX_LENGTH = 500
HINT = "use columns, numbers, texts, + - * /, comparisons, in (...), and, or, not, known(column)"
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}

Array: TypeAlias = npt.NDArray[Any]
Value: TypeAlias = Callable[[Columns], Array]


class Truth(NamedTuple):
    """Where a condition is true and where it is false; where it is neither, it is unknown."""

    yes: Bools
    no: Bools


Condition: TypeAlias = Callable[[Columns], Truth]


class Expression:
    """A condition over columns, checked when it is made.

    Raises ConfigError for a text that is no condition.

    >>> condition = Expression('tier in ("VIP", "major") and not days <= 30')
    >>> condition.names
    ('days', 'tier')
    >>> days = np.array([40.0, np.nan, 40.0])
    >>> condition.holds({"tier": np.array(["VIP", "VIP", "small"]), "days": days}, 3)
    array([ True, False, False])
    >>> Expression("__import__('os')")
    Traceback (most recent call last):
    keepwell.errors.ConfigError: the condition "__import__('os')" is not understood at "__import__('os')"
      -> use columns, numbers, texts, + - * /, comparisons, in (...), and, or, not, known(column)
    """

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self._names: set[str] = set()
        self._words: set[tuple[str, str]] = set()
        try:
            self._condition = self._compiled(self._parsed())
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise ConfigError(f'the condition "{self.text[:80]}" cannot be read', hint=HINT) from None
        self.names = tuple(sorted(self._names))
        """The columns that the condition reads."""
        self.words = tuple(sorted(self._words))
        """The texts that it compares columns with, as (column, text)."""

    def holds(self, columns: Columns, rows: int) -> Bools:
        """Where the condition is true, shape (rows,); `columns` must have all of `names`.

        Raises ConfigError where a text meets a number in an order or a sum.
        """
        try:
            with np.errstate(all="ignore"):
                return np.broadcast_to(self._condition(columns).yes, (rows,))
        except TypeError:
            raise ConfigError(f'the condition "{self.text}" orders or adds a text and a number', hint=HINT) from None

    def _parsed(self) -> ast.expr:
        if len(self.text) > MAX_LENGTH:
            raise ValueError
        return ast.parse(self.text, mode="eval").body

    def _compiled(self, node: ast.expr) -> Condition:
        """The function of a condition."""
        match node:
            case ast.BoolOp(op=sign, values=parts):
                conditions = [self._compiled(part) for part in parts]
                join = _both if isinstance(sign, ast.And) else _either
                return lambda columns: reduce(join, (condition(columns) for condition in conditions))
            case ast.UnaryOp(op=ast.Not(), operand=part):
                condition = self._compiled(part)
                return lambda columns: _opposite(condition(columns))
            case ast.Compare(left=left, ops=signs, comparators=others):
                pairs = zip([left, *others[:-1]], signs, others, strict=True)
                steps = [self._comparison(one, sign, other) for one, sign, other in pairs]
                return lambda columns: reduce(_both, (step(columns) for step in steps))
            case ast.Call(func=ast.Name(id="known"), args=[ast.Name() as name], keywords=[]):
                value = self._value(name)
                return lambda columns: Truth(_known(value(columns)), ~_known(value(columns)))
            case ast.Name():
                value = self._value(node)
                return lambda columns: _compared(operator.eq, value(columns), np.array(1))
        raise self._refusal(node)

    def _comparison(self, left: ast.expr, sign: ast.cmpop, right: ast.expr) -> Condition:
        """The function of one comparison, or of one membership."""
        value = self._value(left)
        if isinstance(sign, ast.In | ast.NotIn):
            if not isinstance(right, ast.Tuple | ast.List) or not right.elts:
                raise self._refusal(right)
            members = [self._comparison(left, ast.Eq(), each) for each in right.elts]
            inside: Condition = lambda columns: reduce(_either, (member(columns) for member in members))  # noqa: E731  # as above
            return inside if isinstance(sign, ast.In) else lambda columns: _opposite(inside(columns))
        if type(sign) not in COMPARISONS:
            raise self._refusal(right)
        match left, right:
            case ast.Name(id=name), ast.Constant(value=str() as word):
                self._words.add((name, word))
        compare, other = COMPARISONS[type(sign)], self._value(right)
        return lambda columns: _compared(compare, value(columns), other(columns))

    def _value(self, node: ast.expr) -> Value:
        """The function of a number or a text."""
        match node:
            case ast.Name(id=name):
                self._names.add(name)
                return lambda columns: _plain(columns[name])
            case ast.Constant(value=bool() | int() | float() | str() as constant):
                return lambda _: _plain(constant)
            case ast.UnaryOp(op=ast.USub(), operand=part):
                value = self._value(part)
                return lambda columns: -value(columns)
            case ast.BinOp(left=left, op=sign, right=right) if type(sign) in ARITHMETIC:
                one, other, work = self._value(left), self._value(right), ARITHMETIC[type(sign)]
                return lambda columns: work(one(columns), other(columns))
        raise self._refusal(node)

    def _refusal(self, node: ast.expr) -> ConfigError:
        part = ast.get_source_segment(self.text, node)
        return ConfigError(f'the condition "{self.text}" is not understood at "{part}"', hint=HINT)


def _plain(values: object) -> Array:
    """Texts and gaps as Python objects, all else as floats."""
    array = np.asarray(values)
    return array.astype(object if array.dtype.kind in "OUT" else np.float64)


def _known(values: Array) -> Bools:
    """Where a value is there: neither None nor NaN."""
    if values.dtype.kind == "f":
        return ~np.isnan(values)
    known: Bools = (np.equal(values, values) & np.not_equal(values, np.array(None))).astype(np.bool_)
    return known


def _both(one: Truth, other: Truth) -> Truth:
    return Truth(one.yes & other.yes, one.no | other.no)


def _either(one: Truth, other: Truth) -> Truth:
    return Truth(one.yes | other.yes, one.no & other.no)


def _opposite(truth: Truth) -> Truth:
    return Truth(truth.no, truth.yes)


def _compared(compare: Callable[[Any, Any], Any], left: Array, right: Array) -> Truth:
    """One comparison, unknown where either side is missing."""
    left, right = np.broadcast_arrays(left, right)
    known = _known(left) & _known(right)
    yes = np.zeros(known.shape, dtype=bool)
    yes[known] = compare(left[known], right[known])
    return Truth(yes, known & ~yes)
