"""Refusals of the engine as sentences for the bench, with the keys that help."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from gradstep.errors import EngineError, Refused, Stopped
from gradstep.reasons import Reason, Refusal
from gradstep.training.pytorch_errors import PyTorchError
from gradstep_tui.key import Key
from gradstep_tui.keys import SIGNS
from gradstep_tui.text.remarks import NOTHING, Remark, Sense, hint

if TYPE_CHECKING:
    from gradstep.frame import Frame
    from gradstep.loop.loop import StatementKey

SENTENCES: Final[Mapping[Reason, str]] = {
    Reason.IN_PASS: "a backward pass is under way: finish it ({backward}) or go back to its start "
    "({step_node_back})",
    Reason.NO_PASS: "no backward pass is under way: {step_node} starts one",
    Reason.PASS_OVER: "the pass is over: undo what has run since ({undo}), then step back",
    Reason.PASS_FINISHED: "every node of this pass has run: {next_line} goes on, {step_node_back} goes "
    "back a node",
    Reason.ALL_COMMENTED_OUT: "every line of the loop is commented out",
    Reason.DIVERGED: "this epoch's loss is {loss}, which backward would spread: undo the epoch ({undo})",
    Reason.FIRST_LINE: "this line is already the first of the loop",
    Reason.LAST_LINE: "this line is already the last of the loop",
    Reason.FORWARD_STAYS_INSIDE: "forward uses the samples that the for line picks: it stays inside the "
    "inner loop",
    Reason.HIGHEST_RATE: "the keys raise the learning rate no further: type a value ({type_rate})",
    Reason.LOWEST_RATE: "the keys lower the learning rate no further: type a value ({type_rate})",
    Reason.NOTHING_TO_UNDO: "there is nothing to undo",
    Reason.NOTHING_TO_REDO: "there is nothing to redo",
    Reason.NO_LOSS: "there is no loss to differentiate yet: run forward first ({forward})",
    Reason.NO_GRADIENT: "there is no gradient yet: .grad is None until the first backward pass ({backward})",
    Reason.GRAPH_FREED: "the last backward pass freed this graph: run forward for a new one ({forward})",
    Reason.NO_SCRIPT: "there is nothing to reload: this session has no script",
    Reason.SCRIPTS_OWN: "the script's own statements do this: edit the script, then read it again ({reload})",
    Reason.LOOP_OVER: "the script's loop is over: {undo} takes the last action back, {reset} begins anew",
    Reason.NO_SUCH_STATEMENT: "no statement of the script's loop does this",
    Reason.OWN_LOOP: "this needs data, a model and a loss function that are known by name: the script's own "
    "loop keeps them to itself",
    Reason.NO_OUTER_LOOP: "{outer} is for a loop over batches inside a loop over epochs: it runs a whole "
    "epoch. This is a single loop: {epoch} runs it once, {run} many times",
    Reason.NOTHING_TO_ASK: "there is nothing to ask about what comes next: run it ({next_line}), and ask "
    "then",
    Reason.NOT_REPEATABLE: "the code does not come to the same numbers again, so what comes next cannot be "
    "known before it runs",
    Reason.HANDS_ON: "the next line hands control to other code by yield or await, so nobody can know "
    "what it gives before it runs: run it ({next_line})",
    Reason.READ_ONLY: "this was recorded in a program and can only be looked at: "
    "{step_node} and {step_node_back} step through it, {timeline} lists it",
    Reason.START_OF_RECORDING: "this is the start of the recording",
    Reason.END_OF_RECORDING: "this is the end of the recording: {step_node_back} goes back",
}
"""Sentence for each reason; a name in braces is a key's id, and `loss` the loss that diverged."""

GRAVE: Final[Mapping[Reason, Sense]] = {
    Reason.DIVERGED: Sense.WARNING,
    Reason.NO_LOSS: Sense.ERROR,
    Reason.NO_GRADIENT: Sense.ERROR,
    Reason.GRAPH_FREED: Sense.ERROR,
}
"""Sense of the refusals that say more than what to press instead; every other one is a hint."""

NO_CURSOR: Final = "choose a line of the loop first: {cursor_up} or {cursor_down}"
"""Sentence for a key that edits the line under the cursor while there is no cursor."""


def refusal_text(refusal: Refusal) -> str:
    """Return the sentence for a refusal."""
    return SENTENCES[refusal.reason].format(**SIGNS, loss=refusal.loss)


def refusal_remark(refusal: Refusal, sentences: Callable[[Refusal], str] = refusal_text) -> Remark:
    """Return what is to be said of a refusal, in one of `sentences`."""
    return Remark(GRAVE.get(refusal.reason, Sense.HINT), sentences(refusal))


def key_refusal(key: Key, frame: Frame, cursor: StatementKey | None) -> Remark:
    """Return why a key cannot work now; `NOTHING` if it can.

    Args:
        key: The key.
        frame: Frame of the session on screen.
        cursor: Statement under the cursor; None if there is no cursor.
    """
    if key.lacks_cursor(cursor):
        in_pass = refusal_remark(Refusal(Reason.IN_PASS))  # in which no cursor would help
        return in_pass if frame.in_pass else hint(NO_CURSOR.format(**SIGNS))
    refusal = key.refusal(frame, cursor)
    return NOTHING if refusal is None else refusal_remark(refusal)


def raised_by_text(error: PyTorchError) -> str:
    """Return who raised an error: the learner's own code, PyTorch, or Python itself."""
    if error.is_of_script:
        return "Your code raised an error"
    return "PyTorch refused" if error.is_pytorchs else "Python raised an error"


def place_text(error: PyTorchError) -> str:
    """Return the line of the learner's file at which an error was raised; empty if it was in no file."""
    place = error.place
    return "" if place is None else f"{place}: {place.text}" if place.text else str(place)


def raised_text(error: PyTorchError) -> str:
    """Return what an exception means, and then the exception's own words."""
    place = "" if error.place is None else f" ({error.place})"
    return f"{error.lesson or f'{raised_by_text(error)}.'} {error.summary}{place}"


def error_remark(error: EngineError) -> Remark:
    """Return what is to be said of an error of the engine."""
    match error:
        case Refused():
            return refusal_remark(error.refusal)
        case Stopped():
            return hint(str(error))
        case PyTorchError():
            return Remark(Sense.ERROR, raised_text(error))
        case _:
            return Remark(Sense.ERROR, " ".join(str(error).split()))
