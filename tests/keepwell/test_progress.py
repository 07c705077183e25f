from __future__ import annotations

import io

import pytest
from rich.console import Console

from keepwell.progress import Silent, Steps


def terminal() -> tuple[Steps, io.StringIO]:
    text = io.StringIO()
    return Steps(Console(file=text, force_terminal=False, width=100)), text


def test_each_step_leaves_one_line_with_its_seconds() -> None:
    steps, text = terminal()
    with steps.step("Reading"):
        steps.count(1, 2)
    assert text.getvalue().strip().startswith("✓ Reading")
    assert text.getvalue().strip().endswith(" s")


def test_an_inner_step_ends_before_its_outer_one() -> None:
    steps, text = terminal()
    with steps.step("Training"), steps.step("Tuning"):
        pass
    assert [line.split()[1] for line in text.getvalue().splitlines()] == ["Tuning", "Training"]


def test_brackets_in_a_title_are_no_markup() -> None:
    steps, text = terminal()
    with steps.step("Reading [red]/[/x]"):
        steps.count(1, 2)
    assert text.getvalue().strip().startswith("✓ Reading [red]/[/x] ")


def test_a_failed_step_is_not_ticked() -> None:
    steps, text = terminal()
    with pytest.raises(ValueError, match="no"), steps.step("Reading"):
        raise ValueError("no")
    assert text.getvalue() == ""


def test_silence_runs_the_block() -> None:
    ran = []
    with Silent().step("Reading"):
        ran.append(True)
    Silent().count(1, 2)
    assert ran == [True]
