"""Sees every backward pass and every step of an optimizer, and writes them into a diary."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook

from gradstep.oddities.watching.call_watch import CallWatch, is_empty
from gradstep.oddities.watching.diary import Diary, SeenPass, SeenStep
from gradstep.oddities.watching.graph_reading import read_graph
from gradstep.oddities.watching.learner_frames import is_below_optimizer, spot_above, spots_above
from gradstep.oddities.watching.object_names import parameters_of
from gradstep.torch_internals import engine_entered_by, engine_entry


@contextmanager
def passes_and_steps(
    diary: Diary, calls: CallWatch, after_pass: Callable[[SeenPass], None]
) -> Iterator[None]:
    """Write passes and steps into a diary, inside the `with` block."""
    plain = engine_entry()

    def entry(outputs: Any, *args: Any, **kwargs: Any) -> Any:
        if not kwargs.get("accumulate_grad", False):
            diary.inputs |= {id(tensor) for tensor in _inputs(args)}
            return plain(outputs, *args, **kwargs)
        with calls.paused():
            found = tuple(output for output in outputs if isinstance(output, Tensor))
            seen = _begun(diary, calls, found, args)
        try:
            result = plain(outputs, *args, **kwargs)
        except BaseException as error:
            seen.error = error
            raise
        with calls.paused():
            seen.zero = frozenset(key for key in seen.reached if is_empty(diary.known[key].grad))
            calls.read.clear()
            after_pass(seen)
        return result

    def stepped(optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        held = {id(parameter): parameter for parameter in parameters_of(optimizer)}
        diary.known |= held
        with calls.paused():
            empty = frozenset(key for key, parameter in held.items() if is_empty(parameter.grad))
        spot = spot_above(sys._getframe(1))
        step = SeenStep(
            len(diary.rounds), calls.statement, spot, optimizer, frozenset(held), empty, diary.clock
        )
        diary.entries.append(step)

    hook = register_optimizer_step_post_hook(stepped)
    try:
        with engine_entered_by(entry):
            yield
    finally:
        hook.remove()


def _begun(diary: Diary, calls: CallWatch, outputs: tuple[Tensor, ...], args: tuple[Any, ...]) -> SeenPass:
    facts = read_graph(outputs, diary.made)
    wanted = {id(tensor) for tensor in _inputs(args)}
    reached = {key: leaf for key, leaf in facts.leaves.items() if not wanted or key in wanted}
    diary.known |= reached
    seen = SeenPass(
        len(diary.rounds),
        calls.statement,
        spots_above(sys._getframe(2)),
        facts,
        tuple(_number(output) for output in outputs),
        frozenset(reached),
        frozenset(key for key, leaf in reached.items() if not is_empty(leaf.grad)),
        _is_weighted(args),
        diary.paths.behind(outputs),
    )
    _compare_with_earlier(diary, seen, outputs)
    diary.entries.append(seen)
    diary.paths.passes += 1
    return seen


def _compare_with_earlier(diary: Diary, seen: SeenPass, outputs: tuple[Tensor, ...]) -> None:
    """Note what of the graph is not of this pass alone."""
    nodes = seen.facts.nodes
    seen.in_step = is_below_optimizer(sys._getframe(3))
    seen.size = len(nodes)
    seen.born = max((diary.born.get(made, 0) for each in outputs if (made := each.grad_fn)), default=0)
    earlier = [other for other in diary.passes if other.facts.nodes & nodes]
    seen.shares = next((other for other in reversed(earlier) if other.round == seen.round), None)
    seen.inherits = any(other.round < seen.round for other in earlier)
    there = diary.rounds[-1].made if diary.rounds else {}
    seen.carried = tuple(name for name, tensor in there.items() if tensor.grad_fn in nodes)
    seen.compared = frozenset(name for name in seen.carried if there[name].grad_fn in seen.facts.compared)
    seen.broadcasts = tuple(
        found for node, found in diary.broadcasts.items() if node in seen.facts.loss_nodes
    )


def _inputs(args: tuple[Any, ...]) -> list[Tensor]:
    found = args[3] if len(args) > 3 else ()
    return [part for part in found if isinstance(part, Tensor)] if isinstance(found, (list, tuple)) else []


def _is_weighted(args: tuple[Any, ...]) -> bool:
    given = args[0] if args else None
    several = given if isinstance(given, (list, tuple)) else (given,)
    return any(isinstance(grad, Tensor) and (grad.numel() != 1 or grad.item() != 1) for grad in several)


def _number(output: Tensor) -> float:
    return float(output.detach()) if output.numel() == 1 and not output.is_meta else float("nan")
