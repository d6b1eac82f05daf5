"""State of a session on a script's own loop."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gradstep.loop.script_loop import ScriptLoop
from gradstep.script_training.script_snapshot import ScriptSnapshot
from gradstep.training.state import TrainingState


@dataclass(frozen=True, slots=True, eq=False)
class ScriptState(TrainingState):
    """A point of the history; `epoch` counts rounds of the stepped loop."""

    trainer: ScriptSnapshot
    loop: ScriptLoop

    def rewound_to(self, start: ScriptState) -> ScriptState:
        """Return `start` with the learner's edits of this state's loop."""
        edited = {statement.key: statement for statement in start.loop.statements}
        statements = tuple(
            replace(edited[statement.key], enabled=statement.enabled) for statement in self.loop.statements
        )
        return replace(start, loop=replace(start.loop, statements=statements))
