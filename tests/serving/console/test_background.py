from __future__ import annotations

import threading

import pytest

from keepwell.errors import RequestError
from serving.console.background import MOST_WAITING, Background


def test_an_errand_is_run_once_and_its_result_kept() -> None:
    background, runs = Background(), []
    for _ in range(2):
        assert background.ask("a", lambda: runs.append(1) or 7, wait_s=5).result() == 7
    assert runs == [1]


def test_who_asks_does_not_wait_longer_than_they_said() -> None:
    background, gate = Background(), threading.Event()
    errand = background.ask("slow", gate.wait, wait_s=0.01)
    assert not errand.done()
    gate.set()
    assert background.ask("slow", gate.wait, wait_s=5).result() is True


def test_what_failed_says_why_and_may_be_asked_for_again() -> None:
    background = Background()
    with pytest.raises(ZeroDivisionError, match="division"):
        background.ask("a", lambda: 1 // 0, wait_s=5).result()
    assert background.ask("a", lambda: 2, wait_s=5).result() == 2


def test_too_many_at_once_are_refused() -> None:
    background, gate = Background(), threading.Event()
    for key in range(MOST_WAITING):
        background.ask(key, gate.wait, wait_s=0)
    with pytest.raises(RequestError, match="too much"):
        background.ask("one more", gate.wait, wait_s=0)
    gate.set()
