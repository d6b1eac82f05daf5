"""Runs rounds of a captured loop and writes a diary of them."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node
from torch.nn.modules.module import register_module_forward_hook

from gradstep.capture.captured_loop import CapturedLoop
from gradstep.capture.loop_places import Control
from gradstep.learner_code.eager import uncompiled
from gradstep.learner_code.places import place_of
from gradstep.learner_code.raised import is_of_learners_code
from gradstep.loop.roles import Role
from gradstep.oddities.watching.call_watch import CallWatch, is_empty
from gradstep.oddities.watching.diary import Diary, Growth, Move, OpenedRound, SeenPass, Zeroing
from gradstep.oddities.watching.learner_frames import spot_above
from gradstep.oddities.watching.node_walk import Spot, inputs_of
from gradstep.oddities.watching.object_names import ObjectNames
from gradstep.oddities.watching.pass_watch import passes_and_steps
from gradstep.torch_internals import version_of

LARGEST: Final = 5_000_000
"""Numbers of parameters up to which the first steps are measured."""

_NEAR: Final = 5
"""Nodes between a sum of losses and the sum of the round before."""


class RoundWatch:
    """The rounds of one loop, with everything that is seen in them."""

    def __init__(self, loop: CapturedLoop, *, finds_roles: bool) -> None:
        """Watch a loop that is at the begin of a round; to find the roles of statements takes time."""
        self._finds_roles = finds_roles
        head = loop.loops[-1]
        self.diary = Diary((head.file, head.lines.first))
        self._loop, self._calls = loop, CallWatch(self.diary)
        self._marks: dict[int, tuple[int, float]] = {}
        self._kept: dict[int, tuple[Tensor, Tensor]] = {}
        self._older: list[Node] = []
        self._sums: dict[str, Node] = {}
        self._added: list[tuple[str, list[Any], list[Any], Spot]] = []
        """What lists have taken up in the round: the list's name, the list, its new elements, the line."""

        self.roles: dict[int, frozenset[Role]] = {}
        """What each statement was seen to do in the first two rounds, by its index."""

        self._makers: dict[int, int] = {}
        """Statement that made a tensor with a name, by the tensor's id."""

    @contextmanager
    def hooks(self) -> Iterator[None]:
        """See passes, steps and calls of modules, inside the `with` block."""
        handle = register_module_forward_hook(self._module_called)
        try:
            with passes_and_steps(self.diary, self._calls, self._passed):
                yield
        finally:
            handle.remove()

    def run(self) -> bool:
        """Run one round; return whether another one can follow."""
        diary, loop = self.diary, self._loop
        self._begin()
        control = Control.NEXT
        try:
            for index in range(loop.next_statement, len(loop.statements)):
                control = self._statement(index)
                if control is not Control.NEXT:
                    break
            self._end()
            loop.end_round(control)
        except BaseException as error:
            if not is_of_learners_code(error):
                raise
            if isinstance(error, SystemExit):
                diary.over = True
            else:
                diary.error, diary.error_place = error, place_of(error)
                diary.failed_in = len(diary.rounds), self._calls.statement
            return False
        diary.complete += 1
        diary.over = loop.over
        return not loop.over

    def finish(self) -> None:
        """Look at what the last round has left, and let go of everything that only the watch needed."""
        self._note_changes()
        self._kept.clear()
        self._sums.clear()

    def _statement(self, index: int) -> Control:
        lists = self.diary.rounds[-1].names.lists
        before = {name: len(held) for name, held in lists.items()}
        self._calls.statement = index
        watch = ExitStack()
        contexts: tuple[AbstractContextManager[object], ...] = (uncompiled(), self._calls)
        self._loop.ask(lambda: [watch.enter_context(each) for each in contexts])
        try:
            is_observed = self._finds_roles and len(self.diary.rounds) <= 2
            control = self._run(index) if is_observed else self._loop.run_statement(index)
        except BaseException as error:
            if not isinstance(error, KeyboardInterrupt) or is_of_learners_code(error):
                self._loop.ask(watch.close)  # else the statement still runs
            raise
        self._loop.ask(watch.close)
        spot = self._loop.loops[-1].file, self._loop.statements[index].lines.first
        for name, held in lists.items():
            if len(held) > before[name]:
                self._added.append((name, held, held[before[name] :], spot))
        return control

    def _run(self, index: int) -> Control:
        """Run a statement of one of the first rounds, and note what it does."""
        known = set(map(id, self._loop.names.values()))
        ran = self._loop.watch_statement(index)
        made = (value for value in self._loop.names.values() if isinstance(value, Tensor))
        self._makers |= {id(value): index for value in made if id(value) not in known}
        self.roles[index] = self.roles.get(index, frozenset()) | ran.effects.roles
        for loss in (output for outputs in ran.passes for output in outputs):
            maker = self._makers.get(id(loss))
            if maker is not None and maker in self.roles:
                self.roles[maker] |= {Role.LOSS}
        return ran.control

    def _begin(self) -> None:
        diary = self.diary
        names = ObjectNames(self._loop.names)
        diary.known |= {id(leaf): leaf for leaf in names.leaves}
        self._note_changes()
        self._forget_nodes()
        diary.rounds.append(OpenedRound(names, dict(names.made), torch.get_rng_state()))
        diary.fed.append([])
        diary.broadcasts.clear()
        self._added.clear()

    def _end(self) -> None:
        """Look for names that stand for the graphs of more rounds than before."""
        nodes = self._nodes_of_round()
        now = {name: made.grad_fn for name, made in ObjectNames(self._loop.names).made}
        sums = {name: node for name, node in now.items() if node is not None and node not in nodes}
        for name, node in sums.items():
            if name in self._sums and _leads_to(node, {self._sums[name]}) and _leads_to(node, nodes):
                self._note_growth(name, self.diary.made.get(node))
        self._sums = sums
        for name, held, added, spot in self._added:
            kept = set(map(id, held))
            losses = (part for part in added if isinstance(part, Tensor) and id(part) in kept)
            if any(loss.grad_fn in nodes for loss in losses):
                self._note_growth(name, spot)

    def _note_growth(self, name: str, spot: Spot | None) -> None:
        growth = self.diary.growths.setdefault(name, Growth(spot))
        growth.rounds += growth.last != len(self.diary.rounds)
        growth.last = len(self.diary.rounds)

    def _nodes_of_round(self) -> frozenset[Node]:
        number = len(self.diary.rounds)
        return frozenset(
            node for seen in self.diary.passes if seen.round == number for node in seen.facts.nodes
        )

    def _forget_nodes(self) -> None:
        """Keep the nodes of the round that has ended, and let go of those before."""
        diary = self.diary
        for node in self._older:
            diary.made.pop(node, None)
            diary.born.pop(node, None)
        self._older = list(diary.born)
        for seen in diary.passes:
            if seen.round < len(diary.rounds):
                seen.facts.nodes = seen.facts.loss_nodes = seen.facts.compared = frozenset()

    def _note_changes(self) -> None:
        """Note parameters that have changed since the last look, and zeroings that nobody saw."""
        diary = self.diary
        for key, parameter in diary.known.items():
            mark = _mark(parameter)
            if key in self._marks and mark != self._marks[key]:
                diary.changed.add(key)
            self._marks[key] = mark
        self._note_unseen_zeroings()
        self._measure()

    def _note_unseen_zeroings(self) -> None:
        state: dict[int, bool] = {}
        for entry in self.diary.entries:
            if isinstance(entry, SeenPass):
                state |= dict.fromkeys(entry.reached - entry.zero, True)
            elif isinstance(entry, Zeroing):
                state |= dict.fromkeys(entry.zeroed, False)
        gone = {key for key, has in state.items() if has and is_empty(self.diary.known[key].grad)}
        if gone:
            self.diary.entries.append(Zeroing(len(self.diary.rounds), None, None, gone))

    def _passed(self, seen: SeenPass) -> None:
        """Keep what the first steps need to be measured."""
        self._kept.clear()
        reached = [self.diary.known[key] for key in seen.reached]
        plain = [
            leaf for leaf in reached if leaf.grad is not None and _is_plain(leaf) and _is_plain(leaf.grad)
        ]
        if seen.round <= 2 and sum(leaf.numel() for leaf in plain) <= LARGEST:
            for leaf in plain:
                assert leaf.grad is not None
                self._kept[id(leaf)] = leaf.detach().double().clone(), leaf.grad.detach().double().clone()

    def _measure(self) -> None:
        """Compare the parameters with what they were at the pass, if the round had one pass."""
        number = len(self.diary.rounds)
        of_round = [seen for seen in self.diary.passes if seen.round == number]
        kept, self._kept = self._kept, {}
        if len(of_round) != 1 or not kept or not self._is_updated(of_round[0]):
            return
        along = change = gradient = size = 0.0
        for key, (value, grad) in kept.items():
            moved = self.diary.known[key].detach().double() - value
            along += float((moved * grad).sum())
            change += float((moved * moved).sum())
            gradient += float((grad * grad).sum())
            size += float((value * value).sum())
        count = sum(value.numel() for value, _ in kept.values())
        self.diary.moves.append(
            Move(of_round[0].losses[0], along, change**0.5, gradient**0.5, size**0.5, count)
        )

    def _is_updated(self, seen: SeenPass) -> bool:
        """Return whether an update has used the gradients of a pass."""
        later = self.diary.entries[self.diary.entries.index(seen) :]
        return any(
            seen.reached & update.held - update.empty for update in self.diary.updates if update in later
        )

    def _module_called(self, module: nn.Module, inputs: Any, output: Any) -> None:
        if not torch.is_grad_enabled():
            return
        for parameter in module.parameters(recurse=False):
            if not parameter.requires_grad:
                self.diary.frozen.setdefault(id(parameter), (parameter, spot_above(sys._getframe(1))))


def _mark(parameter: Tensor) -> tuple[int, float]:
    if not _is_plain(parameter):
        return version_of(parameter), 0.0
    return version_of(parameter), float(parameter.detach().double().sum())


def _is_plain(tensor: Tensor) -> bool:
    return (
        tensor.layout == torch.strided
        and not tensor.is_meta
        and not tensor.is_inference()
        and tensor.is_floating_point()
    )


def _leads_to(node: Node, wanted: set[Node] | frozenset[Node]) -> bool:
    """Return whether one of some nodes is near behind a node."""
    waiting, seen = deque([(node, 0)]), {node}
    while waiting:
        found, depth = waiting.popleft()
        for following in inputs_of(found):
            if following is None or following in seen:
                continue
            if following in wanted:
                return True
            seen.add(following)
            if depth < _NEAR:
                waiting.append((following, depth + 1))
    return False
