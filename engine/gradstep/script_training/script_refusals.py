"""Checks that find the actions which cannot work on a script's own loop, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gradstep.actions import (
    Action,
    Backward,
    Forward,
    LowerLearningRate,
    MoveStatement,
    NextLine,
    RaiseLearningRate,
    Redo,
    RefusalKey,
    RunEpochs,
    RunOuter,
    SetBatches,
    SetLearningRate,
    SetOptimizer,
    StepNode,
    StepNodeBack,
    StepTo,
    ToggleSetToNone,
    ToggleStatement,
    ToggleZeroing,
    Undo,
    Update,
    Zero,
    refusal_key,
)
from gradstep.loop.loop import Kind
from gradstep.reasons import Reason, Refusal
from gradstep.script_training.script_state import ScriptState
from gradstep.training.apply_action import LINES

RUNS: Final = (Forward, Update, Zero, NextLine, RunEpochs, RunOuter, Backward, StepNode, StepTo)
"""Actions that run statements of the loop."""

OWN: Final = (SetOptimizer, SetBatches, ToggleSetToNone)
"""Actions that change what a script decides by itself."""

RATES: Final = (SetLearningRate, RaiseLearningRate, LowerLearningRate)


def script_refusals(state: ScriptState, position: int, future: int) -> Mapping[RefusalKey, Refusal]:
    """Return a refusal for every action that cannot work now; for arguments see `gradstep.refusals`."""
    found: dict[RefusalKey, Refusal | None] = dict.fromkeys(OWN, Refusal(Reason.SCRIPTS_OWN))
    found |= {action: _runs(state, action) for action in RUNS}
    if not state.loop.optimizer_names:
        found |= dict.fromkeys(RATES, Refusal(Reason.SCRIPTS_OWN))
    elif state.in_pass:
        found |= dict.fromkeys(RATES, Refusal(Reason.IN_PASS))
    found[StepNodeBack] = _back(state)
    if not state.loop.keys_of(Kind.ZERO):
        found[ToggleZeroing] = Refusal(Reason.NO_SUCH_STATEMENT)
    found |= _edits(state)
    found[Undo] = None if position else Refusal(Reason.NOTHING_TO_UNDO)
    found[Redo] = None if future else Refusal(Reason.NOTHING_TO_REDO)
    return {action: refusal for action, refusal in found.items() if refusal is not None}


def script_refusal(state: ScriptState, position: int, future: int, action: Action) -> Refusal | None:
    """Return the refusal of one action, or None if it can work."""
    return script_refusals(state, position, future).get(refusal_key(action))


def _runs(state: ScriptState, action: type[Action]) -> Refusal | None:
    loop = state.loop
    goes_on = action in (NextLine, Backward, StepNode, StepTo, RunEpochs, RunOuter)
    if state.in_pass:
        return None if goes_on else Refusal(Reason.IN_PASS)
    if loop.over:
        return Refusal(Reason.LOOP_OVER)
    if loop.next is None:
        return Refusal(Reason.ALL_COMMENTED_OUT)
    if action is RunOuter and len(loop.heads) < 2:
        return Refusal(Reason.NO_OUTER_LOOP)
    kind = Kind.BACKWARD if action in (StepNode, StepTo) else LINES.get(action)
    return None if kind is None or loop.keys_of(kind) else Refusal(Reason.NO_SUCH_STATEMENT)


def _back(state: ScriptState) -> Refusal | None:
    if state.passing is None:
        return Refusal(Reason.NO_PASS)
    return Refusal(Reason.PASS_OVER) if state.passing.over else None


def _edits(state: ScriptState) -> dict[RefusalKey, Refusal | None]:
    statements = state.loop.statements
    moves = {MoveStatement(s.key, steps): (s, steps) for s in statements for steps in (-1, 1)}
    if state.in_pass:
        return dict.fromkeys((*moves, ToggleStatement, ToggleZeroing), Refusal(Reason.IN_PASS))
    found: dict[RefusalKey, Refusal | None] = {}
    for move, (statement, steps) in moves.items():
        if statement is statements[0] and steps < 0:
            found[move] = Refusal(Reason.FIRST_LINE)
        elif statement is statements[-1] and steps > 0:
            found[move] = Refusal(Reason.LAST_LINE)
    return found
