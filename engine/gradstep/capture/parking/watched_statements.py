"""Statements of a captured loop that are watched as they run: what each does, found by running it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.nn.modules.module import register_module_forward_hook

from gradstep.capture.effects import Effects, Observed, Seen, effects_between
from gradstep.capture.engine_watch import ComingPass, watched
from gradstep.capture.loop_places import Control
from gradstep.capture.parking.parked_script import ParkedScript
from gradstep.loop.roles import Role


@dataclass(frozen=True, slots=True)
class Watched:
    """One statement that ran while it was watched."""

    control: Control
    effects: Effects
    passes: tuple[tuple[Tensor, ...], ...]
    """The tensors that each `backward` in it differentiated."""


def watch_statement(script: ParkedScript, index: int) -> Watched:
    """Run one statement of a script's loop as `run_statement` does, and observe what it does."""
    seen, passes = Seen(), list[tuple[Tensor, ...]]()
    draws, printed, before = script.drawn, script.printed.count, Observed(script.names)

    def count(made: ComingPass) -> None:
        seen.passes += made.accumulates
        if made.accumulates:
            passes.append(made.outputs)

    with watched(count), _calls_counted(seen):
        control = script.run_statement(index)
    if index not in script.site.inside:  # else who asked for values draws them
        seen.draws = script.drawn - draws
    seen.printed = script.printed.count - printed
    return Watched(control, effects_between(before, Observed(script.names), seen), tuple(passes))


def watch_round(script: ParkedScript, order: Sequence[int] | None = None) -> dict[int, Effects]:
    """Run one round statement by statement; return what each statement that ran did, by its index.

    Args:
        script: The script.
        order: Indices of the statements that run, in their order; None for the script's own.
    """
    found: dict[int, Effects] = {}
    made: dict[int, int] = {}
    control = Control.NEXT
    for index in script.rest(order):
        known = set(map(id, script.names.values()))
        ran = watch_statement(script, index)
        made.update(
            {id(v): index for v in script.names.values() if isinstance(v, Tensor) and id(v) not in known}
        )
        found[index], control = ran.effects, ran.control
        for loss in (output for outputs in ran.passes for output in outputs):
            if (maker := made.get(id(loss))) is not None and maker in found:
                found[maker] = Effects(found[maker].roles | {Role.LOSS}, found[maker].changed)
        if control is not Control.NEXT:
            break
    script.end_round(control)
    return found


@contextmanager
def _calls_counted(seen: Seen) -> Iterator[None]:
    def called(module: Any, inputs: Any, output: Any) -> None:
        seen.calls_without_graph += isinstance(output, Tensor) and output.grad_fn is None

    handle = register_module_forward_hook(called)
    try:
        yield
    finally:
        handle.remove()
