"""Splits a lesson file into its front matter, its texts and its fenced blocks, with their lines."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from gradstep.lessons.lesson_error import LessonError
from gradstep.loop.literals import unknown

FENCE: Final = "```"
FRONT: Final = "+++"
KINDS: Final = ("task", "predict", "choose")
ID: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST_ID: Final = 40
LINK: Final = re.compile(r"\]\(|<https?:|!\[")
LINE_OF_TOML: Final = re.compile(r"\(at line (\d+), column \d+\)")


@dataclass(frozen=True)
class Toml:
    """A table of a lesson file, and its place in the file."""

    path: Path
    line: int
    """Line of the file above the first line of the table, counted from 1."""

    rows: tuple[str, ...]
    """Lines of the table."""

    values: Mapping[str, Any] = field(default_factory=dict)

    def line_of(self, *words: str) -> int:
        """Return the line on which a word stands first; of several words, the last one that is found."""
        at = 0
        for word in words:
            found = (at + row for row, text in enumerate(self.rows[at:]) if _has(text, word))
            at = next(found, at)
        return self.line + 1 + at if self.rows else self.line

    def error(self, wrong: str, *words: str) -> LessonError:
        """Return the error that something is wrong at the line on which some words stand."""
        return LessonError(self.path, self.line_of(*words) if words else self.line, wrong)


@dataclass(frozen=True)
class LessonBlock:
    """A fenced block, and the text above it."""

    kind: str
    """One of `KINDS`."""

    name: str
    text: str
    """Paragraphs above the block, each on a line of its own; empty if there are none."""

    text_line: int
    """Line of the first word of the text, counted from 1."""

    toml: Toml


@dataclass(frozen=True)
class Pieces:
    """Everything in a lesson file."""

    front: Toml
    blocks: tuple[LessonBlock, ...]
    ending: str
    """Paragraphs below the last block."""

    ending_line: int


def pieces_of(path: Path, text: str) -> Pieces:
    """Split the text of a lesson file.

    Raises:
        LessonError: A fence or a table is wrong.
    """
    rows = text.split("\n")
    if rows[0].rstrip() != FRONT:
        raise LessonError(path, 1, f"a lesson begins with a line {FRONT}, then its id and title in TOML")
    end = next((row for row, line in enumerate(rows[1:], 1) if line.rstrip() == FRONT), None)
    if end is None:
        raise LessonError(path, 1, f"the front matter has no end: write a second line {FRONT}")
    front = _toml(path, 1, rows[1:end])
    blocks, prose, at = list[LessonBlock](), list[tuple[int, str]](), end + 1
    while at < len(rows):
        if rows[at].startswith(FENCE):
            close = _close(path, rows, at)
            blocks.append(_block(path, rows, at, close, prose, {block.name for block in blocks}))
            prose, at = [], close + 1
        else:
            prose.append((at + 1, rows[at]))
            at += 1
    text_line, ending = _paragraphs(path, prose)
    return Pieces(front, tuple(blocks), ending, text_line)


def _close(path: Path, rows: list[str], at: int) -> int:
    for row in range(at + 1, len(rows)):
        if rows[row].rstrip() == FENCE:
            return row
        if rows[row].startswith(FENCE):
            break
    raise LessonError(path, at + 1, f"this block has no end: write a line {FENCE} below it")


def _block(
    path: Path, rows: list[str], at: int, close: int, prose: list[tuple[int, str]], known: set[str]
) -> LessonBlock:
    kind, _, name = rows[at][len(FENCE) :].strip().partition(" ")
    name = name.strip()
    if kind not in KINDS:
        raise LessonError(path, at + 1, unknown("block", kind, KINDS))
    if not ID.fullmatch(name) or len(name) > LONGEST_ID:
        wrong = f"a block needs an id of small letters, digits and dashes: {FENCE}{kind} first-step"
        raise LessonError(path, at + 1, wrong)
    if name in known:
        raise LessonError(path, at + 1, f"the id {name} is used twice: give each block its own")
    line, text = _paragraphs(path, prose)
    return LessonBlock(kind, name, text, line, _toml(path, at + 1, rows[at + 1 : close]))


def _paragraphs(path: Path, prose: list[tuple[int, str]]) -> tuple[int, str]:
    """Return the line of the first word, and each paragraph on a line of its own."""
    made, line = [list[str]()], 0
    for number, row in prose:
        if LINK.search(row):
            raise LessonError(path, number, "a text has no links: write the address itself, as text")
        if row.strip():
            line = line or number
            made[-1].append(row.strip())
        elif made[-1]:
            made.append([])
    return line or 1, "\n".join(" ".join(words) for words in made if words)


def _toml(path: Path, line: int, rows: list[str]) -> Toml:
    try:
        return Toml(path, line, tuple(rows), tomllib.loads("\n".join(rows)))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        message = str(error) or "it is nested too deeply"
        found = LINE_OF_TOML.search(message)
        at = min(int(found[1]), max(len(rows), 1)) if found else 1
        words = LINE_OF_TOML.sub("", message).strip().rstrip(".")
        raise LessonError(path, line + at, f"this is not valid TOML: {words}") from error


def texts_in(value: object) -> Iterator[str]:
    """Yield every text of a TOML value."""
    match value:
        case str():
            yield value
        case dict():
            for part in value.values():
                yield from texts_in(part)
        case list():
            for part in value:
                yield from texts_in(part)


def _has(row: str, word: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", row) is not None
