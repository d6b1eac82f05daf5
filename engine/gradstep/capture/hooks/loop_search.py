"""The search for the loop of the first `backward`: rounds before it are remembered, some with copies."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Collection, Sequence
from threading import get_ident
from types import FrameType

from gradstep.capture.draws import Draws, Positions
from gradstep.capture.engine_watch import ComingPass
from gradstep.capture.handover import Handover
from gradstep.capture.obstacles import NotCaptured, Obstacle
from gradstep.capture.rounds.keepsake import Keepsake
from gradstep.capture.rounds.round_start import RoundStart
from gradstep.capture.scopes import Scope
from gradstep.capture.search.lone_passes import BegunStatements, LonePass
from gradstep.capture.search.missed import KeepingBudget, Missed, plain_loops
from gradstep.capture.sites import Site
from gradstep.capture.suspending.handings import Handings
from gradstep.captured_output import Printed
from gradstep.learner_code.places import Place, place_of_frame


class LoopSearch:
    """Finds the loops around the first `backward`, or what a second run of the script has to watch."""

    def __init__(
        self,
        sites: Sequence[Site],
        own_modules: Collection[str],
        printed: Printed,
        handover: Handover,
        draws: Draws,
        handings: Handings,
    ) -> None:
        """Begin to search before the script begins.

        Args:
            sites: All loops, by number.
            own_modules: Names of the learner's modules.
            printed: What the script has printed.
            handover: The script's thread.
            draws: Hands out the items of loops.
            handings: When the script's generators and coroutines handed control on.
        """
        self._sites, self._own_modules, self._printed = sites, own_modules, printed
        self._handover, self._draws, self._handings = handover, draws, handings
        self.takes_grad = False
        """Whether the loop of a first `torch.autograd.grad`, which adds to no `.grad`, is the one as well."""

        self.is_grad_in_loop = False
        """Whether `torch.autograd.grad` was called inside a loop."""

        self.before: list[Place] = []
        """Places at which `backward` was called outside of any loop, or in a loop in library code."""

        self.lone: LonePass | None = None
        """The first pass that was begun outside of any loop; one that adds to `.grad` goes first."""

        self.missed_before: Missed | None = None
        """What the run before this one had missed; None if there was none."""

        self.missed: Missed | None = None
        """What the next run of the script has to watch, since this one did not; None if nothing is missed."""

        self.budget = KeepingBudget()
        self.statements = BegunStatements()
        self.begun: dict[int, int] = {}
        """Rounds that each loop had begun, in all, when the first `backward` was found."""

        self._starts: dict[int, RoundStart] = {}
        self._starts_left: dict[tuple[int, int], RoundStart] = {}
        """Begins of rounds in frames that can be left, by the loop's number and the frame's `id`."""

        self._others = {thread.ident for thread in threading.enumerate()}

    def begin_round(self, number: int, scope: Scope, count: int, frame: FrameType | None) -> None:
        """Remember the begin of a round.

        Args:
            number: Number of the loop.
            scope: Scope of the loop.
            count: Number of the round since the loop was entered.
            frame: Frame that runs the loop.
        """
        self.begun[number] = self.begun.get(number, 0) + 1
        keepsake, begun = None, self.budget.number(number)
        drawn: Positions = {}
        if self.budget.allows(self._sites[number].key, begun):
            drawn = self._draws.positions()
            with self.budget.spending():
                keepsake = Keepsake({number: scope}, self._own_modules)
        mark = self._printed.mark()
        handed = self._handings.count
        start = RoundStart(id(frame), scope, keepsake, count, drawn, mark, begun, handed)
        self._starts[number] = start
        if self._sites[number].yields:
            self._starts_left[number, id(frame)] = start

    def end_loop(self, number: int, frame: FrameType | None) -> None:
        """Take note that a frame that can be left has ended a loop."""
        self._starts_left.pop((number, id(frame)), None)

    def opens_at(self, number: int, frame: FrameType | None) -> tuple[int, ...]:
        """Return the loops around a round, outermost first, if an earlier run found it to be the first."""
        missed, start = self.missed_before, self._starts[number]
        if missed is None or not missed.opens or missed.start != (self._sites[number].key, start.number):
            return ()
        self._handings.watch(frame)
        self.statements.forget()
        return tuple(reversed(self._around(frame)))

    def chain_of(self, made: ComingPass) -> tuple[int, ...]:
        """Return the loops around a pass that is about to run, outermost first; none to look further."""
        thread = self._handover.thread
        if thread is None or get_ident() in self._others:
            return ()
        frame = inspect.currentframe()
        if get_ident() != thread.ident:
            if made.accumulates:
                self._handover.give_up(NotCaptured(Obstacle.IN_ANOTHER_THREAD, place=place_of_frame(frame)))
            return ()
        chain = self._around(frame)
        counts = made.accumulates or self.takes_grad
        if counts and (plain := plain_loops(self._sites, frame)):
            self._miss(Missed(loops=plain), frame)
        if not chain:
            self._seen_alone(made, frame)
        elif counts:
            return self._found(self._that_update(chain), frame)
        else:
            self.is_grad_in_loop = True
        return ()

    def scopes(self, chain: Sequence[int]) -> dict[int, Scope]:
        """Return the scope of each loop of a chain in its present round."""
        return {loop: self._starts[loop].scope for loop in chain}

    def put_back(self, number: int) -> list[str]:
        """Put the script back to the begin of the present round of a loop.

        Returns:
            Names of what could not be put back.
        """
        start = self._starts[number]
        if start.keepsake is None:  # the script went another way when it was run again
            return [name for name in start.scope.names() if not name.startswith("__")]
        self._draws.go_back(start.drawn)
        lost = start.keepsake.put_back({number: start.scope})
        self._printed.back_to(start.printed)
        return lost

    def end(self) -> None:
        """Forget all rounds."""
        self._starts.clear()
        self._starts_left.clear()

    def _found(self, chain: list[int], frame: FrameType | None) -> tuple[int, ...]:
        """Return loops, outermost first, unless the innermost cannot be taken back to its head."""
        start = self._starts[chain[0]]
        inner = _frame_of(start, frame)
        key = self._sites[chain[0]].key, start.number
        if self._handings.around(inner, start.handed):
            if self.missed_before is None or not self.missed_before.opens:
                self._miss(Missed(start=key, opens=True), frame)
            self._handover.give_up(NotCaptured(Obstacle.OUT_OF_REACH, place=place_of_frame(frame)))
        self._handings.watch(inner)
        if start.keepsake is None and self.budget.only is None:
            self._miss(Missed(start=key), frame)
        self.statements.forget()
        return tuple(reversed(chain))

    def _miss(self, missed: Missed, frame: FrameType | None) -> None:
        """Give up, so that the script is run again and watched at other loops, unless that was tried."""
        if missed != self.missed_before:
            self.missed = missed
            self._handover.give_up(NotCaptured(Obstacle.NO_LOOP, place=place_of_frame(frame)))

    def _seen_alone(self, made: ComingPass, frame: FrameType | None) -> None:
        """Note a pass outside of any loop; give up at once if no loop that is known can lead to one."""
        is_first = made.accumulates and not self.before
        place = place_of_frame(frame)
        if made.accumulates and place is not None:
            self.before.append(place)
        if is_first or self.lone is None:
            self.lone = self.statements.lone_pass(frame, made.outputs)
        if is_first and self.lone is not None and not any(site.leads for site in self._sites):
            self._handover.give_up(NotCaptured(Obstacle.NO_LOOP, place=place))

    def _that_update(self, chain: list[int]) -> list[int]:
        """Return the loops from the innermost on that updates; those inside it only add gradients up."""
        updates = [self._sites[number].updates for number in chain]
        return chain[updates.index(True) :] if True in updates else chain

    def _around(self, frame: FrameType | None) -> list[int]:
        """Return the loops in whose bodies a frame and its callers are, innermost first."""
        found: list[int] = []
        while frame is not None:
            left = {n: start for (n, at), start in self._starts_left.items() if at == id(frame)}
            self._starts |= left
            here = [
                number
                for number, start in self._starts.items()
                if start.frame == id(frame) and frame.f_lineno in self._sites[number].body_lines
            ]
            found += sorted(here, reverse=True)
            frame = frame.f_back
        return found


def _frame_of(start: RoundStart, frame: FrameType | None) -> FrameType | None:
    while frame is not None and id(frame) != start.frame:
        frame = frame.f_back
    return frame
