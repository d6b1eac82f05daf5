"""Refusals and notices of the engine as sentences for plain mode, with the commands that help."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from gradstep.errors import EngineError, Exists, Refused
from gradstep.notices import (
    InsideAction,
    Notice,
    OptimizerSet,
    RunDiverged,
    TraceSummarized,
    Unit,
    ZeroingSet,
)
from gradstep.reasons import Reason, Refusal
from gradstep.scripts.script_errors import ScriptError
from gradstep.training.pytorch_errors import PyTorchError
from gradstep_tui.text.frames import NoPass
from gradstep_tui.text.losses.loss_signals import diverged_text
from gradstep_tui.text.notices import optimizer_text, plain_notice_text, zeroing_text
from gradstep_tui.text.refusals import error_remark, place_text, raised_by_text, refusal_remark
from gradstep_tui.text.remarks import failure
from gradstep_tui.text.scripts.obstacles import worded
from gradstep_tui.text.statements import EPOCH

SENTENCES: Final[Mapping[Reason, str]] = {
    Reason.IN_PASS: "a backward pass is under way: backward finishes it, back goes one event back",
    Reason.NO_PASS: "no backward pass is under way: node starts one",
    Reason.PASS_OVER: "the pass is over: undo what has run since, then type back",
    Reason.PASS_FINISHED: "every node of this pass has run: next goes on, back goes back an event",
    Reason.ALL_COMMENTED_OUT: "every line of the loop is commented out: type comment forward to bring that "
    "line back",
    Reason.DIVERGED: "this epoch's loss is {loss}, which backward would spread: undo takes the epoch back",
    Reason.FIRST_LINE: "this line is already the first of the loop",
    Reason.LAST_LINE: "this line is already the last of the loop",
    Reason.FORWARD_STAYS_INSIDE: "forward uses the samples that the for line picks: it stays inside the "
    "inner loop",
    Reason.HIGHEST_RATE: "the learning rate goes no higher in steps: type a value, e.g. lr 1e30",
    Reason.LOWEST_RATE: "the learning rate goes no lower in steps: type a value, e.g. lr 1e-30",
    Reason.NOTHING_TO_UNDO: "there is nothing to undo",
    Reason.NOTHING_TO_REDO: "there is nothing to redo",
    Reason.NO_LOSS: "there is no loss to differentiate yet: type forward first",
    Reason.NO_GRADIENT: "there is no gradient yet: .grad is None until the first backward pass",
    Reason.GRAPH_FREED: "the last backward pass freed this graph: type forward for a new one",
    Reason.NO_SCRIPT: "there is nothing to reload: this session has no script",
    Reason.SCRIPTS_OWN: "the script's own statements do this: edit the script, then type reload",
    Reason.LOOP_OVER: "the script's loop is over: type undo, or reset to begin anew",
    Reason.NO_SUCH_STATEMENT: "no statement of the script's loop does this",
    Reason.OWN_LOOP: "this needs data, a model and a loss function that are known by name: the script's own "
    "loop keeps them to itself",
    Reason.NO_OUTER_LOOP: "outer is for a loop over batches inside a loop over epochs: it runs a whole "
    "epoch. This is a single loop: type epoch to run it once, run N to run it many times",
    Reason.NOTHING_TO_ASK: "there is nothing to ask about what comes next: type next, then predict again",
    Reason.NOT_REPEATABLE: "the code does not come to the same numbers again, so what comes next cannot be "
    "known before it runs",
    Reason.HANDS_ON: "the next line hands control to other code by yield or await, so nobody can know "
    "what it gives before it runs: type next",
    Reason.READ_ONLY: "this was recorded in a program and can only be looked at: "
    "node and back step through it, timeline lists it",
    Reason.START_OF_RECORDING: "this is the start of the recording",
    Reason.END_OF_RECORDING: "this is the end of the recording: back goes back",
}
"""Sentence for each reason; `loss` stands for the loss that diverged."""

NO_PASS: Final = NoPass(
    "Nothing to go back through yet: forward computes the loss and builds autograd's graph.",
    "The graph is ready. node runs one autograd node at a time, backward the whole pass.",
    "node runs the loop to its next backward pass, and the first autograd node of it.",
    "The last pass is gone from the list. Type forward, then node, to look into the next one.",
    "The loop is over. Its last rounds ran in one go, of which no list is kept. undo takes them back.",
)
"""Sentences of plain mode for a frame without a backward pass."""


COMMANDS: Final[Mapping[str, str]] = {
    "lower_rate": "lr-",
    "raise_rate": "lr+",
    "undo": "undo",
    "zeroing": "zeroing",
    "set_to_none": "none",
    "type_rate": "lr",
    "reload": "reload",
}
"""Commands that help, by the ids of the keys that do the same."""


def refusal_text(refusal: Refusal) -> str:
    """Return the sentence for a refusal."""
    return SENTENCES[refusal.reason].format(loss=refusal.loss)


def notice_text(notice: Notice, unit: str = EPOCH) -> str:
    """Return the sentence for a notice; `unit` is the word for an epoch."""
    match notice:
        case RunDiverged():
            return diverged_text(notice, unit, COMMANDS)
        case InsideAction(Unit.EPOCH, number, count):
            return f"redo goes on to the end of this run: here {unit} {number:,} of {count:,} has ended"
        case InsideAction(_, number, count):
            return f"redo goes on to the end of this pass: here is event {number:,} of {count:,}"
        case ZeroingSet():
            return zeroing_text(notice, COMMANDS)
        case OptimizerSet():
            return optimizer_text(notice, COMMANDS)
        case TraceSummarized(tensors, limit):
            return (
                f"start with a larger --trace-limit to keep more: this pass made more than {limit / 1e6:,g} "
                f"MB, so only summaries of {tensors:,} tensors are kept"
            )
        case _:
            return plain_notice_text(notice, unit)


def raised_texts(error: PyTorchError) -> Iterator[str]:
    """Yield the lines that report an error of PyTorch's or of the learner's code, its meaning first."""
    yield str(failure(error.lesson or f"{raised_by_text(error)}."))
    yield error.summary
    yield from filter(None, [place_text(error)])


def error_texts(error: EngineError) -> Iterable[str]:
    """Return the lines that report an error; an error of PyTorch's is followed by its explanation."""
    match error:
        case ScriptError():
            return [*worded(error).lines, "Nothing is lost: the session goes on as before."]
        case PyTorchError():
            return list(raised_texts(error))
        case Refused():
            return [str(refusal_remark(error.refusal, refusal_text))]
        case Exists():
            return [str(failure(f"export --force replaces it: {error}"))]
        case _:
            return [str(error_remark(error))]
