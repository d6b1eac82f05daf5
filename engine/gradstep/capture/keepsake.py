"""Copies of all that a round may change before its `backward`, so that the round can begin anew."""

from __future__ import annotations

import random
import sys
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType, MappingProxyType, ModuleType
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from gradstep.capture.draws import Positions
from gradstep.capture.random_states import random_states, set_random_states
from gradstep.capture.scopes import Scope, replace_names
from gradstep.tensors.bitwise import same_bits, shared_copy
from gradstep.torch_internals import version_of

LARGEST: Final = 100_000
"""Numbers of a tensor or an array that are kept by value; larger ones are only looked at for changes."""

MOST: Final = 20_000
"""Objects that are looked at in one scope."""

PLAIN: Final = (
    str,
    bytes,
    int,
    float,
    complex,
    type(None),
    type,
    FunctionType,
    BuiltinFunctionType,
    ModuleType,
)
"""Kinds of objects that nothing changes, or that are no state of a training."""

NO_COPIES: Final[Mapping[int, Tensor]] = MappingProxyType({})

TRAINED: Final = (nn.Module, Optimizer, Tensor)

Back = Callable[[], bool]
"""Puts one thing back; returns whether it could."""


class Keepsake:
    """State of scopes at the start of a round: names, random generators, and what the names stand for."""

    def __init__(
        self,
        scopes: Mapping[int, Scope],
        own_modules: Collection[str],
        spaces: Iterable[dict[str, Any]] = (),
        *,
        keeps_trained: bool = False,
        copies: Mapping[int, Tensor] = NO_COPIES,
    ) -> None:
        """Keep the state as it is now.

        Args:
            scopes: Scope of each loop around the round, by the loop's number.
            own_modules: Names of the learner's own modules, whose objects are kept attribute by attribute.
            spaces: Further namespaces, such as those of the learner's other modules.
            keeps_trained: Whether parameters, gradients, buffers and the state of optimizers are kept by
                value however large they are; other tensors are if they are small.
            copies: Copies that exist, by `id` of the tensor; one that has the tensor's bits is shared.
        """
        self._existing = copies
        self._own, self._keeps_trained = own_modules, keeps_trained
        self._names = {number: scope.names() for number, scope in scopes.items() if not scope.is_module}
        all_spaces = {id(space): space for space in (*(s.variables for s in scopes.values()), *spaces)}
        self._spaces = [(space, dict(space)) for space in all_spaces.values()]
        self._randoms = random_states()
        self._backs: list[tuple[str, Back]] = []
        self.copies: list[Tensor] = []
        """Copies of tensors that are kept by value."""

        self._seen: set[int] = set()
        tables = (*(names for _, names in self._spaces), *self._names.values())
        named = [
            (name, value, False)
            for names in tables
            for name, value in names.items()
            if not name.startswith("__") and not isinstance(value, PLAIN)
        ]
        # What is trained comes first, so that the bound of `MOST` never leaves it out.
        self._keep(sorted(named, key=lambda item: isinstance(item[1], TRAINED)))
        self._seen.clear()
        self._existing = NO_COPIES

    def put_back(self, scopes: Mapping[int, Scope]) -> list[str]:
        """Make the state what it was, and return the names of what could not be put back.

        Args:
            scopes: Present scope of each loop; the names of an earlier call of a function go to the present.
        """
        for space, names in self._spaces:
            replace_names(space, names)
        for number, names in self._names.items():
            if number in scopes:
                scopes[number].put_back(names)
        with torch.no_grad():
            lost = [name for name, back in reversed(self._backs) if not back()]
        set_random_states(self._randoms)
        return list(dict.fromkeys(lost))

    def _keep(self, waiting: list[tuple[str, object, bool]]) -> None:
        """Keep named objects and what they hold, the last ones first; the flag tells what is trained."""
        while waiting and len(self._seen) < MOST:
            name, value, is_trained = waiting.pop()
            if id(value) in self._seen:
                continue
            self._seen.add(id(value))
            backs, parts = self._of(value, is_trained)
            self._backs += [(name, back) for back in backs]
            is_trained = is_trained or isinstance(value, nn.Module)
            waiting += [(name, part, is_trained) for part in parts if not isinstance(part, PLAIN)]
            if isinstance(value, Optimizer):
                waiting.append((name, value.state, True))

    def _of(self, value: object, is_trained: bool) -> tuple[Iterable[Back], Iterable[object]]:
        """Return what puts an object back, and the objects that it holds."""
        if isinstance(value, Tensor):
            return self._tensor(value, is_trained)
        if isinstance(value, nn.Module):
            return _module(value), [*vars(value).values(), *_held(value)]
        for kind, keep in _KINDS.items():
            if isinstance(value, kind):
                return keep(value)
        if type(value).__module__ in self._own and hasattr(value, "__dict__") and not isinstance(value, type):
            return _attributes(value)
        return (), ()

    def _tensor(self, tensor: Tensor, is_trained: bool) -> tuple[list[Back], tuple[Tensor, ...]]:
        is_trained = is_trained or (tensor.is_leaf and tensor.requires_grad)
        limit = sys.maxsize if self._keeps_trained and is_trained else LARGEST
        back = self._kept(tensor, limit)
        if tensor.grad_fn is not None or tensor.grad is None:
            return [back], ()
        grad = tensor.grad
        if id(grad) not in self._seen:
            self._seen.add(id(grad))
            return [back, self._kept(grad, limit)], ()
        return [back], ()

    def _kept(self, tensor: Tensor, limit: int) -> Back:
        if tensor.numel() > limit or tensor.is_meta or tensor.is_inference():
            return _tensor(tensor, None)
        value = shared_copy(tensor, self._existing.get(id(tensor)))
        self.copies.append(value)
        return _tensor(tensor, value)


@dataclass(slots=True)
class RoundStart:
    """Begin of a round."""

    frame: int
    """Identity of the loop's frame."""

    scope: Scope
    keepsake: Keepsake | None
    """State at the begin of the round; None if it was not kept."""

    round: int
    """Number of the round, from 1."""

    drawn: Positions
    """How much had been drawn."""

    printed: tuple[int, tuple[str, ...]]
    """Length of the text that had been printed."""

    number: int
    """Number of the round among all that the loop has begun, whenever it was entered."""

    handed: int
    """How often the script's generators and coroutines had handed control on."""


def _held(module: nn.Module) -> Iterator[object]:
    yield from (
        part for held in (module._parameters, module._buffers, module._modules) for part in held.values()
    )


def _module(module: nn.Module) -> list[Back]:
    attributes = dict(vars(module))
    tables = [(held, dict(held)) for held in (module._parameters, module._buffers, module._modules)]

    def back() -> bool:
        replace_names(vars(module), attributes)
        for held, before in tables:
            if held != before:
                _refill(held, before)
        return True

    return [back]


def _attributes(value: object) -> tuple[list[Back], list[object]]:
    before = dict(vars(value))
    return [lambda: _refill(vars(value), before)], list(before.values())


def _refill(held: Any, before: Mapping[Any, Any]) -> bool:
    if (
        len(held) != len(before)
        or any(a is not b for a, b in zip(held, before, strict=False))
        or any(held[key] is not before[key] for key in before)
    ):
        held.clear()
        held.update(before)
    return True


def _tensor(tensor: Tensor, value: Tensor | None) -> Back:
    grad, requires_grad = tensor.grad if tensor.is_leaf else None, tensor.requires_grad
    if tensor.is_inference() or tensor.layout != torch.strided or tensor.is_nested:
        return lambda: True
    version = version_of(tensor)

    def back() -> bool:
        if tensor.is_leaf:
            if tensor.grad is not grad:
                tensor.grad = grad
            if tensor.requires_grad != requires_grad and not tensor.grad_fn:
                tensor.requires_grad_(requires_grad)
        if value is None:
            return version_of(tensor) == version
        if value.shape != tensor.shape:
            return False
        if not same_bits(tensor.detach(), value):  # a BatchNorm changes its buffers without a new version
            tensor.detach().copy_(value)
        return True

    return back


def _array(array: np.ndarray[Any, Any]) -> tuple[list[Back], tuple[()]]:
    if array.size > LARGEST or array.dtype.hasobject or not array.flags.writeable:
        return [], ()
    value = array.copy()

    def back() -> bool:
        array[...] = value
        return True

    return [back], ()


def _list(value: Any) -> tuple[list[Back], list[object]]:
    if len(value) > MOST:
        return [], []
    before = list(value)

    def back() -> bool:
        if len(value) != len(before) or any(a is not b for a, b in zip(value, before, strict=True)):
            value.clear()
            value.extend(before)
        return True

    return [back], before


def _dict(value: Any) -> tuple[list[Back], list[object]]:
    if len(value) > MOST:
        return [], []
    before = dict(value)
    return [lambda: _refill(value, before)], list(before.values())


def _set(value: Any) -> tuple[list[Back], tuple[()]]:
    before = value.copy()

    def back() -> bool:
        if value != before:
            value.clear()
            value.update(before)
        return True

    return [back], ()


def _optimizer(value: Any) -> tuple[list[Back], list[object]]:
    return [], [*value.param_groups, *(group["params"] for group in value.param_groups)]


def _state(
    read: Callable[[Any], Any], write: Callable[[Any, Any], object]
) -> Callable[[Any], tuple[list[Back], tuple[()]]]:
    def keep(value: Any) -> tuple[list[Back], tuple[()]]:
        before = read(value)

        def back() -> bool:
            write(value, before)
            return True

        return [back], ()

    return keep


def _numpy_state(generator: np.random.Generator) -> Any:
    return generator.bit_generator.state


def _set_numpy_state(generator: np.random.Generator, state: Any) -> None:
    generator.bit_generator.state = state


_KINDS: Final[Mapping[type, Callable[[Any], tuple[Iterable[Back], Iterable[object]]]]] = {
    list: _list,
    deque: _list,
    dict: _dict,
    set: _set,
    tuple: lambda value: ([], value),
    np.ndarray: _array,
    Optimizer: _optimizer,
    LRScheduler: _attributes,
    torch.amp.GradScaler: _attributes,
    torch.Generator: _state(torch.Generator.get_state, torch.Generator.set_state),
    np.random.Generator: _state(_numpy_state, _set_numpy_state),
    np.random.RandomState: _state(np.random.RandomState.get_state, np.random.RandomState.set_state),
    random.Random: _state(random.Random.getstate, random.Random.setstate),
}
"""Ways of keeping objects, by their kind; the first kind that fits counts."""
