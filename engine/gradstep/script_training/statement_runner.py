"""One run of a statement in the script's thread, with the passes that it makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from torch import Tensor

from gradstep.autograd.leaf_copies import LeafCopies
from gradstep.autograd.pass_recording import RecordedPasses, recorded_passes
from gradstep.autograd.source_map import SourceMaps, watch_forward
from gradstep.autograd.trace import Trace
from gradstep.capture.captured_loop import CapturedLoop
from gradstep.capture.engine_watch import ComingPass, watched
from gradstep.capture.loop_places import Control
from gradstep.ledger.ledger import NamedGrads, Page, RewritePage, RunPage, ZeroPage
from gradstep.tensors.bitwise import same_bits
from gradstep.training.pytorch_errors import PyTorchError, learners_code
from gradstep.training.state import Passing, TrainingState


@dataclass(slots=True)
class StatementRun:
    """What one run of a statement came to."""

    control: Control = Control.NEXT
    found: RecordedPasses = field(default_factory=RecordedPasses)
    """Passes that the statement ran; without traces if they were not recorded."""

    @property
    def traces(self) -> list[Trace]:
        """Recordings of the passes."""
        return self.found.traces

    @property
    def passes(self) -> int:
        """Number of passes, recorded or not."""
        return len(self.found.outputs)

    def pages(self, before: TrainingState, grads: NamedGrads, now: NamedGrads) -> Iterator[Page]:
        """Yield pages of the ledger: one for each recorded pass, and one for what else wrote to gradients.

        Args:
            before: State before the run.
            grads: Gradients before the run.
            now: Gradients after the run.
        """
        for number, trace in enumerate(self.traces):
            passing = Passing(trace, len(trace), before, earlier=tuple(self.traces[:number]))
            yield passing.page
            writes = passing.accumulated()
            grads = {name: writes[name].after if name in writes else grad for name, grad in grads.items()}
        if self.passes and not self.traces:
            yield RunPage(0, self.passes, now)
            return
        written = {name: grad for name, grad in now.items() if not same_bits(grad, grads[name])}
        if written:
            is_zero = all(grad is None or not bool(grad.any()) for grad in written.values())
            yield ZeroPage(grads, written) if is_zero else RewritePage(grads, written)


class StatementRunner:
    """Runs statements of a round, and knows which of them made the nodes of a graph."""

    def __init__(self) -> None:
        """Know of no statement that has run."""
        self._sources = SourceMaps()

    def begin_round(self) -> None:
        """Forget what has run."""
        self._sources = SourceMaps()

    def run(
        self,
        loop: CapturedLoop,
        key: int,
        ran: StatementRun,
        names: Mapping[str, Tensor],
        known: LeafCopies,
        limit: int,
    ) -> None:
        """Run a statement, and record its passes.

        Args:
            loop: The loop.
            key: Key of the statement.
            ran: Takes what the run comes to, also if it raises.
            names: Parameters by their names.
            known: Copies of parameters that there are.
            limit: Bytes of a trace beyond which tensors are kept as summaries.

        Raises:
            PyTorchError: the statement raised.
        """

        @contextmanager
        def recorded() -> Iterator[None]:
            with self._watched(), recorded_passes(names, self._sources, known, limit, ran.found):
                yield

        try:
            with learners_code():
                ran.control = loop.run_statement(key, recorded())
        except PyTorchError as error:
            if ran.traces and ran.traces[-1].error is not None:
                error.trace = ran.traces[-1]
            raise

    def run_unrecorded(self, loop: CapturedLoop, key: int, ran: StatementRun) -> None:
        """Run a statement, and only note its passes; for arguments and errors see `run`."""

        def note(made: ComingPass) -> None:
            if made.accumulates:
                ran.found.outputs.append(tuple(output.detach().clone() for output in made.outputs))

        with learners_code():
            ran.control = loop.run_statement(key, watched(note))

    def run_again(self, loop: CapturedLoop, key: int) -> Control:
        """Run a statement as it ran before, so that its nodes have their sources."""
        with learners_code():
            return loop.run_statement(key, self._watched())

    @contextmanager
    def _watched(self) -> Iterator[None]:
        with watch_forward() as sources:
            self._sources.add(sources)
            yield
