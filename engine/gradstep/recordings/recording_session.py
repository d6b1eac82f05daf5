"""A recording as a session that can be stepped through and not changed."""

from __future__ import annotations

from collections.abc import Callable
from os.path import basename
from typing import NoReturn

import torch
from torch import Tensor

from gradstep.actions import Action, GoTo
from gradstep.analysis.batch_check import BatchCheck
from gradstep.analysis.comparison import Comparison
from gradstep.analysis.gradient_check import GradientCheck
from gradstep.analysis.loop_verdict import Verdict
from gradstep.errors import EngineError, Refused
from gradstep.frame import Frame
from gradstep.history.annotations import Mark
from gradstep.history.substeps import Inside
from gradstep.history.timeline import Stop, Timeline
from gradstep.ledger.gradient_norms import Sizes, gradient_sizes
from gradstep.notices import Unit
from gradstep.pictures.decision_regions import Regions
from gradstep.pictures.default_pair import DefaultPair
from gradstep.pictures.fit import Fit
from gradstep.pictures.loss_surface import Surface
from gradstep.pictures.pictures import Pictures
from gradstep.problem import Problem
from gradstep.reasons import Reason, Refusal
from gradstep.recordings.recorded_points import points_of
from gradstep.recordings.recording import Ending, Recording
from gradstep.recordings.recording_frames import frame_of
from gradstep.recordings.recording_moves import moved, places_inside
from gradstep.recordings.recording_place import Standing
from gradstep.session import Session
from gradstep.training.state import State

ENDINGS = {
    Ending.ROUNDS: "",
    Ending.BLOCK: " The block ended before the others.",
    Ending.RAISED: " An exception ended it before the others.",
    Ending.LIMIT: " The last round had more passes than are recorded.",
}
"""Sentence on why fewer rounds are there than were asked for."""


class RecordingSession(Session):
    """A session of a recording: actions move in it, and nothing is trained.

    It stands at one of the recording's points, or inside the backward pass that leads to one. All points are
    there from the start, as if every action had been undone.
    """

    def __init__(self, recording: Recording) -> None:
        """Stand before the first backward pass of a recording, which has at least one."""
        self.recording = recording
        self._place = Standing(points_of(recording), 0)
        self._before: Standing | None = None
        self._made: Frame | None = None
        self._problem = _problem(recording)
        self.origin = self.source = self.progress = None
        self.oddities, self.facts, self.modules = (), (), None
        self.watch = lambda action, state, error: None
        self.tried = lambda action, error: None

    @property
    def frame(self) -> Frame:
        """Immutable picture of everything that a screen shows of the session now."""
        if self._made is None:
            self._made = frame_of(self._place, self._before, self.recording)
        return self._made

    def do(self, action: Action, stopped: Callable[[], bool] = lambda: False) -> None:
        """Go where an action leads.

        Args:
            action: The action.
            stopped: Not called: nothing takes long.

        Raises:
            Refused: The action would train or change something, or leads out of the recording.
            BadInput: A value cannot be used.
        """
        now = moved(self._place, action)
        self._before, self._place, self._made = self._place, now, None

    def do_again(
        self, action: Action, stopped: Callable[[], bool] = lambda: False, *, recorded: bool
    ) -> None:
        """Go where an action leads, as `do` does."""
        self.do(action, stopped)

    def source_line(self) -> str:
        """Return the source line of the present event, e.g. `train.py:31  pred = model(x)`, or nothing."""
        backward = self.frame.backward
        if backward is None or not backward.done:
            return ""
        source = getattr(backward.events[backward.done - 1], "source", None)
        if source is None:
            return ""
        text = self.recording.line_of(source.file, source.line)
        return f"{basename(source.file)}:{source.line}  {text}".rstrip()

    def timeline(self, through: int | None = None) -> Timeline:
        """Return the points of the recording, which are one line."""
        if through is not None:
            moved(self._place, GoTo(through))
        place = self._place
        stops = tuple(
            Stop(point.number, point.action, point.rounds, point.record.loss, point.rate, (point.number,))
            for point in place.points
        )
        return Timeline(stops, place.number, place.inside, 1)

    def inside(self, number: int) -> Inside | None:
        """Return the events inside the pass that leads to a point; None if there are none."""
        places = places_inside(moved(self._place, GoTo(number)), number)
        return Inside(Unit.EVENT, places) if places else None

    def pictures(self) -> Pictures:
        """Return the object that computes what pictures a recording has: gradient sizes."""
        return RecordedPictures(self.frame)

    def line(self) -> tuple[Action, ...]:
        """Refuse: a recording has no actions that could be done again."""
        _refuse()

    # What needs the program itself

    @property
    def state(self) -> State:
        """No state: the program that was recorded is not here."""
        _refuse()

    def verdict(self) -> Verdict:
        """Refuse."""
        _refuse()

    def check_gradient(self, stopped: Callable[[], bool] = lambda: False) -> GradientCheck:
        """Refuse."""
        _refuse()

    def check_batches(self, size: int, stopped: Callable[[], bool] = lambda: False) -> BatchCheck:
        """Refuse."""
        _refuse()

    def twin(self, stopped: Callable[[], bool] = lambda: False) -> Comparison:
        """Refuse."""
        _refuse()

    def compare(self, number: int, stopped: Callable[[], bool] = lambda: False) -> Comparison:
        """Refuse."""
        _refuse()


class RecordedPictures(Pictures):
    """Pictures of a recording: those that need the program are refused."""

    def __init__(self, frame: Frame) -> None:
        """Show the pictures of a frame."""
        self._frame = frame
        self.count = sum(parameter.value.numel() for parameter in frame.parameters)

    def surface(
        self, first: int = 0, second: int = 1, stopped: Callable[[], bool] = lambda: False
    ) -> Surface:
        """Refuse."""
        _refuse()

    def default_pair(self, stopped: Callable[[], bool] = lambda: False) -> DefaultPair:
        """Refuse."""
        _refuse()

    def fit(self) -> Fit:
        """Refuse."""
        _refuse()

    def regions(self) -> tuple[Regions, ...]:
        """Refuse."""
        _refuse()

    def sizes(self) -> tuple[Sizes, ...]:
        """Return the norms of each parameter's gradients, pass by pass."""
        return gradient_sizes([parameter.name for parameter in self._frame.parameters], self._frame.ledger)

    def marks(self) -> tuple[Mark, ...]:
        """Return nothing: a recording is one line."""
        return ()


def _refuse() -> NoReturn:
    raise Refused(Refusal(Reason.READ_ONLY))


def open_recording(recording: Recording) -> RecordingSession:
    """Return a session of a recording.

    Raises:
        EngineError: the recording has no backward pass.
    """
    if not any(one.passes for one in recording.rounds):
        raise EngineError("this recording has no backward pass: record a loop that calls backward()")
    return RecordingSession(recording)


def _problem(recording: Recording) -> Problem:
    """Return the recorded program as a problem, with a note on where it was recorded."""
    origin, rounds = recording.origin, len(recording.rounds)
    passes = sum(len(one.passes) for one in recording.rounds)
    asked = f" of {recording.wanted}" if recording.wanted != rounds else ""
    notes = [
        f"recorded {origin.made} UTC with PyTorch {origin.torch} on {', '.join(origin.devices)}, "
        f"Python {origin.python}, {origin.system}",
        f"{rounds}{asked} round{'s' * (rounds != 1)} with {passes} backward pass{'es' * (passes != 1)}."
        f"{ENDINGS[recording.ending]}",
    ]
    summarized = sum(each.trace.summarized for one in recording.rounds for each in one.passes)
    if summarized:
        notes.append(
            f"{summarized:,} tensors were too large for the recording: only summaries of them are kept"
        )
    empty = torch.empty(0)
    return Problem(
        name=origin.program,
        inputs=empty,
        targets=empty,
        parameters={},
        model=_no_model,
        loss_fn=_no_loss,
        loss_name="loss",
        learning_rate=1.0,
        labels={},
        notes=tuple(notes),
    )


def _no_model(inputs: Tensor) -> Tensor:
    _refuse()


def _no_loss(preds: Tensor, targets: Tensor) -> Tensor:
    _refuse()
