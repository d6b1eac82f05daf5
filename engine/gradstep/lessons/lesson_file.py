"""A lesson as it stands in its file: one Markdown file with TOML front matter and fenced TOML blocks.

Nothing in a lesson is code: what it says is a text, a name of a known thing, or a value.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from gradstep import problems
from gradstep.errors import BadInput
from gradstep.lessons.conditions import check_condition
from gradstep.lessons.lesson_blocks import ID, LONGEST_ID, LessonBlock, Pieces, Toml, pieces_of, texts_in
from gradstep.lessons.lesson_commands import View, command_from, run_from
from gradstep.lessons.lesson_error import LessonError
from gradstep.lessons.lesson_parts import KINDS, Choose, Front, LessonFile, LessonStep, Predict, Task
from gradstep.loop.literals import unknown
from gradstep.predictions.judging import Slip

FORMAT: Final = 1
LARGEST_FILE: Final = 100_000
"""Bytes that a lesson file may have."""

MOST_STEPS: Final = 20
MOST_COMMANDS: Final = 30
RUNGS: Final = 3
"""Hints that each step has: where to look, the principle, a worked step on other numbers."""


def read_lesson(path: Path) -> LessonFile:
    """Read a lesson file.

    Raises:
        LessonError: It cannot be read, or something in it is wrong; the message names the line.
    """
    return lesson_from(_text_of(path), path)


def lesson_from(text: str, path: Path) -> LessonFile:
    """Return the lesson that a text is.

    Raises:
        LessonError: Something in it is wrong; the message names the line.
    """
    _check_characters(text, path)
    pieces = pieces_of(path, text)
    front = _front(pieces)
    if not pieces.blocks:
        raise LessonError(
            path, pieces.front.line, "a lesson needs at least one block: task, predict or choose"
        )
    if len(pieces.blocks) > MOST_STEPS:
        raise pieces.blocks[MOST_STEPS].toml.error(
            f"a lesson has at most {MOST_STEPS} steps: begin another one"
        )
    steps = tuple(_step(block) for block in pieces.blocks)
    return LessonFile(path, front, pieces.front, steps, pieces.ending, pieces.ending_line)


def _text_of(path: Path) -> str:
    try:
        if path.is_symlink():
            raise LessonError(path, 1, "this is a link: name the file itself")
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise LessonError(path, 1, "this is no file: a lesson is one Markdown file")
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise LessonError(path, 1, f"this file cannot be read: {error.strerror}") from error
    if len(content) > LARGEST_FILE:
        raise LessonError(path, 1, f"this file is too large: a lesson has at most {LARGEST_FILE:,} bytes")
    try:
        return content.decode().removeprefix("\N{BYTE ORDER MARK}").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise LessonError(path, line, "this is not UTF-8: save the file in that encoding") from error


UNSHOWN: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
"""Categories of characters that a terminal does not show, or obeys."""


def _check_characters(text: str, path: Path) -> None:
    for number, row in enumerate(text.split("\n"), 1):
        if (name := _unshown(row.replace("\t", " "))) is not None:
            raise LessonError(path, number, f"there is a control character, {name}: take it out")


def _unshown(text: str) -> str | None:
    """Return the number of the first character that a terminal would not show; None if there is none."""
    found = (character for character in text if unicodedata.category(character) in UNSHOWN)
    return next((f"U+{ord(character):04X}" for character in found), None)


def _front(pieces: Pieces) -> Front:
    toml = pieces.front
    front = _decoded(toml, Front)
    if not ID.fullmatch(front.id) or len(front.id) > LONGEST_ID:
        raise toml.error(f"the id {front.id[:60]!r} may only have small letters, digits and dashes", "id")
    if not front.title.strip():
        raise toml.error("the title is empty: give the lesson a title", "title")
    if front.problem not in problems.all_names():
        raise toml.error(unknown("problem", front.problem, problems.all_names()), "problem")
    _check_commands(toml, "start", front.start, needs=False)
    return front


def _step(block: LessonBlock) -> LessonStep:
    part, toml = _decoded(block.toml, KINDS[block.kind]), block.toml
    if not part.ask.strip():
        raise toml.error("ask is empty: say what the learner is asked", "ask")
    hints = [hint for hint in part.hints if hint.strip()]
    if len(hints) != RUNGS or len(part.hints) != RUNGS:
        rungs = "where to look, the principle, and a worked step on other numbers"
        raise toml.error(f"a step has {RUNGS} hints, and this one has {len(hints)}: {rungs}", "hints")
    match part:
        case Task():
            _check_task(toml, part)
        case Predict():
            _check_commands(toml, "after", part.after, needs=True)
            for text in part.after:
                _checked(toml, "after", partial(run_from, text))
        case Choose():
            _check_choose(toml, part)
    return LessonStep(block.name, block.text, part, toml, block.text_line)


def _check_task(toml: Toml, task: Task) -> None:
    _checked(toml, "done", partial(check_condition, task.done))
    _check_commands(toml, "solution", task.solution, needs=True)


def _check_choose(toml: Toml, choose: Choose) -> None:
    answers = choose.answers
    if not 2 <= len(answers) <= 5 or len({*answers}) != len(answers):
        raise toml.error("a choice has two to five answers, each once", "answers")
    if choose.right not in answers:
        raise toml.error(f"right is {choose.right!r}, which is none of the answers", "right")
    wrong = [answer for answer in answers if answer != choose.right]
    for answer in wrong:
        if not choose.because.get(answer, "").strip():
            raise toml.error(f"because says nothing about the wrong answer {answer!r}", "because")
    for answer in choose.because:
        if answer not in wrong:
            raise toml.error(f"because has {answer!r}, which is no wrong answer", "because", answer)


def _check_commands(toml: Toml, name: str, commands: tuple[str, ...], *, needs: bool) -> None:
    if needs and not commands:
        raise toml.error(f"{name} is empty: write at least one command", name)
    if len(commands) > MOST_COMMANDS:
        raise toml.error(f"{name} has {len(commands)} commands: at most {MOST_COMMANDS} are possible", name)
    for text in commands:
        command = _checked(toml, name, partial(command_from, text))
        if isinstance(command, View) and name == "start":
            raise toml.error(f"{name} has {text!r}, which only shows something: name an action", name)


T = TypeVar("T")


def _checked(toml: Toml, name: str, check: Callable[[], T]) -> T:
    """Return what a function returns; what it finds wrong is wrong at the line of a field."""
    try:
        return check()
    except BadInput as wrong:
        raise toml.error(f"{name}: {str(wrong).rstrip('.')}", name) from wrong


def _decoded(toml: Toml, kind: type[T]) -> T:
    """Return a table as a struct; an unknown or missing field, or a value of a wrong type, is an error."""
    for text in texts_in(dict(toml.values)):
        if (name := _unshown(text)) is not None:
            wrong = f"a text has a line break or a control character, {name}: take it out"
            raise toml.error(wrong, text.partition("\n")[0].strip() or "")
    try:
        return msgspec.convert(toml.values, kind, str_keys=True)
    except (msgspec.ValidationError, RecursionError) as error:
        message = str(error) or "it is nested too deeply"
        raise toml.error(_worded(message, kind), *_places(message)) from error


TYPES: Final = {
    **{"str": "a text", "float": "a number", "int": "a whole number", "bool": "true or false"},
    **{"array": "a list", "object": "a table", "null": "nothing"},
}
"""Words for the types of TOML's values in messages."""


def _worded(message: str, kind: type[Any]) -> str:
    words, _, where = message.partition(" - at ")
    if words.startswith("Object contains unknown field"):
        name = words.split("`")[1]
        if where.strip("`$") in ("", "key"):
            return unknown("field", name, [field.name for field in msgspec.structs.fields(kind)]).rstrip(".")
        return f"there is no field {name} here"
    if "enum value" in words and kind is Front:
        known = "format is 1" if "format" in where else "ladder is compute, accumulate, move or trap"
        return f"{words.split(' value ')[-1]} is not possible: {known}"
    if words.startswith("Object missing required field"):
        return f"the field {words.split('`')[1]} is missing"
    if "enum value" in words:
        known = ", ".join(slip for slip in Slip)
        return f"{words.split(' value ')[-1]} is no known slip. The slips are: {known}"
    at = where.strip("`").removeprefix("$").lstrip(".")
    for name, word in TYPES.items():
        words = words.replace(f"`{name}`", word)
    return f"{at or 'a value'} is wrong: {words[:1].lower()}{words[1:]}"


def _places(message: str) -> tuple[str, ...]:
    words, _, where = message.partition(" - at ")
    names = [
        name.split("[")[0] for name in where.strip("`").removeprefix("$").split(".") if name and name != "$"
    ]
    if "unknown field" in words:
        names.append(words.split("`")[1])
    if "enum value" in words:
        names.append(words.split("'")[1] if "'" in words else "slips")
    return tuple(name for name in names if name)
