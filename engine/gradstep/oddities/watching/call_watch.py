"""Sees every torch function that a statement calls: what it makes, changes, zeroes, and cuts off."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import zip_longest
from types import FrameType
from typing import Any, Final

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from gradstep.oddities.oddity import Cut
from gradstep.oddities.watching.diary import Broadcast, Diary, Rescaling, SeenWrite, ZeroCall, Zeroing
from gradstep.oddities.watching.learner_frames import is_in_optimizer, spot_above, zeroing_object
from gradstep.oddities.watching.node_walk import Spot
from gradstep.torch_internals import GRAD_MODE_SETTER

_GRAD, _DATA = Tensor.grad, Tensor.data
_ESCAPES: Final = {
    "item": Cut.ITEM,
    "__float__": Cut.ITEM,
    "__int__": Cut.ITEM,
    "tolist": Cut.ITEM,
    "numpy": Cut.NUMPY,
    "__array__": Cut.NUMPY,
}
_NAMED_CUTS: Final = {
    "detach": Cut.DETACH,
    "detach_": Cut.DETACH,
    "detach_copy": Cut.DETACH,
    "tensor": Cut.COPY,
    "as_tensor": Cut.COPY,
    "asarray": Cut.COPY,
}
_OF_SHAPE_ONLY: Final = frozenset(
    {
        "new_zeros",
        "new_ones",
        "new_empty",
        "new_full",
        "new_tensor",
        "requires_grad_",
        "one_hot",
        "register_hook",
    }
)
_COMPARES: Final = frozenset(
    {"sub", "__sub__", "__rsub__", "rsub", "subtract", "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"}
)
_FED: Final = 8
"""Tensors of a round that are told apart from those of another round."""


class CallWatch(TorchFunctionMode):
    """Writes what torch functions do into a diary; every call runs with its own arguments."""

    def __init__(self, diary: Diary) -> None:
        """Watch for a diary."""
        super().__init__()
        self._diary = diary
        self._grad_off: Spot | None = None
        self.read: set[int] = set()
        """Ids of the leaves whose `.grad` was read since the last pass or write."""

        self.statement = 0
        """Index of the statement that runs."""

        self.is_paused = False
        """Whether calls are passed on unnoted: they are those of the watch itself."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run a call, and note it."""
        result = func(*args, **(kwargs or {}))
        if not self.is_paused:
            self._note(func, args, kwargs or {}, result, sys._getframe(1))
        return result

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Note nothing inside the `with` block."""
        before, self.is_paused = self.is_paused, True
        try:
            yield
        finally:
            self.is_paused = before

    def _note(self, func: Any, args: Any, kwargs: dict[str, Any], result: Any, frame: FrameType) -> None:
        name = getattr(func, "__name__", "")
        if name in ("__get__", "__set__"):
            self._attribute(getattr(func, "__self__", None), name, args, result, frame)
        elif name == GRAD_MODE_SETTER:
            if args and not args[0] and (spot := spot_above(frame)) is not None:
                self._grad_off = spot
        elif name in _ESCAPES:
            self._diary.paths.escape(_ESCAPES[name], spot_above(frame), name, list(_tensors(args)))
        else:
            if (name.endswith("_") and not name.endswith("__")) or name == "__setitem__":
                self._in_place(_tensors(args[:1]), frame)
            self._operation(name, args, kwargs, result, frame)

    def _attribute(self, descriptor: Any, name: str, args: Any, result: Any, frame: FrameType) -> None:
        of = args[0]
        if descriptor is _GRAD and name == "__get__":
            self._grad_read(of, result, frame)
        elif descriptor is _GRAD:
            self._grad_set(of, args[1], frame)
        elif descriptor is _DATA and name == "__set__":
            self._written(of, frame)
        elif isinstance(result, Tensor):
            operation = "data" if descriptor is _DATA else getattr(descriptor, "__name__", "")
            self._operation(operation, args, {}, result, frame)

    def _grad_read(self, tensor: Tensor, grad: Tensor | None, frame: FrameType) -> None:
        by = zeroing_object(frame)
        calls = self._diary.zero_calls
        if by is not None:
            if not calls or calls[-1].by is not by:
                calls.append(ZeroCall(by, spot_above(frame)))
        elif not tensor.is_leaf:
            if grad is None and not tensor.retains_grad:
                self._diary.without_grad.append((tensor, spot_above(frame)))
        else:
            self.read.add(id(tensor))

    def _grad_set(self, tensor: Tensor, grad: Tensor | None, frame: FrameType) -> None:
        if tensor.is_leaf and not is_in_optimizer_step(frame):
            self._grad_changed(tensor, grad, frame)

    def _grad_changed(self, parameter: Tensor, grad: Tensor | None, frame: FrameType) -> None:
        diary, key = self._diary, id(parameter)
        if not is_empty(grad):
            diary.entries.append(Rescaling(key))
            return
        by, spot = zeroing_object(frame), spot_above(frame)
        last = diary.entries[-1] if diary.entries else None
        if isinstance(last, Zeroing) and last.by is by and last.spot == spot:
            last.zeroed.add(key)
        else:
            diary.entries.append(Zeroing(len(diary.rounds), spot, by, {key}))

    def _written(self, parameter: Tensor, frame: FrameType) -> None:
        if id(parameter) not in self._diary.known or is_in_optimizer(frame):
            return
        key = id(parameter)
        grad = parameter.grad if parameter.is_leaf else None
        self._diary.entries.append(
            SeenWrite(
                len(self._diary.rounds),
                self.statement,
                spot_above(frame),
                key,
                frozenset({key}) if is_empty(grad) else frozenset(),
                key in self.read,
                self._diary.clock,
            )
        )
        self.read.discard(key)

    def _in_place(self, targets: Iterable[Tensor], frame: FrameType) -> None:
        if is_in_optimizer_step(frame):
            return
        for target in targets:
            address = _address(target)
            if address == 0 or target.grad_fn is not None:
                continue
            for parameter in list(self._diary.known.values()):
                grad = parameter.grad if parameter.is_leaf else None
                if grad is not None and (target is grad or _address(grad) == address):
                    self._grad_changed(parameter, grad, frame)
                elif target is parameter or _address(parameter) == address:
                    self._written(parameter, frame)

    def _operation(self, name: str, args: Any, kwargs: dict[str, Any], result: Any, frame: FrameType) -> None:
        diary = self._diary
        results = list(_tensors(args[:1] if name == "__setitem__" else (result,)))
        if not results:
            return
        operands = list(_tensors(args))
        if kwargs:
            operands += _tensors(kwargs.values())
        with_graph = [operand for operand in operands if operand.requires_grad]
        made = [made for each in results if (made := each.grad_fn) is not None]
        if made:
            spot = spot_above(frame)
            diary.clock += 1
            for node in made:
                if spot is not None:
                    diary.made.setdefault(node, spot)
                diary.born.setdefault(node, diary.clock)
            self._feed(operands)
            if name in _COMPARES:
                self._compare(operands, made[0], spot)
        cuts = diary.paths.behind(operands)
        if with_graph and not any(each.requires_grad for each in results) and _uses_numbers(name):
            cuts |= self._cut(name, results[0], with_graph, frame)
        diary.paths.carry(results, cuts)

    def _cut(self, name: str, result: Tensor, operands: list[Tensor], frame: FrameType) -> frozenset[int]:
        if is_in_optimizer(frame):
            return frozenset()
        spot, cut = spot_above(frame), Cut.OTHER
        if name == "data":
            cut = Cut.DATA
        elif name in _NAMED_CUTS:
            cut = _NAMED_CUTS[name]
        elif not (result.is_floating_point() or result.is_complex()):
            cut = Cut.INTEGER
        elif not torch.is_grad_enabled():
            cut, spot = Cut.NO_GRAD, self._grad_off or spot
        return self._diary.paths.cut(cut, spot, name, operands)

    def _feed(self, operands: list[Tensor]) -> None:
        fed = self._diary.fed[-1] if self._diary.fed else []
        for operand in operands:
            if len(fed) >= _FED:
                return
            if not operand.requires_grad and operand.dim() and operand.layout == torch.strided:
                fed.append((tuple(operand.shape), float(operand.detach().double().sum())))

    def _compare(self, operands: list[Tensor], made: Any, spot: Spot | None) -> None:
        if len(operands) != 2 or operands[0].requires_grad == operands[1].requires_grad:
            return
        first, second = (tuple(operand.shape) for operand in operands)
        if _broadcast_size(first, second) > max(operands[0].numel(), operands[1].numel()):
            self._diary.broadcasts[made] = Broadcast(spot, first, second)


def is_in_optimizer_step(frame: FrameType) -> bool:
    """Return whether an optimizer's step, and not its `zero_grad`, called what is watched."""
    return is_in_optimizer(frame) and zeroing_object(frame) is None


def is_empty(grad: Tensor | None) -> bool:
    """Return whether a `.grad` is None or all zero."""
    if grad is None:
        return True
    return grad.layout == torch.strided and not grad.is_meta and not bool(grad.detach().any())


def _uses_numbers(name: str) -> bool:
    return not (name.rpartition("_")[2] == "like" or name in _OF_SHAPE_ONLY)


def _broadcast_size(first: tuple[int, ...], second: tuple[int, ...]) -> int:
    """Return how many numbers two shapes make that have been broadcast against each other."""
    pairs = zip_longest(reversed(first), reversed(second), fillvalue=1)
    return math.prod(max(pair) for pair in pairs)


def _address(tensor: Tensor) -> int:
    try:
        return tensor.data_ptr()
    except RuntimeError:  # it has no memory of its own
        return 0


def _tensors(values: Iterable[Any], depth: int = 0) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)) and depth < 2:
            yield from _tensors(value, depth + 1)
