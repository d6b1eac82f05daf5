"""One pass of a program, recorded as it passes the entry of autograd's engine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from os.path import dirname, sep
from types import FrameType
from typing import Any, Final

import torch
from torch import Tensor
from torch.optim import Optimizer

from gradstep.autograd.events import NodeEvent
from gradstep.autograd.leaf_copies import LeafCopies, LeafCopy
from gradstep.autograd.recorder import Recorder
from gradstep.autograd.source_map import SourceMap
from gradstep.autograd.trace import Trace
from gradstep.learner_code.raised import message_of, printable
from gradstep.loop.roles import Role
from gradstep.recordings.leaf_names import names_of, optimizers_of
from gradstep.recordings.recording import LeafRecord, PassRecord
from gradstep.recordings.surrounding_code import code_around, with_roles
from gradstep.tensors.bitwise import shared_copy
from gradstep.tensors.memory import bytes_of
from gradstep.tensors.placeholders import SMALL, placeholder_for, plain_numbers
from gradstep.torch_internals import AccumulateGrad, leaf_of

_NOT_THE_PROGRAM: Final = (dirname(dirname(__file__)) + sep, dirname(torch.__file__) + sep)
"""Beginnings of the paths of files that are not the program's."""


class Room:
    """Bytes that the copies of a recording may still take."""

    def __init__(self, limit: int) -> None:
        """Start with nothing taken of `limit` bytes."""
        self.left = limit

    def copy(self, tensor: Tensor, *known: Tensor | None) -> Tensor:
        """Return a copy without a graph, an equal earlier copy, or a placeholder without numbers."""
        numbers = plain_numbers(tensor.detach())
        if bytes_of(numbers) > max(self.left, SMALL):
            return placeholder_for(numbers)
        made = shared_copy(numbers, *known)
        if not any(made is copy for copy in known):
            self.left -= bytes_of(made)
        return made


class PassRecorder:
    """Runs one pass and records it."""

    def __init__(self, room: Room, sources: SourceMap | None, frame: FrameType | None) -> None:
        """Prepare to record the next pass.

        Args:
            room: Bytes that copies may take.
            sources: Watched calls of the forward pass; None if it was not watched.
            frame: Frame of the program that starts the pass.
        """
        self._room, self._sources = room, sources
        self.code = code_around(frame)
        self._frame = frame
        self._before: list[tuple[str, Tensor, Tensor, Tensor | None]] = []
        """Name of each leaf, the leaf, and copies of its value and its `.grad` before the pass."""

        self._recorder: Recorder | None = None
        self._error: BaseException | None = None
        self._loss: float | None = None
        self.optimizers = list[Optimizer]()
        """Optimizers of the leaves that have names in the program; empty if names were known before."""

    @property
    def leaves(self) -> dict[str, Tensor]:
        """The leaves that the pass reaches, by name."""
        return {name: leaf for name, leaf, _, _ in self._before}

    def run(self, plain: Callable[..., Any], outputs: Any, args: Any, kwargs: Any) -> Any:
        """Return what the engine's entry returns for some arguments, and record the pass.

        Args:
            plain: The engine's entry.
            outputs: Its first argument: the tensors that are differentiated.
            args: Its further arguments.
            kwargs: Its named arguments.
        """
        recorder = Recorder(self._known, max(self._room.left, 0))
        try:
            return recorder.record_pass(plain, outputs, args, kwargs)
        except BaseException as error:
            self._error = error
            raise
        finally:
            self._recorder = recorder

    def look(
        self,
        outputs: Any,
        names: Mapping[str, Tensor] | None = None,
        last: Mapping[str, LeafRecord] | None = None,
    ) -> bool:
        """Note the leaves and the loss before the pass; return True.

        Args:
            outputs: The tensors that are differentiated.
            names: Names that leaves have already.
            last: Earlier records of leaves, by name, whose copies are used again if nothing has changed.
        """
        outputs, last = tuple(outputs), last or {}
        for name, leaf in names_of(leaves_behind_all(outputs), self._frame, names or {}).items():
            earlier = last.get(name)
            value = self._room.copy(leaf, None if earlier is None else earlier.value)
            grads = () if earlier is None else (earlier.grad_after, earlier.grad_before)
            grad = None if leaf.grad is None else self._room.copy(leaf.grad, *grads)
            self._before.append((name, leaf, value, grad))
        numbers = [output for output in outputs if isinstance(output, Tensor) and output.numel() == 1]
        if numbers and len(numbers) == len(outputs) and not any(each.is_complex() for each in numbers):
            self._loss = sum(float(each.detach()) for each in numbers)
        self.optimizers = optimizers_of(self._frame, self.leaves.values()) if names is None else []
        self._frame = None
        return True

    @property
    def _known(self) -> LeafCopies:
        """Copies of the leaves before the pass, without placeholders."""
        return {
            id(leaf): LeafCopy(leaf, value, None if grad is None or grad.is_meta else grad)
            for _, leaf, value, grad in self._before
            if not value.is_meta
        }

    @property
    def has_events(self) -> bool:
        """Whether there is anything to step through."""
        return self._recorder is not None and (bool(self._recorder.rows) or self._error is not None)

    def record(self) -> PassRecord:
        """Return the recorded pass; call it before the parameters are updated."""
        assert self._recorder is not None
        recorder, error = self._recorder, self._error
        trace = Trace(recorder, self.leaves, self._sources, error, self._known)
        events = trace.events
        self._room.left -= sum(trace.pieces.values())
        written = {write.parameter: write.after for _, write in trace.writes}
        leaves = list[LeafRecord]()
        for name, leaf, value, grad in self._before:
            after = None if leaf.grad is None else self._room.copy(leaf.grad, written.get(name), grad)
            leaves.append(LeafRecord(name, value, grad, after))
        made = [event.source for event in events if isinstance(event, NodeEvent) and event.source is not None]
        lines = {(Role.FORWARD, source.line) for source in made if source.file == self.code.file}
        said = (
            "" if error is None else printable(f"{type(error).__name__}: {message_of(error)}".split("\n")[0])
        )
        return PassRecord(trace, self._loss, tuple(leaves), with_roles(self.code, lines), said)


def leaves_behind_all(outputs: tuple[Any, ...]) -> list[Tensor]:
    """Return the leaves of the graphs behind some outputs of a pass, each once, in the order of the graph."""
    found: dict[int, Tensor] = {}
    waiting = [output.grad_fn if isinstance(output, Tensor) else output.node for output in outputs]
    seen = set[Any]()
    for number, output in enumerate(outputs):
        if isinstance(output, Tensor) and waiting[number] is None and output.requires_grad:
            found[id(output)] = output
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if isinstance(node, AccumulateGrad):
            leaf = leaf_of(node)
            found[id(leaf)] = leaf
        waiting += [following for following, _ in node.next_functions]
    return [*found.values()]


def program_frame() -> FrameType | None:
    """Return the innermost frame of the program itself, outside PyTorch and gradstep."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_NOT_THE_PROGRAM):
        frame = frame.f_back
    return frame
