"""Names the cause if a loss depends on tensors that require grad and are not among a script's parameters."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from torch import Tensor, nn

from gradstep.autograd.graph_walk import nodes_behind
from gradstep.scripts.script_errors import ScriptError
from gradstep.scripts.source import ScriptSource
from gradstep.torch_internals import AccumulateGrad, leaf_of


def leaves_behind(tensor: Tensor) -> dict[int, Tensor]:
    """Return the leaves of a tensor's graph, by their ids."""
    if tensor.grad_fn is None:  # the tensor is itself a leaf
        return {id(tensor): tensor}
    leaves = dict[int, Tensor]()
    for node in nodes_behind(tensor):
        if isinstance(node, AccumulateGrad):
            leaf = leaf_of(node)
            leaves[id(leaf)] = leaf
    return leaves


def hidden_leaf_error(
    source: ScriptSource, namespace: Mapping[str, Any], hidden: Mapping[int, Tensor], shapes: str
) -> ScriptError:
    """Return the error about leaves that the script has no name for.

    Args:
        source: Text of the script, for the message.
        namespace: Names that the script defined.
        hidden: The leaves, by their ids.
        shapes: Shapes of the leaves in words.
    """
    for name, module in namespace.items():
        if isinstance(module, nn.Module):
            for place, several in _containers(name, module):
                if hidden.keys() & {id(leaf) for leaf in _tensors_in(several)}:
                    return _plain_container(source, module, name, place, several, hidden)
    for name, value in namespace.items():
        if (
            isinstance(value, Tensor)
            and value.grad_fn is not None
            and leaves_behind(value).keys() & hidden.keys()
        ):
            return ScriptError(
                source.path,
                f"{name} is not a leaf: it was computed from another tensor that requires grad",
                f"An operation such as * 0.01 makes a new tensor, so {name}.grad stays None. Compute the "
                f"numbers first and call {name}.requires_grad_() last.",
            )
    return ScriptError(
        source.path,
        f"the loss also depends on a tensor ({shapes}) that requires grad and has no name in the script",
        "Give each parameter a name of its own at the script's top level.",
    )


def _containers(
    name: str, module: nn.Module
) -> Iterator[tuple[str, list[Any] | tuple[Any, ...] | dict[Any, Any]]]:
    """Yield the plain lists, tuples and dictionaries that a module and its parts hold, with their places."""
    for inner, part in module.named_modules(prefix=name):
        for attribute, value in vars(part).items():
            if isinstance(value, (list, tuple, dict)) and not attribute.startswith("_"):
                yield f"{inner}.{attribute}", value


def _tensors_in(several: object) -> Iterator[Tensor]:
    if isinstance(several, Tensor):
        yield several
    elif isinstance(several, nn.Module):
        yield from several.parameters()
    elif isinstance(several, (list, tuple, dict)):
        for one in several.values() if isinstance(several, dict) else several:
            yield from _tensors_in(one)


def _plain_container(
    source: ScriptSource,
    module: nn.Module,
    name: str,
    place: str,
    several: Collection[Any],
    hidden: Mapping[int, Tensor],
) -> ScriptError:
    kind = type(several).__name__
    own = sum(parameter.requires_grad for parameter in module.parameters())
    plain = "Dict" if isinstance(several, dict) else "List"
    layers = not all(
        isinstance(leaf, Tensor) for leaf in (several.values() if isinstance(several, dict) else several)
    )
    better = f"nn.{'Module' if layers else 'Parameter'}{plain}"
    return ScriptError(
        source.path,
        f"{place} is a plain {kind}, so {name}.parameters() has {own} of {own + len(hidden)} tensors, and an "
        f"optimizer that is made from it does not update the others",
        f"PyTorch does not look into a {kind}: put what it holds into {better}(...).",
    )
