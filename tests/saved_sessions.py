"""Sessions that are saved as they go, for the tests of session files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from msgspec import Struct

from gradstep import actions
from gradstep.actions import (
    Action,
    MoveStatement,
    RunEpochs,
    SetBatches,
    SetLearningRate,
    SetOptimizer,
    ToggleStatement,
)
from gradstep.errors import EngineError
from gradstep.frame import ParameterFrame
from gradstep.loop.loop import Kind
from gradstep.loop.optimizers import HAND
from gradstep.opening import open_session
from gradstep.saving.checksum import FIRST, sealed
from gradstep.saving.reader import SavedSession
from gradstep.saving.records import encoder
from gradstep.saving.writer import SessionWriter
from gradstep.session import Session
from gradstep.start import Start
from tests.engine.recording_checks import bits
from tests.session_strategies import batches, counts, optimizers, rates

NEVER: Callable[[], bool] = bool
"""Asked whether to stop, it says False."""

PLAIN: Sequence[Action] = (
    actions.Forward(),
    actions.Backward(),
    actions.StepNode(),
    actions.StepNodeBack(),
    actions.Update(),
    actions.Zero(),
    actions.NextLine(),
    actions.ToggleZeroing(),
    actions.ToggleSetToNone(),
    actions.RaiseLearningRate(),
    actions.LowerLearningRate(),
    actions.Reset(),
    actions.Undo(),
    actions.Redo(),
)
"""The actions without arguments."""

any_action = st.one_of(
    st.sampled_from(PLAIN),
    st.builds(RunEpochs, counts),
    st.builds(SetLearningRate, rates),
    st.builds(SetOptimizer, st.just(HAND) | optimizers),
    st.builds(SetBatches, batches),
    st.builds(ToggleStatement, st.sampled_from(Kind)),
    st.builds(MoveStatement, st.sampled_from(Kind), st.sampled_from([-1, 1])),
)

SOME: Sequence[Action] = (
    actions.Forward(),
    actions.StepNode(),
    actions.Backward(),
    actions.Update(),
    actions.Zero(),
    actions.RunEpochs(5),
    actions.Undo(),
    actions.SetLearningRate(1e-4),
    actions.Forward(),
)
"""Each of them changes a session of `crops`."""


def act(
    session: Session, action: Action, writer: SessionWriter | None = None, stopped: Callable[[], bool] = NEVER
) -> str:
    """Do and save an action, as a program has to; give why it was refused."""
    if writer is not None:
        session.watch = writer.did
    try:
        session.apply(action, stopped)
    except EngineError as error:
        return str(error)
    return ""


def picture(session: Session) -> Any:
    """Everything that must come back, as plain data."""
    frame = session.frame
    return (
        [(one.name, bits(one.value), bits(one.grad), remembered(one)) for one in frame.parameters],
        (str(frame.loss), bits(frame.preds), frame.epoch, frame.learning_rate, frame.loop, frame.stale),
        [str(frame.losses[epoch]) for epoch in range(len(frame.losses))],
        None if frame.backward is None else (frame.backward.done, frame.backward.over, frame.backward.rows),
        (frame.position, frame.future, frame.refusals),
    )


def remembered(parameter: ParameterFrame) -> dict[str, Any]:
    """What the optimizer remembers of a parameter, as bits."""
    return {name: bits(value) for name, value in parameter.memory.items()}


def saved_at(
    path: Path, done: Iterable[Action] = SOME, start: Start | None = None, *, close: bool = False
) -> Session:
    """Save a session of these actions."""
    start = start or Start()
    session = open_session(start)
    writer = SessionWriter.new([path], start)
    writer.follow(session)
    for action in done:
        act(session, action, writer)
    assert writer.flush(), writer.trouble
    leave(writer, in_order=close)
    return session


def leave(writer: SessionWriter, *, in_order: bool = True) -> None:
    """Close a writer, or have it end as a killed program does: with no more than the lock given back."""
    if in_order:
        assert writer.close(), writer.trouble
    else:
        assert writer._lines.file is not None
        if writer._syncer is not None:
            writer._syncer.end()  # a sync that is under way keeps the lock
        writer._lines.file.close()


def written(structs: Iterable[Struct]) -> bytes:
    """Give the file of these lines, with checks that fit."""
    data, check = b"", FIRST
    for struct in structs:
        line, check = sealed(encoder.encode(struct), check)
        data += line
    return data


def structs_of(saved: SavedSession) -> list[Any]:
    """Give all lines of a file."""
    return [saved.header, *saved.records]
