"""Reasons for which an action is refused, as facts; importing this module does not import torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """Reason for which an action makes no sense in the present state; the value is a stable id."""

    IN_PASS = "in pass"
    """A backward pass is under way, and the action would break it."""

    NO_PASS = "no pass"
    """No backward pass is under way, so there is no step to go back."""

    PASS_OVER = "pass over"
    """Another statement has run since the backward pass, so the pass cannot be stepped back."""

    PASS_FINISHED = "pass finished"
    """Every node of the backward pass has run, and the pass freed its graph."""

    ALL_COMMENTED_OUT = "all commented out"
    """No statement of the loop is enabled."""

    DIVERGED = "diverged"
    """The loss of the epoch under way is inf or nan; `Refusal.loss` holds it."""

    FIRST_LINE = "first line"
    """The statement cannot move up: it is the first of the loop."""

    LAST_LINE = "last line"
    """The statement cannot move down: it is the last of the loop."""

    FORWARD_STAYS_INSIDE = "forward stays inside"
    """The forward statement needs the index that the inner loop defines, so it cannot leave that loop."""

    HIGHEST_RATE = "highest rate"
    """`RaiseLearningRate` goes no higher."""

    LOWEST_RATE = "lowest rate"
    """`LowerLearningRate` goes no lower."""

    NOTHING_TO_UNDO = "nothing to undo"
    NOTHING_TO_REDO = "nothing to redo"

    NO_LOSS = "no loss"
    """No forward pass has run, so there is no loss to differentiate."""

    NO_GRADIENT = "no gradient"
    """A parameter's `.grad` is None."""

    GRAPH_FREED = "graph freed"
    """The last backward pass freed the graph."""

    NO_SCRIPT = "no script"
    """The session has no file that could be read again."""

    SCRIPTS_OWN = "script's own"
    """The script's own statements do what the action would set."""

    NO_OUTER_LOOP = "no outer loop"
    """The loop that is stepped stands in no other loop."""

    LOOP_OVER = "loop over"
    """The script's loop has run to its end, or was left."""

    NO_SUCH_STATEMENT = "no such statement"
    """The script's loop has no statement that does what the action would run."""

    OWN_LOOP = "own loop"
    """The action needs data, a model and a loss function, which a script's own loop keeps to itself."""

    NOTHING_TO_ASK = "nothing to ask"
    """What comes next gives no number of which a wrong answer could be told from a right one."""

    NOT_REPEATABLE = "not repeatable"
    """The learner's code does not come to the same numbers again, so nothing can be tried and taken back."""

    HANDS_ON = "hands on"
    """The statement hands control to other code by `yield` or `await`, which cannot be taken back."""

    READ_ONLY = "read only"
    """The passes were recorded in another program: they can be looked at, and nothing can be changed."""

    START_OF_RECORDING = "start of recording"
    """Nothing was recorded before this point."""

    END_OF_RECORDING = "end of recording"
    """Nothing was recorded after this point."""


SENTENCES: Final = {
    Reason.IN_PASS: "a backward pass is under way: finish it, or go back to its start",
    Reason.NO_PASS: "no backward pass is under way",
    Reason.PASS_OVER: "the pass is over: undo what has run since, then step back",
    Reason.PASS_FINISHED: "every node of this pass has run: go on with the loop, or step back",
    Reason.ALL_COMMENTED_OUT: "every line of the loop is commented out",
    Reason.DIVERGED: "the loss of this epoch is {loss}, and backward would spread it: undo the epoch",
    Reason.FIRST_LINE: "this line is already the first of the loop",
    Reason.LAST_LINE: "this line is already the last of the loop",
    Reason.FORWARD_STAYS_INSIDE: "forward uses the samples that the for line picks: it stays inside the "
    "inner loop",
    Reason.HIGHEST_RATE: "the learning rate cannot be raised further in steps; set a value instead",
    Reason.LOWEST_RATE: "the learning rate cannot be lowered further in steps; set a value instead",
    Reason.NOTHING_TO_UNDO: "there is nothing to undo",
    Reason.NOTHING_TO_REDO: "there is nothing to redo",
    Reason.NO_LOSS: "there is no loss to differentiate yet: run forward first",
    Reason.NO_GRADIENT: "there is no gradient yet: .grad is None until the first backward pass",
    Reason.GRAPH_FREED: "the last backward pass freed this graph: run forward to build a new one",
    Reason.NO_SCRIPT: "there is no file to read again: this session has no script",
    Reason.SCRIPTS_OWN: "the script's own statements do this: edit the script, then read it again",
    Reason.LOOP_OVER: "the script's loop is over: undo, or reset to begin anew",
    Reason.NO_SUCH_STATEMENT: "no statement of the script's loop does this",
    Reason.OWN_LOOP: "this needs data, a model and a loss function that are known by name, and here the "
    "script's own loop uses them",
    Reason.NO_OUTER_LOOP: "the loop that is stepped stands in no other loop: run single rounds of it",
    Reason.NOTHING_TO_ASK: "there is nothing to ask about what comes next: run it, then ask again",
    Reason.NOT_REPEATABLE: "the code does not come to the same numbers again, so its next numbers cannot be "
    "known before it runs",
    Reason.HANDS_ON: "the next line hands control to other code by yield or await, so its numbers cannot be "
    "known before it runs",
    Reason.READ_ONLY: "this was recorded in a program: it can be stepped through, but nothing can be trained "
    "or changed",
    Reason.START_OF_RECORDING: "this is the start of the recording",
    Reason.END_OF_RECORDING: "this is the end of the recording",
}
"""A sentence for each reason, for scripts that print it; it names no key, command or option."""

PYTORCH_REFUSES: Final = frozenset({Reason.NO_LOSS, Reason.NO_GRADIENT, Reason.GRAPH_FREED})
"""Reasons for which PyTorch itself refuses: the action may be tried, and PyTorch then raises its error."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one action is refused."""

    reason: Reason
    loss: float | None = field(default=None, compare=False)
    """Loss that diverged, for `Reason.DIVERGED`; else None. It is not compared: nan differs from itself."""

    def __str__(self) -> str:
        """Return the reason as a sentence without keys, commands or options."""
        return SENTENCES[self.reason].format(loss=self.loss)
