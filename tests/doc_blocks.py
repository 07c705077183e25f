"""The code blocks of the docs, and the commands in those that a shell runs."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))

FENCE = re.compile(r"^(?P<indent> *)(?P<fence>```+)(?P<language>[^`]*)$")
ITEM = re.compile(r"^ {0,3}([-*+]|\d+[.)]) ")
ASSIGNED = re.compile(r"^[A-Za-z_]\w*=")
LEADING = {"if", "then", "else", "do", "while", "until", "!", "{", "exec", "time"}
"""Words of the shell after which a command begins."""


@dataclass(frozen=True)
class Block:
    """A code block; `language` is "" where it is indented instead of fenced."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    """All code blocks of a page, in order."""
    name, found, lines = page.relative_to(ROOT).as_posix(), [], page.read_text().splitlines()
    at, in_list = 0, False
    while at < len(lines):
        line, begin = lines[at], at
        if fence := FENCE.match(line):
            at = next(end for end in range(at + 1, len(lines)) if lines[end].strip() == fence["fence"])
            found.append(Block(name, begin + 1, fence["language"].strip(), cut(lines[begin + 1 : at], len(fence["indent"]))))
        elif line.startswith(indent := "    " * (1 + in_list)) and not lines[at - 1].strip():
            at = end_of_indented(lines, at, indent)
            found.append(Block(name, begin + 1, "", cut(lines[begin : at + 1], len(indent))))
        elif line.strip() and not line.startswith(" "):
            in_list = bool(ITEM.match(line))
        at += 1
    return found


def end_of_indented(lines: list[str], at: int, indent: str) -> int:
    """The last line of the indented block that begins at `at`; blank lines inside belong to it."""
    last = at
    while at < len(lines) and (lines[at].startswith(indent) or not lines[at].strip()):
        last = at if lines[at].strip() else last
        at += 1
    return last


def cut(lines: list[str], indent: int) -> str:
    return "".join(f"{line[indent:]}\n" for line in lines)


def commands_of(script: str) -> list[list[str]]:
    """The words of each simple command of a script: assignments before it and words such as `then` are taken off.

    >>> commands_of("cd shop && keepwell train data \\\\\\n  --horizon 90d   # it's long\\nx=1 make test > log")
    [['cd', 'shop'], ['keepwell', 'train', 'data', '--horizon', '90d'], ['make', 'test']]
    """
    script = re.sub(r"\$\([^()]*\)", "$made", without_comments(script.replace("\\\n", " ")))
    words = shlex.shlex(script, posix=True, punctuation_chars="();<>|&\n")
    words.commenters, words.whitespace, words.whitespace_split = "", " \t\r", True
    commands: list[list[str]] = [[]]
    target_follows = False
    for word in words:
        if set(word) <= set("();<>|&\n"):
            target_follows = word[-1] in "<>"
            commands += [] if target_follows else [[]]
        elif not target_follows:
            commands[-1].append(word)
        else:
            target_follows = False
    return [stripped for command in commands if (stripped := without_prefix(command))]


def without_prefix(command: list[str]) -> list[str]:
    while command and (command[0] in LEADING or ASSIGNED.match(command[0])):
        command = command[1:]
    return command


def without_comments(script: str) -> str:
    """The script without comments: a # at the beginning of a word outside of quotes, up to the end of the line."""
    kept, quote, commented = [], "", False
    for before, sign in zip("\n" + script, script, strict=False):
        commented = (commented and sign != "\n") or (sign == "#" and not quote and before.isspace())
        if not commented:
            kept.append(sign)
            quote = ("" if quote == sign else quote or sign) if sign in "'\"" and quote in ("", sign) else quote
    return "".join(kept)


def curls(block: Block) -> list[list[str]]:
    """The calls by curl in a block for a shell."""
    if block.language not in ("", "sh"):
        return []
    calls = re.findall(r"^curl .*(?:\n(?!\n|curl |keepwell ).*)*", block.text, re.MULTILINE)
    return [words for call in calls for words in commands_of(call) if words[0] == "curl"]


def url_of(call: list[str]) -> str:
    """The URL that a call by curl asks."""
    return next(word for word in call[1:] if re.search(r"://|:\d+/", word))


def path_of(call: list[str]) -> str:
    """The path of it, as `/v1/scores`."""
    return re.sub(r"^(?:https?://)?[^/]+|\?.*$", "", url_of(call))
