"""A trainer with the state that it is in: what the built-in loop and a script's own have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Generic, Protocol, TypeVar

from gradstep.errors import EngineError
from gradstep.ledger.ledger import Ledger, NamedGrads, Page, PassPage
from gradstep.ledger.retention import LEDGER_BYTES, PageStore, light
from gradstep.problem import Problem, ScriptProblem
from gradstep.training.snapshots import Snapshot
from gradstep.training.state import TrainingState

S = TypeVar("S", bound=TrainingState)
"""State of the machine."""


class Restorable(Protocol):
    """Holds tensors, and can return to copies of them."""

    @property
    def problem(self) -> Problem | ScriptProblem:
        """What is trained."""

    def snapshot(self) -> Snapshot:
        """Return the present state."""

    def restore(self, snapshot: Any) -> None:
        """Return to an earlier or later state."""


T = TypeVar("T", bound=Restorable)
"""Trainer of the machine."""


class Machine(ABC, Generic[T, S]):
    """Runs statements on a trainer, and has the state that the trainer's tensors are in."""

    def __init__(self, trainer: T, state: S) -> None:
        """Start from `state`, which the trainer's tensors must already be in."""
        self.trainer, self.state = trainer, state
        self.recording = True
        """Whether backward passes are recorded; other passes have the same bits, but no nodes to step."""

        self._page_store = PageStore(LEDGER_BYTES)

    @property
    @abstractmethod
    def is_steady(self) -> bool:
        """Whether what ran again came to the same numbers, as far as is known."""

    @abstractmethod
    def next_line(self) -> None:
        """Run the loop's next statement; inside a pass, the rest of the pass."""

    @abstractmethod
    def step_node(self) -> None:
        """Go one event forward in the backward pass; begin a pass if none is under way."""

    @abstractmethod
    def step_to(self, event: int) -> None:
        """Go forward to an event of the backward pass; begin a pass if none is under way.

        Raises:
            BadInput: the pass has no such event after its position; nothing has changed.
        """

    @abstractmethod
    def step_node_back(self) -> None:
        """Go one event back in the pass, finished or not; from its first event, to the state before."""

    @contextmanager
    def unrecorded(self) -> Iterator[None]:
        """Run backward passes without recording inside the `with` block."""
        self.recording = False
        try:
            yield
        finally:
            self.recording = True

    # The way back

    def can_return_to(self, state: S) -> bool:
        """Return whether the machine can return to a state by itself, without doing actions again."""
        return True

    def return_to(self, state: S) -> None:
        """Restore an earlier or later state, including the trainer's tensors.

        Raises:
            Interrupted: the learner stopped the model; the state is restored.
        """
        before, self.state = self.state, state
        if state.trainer is not before.trainer:
            self.trainer.restore(state.trainer)

    def put_back(self, state: S) -> None:
        """Return to a state as `return_to` does, also if the tensors were written to by other means."""
        self.state = state
        self.trainer.restore(state.trainer)

    def put_back_after_interruption(self, state: S) -> None:
        """Return to a state and run nothing of the learner's, as it may never end."""
        self.put_back(state)

    @contextmanager
    def borrowed(self, *, writes_tensors: bool = False) -> Iterator[S]:
        """Yield the present state, and return to it on every way out of the `with` block.

        Args:
            writes_tensors: Whether the block writes to the problem's tensors by other means than these
                statements, so that they have to be restored even if no statement has run.
        """
        now = self.state
        try:
            yield now
        finally:
            if writes_tensors:
                self.put_back(now)
            else:
                self.return_to(now)

    @contextmanager
    def branched(self) -> Iterator[S]:
        """Do as `borrowed` does, and let no page of the ledger be dropped for what runs in the `with` block.

        After an interruption, nothing of the learner's runs on the way back.
        """
        now, pages = self.state, self._page_store
        self._page_store = PageStore(LEDGER_BYTES)
        try:
            yield now
        except EngineError:
            self.return_to(now)
            raise
        except BaseException:
            self.put_back_after_interruption(now)
            raise
        else:
            self.return_to(now)
        finally:
            self._page_store = pages

    # Gradients

    def grads(self) -> NamedGrads:
        """Return copies of every `.grad`, by the parameter's name."""
        return self._named_grads(self.trainer.snapshot())

    def _named_grads(self, snapshot: Snapshot) -> NamedGrads:
        return dict(zip(self.trainer.problem.parameters, snapshot.grads, strict=True))

    def _settle_trace(self) -> None:
        """Make the trace copy its graph's saved tensors before a statement changes them in place."""
        if self.state.passing is not None:
            self.state.passing.trace.events  # noqa: B018 - the first access makes the copies

    def _with_page(self, written: Ledger, page: Page | None) -> Ledger:
        if isinstance(page, PassPage):
            page = light(page)
        return written if page is None else self._page_store.put(written.with_page(page))
