"""The words of a lesson file for actions and views: a start, a solution, what `did` and `opened` name.

A word is a command of a conversation without a screen; only the words below are commands of a lesson.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, TypeAlias

from gradstep.actions import (
    Action,
    Backward,
    Forward,
    MoveStatement,
    NextLine,
    RunEpochs,
    SetBatches,
    SetLearningRate,
    SetOptimizer,
    StepNode,
    StepNodeBack,
    StepTo,
    ToggleSetToNone,
    ToggleStatement,
    Undo,
    Update,
    Zero,
    checked_kind,
    epochs_from,
    learning_rate_from,
)
from gradstep.errors import BadInput
from gradstep.loop.batches import batches_from
from gradstep.loop.literals import unknown
from gradstep.loop.loop import StatementKey
from gradstep.loop.optimizers import HAND, optimizer_from
from gradstep.loop.run_actions import RunAction

VIEWS: Final = (
    *("ledger", "numbers", "step", "samples", "graph", "pictures"),
    *("timeline", "twin", "check", "verdict"),
)
"""Views that a learner may open: a dialog, or an answer without a screen."""


class View(NamedTuple):
    """A view to open, with what it is asked to show."""

    name: str
    """One of `VIEWS`."""

    of: str = ""


LessonCommand: TypeAlias = Action | View


def statement_key(word: str) -> StatementKey:
    """Return the key of a line of the loop: by what it does, or by its number in a script's loop, from 1.

    Raises:
        BadInput: No line is called so.
    """
    if word.isascii() and word.isdigit() and 0 < int(word[:4]) == int(word):
        return int(word) - 1
    return checked_kind(word)  # type: ignore[arg-type] # to be checked


def _event(word: str) -> Action:
    if not word:
        return StepNode()
    if not (word.isascii() and word.isdigit() and 0 < int(word[:6]) == int(word)):
        raise BadInput(f"{word[:40]!r} is not the number of an event of the pass: use a whole number from 1")
    return StepTo(int(word))


BARE: Final[Mapping[str, Callable[[], Action]]] = {
    "next": NextLine,
    "forward": Forward,
    "backward": Backward,
    "update": Update,
    "zero": Zero,
    "epoch": lambda: RunEpochs(1),
    "back": StepNodeBack,
    "none": ToggleSetToNone,
    "undo": Undo,
}
"""Words without a value."""

TAKING: Final[Mapping[str, Callable[[str], Action]]] = {
    "node": _event,
    "run": lambda word: RunEpochs(epochs_from(word)),
    "comment": lambda word: ToggleStatement(statement_key(word)),
    "up": lambda word: MoveStatement(statement_key(word), -1),
    "down": lambda word: MoveStatement(statement_key(word), 1),
    "rate": lambda word: SetLearningRate(learning_rate_from(word)),
    "optimizer": lambda word: SetOptimizer(optimizer_from(word) if word else HAND),
    "batches": lambda word: SetBatches(batches_from(word or "full")),
}
"""Words that take a value: the number of an event, of epochs, a line of the loop, and so on."""

WORDS: Final = (*BARE, *TAKING)
"""All words for actions."""


def command_from(text: str) -> LessonCommand:
    """Return the action or the view that a line of a start or of a solution names.

    Raises:
        BadInput: It names none, or its value cannot be used.
    """
    word, _, value = " ".join(text.split()).partition(" ")
    if word in VIEWS:
        return View(word, value)
    if word in BARE:
        if value:
            raise BadInput(f"{word} takes no value: write {word} alone")
        return BARE[word]()
    if word in TAKING:
        return TAKING[word](value)
    raise BadInput(unknown("command of a lesson", word, (*WORDS, *VIEWS)))


def run_from(text: str) -> RunAction:
    """Return the action that a line names, which has to run something: a line of the loop, nodes or epochs.

    Raises:
        BadInput: It names something else or nothing, or its value cannot be used.
    """
    command = command_from(text)
    if not isinstance(command, RunAction):
        can = "next, forward, backward, update, zero, node, epoch or run"
        raise BadInput(f"{text[:40]!r} runs nothing: name {can}")
    return command
