"""Frames of real sessions, for what is drawn without an app."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

from gradstep import problems
from gradstep.actions import (
    Action,
    Backward,
    Forward,
    LowerLearningRate,
    MoveStatement,
    NextLine,
    Reset,
    RunEpochs,
    SetLearningRate,
    StepNode,
    StepNodeBack,
    ToggleStatement,
    ToggleZeroing,
    Undo,
    Update,
    Zero,
)
from gradstep.frame import Frame
from gradstep.loop.loop import Kind, StatementKey
from gradstep.session import Session
from gradstep_tui.drawing.lines import Line
from gradstep_tui.widgets.keybar import entries, entries_line

EVENTS: Final = 11
"""Events of one pass through `crops`."""

WALK: Final[Sequence[Action]] = (
    Forward(),
    *[StepNode()] * EVENTS,
    StepNodeBack(),
    Backward(),
    Update(),
    Undo(),
    Update(),
    Zero(),
    ToggleZeroing(),
    RunEpochs(1),
    Forward(),
    *[StepNode()] * EVENTS,
    NextLine(),
    Reset(),
    ToggleZeroing(),
    RunEpochs(100),
    SetLearningRate(0.30000000000000004),
    LowerLearningRate(),
    RunEpochs(100),
    ToggleStatement(Kind.UPDATE),
    MoveStatement(Kind.UPDATE, -1),
)
"""Through every kind of state: a first pass, an accumulating one, after runs, diverged, an edited loop."""


def frames_after(actions: Sequence[Action]) -> list[Frame]:
    """Give the frame at the start and after each action."""
    session = Session(problems.load("crops"))
    return [session.frame, *(session.apply(action) for action in actions)]


def frame_after(*actions: Action) -> Frame:
    """Give the frame after some actions."""
    return frames_after(actions)[-1]


@cache
def walk() -> tuple[Frame, ...]:
    """Give all frames of the walk."""
    return tuple(frames_after(WALK))


def plain(lines: Sequence[Line]) -> list[str]:
    """Give lines without their roles."""
    return ["".join(span.text for span in row) for row in lines]


def keys_line(frame: Frame | None, width: int, cursor: StatementKey | None = None) -> Line:
    """Give the key bar's line with as many keys as fit."""
    return entries_line(entries(frame, width, cursor), frame, cursor)
