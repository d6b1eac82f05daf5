"""Ways of keeping single objects: what puts them back, and what they hold."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from gradstep.capture.scopes import replace_names
from gradstep.tensors.bitwise import same_bits
from gradstep.torch_internals import version_of

LARGEST: Final = 100_000
"""Numbers of a tensor or an array that are kept by value; larger ones are only looked at for changes."""

MOST: Final = 20_000
"""Objects that are looked at in one scope."""

Back = Callable[[], bool]
"""Puts one thing back; returns whether it could."""


def parts_of_module(module: nn.Module) -> Iterator[object]:
    """Yield the parameters, buffers and modules that a module holds."""
    yield from (
        part for held in (module._parameters, module._buffers, module._modules) for part in held.values()
    )


def copied_module(module: nn.Module) -> list[Back]:
    """Return what puts a module's attributes, parameters and buffers back in their places."""
    attributes = dict(vars(module))
    tables = [(held, dict(held)) for held in (module._parameters, module._buffers, module._modules)]

    def back() -> bool:
        replace_names(vars(module), attributes)
        for held, before in tables:
            if held != before:
                _refill(held, before)
        return True

    return [back]


def copied_attributes(value: object) -> tuple[list[Back], list[object]]:
    """Return what puts an object's attributes back, and what they are."""
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


def copied_tensor(tensor: Tensor, value: Tensor | None) -> Back:
    """Return what puts a tensor back: its numbers if `value` has them, its `.grad` and its settings."""
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


KINDS: Final[Mapping[type, Callable[[Any], tuple[Iterable[Back], Iterable[object]]]]] = {
    list: _list,
    deque: _list,
    dict: _dict,
    set: _set,
    tuple: lambda value: ([], value),
    np.ndarray: _array,
    Optimizer: _optimizer,
    LRScheduler: copied_attributes,
    torch.amp.GradScaler: copied_attributes,
    torch.Generator: _state(torch.Generator.get_state, torch.Generator.set_state),
    np.random.Generator: _state(_numpy_state, _set_numpy_state),
    np.random.RandomState: _state(np.random.RandomState.get_state, np.random.RandomState.set_state),
    random.Random: _state(random.Random.getstate, random.Random.setstate),
}
"""Ways of keeping objects, by their kind; the first kind that fits counts."""
