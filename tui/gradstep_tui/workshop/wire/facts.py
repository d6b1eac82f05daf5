"""Facts about a session that the board shows: made in the learner's process, checked by the server."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from gradstep.loop.loop import Kind
from gradstep.loop.script_loop import ROLES, ScriptLoop
from gradstep.training.pytorch_errors import PyTorchError
from gradstep_tui.workshop.wire.milestones import Milestone

if TYPE_CHECKING:
    from gradstep.errors import EngineError
    from gradstep.loop.loop import Loop
    from gradstep.loop.script_loop import ScriptStatement
    from gradstep.training.loss_history import Losses
    from gradstep.training.state import TrainingState

LONGEST: Final = 120
"""Largest number of characters of a text in the facts."""

LARGEST: Final = 10**12
"""Largest number that the board shows."""

CURVE: Final = 24
"""Number of points of a loss curve."""

LEVELS: Final = "01234567"
"""Digits of a loss curve, from the lowest loss to the highest."""


class PhaseKind(StrEnum):
    """Kind of step that comes next in a session."""

    STATEMENT = "statement"
    """A statement of the loop."""

    IN_BACKWARD = "in_backward"
    """The rest of a backward pass that is stepped node by node."""

    END = "end"
    """Nothing: no statement of the loop is enabled."""


class Phase(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The step that comes next in a session."""

    kind: PhaseKind = PhaseKind.STATEMENT
    statement: Kind = Kind.FORWARD
    """The statement that comes next, if `kind` is `STATEMENT`."""

    number: int = 0
    """Part of the samples for the statement, counted from 1; or number of the pass's events that are done."""

    total: int = 0
    """Number of parts, 0 if the statement works on all samples; or number of events of the pass."""

    line: int = 0
    """Line of the script if the statement is one of a script's own loop; 0 for the built-in loop."""


class PyTorchRefusal(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Error with which PyTorch, or Python, refused an action."""

    kind: str
    """Name of the exception's class, e.g. `RuntimeError`."""

    words: str = ""
    """Message of the exception."""


class Facts(Struct, frozen=True, tag=True, tag_field="say", omit_defaults=True, forbid_unknown_fields=True):
    """State of a session as the board shows it. The database stores it in this form."""

    phase: Phase = Phase()
    epoch: int = 0
    loss: float | Literal["nan", "inf", "-inf"] | None = None
    refusal: PyTorchRefusal | None = None
    """Error with which PyTorch refused the last action; None if it did not."""

    curve: str = ""
    """Losses of all epochs, as digits: 0 is the lowest, 7 the highest; a blank stands for no finite loss."""

    seen: tuple[str, ...] = ()
    """Identifiers of the milestones that the learner has reached."""


def facts_of(state: TrainingState, error: EngineError | None, seen: Sequence[str]) -> Facts:
    """Return what the board shows of a session.

    Args:
        state: TrainingState of the session after an action.
        error: Error that ended the action; None if it was complete.
        seen: Identifiers of the milestones that the learner has reached.
    """
    loss = state.loss
    if loss is not None and not math.isfinite(loss):
        shown: float | str | None = "nan" if math.isnan(loss) else "inf" if loss > 0 else "-inf"
    else:
        shown = loss
    return Facts(
        phase=phase_of(state),
        epoch=state.epoch,
        loss=shown,  # type: ignore[arg-type] # one of the three literals
        refusal=None if error is None else refusal_of(error),
        curve=curve_of(state.losses),
        seen=tuple(seen),
    )


def phase_of(state: TrainingState) -> Phase:
    """Return the step that comes next in a session."""
    passing = state.passing
    if passing is not None and not passing.finished:
        return Phase(PhaseKind.IN_BACKWARD, number=passing.cursor, total=len(passing.trace))
    return next_phase(state.loop)


def next_phase(loop: Loop | ScriptLoop) -> Phase:
    """Return the step that comes next in a loop outside a backward pass."""
    if isinstance(loop, ScriptLoop):
        return Phase(PhaseKind.END) if loop.next is None else _script_phase(loop.statement(loop.next))
    step = loop.next_step
    if step is None:
        return Phase(PhaseKind.END)
    statement, part = step
    if not loop.is_inner(statement):
        return Phase(statement=statement)
    return Phase(statement=statement, number=part + 1, total=loop.parts)


def _script_phase(statement: ScriptStatement) -> Phase:
    """Return the phase of a statement of a script: its line, and the built-in statement that it is like."""
    like = next((kind for kind, roles in ROLES.items() if statement.role in roles), Kind.FORWARD)
    return Phase(statement=like, line=statement.line)


def refusal_of(error: EngineError) -> PyTorchRefusal:
    """Return an error in the form in which it is sent, without the engine's explanation."""
    if isinstance(error, PyTorchError):
        return PyTorchRefusal(error.kind, clean(error.own_words))
    return PyTorchRefusal(type(error).__name__, clean(str(error)))


def curve_of(losses: Losses) -> str:
    """Return the losses of all epochs as digits between the lowest and the highest loss."""
    heights = [(low + high) / 2 for low, high in losses.sampled(CURVE)]
    finite = [height for height in heights if math.isfinite(height)]
    if not finite:
        return " " * len(heights)
    low, span = min(finite), max(finite) - min(finite)
    steps = len(LEVELS) - 1
    return "".join(
        LEVELS[round((height - low) / span * steps) if span else 0] if math.isfinite(height) else " "
        for height in heights
    )


def checked(facts: Facts) -> Facts:
    """Return facts that a board can show safely: those of a learner's process may contain anything.

    Fields of types with few values, such as an enum or a bool, are safe already and stay as they are.
    """
    phase, refusal = facts.phase, facts.refusal
    return replace(
        facts,
        phase=replace(
            phase,
            number=_bounded(phase.number),
            total=_bounded(phase.total),
            line=_bounded(phase.line),
        ),
        epoch=_bounded(facts.epoch),
        refusal=None if refusal is None else checked_refusal(refusal),
        curve="".join(level if level in LEVELS else " " for level in facts.curve[:CURVE]),
        seen=tuple(milestone for milestone in Milestone if milestone in facts.seen),
    )


def checked_refusal(refusal: PyTorchRefusal) -> PyTorchRefusal:
    """Return an error whose texts are short and do nothing to a terminal."""
    return replace(refusal, kind=clean(refusal.kind), words=clean(refusal.words))


def clean(text: str, longest: int = LONGEST) -> str:
    """Return a text on one line, cut to `longest` characters and without control characters."""
    words = " ".join(text[: 4 * longest].split())
    return "".join(character for character in words if character.isprintable())[:longest]


def _bounded(number: int) -> int:
    return min(max(number, 0), LARGEST)
