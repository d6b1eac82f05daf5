"""One trial forward pass of a script before training; random numbers and buffers are restored after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from gradstep.autograd.graph_walk import nodes_behind
from gradstep.learner_code.eager import has_compiler, uncompiled
from gradstep.scripts.discovery import Found, described, shape_text
from gradstep.scripts.execution import Namespace, located, place_of
from gradstep.scripts.hidden_leaves import hidden_leaf_error, leaves_behind
from gradstep.scripts.other_rngs import others_kept
from gradstep.scripts.script_errors import ScriptError
from gradstep.scripts.source import ScriptSource
from gradstep.tensors.bitwise import same_bits
from gradstep.torch_internals import makes_sparse_gradient

DRAWS: Final = "undo does not restore the numbers that the model draws from {module}"
UNUSED: Final = "training leaves these unchanged, because the loss depends on none of them: {names}"
SWITCHED: Final = (
    *(nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout),
    *(nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm),
)
"""Modules that compute something else in evaluation mode."""

CARRIES: Final = (
    "{name} was computed from {origins}, which requires grad, so training changes it too, and PyTorch raises "
    "in the second backward: write {name} = {name}.detach()"
)
EVALUATES: Final = (
    "{name} is in evaluation mode, so it is trained without dropout and with fixed running means: call "
    "{name}.train() at the end of the script"
)


@dataclass(frozen=True, slots=True)
class Tried:
    """Results of a trial forward pass."""

    preds: Tensor
    loss: float
    used: Mapping[str, Tensor]
    """Parameters on which the loss depends, by name."""

    buffers: Mapping[str, Tensor]
    """Buffers that the pass changed, e.g. the running mean of a BatchNorm, by name."""

    notes: tuple[str, ...]


def try_forward(source: ScriptSource, found: Found, namespace: Namespace) -> Tried:
    """Run the model and the loss function once.

    Raises:
        ScriptError: The model or the loss function raises, or the loss is not one real number that depends on
            a parameter.
    """
    names = found.names
    parts = [(names[part], found.values[part]) for part in ("inputs", "targets")]
    _check_computable(source, (*parts, *found.parameters.items()))
    buffers = _buffers(found.modules)
    before = {name: buffer.detach().clone() for name, buffer in buffers.items()}
    with torch.random.fork_rng(devices=[]), others_kept() as drawn, _grad_mode():
        preds, loss = _computed_uncompiled(source, found)
        reached = leaves_behind(loss)
        known = {id(parameter) for parameter in found.parameters.values()}
        hidden = {leaf: value for leaf, value in reached.items() if leaf not in known}
        if hidden:  # those that each pass makes anew are no parameters
            again = leaves_behind(_computed_uncompiled(source, found)[1])
            hidden = {leaf: value for leaf, value in hidden.items() if leaf in again}
    changed = {
        name: buffer for name, buffer in buffers.items() if not same_bits(buffer.detach(), before[name])
    }
    with torch.no_grad():
        for name, buffer in changed.items():
            buffer.copy_(before[name])
    if _is_sparse(loss):
        raise ScriptError(
            source.path,
            "an embedding with sparse=True has a sparse gradient, which cannot be shown number by number",
            "Remove sparse=True: the gradient is the same, with its zeros.",
        )
    if hidden:
        shapes = ", ".join(map(shape_text, hidden.values()))
        raise hidden_leaf_error(source, namespace, hidden, shapes)
    used = {name: parameter for name, parameter in found.parameters.items() if id(parameter) in reached}
    if not used:
        raise ScriptError(
            source.path,
            f"the loss depends on none of {', '.join(found.parameters)}",
            "Something cuts the graph before the loss: .detach(), .item(), no_grad, numpy.",
        )
    notes = (
        *found.notes,
        *_notes(found, preds, loss, used),
        *(DRAWS.format(module=module) for module in drawn),
    )
    return Tried(preds.detach(), float(loss.item()), used, changed, notes)


@contextmanager
def _grad_mode() -> Iterator[None]:
    """Compute in the `with` block as training will, whatever mode the script has left on in its thread."""
    with torch.inference_mode(False), torch.enable_grad():
        yield


def _check_computable(source: ScriptSource, tensors: Iterable[tuple[str, Tensor]]) -> None:
    """Check that tensors have numbers, and that those that require grad can be trained."""
    for name, tensor in tensors:
        if tensor.is_meta:
            raise ScriptError(
                source.path,
                f"{name} is on the device meta, whose tensors have a shape and no numbers",
                "Nothing can be computed there: use the device cpu.",
            )
        if tensor.requires_grad and tensor.is_inference():
            raise ScriptError(
                source.path,
                f"{name} was made in inference mode, and PyTorch does not train such tensors",
                "Make it outside of torch.inference_mode().",
            )


def _computed_uncompiled(source: ScriptSource, found: Found) -> tuple[Tensor, Tensor]:
    could_compile = has_compiler()
    with torch.random.fork_rng(devices=[], enabled=not could_compile), uncompiled():
        made = _computed(source, found)
    if could_compile or not has_compiler():
        return made
    with uncompiled():  # the script's own functions have compiled something just now
        return _computed(source, found)


def _computed(source: ScriptSource, found: Found) -> tuple[Tensor, Tensor]:
    names, values = found.names, found.values
    inputs, targets, call = names["inputs"], names["targets"], f"{names['model']}({names['inputs']})"
    with located(source, f"{call} raised this; {inputs} is {described(values['inputs'])}."):
        preds = values["model"](values["inputs"])
    if not isinstance(preds, Tensor):
        raise ScriptError(
            source.path,
            f"{call} returned a value of the type {type(preds).__name__}, not a tensor",
            "Return the predictions as one tensor.",
            **place_of(source, values["model"]),
        )
    _check_computable(source, [("preds", preds)])
    call = f"{names['loss']}(preds, {targets})"
    with located(
        source,
        f"{call} raised this; preds is {described(preds)}, {targets} is {described(values['targets'])}.",
    ):
        loss = values["loss"](preds, values["targets"])
    _check_loss(source, call, values["loss"], loss)
    return preds, loss


def _check_loss(source: ScriptSource, call: str, loss_fn: object, loss: object) -> None:
    if not isinstance(loss, Tensor):
        words = f"{call} returned a value of the type {type(loss).__name__}, not a tensor"
        raise ScriptError(source.path, words, "Remove .item().", **place_of(source, loss_fn))
    _check_computable(source, [("the loss", loss)])
    if loss.numel() != 1:
        raise ScriptError(
            source.path,
            f"{call} returned {described(loss)}: the loss must be one number",
            "Reduce it, e.g. with .mean().",
            **place_of(source, loss_fn),
        )
    if not loss.dtype.is_floating_point:
        raise ScriptError(
            source.path, f"{call} returned {described(loss)}", "The loss must be a real number."
        )
    if not loss.requires_grad:
        raise ScriptError(
            source.path,
            f"{call} returned a loss that depends on no parameter",
            "The model uses no parameter, or something cuts the graph: .detach(), no_grad, numpy.",
        )


def _notes(found: Found, preds: Tensor, loss: Tensor, used: Mapping[str, Tensor]) -> list[str]:
    notes = list[str]()
    unused = [name for name in found.parameters if name not in used]
    if unused:
        notes.append(UNUSED.format(names=", ".join(unused)))
    targets = found.values["targets"]
    if targets.dtype.is_floating_point and targets.shape != preds.shape:
        notes.append(
            f"preds is {shape_text(preds)} and {found.names['targets']} is {shape_text(targets)}: "
            "PyTorch may broadcast them, which is seldom intended"
        )
    notes += _graph_notes(found)
    notes += [EVALUATES.format(name=name) for name, module in found.modules.items() if _evaluates(module)]
    if not bool(torch.isfinite(loss)):
        notes.append(f"the loss is {loss.item()} from the start")
    return notes


def _graph_notes(found: Found) -> Iterator[str]:
    """Yield sentences about data that requires grad."""
    for part in ("inputs", "targets"):
        name, value = found.names[part], found.values[part]
        if value.grad_fn is not None:
            behind = leaves_behind(value)
            origins = [own for own, parameter in found.parameters.items() if id(parameter) in behind]
            yield CARRIES.format(name=name, origins=", ".join(origins) or "a tensor")
        elif value.requires_grad and part == "inputs":
            yield f"{name} requires grad, so it is trained too"


def _evaluates(module: nn.Module) -> bool:
    """Return whether a module is in evaluation mode and computes something else in training mode."""
    return not module.training and any(
        isinstance(part, SWITCHED) or bool(getattr(part, "dropout", 0.0) and isinstance(part.dropout, float))
        for part in module.modules()
    )


def _buffers(modules: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    return {
        f"{name}.{inner}": buffer
        for name, module in modules.items()
        for inner, buffer in module.named_buffers()
    }


def _is_sparse(loss: Tensor) -> bool:
    """Return whether a node of the graph makes a sparse gradient, as an embedding may."""
    return any(makes_sparse_gradient(node) for node in nodes_behind(loss))
