"""A pass of autograd outside of any loop: the statements from the one that made its graph on."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType

from torch import Tensor
from torch.autograd.graph import Node

from gradstep.capture.loop_places import LineRange
from gradstep.torch_internals import AccumulateGrad, next_sequence_number, sequence_number_of


@dataclass(frozen=True, slots=True)
class LonePass:
    """Lines between which the graph of a pass is made and the pass is begun, in one function or module."""

    file: str
    lines: LineRange


class BegunStatements:
    """BegunStatements outside of loops that have begun, each with the number of the autograd node to come."""

    def __init__(self) -> None:
        """Begin without statements."""
        self._begun: dict[int, list[tuple[int, int]]] = {}

    def at(self, line: int, is_first: bool) -> None:
        """Note that a statement of the caller begins; `is_first` if it is the first of the caller's frame."""
        frame = inspect.currentframe().f_back  # type: ignore[union-attr]
        if is_first:
            self._begun[id(frame)] = []
        self._begun.setdefault(id(frame), []).append((line, next_sequence_number()))

    def forget(self) -> None:
        """Forget all statements."""
        self._begun.clear()

    def lone_pass(self, frame: FrameType | None, outputs: Sequence[Tensor]) -> LonePass | None:
        """Return the lines that a pass depends on, of the innermost function in which its graph began.

        Args:
            frame: Frame that begins the pass.
            outputs: The tensors that are differentiated.
        """
        first = _first_number(outputs)
        while frame is not None:
            begun = self._begun.get(id(frame), [])
            before = [line for line, number in begun if number <= first]
            if before:
                return LonePass(frame.f_code.co_filename, LineRange(before[-1], begun[-1][0]))
            frame = frame.f_back
        return None


def _first_number(outputs: Sequence[Tensor]) -> int:
    """Return the number of the oldest node of the graphs that lead to tensors."""
    first = next_sequence_number()
    waiting: list[Node] = [tensor.grad_fn for tensor in outputs if tensor.grad_fn is not None]
    seen = set(waiting)
    while waiting:
        node = waiting.pop()
        if not isinstance(node, AccumulateGrad):  # made late, and numbered apart
            first = min(first, sequence_number_of(node))
        more = {node for node, _ in node.next_functions if node is not None} - seen
        seen |= more
        waiting += more
    return first
