"""What forward operations saved for their backward, read off the nodes without disturbing the pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from torch import Tensor
from torch.autograd.function import BackwardCFunction
from torch.autograd.graph import Node

from engine.events import Overwritten, Unreadable

_WRAPPED = 1 << 63
"""PyTorch hands saved negative integers out as unsigned 64-bit ones."""
_BY_HOOK = Unreadable("it is unpacked by a hook, once, when the pass needs it")


class Saved(NamedTuple):
    """What one node saved: live values, with the version counters that they had (-1: they have none)."""

    names: tuple[str, ...] = ()
    values: tuple[Any, ...] = ()
    versions: tuple[int, ...] = ()

    def settled(self) -> dict[str, Any]:
        """Copy the values, by name, as they were when they were read."""
        return {
            name: _settle(value, version)
            for name, value, version in zip(self.names, self.values, self.versions, strict=True)
        }


class _Attributes(NamedTuple):
    """What one type of node has: public names, and where to read them, with the raw one of tensors (or '')."""

    names: tuple[str, ...]
    reads: tuple[tuple[str, str], ...]


_ATTRIBUTES: dict[type, _Attributes] = {}


def read_saved(node: Node) -> Saved:
    """Read what a node saved; each part that cannot be read is `Unreadable`."""
    attributes = _attributes(node)
    if not attributes.names:
        return Saved()
    values = tuple([_read(node, attribute, raw) for attribute, raw in attributes.reads])
    return Saved(attributes.names, values, tuple([_version(value) for value in values]))


def raw_attributes(node: Node) -> Iterator[Any]:
    """Give what holds the node's saved tensors."""
    return (getattr(node, raw) for _, raw in _attributes(node).reads if raw)


def unpacked_by_hook(raw: Any) -> bool:
    """Whether a saved tensor, or one of several, is unpacked by a hook (a checkpoint's, say)."""
    if isinstance(raw, (list, tuple)):
        return any(unpacked_by_hook(one) for one in raw)
    return raw.unpack_hook is not None


def _attributes(node: Node) -> _Attributes:
    kind = type(node)
    found = _ATTRIBUTES.get(kind)
    if found is None:
        found = _ATTRIBUTES[kind] = _look_up(dir(node))
    return found


def _look_up(found: list[str]) -> _Attributes:
    if "saved_tensors" in found:  # a custom Function
        return _Attributes(("tensors",), (("saved_tensors", "_raw_saved_tensors"),))
    names = [name for name in found if name.startswith("_saved_")]
    return _Attributes(
        tuple(name.removeprefix("_saved_") for name in names),
        tuple((name, f"_raw{name}" if f"_raw{name}" in found else "") for name in names),
    )


def _read(node: Node, attribute: str, raw: str) -> Any:
    try:
        if raw and unpacked_by_hook(getattr(node, raw)):
            return _BY_HOOK
        value = getattr(node, attribute)
    except (RuntimeError, AttributeError) as error:
        return Unreadable(str(error).split("\n")[0])
    if raw:
        if isinstance(
            node, BackwardCFunction
        ):  # its `backward` may hand on a saved tensor, which we must not hold
            return tuple(None if one is None else one.detach().clone() for one in value)
        if isinstance(value, Tensor) and value.grad_fn is not None:
            return value.detach()  # so that it does not keep the graph
    return value


def _version(value: Any) -> int:
    return value._version if isinstance(value, Tensor) and not value.is_inference() else -1


def _settle(value: Any, version: int) -> Any:
    if isinstance(value, Tensor):
        if version >= 0 and value._version != version:
            return Overwritten(tuple(value.shape))
        return value.detach().clone()
    if isinstance(value, (tuple, list)):
        return tuple(_settle(one, -1) for one in value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= _WRAPPED:
        return value - 2 * _WRAPPED
    return value
