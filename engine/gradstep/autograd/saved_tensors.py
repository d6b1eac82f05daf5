"""What forward operations saved for their backward, read off the nodes without disturbing the pass.

Numbers and sizes stay readable on a node after its pass. Tensors do not: they are held from before the pass
on, with the version counters that tell, later, whether they are still as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Final, NamedTuple

from torch import Tensor
from torch.autograd.function import BackwardCFunction
from torch.autograd.graph import Node

from gradstep.autograd.events import Overwritten, Unreadable

Held = tuple[Sequence[Any], Sequence[Any]]
"""What a node saved: tensors, tuples of them, `Unreadable`; and the version of each, -1 where it has none."""
NOTHING: Final[Held] = ((), ())
WORKSPACES: Final = {"MkldnnRnnLayerBackward0": "_saved_result3"}
"""Saved tensors that are memory for a library to work in, by their node's name: no number of anybody's. An
LSTM layer's is oneDNN's; much of it is never written to, and holds what was in that memory before."""

_WRAPPED: Final = 1 << 63
"""PyTorch hands saved negative integers out as unsigned 64-bit ones."""


class _Attributes(NamedTuple):
    """Where one type of node keeps what it saved."""

    plain: tuple[str, ...]
    """The attributes that hold no tensors."""

    tensors: tuple[tuple[str, str], ...]
    """Those that do, each with the raw one, which can be looked at without unpacking."""

    hooks: Callable[[Node], tuple[Any, ...]] | None
    """Gives the hooks that unpack the tensors, and a None first."""

    values: Callable[[Node], tuple[Any, ...]] | None
    """Gives the tensors, and a None first."""


_ATTRIBUTES: dict[type, _Attributes] = {}


def hold_tensors(node: Node) -> Held:
    """Hold the tensors that a node saved, from before its pass on, for `read_saved`."""
    attributes = _ATTRIBUTES.get(type(node)) or _look_up(node)
    if not attributes.tensors:
        return NOTHING
    if attributes.hooks is not None and attributes.values is not None:
        try:  # all at once
            if not any(attributes.hooks(node)):
                values = attributes.values(node)[1:]
                return values, [-1 if one is None else one._version for one in values]
        except (RuntimeError, AttributeError):  # some are lists, gone, or not to be read
            pass
    values, versions = zip(*[_hold(node, *one) for one in attributes.tensors], strict=True)
    return values, versions


def read_saved(node: Node, held: Held, copy: Callable[[Tensor], Tensor]) -> dict[str, Any]:
    """Copy what a node saved, as it was before the pass, by PyTorch's names for it."""
    attributes = _ATTRIBUTES.get(type(node)) or _look_up(node)
    saved = {_name(plain): _settle(getattr(node, plain), -1, copy) for plain in attributes.plain}
    for (plain, _), value, version in zip(attributes.tensors, *held, strict=True):
        saved[_name(plain)] = _settle(value, version, copy)
    return dict(sorted(saved.items()))


def unpacked_by_hooks(node: Node) -> bool:
    """Whether hooks (a checkpoint's, say) unpack a tensor that the node saved: they may do it once only."""
    attributes = _ATTRIBUTES.get(type(node)) or _look_up(node)
    return any(_has_hook(getattr(node, raw)) for _, raw in attributes.tensors)


def _look_up(node: Node) -> _Attributes:
    found = dir(node)
    if isinstance(node, BackwardCFunction):
        attributes = _Attributes((), (("saved_tensors", "_raw_saved_tensors"),), None, None)
    else:
        workspace = WORKSPACES.get(node.name())
        saved = [name for name in found if name.startswith("_saved_") and name != workspace]
        plain = tuple(name for name in saved if f"_raw{name}" not in found)
        tensors = tuple((name, f"_raw{name}") for name in saved if name not in plain)
        hooks = _getter([f"{raw}.unpack_hook" for _, raw in tensors])
        attributes = _Attributes(plain, tensors, hooks, _getter([name for name, _ in tensors]))
    _ATTRIBUTES[type(node)] = attributes
    return attributes


def _getter(attributes: list[str]) -> Callable[[Node], tuple[Any, ...]] | None:
    # One more in front: a getter of a single attribute gives no tuple.
    return attrgetter("__doc__", *attributes) if attributes else None


def _name(plain: str) -> str:
    return plain.removeprefix("_saved_").removeprefix("saved_")


def _hold(node: Node, plain: str, raw: str) -> tuple[Any, Any]:
    try:
        if _has_hook(getattr(node, raw)):
            return Unreadable("it is unpacked by a hook, once, when the pass needs it"), -1
        value = getattr(node, plain)
    except (RuntimeError, AttributeError) as error:
        return Unreadable(str(error).split("\n")[0]), -1
    if isinstance(value, (tuple, list)):
        if isinstance(node, BackwardCFunction):  # its `backward` may hand one on, which we must not hold then
            value = [None if one is None else one.detach().clone() for one in value]
        return tuple(value), tuple([version_of(one) for one in value])
    return value, version_of(value)


def _has_hook(raw: Any) -> bool:
    if isinstance(raw, (list, tuple)):
        return any(_has_hook(one) for one in raw)
    return raw.unpack_hook is not None


def version_of(value: Tensor | None) -> int:
    """Give the number that grows with every change in place; -1 where there is none."""
    try:
        return -1 if value is None else value._version
    except RuntimeError:  # an inference tensor has none
        return -1


def _settle(value: Any, version: Any, copy: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(value, Tensor):
        if version != -1 and value._version != version:
            return Overwritten(tuple(value.shape))
        return copy(value)
    if isinstance(value, (tuple, list)):
        versions = version if isinstance(version, tuple) else [-1] * len(value)
        return tuple(_settle(one, its, copy) for one, its in zip(value, versions, strict=True))
    if isinstance(value, int) and not isinstance(value, bool) and value >= _WRAPPED:
        return value - 2 * _WRAPPED
    return value
