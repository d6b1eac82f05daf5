"""Operands that forward operations saved for their backward, read off the nodes without disturbing the pass.

Numbers and sizes can still be read off a node after its pass. Tensors cannot: they are held from before the
pass on, together with their version counters, which show later whether a tensor was changed in place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

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

HeldTensors: TypeAlias = tuple[Sequence[Any], Sequence[Any]]
"""Values that a node saved (tensors, tuples of tensors, `Unreadable`), and the version counter of each.

The counter is -1 for a value that has none.
"""

NO_TENSORS: Final[HeldTensors] = ((), ())

_WRAPPED: Final = 1 << 63
"""Saved integers from here on are negative ones, which PyTorch hands out as unsigned 64-bit integers."""

_NAMES_BY_TYPE: Final[dict[type, SavedNames]] = {}
"""Attributes that hold saved operands, by the type of the node."""


def hold_tensors(node: Node) -> HeldTensors:
    """Return the tensors that a node saved, for `read_saved`; to be called before the node's pass."""
    names = _NAMES_BY_TYPE.get(type(node)) or _look_up(node)
    if not names.tensors:
        return NO_TENSORS
    if names.hooks is not None and names.values is not None:
        try:  # all at once, which is faster
            if not any(names.hooks(node)):
                values = names.values(node)[1:]
                return values, [-1 if value is None else version_of(value) for value in values]
        except (RuntimeError, AttributeError):  # some are lists, or freed, or unreadable
            pass
    values, versions = zip(*[_hold(node, *attributes) for attributes in names.tensors], strict=True)
    return values, versions


def read_saved(node: Node, held: HeldTensors, copy: Callable[[Tensor], Tensor]) -> dict[str, Any]:
    """Return what a node saved, by PyTorch's names for the operands, in alphabetical order.

    Args:
        node: The node; its pass may be over.
        held: Result of `hold_tensors` for the same node.
        copy: Called for each tensor that was not changed since; returns the copy to keep.

    Returns:
        Numbers, sizes and copies of tensors; `Overwritten` for a tensor that was changed in place since
        `hold_tensors`, `Unreadable` for a value that autograd does not hand out.
    """
    names = _NAMES_BY_TYPE.get(type(node)) or _look_up(node)
    saved = {operand_name(plain): _settle(_plain_value(node, plain), -1, copy) for plain in names.plain}
    for (plain, _), value, version in zip(names.tensors, *held, strict=True):
        saved[operand_name(plain)] = _settle(value, version, copy)
    return dict(sorted(saved.items()))


def _plain_value(node: Node, plain: str) -> Any:
    """Return a saved value that is no tensor."""
    try:
        return getattr(node, plain)
    except RuntimeError as error:  # the sizes of a nested tensor, for example
        return Unreadable(str(error).split("\n")[0])


def unpacked_by_hooks(node: Node) -> bool:
    """Return whether hooks (a checkpoint's, for example) unpack a saved tensor; they may work only once."""
    names = _NAMES_BY_TYPE.get(type(node)) or _look_up(node)
    return any(has_unpack_hook(getattr(node, raw)) for _, raw in names.tensors)


def _look_up(node: Node) -> SavedNames:
    names = _NAMES_BY_TYPE[type(node)] = saved_names_of(node, WORKSPACES.get(node.name(), ()))
    return names


def _hold(node: Node, plain: str, raw: str) -> tuple[Any, Any]:
    """Return one saved value and its version; `plain` and `raw` are the attributes that hold it."""
    try:
        if has_unpack_hook(getattr(node, raw)):
            return Unreadable("it is unpacked by a hook, once, when the pass needs it"), -1
        value = getattr(node, plain)
    except (RuntimeError, AttributeError) as error:
        return Unreadable(str(error).split("\n")[0]), -1
    if isinstance(value, (tuple, list)):
        if isinstance(node, BackwardCFunction):
            # A custom `backward` may hand a saved tensor on as a gradient, which must not be held.
            value = [None if tensor is None else tensor.detach().clone() for tensor in value]
        return tuple(value), tuple([version_or_minus_one(tensor) for tensor in value])
    return value, version_or_minus_one(value)


def version_or_minus_one(tensor: Tensor | None) -> int:
    """Return the number of in-place changes of a tensor, or -1 if there is no tensor or no counter."""
    try:
        return -1 if tensor is None else version_of(tensor)
    except RuntimeError:  # a tensor of inference mode has no counter
        return -1


def _settle(value: Any, version: Any, copy: Callable[[Tensor], Tensor]) -> Any:
    """Return what a trace keeps of a saved value: a copy, `Overwritten`, or the value itself."""
    if isinstance(value, Tensor):
        if version != -1 and version_of(value) != version:
            return Overwritten(() if value.is_nested else tuple(value.shape))
        return copy(value)
    if isinstance(value, (tuple, list)):
        versions = version if isinstance(version, tuple) else [-1] * len(value)
        pairs = zip(value, versions, strict=True)
        return tuple(_settle(part, part_version, copy) for part, part_version in pairs)
    if isinstance(value, int) and not isinstance(value, bool) and value >= _WRAPPED:
        return value - 2 * _WRAPPED
    return value
