"""What instrumented loops call: they find the loop of the first `backward`, and park the script there."""

from __future__ import annotations

import inspect
import os
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterable, Callable, Iterable
from functools import partial
from threading import get_ident
from types import FrameType, FunctionType
from typing import Any, Final, cast

from gradstep.capture.draws import Draws, Items, Positions
from gradstep.capture.engine_watch import ComingPass
from gradstep.capture.handover import Handover
from gradstep.capture.loop_places import Control, LineRange, LoopKind, Parking
from gradstep.capture.obstacles import NotCaptured, Obstacle
from gradstep.capture.rounds.keepsake import Keepsake
from gradstep.capture.rounds.overtaken_rounds import OvertakenRounds
from gradstep.capture.rounds.round_start import RoundStart
from gradstep.capture.scopes import Scope, compiled_alone
from gradstep.capture.search.lone_passes import BegunStatements, LonePass
from gradstep.capture.search.missed import KeepingBudget, Missed, plain_loops
from gradstep.capture.sites import Site
from gradstep.capture.suspending.handings import Handings, Stream
from gradstep.capture.suspending.statements_inside import StatementsInside, tells_to_end
from gradstep.captured_output import Printed
from gradstep.learner_code.interruption import Interrupted
from gradstep.learner_code.places import Place, place_of_frame

Lambda = FunctionType

MOST_REPEATED: Final = 20
"""Rounds of outer loops in which a script that is taken back may miss its inner loop."""

DRAWN_ALIKE: Final = (range, list, tuple, str, dict, set)
"""Kinds of which a new iterator gives the same items, so that those of an abandoned round need no keeping."""


class Rewind(BaseException):
    """Raised by the first `backward`, and caught at the head of the loop that it stands in."""


class Hooks:
    """The object that instrumented files call; every method but `seen` runs in the script's thread."""

    Rewind = Rewind

    def __init__(
        self, sites: list[Site], handover: Handover, own_modules: set[str], printed: Printed
    ) -> None:
        """Make the hooks of a script that has not begun.

        Args:
            sites: All loops, by number; more are added as modules are imported.
            handover: The script's thread.
            own_modules: Names of the learner's modules.
            printed: What the script has printed.
        """
        self._printed = printed
        self._sites, self._handover = sites, handover
        self.own_modules = own_modules
        """Names of the learner's modules."""

        self.tries: dict[str, list[LineRange]] = {}
        """Lines, by file, in which a `try` statement handles exceptions."""

        self.draws = Draws()
        self.chain: tuple[int, ...] = ()
        """Numbers of the loops around the first `backward`, outermost first; empty until it was found."""

        self.counts: dict[int, int] = {}
        """Rounds that each loop has begun, since it was entered."""

        self.begun_before: dict[int, int] = {}
        """Rounds that each loop had begun, in all, when the first `backward` was found."""

        self.begun = 0
        """Rounds of the stepped loop that have begun since the capture."""

        self.can_run_itself = False
        """Whether the script itself can run the round that it is parked at, as a whole."""

        self.error: BaseException | None = None
        """Exception of the round in which the script is parked; None if it raised none."""

        self.free_rounds = 0
        """Rounds that the script runs by itself before it parks."""

        self.stopped: Callable[[], bool] = lambda: False
        self.round_ended: Callable[[], None] | None = None
        """Called at each round's begin while `scope` is that of the round before; None if nothing is."""

        self.before: list[Place] = []
        """Places at which `backward` was called outside of any loop, or in a loop in library code."""

        self.lone: LonePass | None = None
        """The first pass that was begun outside of any loop; one that adds to `.grad` goes first."""

        self.takes_grad = False
        """Whether the loop of a first `torch.autograd.grad`, which adds to no `.grad`, is the one as well."""

        self.budget = KeepingBudget()
        self.missed_before: Missed | None = None
        self.missed: Missed | None = None
        """What the next run of the script has to watch, since this one did not; None if nothing is missed."""

        self.is_grad_in_loop = False
        """Whether `torch.autograd.grad` was called inside a loop."""

        self._statements = BegunStatements()
        self.at = self._statements.at
        self.scope: Scope | None = None
        self.lost_names: list[str] = []
        self.is_stepping = False
        """Whether a statement runs that was compiled alone."""

        self.control, self.result = Control.NEXT, cast(object, None)
        self.scopes: dict[int, Scope] = {}
        """Scope of each loop of `chain` in its present round, by the loop's number."""

        self.handings = Handings()
        self.inside = StatementsInside(self._park, self.takes)
        self.overtaken = OvertakenRounds()
        self._entered = Counter[int]()
        """How often each loop is under way at present, for those whose frames can be left."""

        self._followed: int | None = None
        """Identity of the frame in which the last round began, if it can be left and is in the loop."""

        self._starts: dict[int, RoundStart] = {}
        self._starts_left: dict[tuple[int, int], RoundStart] = {}
        """Begins of rounds in frames that can be left, by the loop's number and the frame's `id`."""

        self._rewinds = self._seeks = False
        self._waits = self._returns = self._breaks = self._is_done = False
        self._raises: BaseException | None = None
        self._raised: BaseException | None = None
        self._names: Lambda
        self._process, self._others = os.getpid(), {thread.ident for thread in threading.enumerate()}

    # Calls of instrumented files

    def enters(self, number: int) -> None:
        """Note that a loop is about to begin."""
        self.counts[number] = 0
        self._entered[number] += 1

    def items(self, number: int, source: Iterable[Any]) -> Iterable[Any]:
        """Return what a `for` loop draws its items from."""
        site = self._sites[number]
        if self.chain:
            is_watched = number in self.chain and not self.is_stepping
        else:
            is_watched = site.leads or type(source) not in DRAWN_ALIKE
        if not is_watched:
            return source
        return Items(number, iter(source), self.draws, partial(self._ended, number))

    def test(self, number: int, value: object) -> bool:
        """Return whether a `while` loop goes on."""
        return bool(value) or self._ended(number)

    def stream(self, number: int, source: AsyncIterable[Any]) -> AsyncIterable[Any]:
        """Return what an `async for` loop draws its items from."""
        code = id(inspect.currentframe().f_back.f_code)  # type: ignore[union-attr]
        return Stream(aiter(source), self.handings, code, partial(self._ended, number))

    def hands(self, value: Any = None) -> Any:
        """Note that the calling function hands control on; return what it yields or awaits."""
        self.handings.note(inspect.currentframe().f_back)  # type: ignore[union-attr]
        return value

    def exits(self, number: int) -> None:
        """Note that a frame that can be left has ended a loop."""
        frame = inspect.currentframe().f_back  # type: ignore[union-attr]
        self._entered[number] -= 1
        self._starts_left.pop((number, id(frame)), None)
        if self.chain and number == self.chain[-1]:
            self.overtaken.remove(frame)
            if self._is_followed(frame):
                self._followed = self.inside.running = None

    def once(self, number: int) -> bool:
        """Return whether a block, which goes round once, has its round before it."""
        return self.counts[number] == 0

    def next(self, plain: Any, source: Any, *default: Any) -> Any:
        """Return what `next` returns; `plain` is what the script calls by this name."""
        return self.draws.next(source, *default) if plain is next else plain(source, *default)

    def head(self, number: int, names: Lambda) -> bool:
        """Begin a round; return whether the script itself shall run it."""
        self.counts[number] = self.counts.get(number, 0) + 1
        frame = inspect.currentframe().f_back  # type: ignore[union-attr]
        if not self.chain:
            self.begun_before[number] = self.begun_before.get(number, 0) + 1
            self._start(number, names, frame)
            if not self._opens_at(number, frame):
                return True
        if number not in self.chain or self.is_stepping or os.getpid() != self._process:
            return True
        if number != self.chain[-1]:
            self.scopes[number] = self._scope(number, names, frame)
            return True
        if self._sites[number].yields:
            if self._followed is not None and self.inside.running is not None and self.scope is not None:
                self.overtaken.add(self._followed, self.inside.running, self.scope)
                self.inside.running = None
            self._followed = id(frame)
        self.begun += 1
        self._names = names
        if self.round_ended is not None:
            self.round_ended()
            self._enter_scope(number, frame)
        if self._seeks:
            self._found()
        elif self.free_rounds and not self.stopped():
            self.free_rounds -= 1
            return True
        self.free_rounds = 0
        self._enter_scope(number, frame)
        self.can_run_itself = True
        self._park(Parking.ROUND)
        self.can_run_itself = False
        return self._runs_itself()

    def caught(self, number: int) -> type[BaseException] | tuple[()]:
        """Return the exceptions that a loop catches for gradstep."""
        if number not in self.chain or self.is_stepping or os.getpid() != self._process:
            return ()
        if self._rewinds or self._seeks:
            return Rewind
        frame = inspect.currentframe()
        if number == self.chain[-1] and self._steps(number, frame and frame.f_back):
            return BaseException
        return GeneratorExit if number == self.chain[0] else ()

    def next_inside(self, number: int) -> bool:
        """Return whether the frame itself shall run a statement."""
        frame = inspect.currentframe().f_back  # type: ignore[union-attr]
        if number != self.chain[-1]:
            return False
        if self.overtaken.has(frame):
            control = self.overtaken.run_rest(frame, self._sites[number], self._run_alone)
            self._breaks, self._returns = control is Control.BREAK, control is Control.RETURN
            return control is None
        if self.inside.next():
            return True
        self._is_done = False
        return False

    def runs_inside(self, number: int, index: int) -> bool:
        """Return whether a statement is the one that the frame itself shall run."""
        frame = inspect.currentframe().f_back  # type: ignore[union-attr]
        if self.overtaken.has(frame):
            return self.overtaken.is_at(frame, index)
        return self.inside.running == index

    def caught_inside(self, number: int) -> type[BaseException] | tuple[()]:
        """Return the exceptions that a statement in the frame itself may raise."""
        frame = inspect.currentframe().f_back  # type: ignore[union-attr]
        return BaseException if self._is_followed(frame) and self.inside.running is not None else ()

    def fails_inside(self, number: int) -> bool:
        """Take note of what such a statement raised; return whether the frame shall have it at once."""
        if isinstance(sys.exception(), GeneratorExit):
            self._closed(number)
        return self.inside.fails()

    def lost(self, number: int) -> bool:
        """Park the script after an exception in its round; return whether the script shall have it."""
        if self._rewinds:
            if number == self.chain[-1]:
                self._begin_anew(number)
            return number != self.chain[-1]
        if self._seeks:
            return False
        error = sys.exception()
        if isinstance(error, GeneratorExit):
            self._closed(number)
        if tells_to_end(error) or (not isinstance(error, Interrupted) and self._is_handled(number)):
            return True
        if isinstance(error, SystemExit):
            self._over()
            return False
        self.error, self.free_rounds = error, 0
        self._enter_scope(number, inspect.currentframe().f_back)  # type: ignore[union-attr]
        self._park(Parking.FAILED)
        self.error, self._is_done = None, False
        return False

    def waits(self, number: int) -> None:
        """Park the script at the begin of its first round."""
        if self._waits or (self._seeks and number == self.chain[-1]):
            self._waits = False
            self._found()
            if self._sites[number].yields:
                self._followed = id(inspect.currentframe().f_back)  # type: ignore[union-attr]
            self._park(Parking.ROUND)
            self._is_done = False

    def breaks(self, number: int) -> bool:
        """Return whether the loop was left by a `break` that ran alone, or raise what a statement raised."""
        if number == self.chain[-1] and self._raises is not None:
            error, self._raises = self._raises, None
            if not isinstance(error, SystemExit):
                raise error
            self._over()
        if number == self.chain[-1] and self._breaks:
            self._breaks = False
            self.leaves(number)
            return True
        return False

    def returns(self, number: int) -> bool:
        """Return whether the function was left by a `return` that ran alone."""
        if number == self.chain[-1] and self._returns:
            self._returns = False
            self.returning(number, self.result)
            return True
        return False

    def value(self, number: int) -> Any:
        """Return the value of the `return` that ran alone."""
        return self.result

    def leaves(self, number: int) -> None:
        """Park the script for good before it leaves its outermost loop."""
        if self._notes_overtaken(number, inspect.currentframe(), Control.BREAK):
            return
        if self.is_stepping or self._is_inside(number, inspect.currentframe()):
            if number == self.chain[-1]:
                self.control = Control.BREAK
        elif self.chain and number == self.chain[0] and self._ends():
            raise Rewind

    def continues(self, number: int) -> None:
        """Note a `continue`."""
        if self._notes_overtaken(number, inspect.currentframe(), Control.CONTINUE):
            return
        is_alone = self.is_stepping and number == self.chain[-1]
        if is_alone or self._is_inside(number, inspect.currentframe()):
            self.control = Control.CONTINUE

    def returning(self, number: int, value: object) -> object:
        """Return the value of a `return` inside a loop; park for good if it leaves the outermost loop."""
        around = (number, *self._sites[number].outer)
        if self.is_stepping:
            if self.chain[-1] in around:
                self.control, self.result = Control.RETURN, value
        elif self.chain and any(self._is_inside(loop, inspect.currentframe()) for loop in around):
            self.control = Control.RETURN
            self.handings.cut_off()
            self.inside.leave()
            self._returns = self._is_done = False
            if self.chain[0] in around:
                self._ends()
        elif self.chain and self.chain[0] in around and self._ends():
            raise Rewind
        return value

    # Calls of the session, by way of the handover

    def leave_round(self, control: Control) -> None:
        """Set the way in which the round that ran statement by statement ends."""
        self._breaks, self._returns = control is Control.BREAK, control is Control.RETURN
        self._raises = self._raised if control is Control.RAISED else None
        self._is_done = True

    def takes(self, error: BaseException) -> bool:
        """Return whether the script goes on, or ends, with what a statement raised that ran alone."""
        if isinstance(error, Interrupted | GeneratorExit):
            return False
        if not isinstance(error, SystemExit) and not self._is_handled(self.chain[-1]):
            return False
        self.control, self._raised = Control.RAISED, error
        return True

    def draws_items(self, number: int) -> bool:
        """Return whether a loop draws items, as `for` loops do."""
        return self._sites[number].place.kind is LoopKind.FOR

    def seek(self) -> None:
        """Have the script come back to the begin of a round, wherever it is parked, as soon as it goes on."""
        self._seeks, self.free_rounds = True, 0
        self.draws.repeats = MOST_REPEATED

    # Calls of autograd's engine

    def seen(self, made: ComingPass) -> None:
        """Look for the loop in which the first `backward` runs, and go back to its head.

        Raises:
            Rewind: it was found.
        """
        if self.chain or os.getpid() != self._process:
            return
        thread = self._handover.thread
        if thread is None or get_ident() in self._others:
            return
        frame = inspect.currentframe()
        if get_ident() != thread.ident:
            if made.accumulates:
                self._handover.give_up(NotCaptured(Obstacle.IN_ANOTHER_THREAD, place=place_of_frame(frame)))
            return
        chain = self._around(frame)
        counts = made.accumulates or self.takes_grad
        if counts and (plain := plain_loops(self._sites, frame)):
            self._miss(Missed(loops=plain), frame)
        if not chain:
            self._seen_alone(made, frame)
        elif counts:
            chain = self._that_update(chain)
            start = self._starts[chain[0]]
            inner = self._frame_of(start, frame)
            if self.handings.around(inner, start.handed):
                if self.missed_before is None or not self.missed_before.opens:
                    self._miss(Missed(start=(self._sites[chain[0]].key, start.number), opens=True), frame)
                self._handover.give_up(NotCaptured(Obstacle.OUT_OF_REACH, place=place_of_frame(frame)))
            self.handings.watch(inner)
            if start.keepsake is None and self.budget.only is None:
                self._miss(Missed(start=(self._sites[chain[0]].key, start.number)), frame)
            self.chain = tuple(reversed(chain))
            self._rewinds = True
            self._statements.forget()
            raise Rewind
        else:
            self.is_grad_in_loop = True

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
            self.lone = self._statements.lone_pass(frame, made.outputs)
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

    def _start(self, number: int, names: Lambda, caller: FrameType | None) -> None:
        scope = self._scope(number, names, caller)
        keepsake, begun = None, self.budget.number(number)
        drawn: Positions = {}
        if self.budget.allows(self._sites[number].key, begun):
            drawn = self.draws.positions()
            with self.budget.spending():
                keepsake = Keepsake({number: scope}, self.own_modules)
        mark = self._printed.mark()
        handed = self.handings.count
        self._starts[number] = RoundStart(
            id(caller), scope, keepsake, self.counts[number], drawn, mark, begun, handed
        )
        if self._sites[number].yields:
            self._starts_left[number, id(caller)] = self._starts[number]

    def _scope(self, number: int, names: Lambda, caller: FrameType | None) -> Scope:
        function = self._sites[number].function
        if function is None:
            return Scope(names.__globals__)
        if function.is_class:
            assert caller is not None
            return Scope(names.__globals__, body=caller.f_locals)
        cells = zip(names.__code__.co_freevars, names.__closure__ or (), strict=True)
        return Scope(names.__globals__, dict(cells))

    def _opens_at(self, number: int, frame: FrameType | None) -> bool:
        """Return whether a round is the one that an earlier run of the script has found to be the first."""
        missed = self.missed_before
        start = self._starts[number]
        if missed is None or not missed.opens or missed.start != (self._sites[number].key, start.number):
            return False
        self.chain = tuple(reversed(self._around(frame)))
        self.handings.watch(frame)
        self.scopes = {loop: self._starts[loop].scope for loop in self.chain}
        self._statements.forget()
        self._starts.clear()
        self._starts_left.clear()
        return True

    def _frame_of(self, start: RoundStart, frame: FrameType | None) -> FrameType | None:
        while frame is not None and id(frame) != start.frame:
            frame = frame.f_back
        return frame

    def _is_followed(self, frame: FrameType | None) -> bool:
        return self._followed == id(frame)

    def _steps(self, number: int, frame: FrameType | None) -> bool:
        """Return whether a frame runs the rounds of the stepped loop by itself."""
        return self.inside.running is None and (self._followed is None or self._is_followed(frame))

    def _is_inside(self, number: int, hook: FrameType | None) -> bool:
        """Return whether a hook is called by a statement that runs in the frame of the stepped loop."""
        if self.inside.running is None or not self.chain or number != self.chain[-1] or hook is None:
            return False
        return self._is_followed(hook.f_back)

    def _notes_overtaken(self, number: int, hook: FrameType | None, control: Control) -> bool:
        """Note how a statement of an overtaken round leaves it; return whether the hook is called by one."""
        if self.is_stepping or not self.chain or number != self.chain[-1] or hook is None:
            return False
        if not self.overtaken.has(hook.f_back):
            return False
        self.overtaken.note(hook.f_back, control)
        return True

    def _run_alone(self, scope: Scope, index: int) -> Control:
        """Run one statement of an overtaken round."""
        before, self.control, self.is_stepping = self.control, Control.NEXT, True
        try:
            scope.run(compiled_alone(self._sites[self.chain[-1]], index))
            return self.control
        finally:
            self.control, self.is_stepping = before, False

    def _closed(self, number: int) -> None:
        """Park the script if a generator is closed that the outermost loop stands in."""
        if self.chain[0] in (number, *self._sites[number].outer):
            self._ends()

    def _begin_anew(self, number: int) -> None:
        start = self._starts[number]
        self._rewinds, self._waits, self.begun = False, True, 1
        self.scope = start.scope
        self.scopes = {loop: self._starts[loop].scope for loop in self.chain}
        if start.keepsake is not None:
            self.draws.go_back(start.drawn)
            self.lost_names = start.keepsake.put_back({number: start.scope})
            self._printed.back_to(start.printed)
        else:  # the script went another way when it was run again
            self.lost_names = [name for name in start.scope.names() if not name.startswith("__")]
        self._starts.clear()
        self._starts_left.clear()

    def _runs_itself(self) -> bool:
        if self.inside.wanted is not None:
            return False
        if self._is_done:
            self._is_done = False
            return False
        self.free_rounds = max(0, self.free_rounds - 1)
        return True

    def _enter_scope(self, number: int, frame: FrameType | None) -> None:
        self.scope = self.scopes[number] = self._scope(number, self._names, frame)

    def _ended(self, number: int) -> bool:
        """Take note that a loop has no more rounds; return whether it shall have one all the same."""
        if self.is_stepping:
            self.leaves(number)
            return False
        if self._seeks and number in self.chain:
            return self.draws.repeats > 0
        return bool(self.chain) and number == self.chain[0] and self._ends()

    def _found(self) -> None:
        self._seeks, self.draws.repeats = False, 0

    def _ends(self) -> bool:
        """Park the script as `_over` does, unless the outermost loop is under way in another frame, too."""
        outermost = self._sites[self.chain[0]]
        return not (outermost.yields and self._entered[outermost.number] > 1) and self._over()

    def _over(self) -> bool:
        """Park the script outside of its rounds; return True once it shall come back into them."""
        if os.getpid() != self._process:
            return False
        self.free_rounds = 0
        self._found()
        while not self._seeks:
            self._park(Parking.OVER)
        return True

    def ended(self, error: BaseException | None) -> None:
        """Park the script for good at its very end, if a statement runs in a frame that is left."""
        if self.handings.are_watched and os.getpid() == self._process:
            self.error = error
            while True:
                self._park(Parking.ENDED)

    def _park(self, why: Parking) -> None:
        self._handover.park(why)

    def _is_handled(self, number: int) -> bool:
        """Return whether a `try` around the stepped loop, in any function, may handle what it raised."""
        frame = inspect.currentframe()
        site = self._sites[number]
        assert self.scope is not None
        line, is_inner = site.place.lines.first, True
        while frame is not None:
            tries = self.tries.get(frame.f_code.co_filename, ())
            if is_inner and frame.f_globals is self.scope.variables:
                tries, is_inner = self.tries.get(site.place.file, ()), False
            elif not is_inner:
                line = frame.f_lineno
            if not is_inner and any(line in lines for lines in tries):
                return True
            frame = frame.f_back
        return False
