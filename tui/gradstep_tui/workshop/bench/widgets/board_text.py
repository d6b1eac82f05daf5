"""The board's words for the identifiers and numbers that the server sends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gradstep_tui.text.frames import action_text
from gradstep_tui.text.tensors.numbers import cell
from gradstep_tui.workshop.wire.facts import Phase, PhaseKind, PyTorchRefusal
from gradstep_tui.workshop.wire.messages import Row
from gradstep_tui.workshop.wire.milestones import Milestone

MILESTONES: Final[Mapping[str, str]] = {
    Milestone.NODES: "single nodes",
    Milestone.ACCUMULATION: "accumulation",
    Milestone.NO_ZEROING: "zeroing off",
    Milestone.DIVERGENCE: "divergence",
}
"""Name of each milestone."""


def phase_text(phase: Phase) -> str:
    """Return a phrase for the step that comes next, e.g. `next: update` or `in backward 2/11`."""
    match phase.kind:
        case PhaseKind.IN_BACKWARD:
            return f"in backward {phase.number}/{phase.total}"
        case PhaseKind.END:
            return "no next line"
        case PhaseKind.STATEMENT:
            return f"next: {_statement_text(phase)}"


def next_text(phase: Phase) -> str:
    """Return a shorter phrase for the column whose title is `next`, e.g. `update` or `node 2/11`."""
    match phase.kind:
        case PhaseKind.IN_BACKWARD:
            return f"node {phase.number}/{phase.total}"
        case PhaseKind.END:
            return "no next line"
        case PhaseKind.STATEMENT:
            return _statement_text(phase)


def done_text(row: Row) -> str:
    """Return the name of a learner's last action, or of the one that is running."""
    text = action_text(row.action)
    return f"now {text}" if row.running else text


def refusal_text(refusal: PyTorchRefusal) -> str:
    """Return PyTorch's error in its own words."""
    return f"{refusal.kind}: {refusal.words}" if refusal.words else refusal.kind


def last_text(row: Row) -> str:
    """Return the learner's last action, or the error with which PyTorch refused it."""
    refusal = row.facts.refusal
    return done_text(row) if refusal is None else f"refused: {refusal_text(refusal)}"


def loss_text(row: Row) -> str:
    """Return the last loss; an empty text if there is none yet."""
    loss = row.facts.loss
    return "" if loss is None else loss if isinstance(loss, str) else cell(loss)


def epoch_text(epoch: int) -> str:
    """Return a number of epochs in at most seven characters."""
    return f"{epoch:,}" if epoch < 1_000_000 else f"{epoch / 1e6:.1f}M" if epoch < 1e9 else "a lot"


def idle_text(seconds: float) -> str:
    """Return a time without an action, rounded so coarsely that rows are seldom redrawn for it."""
    if seconds < 10:
        return "now"
    if seconds < 60:
        return f"{int(seconds) // 10 * 10} s"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min"
    return f"{seconds // 3600:.0f} h" if seconds < 48 * 3600 else f"{seconds // 86400:.0f} d"


def waiting_text(row: Row, now: float) -> str:
    """Return how long a learner has done nothing; `away` for a learner who is not logged in."""
    return idle_text(now - row.at) if row.online else "away"


def _statement_text(phase: Phase) -> str:
    if phase.line:
        return f"line {phase.line}"
    return f"{phase.statement} {phase.number}/{phase.total}" if phase.total else str(phase.statement)
