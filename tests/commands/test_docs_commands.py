"""The commands of the docs, run in the order of the pages by a reader with a shop; tests/test_howto.py has the how-tos."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import chdir
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from cli import main
from datasets.simulate import simulate
from tests.doc_blocks import PAGES, ROOT, blocks_of, commands_of

FOLLOWED_ELSEWHERE = (ROOT / "docs" / "start", ROOT / "docs" / "howto")

NOT_RUN = {
    "keepwell serve": "runs until it is ended: tests/serving/test_launch.py",
    "keepwell bench": "wants public data and minutes: tests/commands/test_bench.py",
    "keepwell load s3-copy": "wants what a cluster has written: tests/commands/test_loading.py",
    "--engine spark": "wants Java: tests/commands/test_engine.py",
    "keepwell monitor shop --predictions": "wants predictions that a service has kept: tests/commands/test_monitor.py",
    "keepwell score shop --as-of 2025": "wants a model of that time: tests/commands/test_review.py",
    "keepwell plan then.parquet": "the same",
    "keepwell review shop --since 2025-07-01": "the same",
    "keepwell backtest my-shop": "the README's is run",
    "keepwell fairness": "as long as a backtest: tests/commands/test_fairness.py",
    "keepwell uplift mailing.csv": "wants the mailing: tests/commands/test_uplift.py",
}
"""What commands have in them that are not run here, each with the reason."""

QUICKLY = {"train": ("--trials", "0"), "tune": ("--trials", "1"), "backtest": ("--dates", "1")}
"""What makes a long command short; the last of two options of one name counts."""

MAY_END_WITH = {"monitor": (0, 10, 11), "promote": (0, 6), "rollback": (0, 6)}
"""Exit codes that tell something else than a failure: drift, or that there is no other champion."""


def written() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every command of ours, with where it stands."""
    for page in PAGES:
        if page.parent not in FOLLOWED_ELSEWHERE:
            for block in blocks_of(page):
                parts = block.text.split("\n\n") if block.language in ("", "sh") else []
                for part in parts:
                    if re.match(r"\s*(keepwell|source|pip|[A-Z_]+=)", part):
                        yield from ((str(block), tuple(words)) for words in commands_of(part) if words[0] == "keepwell")


def is_run(words: tuple[str, ...]) -> bool:
    return not any(part in " ".join(words) for part in NOT_RUN)


@pytest.fixture
def reader(tmp_path: Path) -> Path:
    """A folder with what the pages speak of: a shop under its names, what has happened, who is gone; a gym and a bank apart."""
    shop = tmp_path / "shop"
    simulate(shop, customers=400, months=18, seed=5, until=date(2026, 1, 1))
    (shop / "contacts").mkdir()
    (shop / "contacts.parquet").rename(shop / "contacts" / "ours.parquet")
    for name in ("my-shop", "DATA"):
        (tmp_path / name).symlink_to(shop)
    buyers = pl.read_parquet(shop / "transactions.parquet")["customer_id"].unique(maintain_order=True)
    done = {"customer_id": [buyers[3]], "action": ["loyalty_reward"], "step": ["accepted"], "on": ["2026-01-05"]}
    pl.DataFrame(done).write_csv(tmp_path / "done.csv")
    pl.DataFrame({"customer_id": [buyers[4]]}).write_csv(tmp_path / "gone.csv")
    (tmp_path / "apart").mkdir()
    gym(tmp_path / "apart" / "my-gym")
    bank(tmp_path / "apart" / "my-bank", pl.read_parquet(shop / "customers.parquet"))
    return tmp_path


def gym(folder: Path, members: int = 600) -> None:
    """Contracts that began over two years; those of the dearer plan end sooner."""
    folder.mkdir()
    rows = []
    for number in range(members):
        begun, dear = date(2024, 1, 1) + timedelta(days=number % 500), number % 3 == 0
        ended = begun + timedelta(days=60 + number * 37 % (300 if dear else 900))
        told = ended if ended < date(2026, 1, 1) else None
        rows.append((f"M{number:04d}", begun, told, "gold" if dear else "basic", 49.0 if dear else 19.0))
    columns = ["customer_id", "started_at", "ended_at", "plan", "price"]
    pl.DataFrame(rows, columns, orient="row").write_csv(folder / "subscriptions.csv")


def bank(folder: Path, customers: pl.DataFrame) -> None:
    """The shop's customers as a flat table: those who cost most to serve have left."""
    folder.mkdir()
    customers.select("customer_id", "kind", "city", "service_cost").write_csv(folder / "customers.csv")
    left = (customers["service_cost"].rank("ordinal") + customers["customer_id"].hash(seed=0) % 400) > 700
    customers.select("customer_id", as_of=pl.lit("2026-01-01"), churned=left).write_csv(folder / "labels.csv")


@pytest.mark.slow
def test_the_commands_of_the_docs_run(reader: Path) -> None:
    password, seen, failed = "a long enough password\n" * 2, set(), []
    for place, words in written():
        apart = any(word in ("my-gym", "my-bank") for word in words)
        kind = (words[1], apart and words[2], *(word for word in words if word.startswith("--")))
        if kind in seen or not is_run(words):
            continue
        seen.add(kind)
        with chdir(reader / "apart" if apart else reader):
            asked = [*words[1:], *QUICKLY.get(words[1], ())]
            done = CliRunner().invoke(main, asked, env={"KEEPWELL_HOME": None}, input=password)
        if done.exit_code not in MAY_END_WITH.get(words[1], (0,)):
            failed.append(f"{place}: {shlex.join(words)}\n{done.output}")
    assert not failed, "\n".join(failed)
    assert len(seen) > 20


def test_every_reason_not_to_run_a_command_is_of_one_that_is_written() -> None:
    commands = [" ".join(words) for _, words in written()]
    assert [part for part in NOT_RUN if not any(part in command for command in commands)] == []


@pytest.mark.parametrize("command", main.commands)
def test_a_page_beside_the_reference_tells_of_every_command(command: str) -> None:
    told = "".join(page.read_text() for page in PAGES if page.name != "commands.md")
    assert re.search(rf"(keepwell|make) {command}\b", told)
