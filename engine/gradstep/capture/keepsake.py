"""Copies of all that a round may change before its `backward`, so that the round can begin anew."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from gradstep.capture.scopes import Scope, replace_names
from gradstep.tensors.bitwise import same_bits
from gradstep.torch_internals import version_of

LARGEST: Final = 100_000
"""Numbers of a tensor or an array that are kept by value; larger ones are only looked at for changes."""

MOST: Final = 20_000
"""Objects that are looked at in one scope."""

Back = Callable[[], bool]
"""Puts one thing back; returns whether it could."""


def randoms() -> tuple[Any, ...]:
    """Return the states of the random generators of torch, numpy and `random`."""
    return torch.get_rng_state(), np.random.get_state(), random.getstate()


def set_randoms(states: tuple[Any, ...]) -> None:
    """Set the states of the random generators of torch, numpy and `random`."""
    torch.set_rng_state(states[0])
    np.random.set_state(states[1])
    random.setstate(states[2])


class Keepsake:
    """State of a scope at the start of a round: names, random generators, and what the names stand for."""

    def __init__(self, scope: Scope, own_modules: set[str]) -> None:
        """Keep the state as it is now.

        Args:
            scope: The loop's scope.
            own_modules: Names of the learner's own modules, whose objects are kept attribute by attribute.
        """
        self._scope, self._own = scope, own_modules
        self._locals = scope.names()
        self._globals = dict(scope.variables)
        self._randoms = randoms()
        self._backs: list[tuple[str, Back]] = []
        self._seen: set[int] = set()
        for name, value in {**self._globals, **self._locals}.items():
            if not name.startswith("__"):
                self._keep(name, value)
        self._seen.clear()

    def put_back(self) -> list[str]:
        """Make the state what it was, and return the names of what could not be put back."""
        set_randoms(self._randoms)
        replace_names(self._scope.variables, self._globals)
        if self._scope.cells is not None or self._scope.body is not None:
            self._scope.put_back(self._locals)
        with torch.no_grad():
            lost = [name for name, back in reversed(self._backs) if not back()]
        return list(dict.fromkeys(lost))

    def _keep(self, name: str, value: object) -> None:
        waiting = [(name, value)]
        while waiting and len(self._seen) < MOST:
            name, value = waiting.pop()
            if id(value) not in self._seen:
                self._seen.add(id(value))
                backs, parts = self._of(value)
                self._backs += [(name, back) for back in backs]
                waiting += [(name, part) for part in parts]

    def _of(self, value: object) -> tuple[Iterable[Back], Iterable[object]]:
        """Return what puts an object back, and the objects that it holds."""
        if isinstance(value, Tensor):
            return [_tensor(value)], () if value.grad_fn is not None or value.grad is None else (value.grad,)
        if isinstance(value, nn.Module):
            return _module(value), [*vars(value).values(), *_held(value)]
        for kind, keep in _KINDS.items():
            if isinstance(value, kind):
                return keep(value)
        if type(value).__module__ in self._own and hasattr(value, "__dict__") and not isinstance(value, type):
            return _attributes(value)
        return (), ()


@dataclass(slots=True)
class RoundStart:
    """Begin of a round."""

    frame: int
    """Identity of the loop's frame."""

    scope: Scope
    keepsake: Keepsake
    """State at the begin of the round."""

    round: int
    """Number of the round, from 1."""

    drawn: int
    """Number of items that had been drawn."""

    printed: tuple[int, tuple[str, ...]]
    """Length of the text that had been printed."""


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


def _tensor(tensor: Tensor) -> Back:
    grad, requires_grad = tensor.grad if tensor.is_leaf else None, tensor.requires_grad
    if tensor.is_inference() or tensor.layout != torch.strided:
        return lambda: True
    version = version_of(tensor)
    value = tensor.detach().clone() if tensor.numel() <= LARGEST and not tensor.is_meta else None

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
    torch.Generator: _state(torch.Generator.get_state, torch.Generator.set_state),
    np.random.Generator: _state(_numpy_state, _set_numpy_state),
    np.random.RandomState: _state(np.random.RandomState.get_state, np.random.RandomState.set_state),
    random.Random: _state(random.Random.getstate, random.Random.setstate),
}
"""Ways of keeping objects, by their kind; the first kind that fits counts."""
