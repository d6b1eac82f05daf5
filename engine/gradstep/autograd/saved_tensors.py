"""What forward operations saved for their backward, read off the nodes without disturbing the pass.

Numbers and sizes stay readable on a node after its pass. Tensors do not: they are held from before the pass
on, with the version counters that tell, later, whether they are still as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from torch import Tensor
from torch.autograd.graph import Node

from gradstep.autograd.events import Overwritten, Unreadable
from gradstep.autograd.node_kinds import WORKSPACES
from gradstep.torch_internals import (
    BackwardCFunction,
    SavedNames,
    has_unpack_hook,
    operand_name,
    saved_names_of,
    version_of,
)

Held = tuple[Sequence[Any], Sequence[Any]]
"""What a node saved: tensors, tuples of them, `Unreadable`; and the version of each, -1 where it has none."""
NOTHING: Final[Held] = ((), ())

_WRAPPED: Final = 1 << 63
"""PyTorch hands saved negative integers out as unsigned 64-bit ones."""


_ATTRIBUTES: dict[type, SavedNames] = {}


def hold_tensors(node: Node) -> Held:
    """Hold the tensors that a node saved, from before its pass on, for `read_saved`."""
    attributes = _ATTRIBUTES.get(type(node)) or _look_up(node)
    if not attributes.tensors:
        return NOTHING
    if attributes.hooks is not None and attributes.values is not None:
        try:  # all at once
            if not any(attributes.hooks(node)):
                values = attributes.values(node)[1:]
                return values, [-1 if one is None else version_of(one) for one in values]
        except (RuntimeError, AttributeError):  # some are lists, gone, or not to be read
            pass
    values, versions = zip(*[_hold(node, *one) for one in attributes.tensors], strict=True)
    return values, versions


def read_saved(node: Node, held: Held, copy: Callable[[Tensor], Tensor]) -> dict[str, Any]:
    """Copy what a node saved, as it was before the pass, by PyTorch's names for it."""
    attributes = _ATTRIBUTES.get(type(node)) or _look_up(node)
    saved = {operand_name(plain): _settle(getattr(node, plain), -1, copy) for plain in attributes.plain}
    for (plain, _), value, version in zip(attributes.tensors, *held, strict=True):
        saved[operand_name(plain)] = _settle(value, version, copy)
    return dict(sorted(saved.items()))


def unpacked_by_hooks(node: Node) -> bool:
    """Whether hooks (a checkpoint's, say) unpack a tensor that the node saved: they may do it once only."""
    attributes = _ATTRIBUTES.get(type(node)) or _look_up(node)
    return any(has_unpack_hook(getattr(node, raw)) for _, raw in attributes.tensors)


def _look_up(node: Node) -> SavedNames:
    found = _ATTRIBUTES[type(node)] = saved_names_of(node, WORKSPACES.get(node.name(), ()))
    return found


def _hold(node: Node, plain: str, raw: str) -> tuple[Any, Any]:
    try:
        if has_unpack_hook(getattr(node, raw)):
            return Unreadable("it is unpacked by a hook, once, when the pass needs it"), -1
        value = getattr(node, plain)
    except (RuntimeError, AttributeError) as error:
        return Unreadable(str(error).split("\n")[0]), -1
    if isinstance(value, (tuple, list)):
        if isinstance(node, BackwardCFunction):  # its `backward` may hand one on, which we must not hold then
            value = [None if one is None else one.detach().clone() for one in value]
        return tuple(value), tuple([version_or_none(one) for one in value])
    return value, version_or_none(value)


def version_or_none(value: Tensor | None) -> int:
    """Give the number that grows with every change in place; -1 where there is none."""
    try:
        return -1 if value is None else version_of(value)
    except RuntimeError:  # an inference tensor has none
        return -1


def _settle(value: Any, version: Any, copy: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(value, Tensor):
        if version != -1 and version_of(value) != version:
            return Overwritten(tuple(value.shape))
        return copy(value)
    if isinstance(value, (tuple, list)):
        versions = version if isinstance(version, tuple) else [-1] * len(value)
        return tuple(_settle(one, its, copy) for one, its in zip(value, versions, strict=True))
    if isinstance(value, int) and not isinstance(value, bool) and value >= _WRAPPED:
        return value - 2 * _WRAPPED
    return value
