"""A learner's own training loop, parked at the begin of a round: statements run one by one or by rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from torch import Tensor

from gradstep.capture.effects import Effects
from gradstep.capture.handover import Handover
from gradstep.capture.hooks.loop_hooks import Hooks
from gradstep.capture.loop_moments import LoopMoment, can_return_to, moment_of, return_to
from gradstep.capture.loop_places import LoopKind, LoopPlace, Position, StatementPlace
from gradstep.capture.obstacles import Fact, Noticed
from gradstep.capture.parking.loop_errors import NotTakenBack
from gradstep.capture.parking.parked_script import ParkedScript
from gradstep.capture.parking.watched_statements import Watched, watch_round, watch_statement
from gradstep.capture.process_view import ProcessView
from gradstep.capture.rounds.keepsake import NO_COPIES
from gradstep.capture.sites import Site
from gradstep.captured_output import Printed
from gradstep.learner_code.forks import ForkWatch


class CapturedLoop(ParkedScript):
    """The loops around a script's first `backward`, with the script parked inside them."""

    def __init__(
        self, sites: Sequence[Site], hooks: Hooks, handover: Handover, view: ProcessView, printed: Printed
    ):
        """Take over a script that is parked at the begin of its first round."""
        super().__init__(hooks, handover, view, printed)
        self._numbers = _shown(sites, hooks.loop.chain)
        places = [sites[number].place for number in self._numbers]
        places[-1] = replace(places[-1], body=self.site.place.body)
        self.loops: tuple[LoopPlace, ...] = tuple(places)
        """The loops, outermost first; the last is the one that is stepped."""

        hands_out = (Noticed(Fact.HANDS_OUT),) * hooks.handings.are_watched
        lost = (Noticed(Fact.NOT_PUT_BACK, name) for name in hooks.lost_names)
        self.first_facts: tuple[Noticed, ...] = (*lost, *hands_out)
        """Peculiarities of the script until its loop was found."""

        self.modules: dict[str, str] = {}
        """Text of each module beside the script that it has imported, by the module's file."""

        self.runs = 1
        """How often the script ran to find the loop."""

        self.forks = ForkWatch(())
        """Knows whether the script has made copies of the process."""

        self.started_in = ""
        """Folder in which the script began."""

    @property
    def facts(self) -> tuple[Noticed, ...]:
        """Peculiarities of the script so far, such as what could not be put back."""
        forked = (Noticed(Fact.FORKED),) * self.forks.has_forked
        again = (Noticed(Fact.RAN_AGAIN, str(self.runs)),) * (self.runs > 1 and not self.hands_out)
        return (*self.first_facts, *forked, *again)

    @property
    def statements(self) -> tuple[StatementPlace, ...]:
        """Statements of the stepped loop."""
        return self.loops[-1].body

    @property
    def position(self) -> Position:
        """Where the loop stands."""
        rounds = tuple(self._hooks.loop.counts.get(number, 0) for number in self._numbers)
        return Position(rounds, self.rounds_done, self.over)

    @property
    def earlier_rounds(self) -> int:
        """Number of rounds of the stepped loop before the one of the capture; they ran no `backward`."""
        return self._hooks.search.begun.get(self._hooks.loop.chain[-1], 1) - 1

    @property
    def hands_out(self) -> bool:
        """Whether generators or coroutines are around the loop, which goes back in its round only."""
        return self._hooks.handings.are_watched

    @property
    def is_overtaken(self) -> bool:
        """Whether a new round has begun while a statement of another waited: then that one ran by itself."""
        return self._hooks.frames.overtaken.count > 0

    def watch_statement(self, index: int) -> Watched:
        """Run one statement as `run_statement` does, and observe what it does."""
        return watch_statement(self, index)

    def watch_round(self, order: Sequence[int] | None = None) -> dict[int, Effects]:
        """Run one round statement by statement; return what each statement that ran did, by its index.

        Args:
            order: Indices of the statements that run, in their order; None for the script's own.
        """
        return watch_round(self, order)

    def keep(self, copies: Mapping[int, Tensor] = NO_COPIES) -> LoopMoment:
        """Return the present begin of a round, for `go_back`; no statement of the round may have run.

        Args:
            copies: Copies that exist, by `id` of the tensor; one that has the tensor's bits is shared.
        """
        assert self.is_at_begin
        assert self.next_statement == 0
        with self._view.entered():
            return moment_of(self._hooks, self.printed, copies)

    def can_go_back(self, moment: LoopMoment) -> bool:
        """Return whether the loop can go back to a moment that it kept, or whether too much was forgotten."""
        return self._alive and can_return_to(moment, self._hooks)

    def go_back(self, moment: LoopMoment) -> tuple[str, ...]:
        """Go back to the begin of a round that was kept.

        Names, numbers, items, random generators and what was printed are as they were; files that the script
        has written since, for example, stay.

        Returns:
            Names of objects that could not be put back.

        Raises:
            NotTakenBack: the script could not be taken back into its loop, and is of no more use.
        """
        if self._hooks.handings.since(moment.handed):
            raise NotTakenBack
        if not self.is_at_begin:
            self._hooks.parker.seek()
            self._seek()
        with self._view.entered():
            lost = return_to(moment, self._hooks, self.printed)
        self.next_statement, self.failure, self.over = 0, None, False
        return tuple(lost)

    @property
    def is_exact(self) -> bool:
        """Whether all items and random numbers since the capture were those of the script by itself."""
        return self._hooks.draws.is_exact


def _shown(sites: Sequence[Site], chain: Sequence[int]) -> Sequence[int]:
    """Return the loops without those that are none, which stand for what a `with` or an `if` holds."""
    return [number for number in chain if sites[number].place.kind is not LoopKind.NONE] or chain
