"""The one door to what is private or undocumented in PyTorch.

No other module of gradstep reaches these names. `NAMES` says for each what it is for and what breaks without
it; importing this module checks that the installed PyTorch has them all. What the engine needs for every node
of a pass is bound here once, so that going through the door costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from operator import attrgetter
from typing import Any, Final, NamedTuple

import torch
import torch.autograd.graph
import torch.overrides
from torch import Tensor
from torch.autograd import Variable, function
from torch.autograd.graph import Node, get_gradient_edge
from torch.utils.hooks import RemovableHandle

from gradstep.private_names import Library, PrivateName, check_names, is_there, shortcomings

PYTORCH: Final = Library("PyTorch", "torch")


@cache
def _leaf_node() -> Node:
    return get_gradient_edge(torch.empty(0, requires_grad=True)).node


@cache
def _product_node() -> Node:
    """Return the node of a product, which saved its factors; empty tensors make no kernel work."""
    factor = torch.empty(0, requires_grad=True)
    with torch.enable_grad():
        made = (factor * factor).grad_fn
    assert made is not None
    return made


@cache
def _linear_node() -> Node:
    matrix = torch.empty(0, 0, requires_grad=True)
    with torch.enable_grad():
        made = torch.addmm(matrix, matrix, matrix).grad_fn
    assert made is not None
    return made


@cache
def _embedding_node() -> Node:
    weight = torch.empty(1, 1, requires_grad=True)
    with torch.enable_grad():
        made = torch.nn.functional.embedding(torch.empty(0, dtype=torch.long), weight).grad_fn
    assert made is not None
    return made


def _dispatch_module() -> Any:
    from torch.utils import _python_dispatch

    return _python_dispatch


_ENGINE_ENTRY: Final = PrivateName(
    "torch.autograd._engine_run_backward",
    lambda: torch.autograd,
    "gradstep replaces it during a recorded pass, to see every pass that `loss.backward()` starts.",
    "passes would go unrecorded in silence",
    used_by=lambda: torch.autograd.backward,
)
_ENGINE_SHORTCUT: Final = PrivateName(
    "torch.autograd.Variable._execution_engine",
    lambda: Variable,
    "Its `run_backward` enters autograd's engine without the checks of `loss.backward()`.",
    "`loss.backward()` is called, which takes longer for a small model",
    required=False,
)
_CURRENT_NODE: Final = PrivateName(
    "torch._C._current_autograd_node",
    lambda: torch._C,
    "It is the node that runs when a hook or a custom Function starts a pass inside the recorded one.",
    "the events of a pass that a hook starts stand before those of the hook's node",
    required=False,
)
_BETA: Final = PrivateName(
    "torch.addmm(...).grad_fn._saved_beta",
    _linear_node,
    "If it is 1, the node's first gradient is the one that came in, and the node need not be asked for it.",
    "the node is asked, which multiplies its matrices once more",
    required=False,
)
_MODE_ON_TOP: Final = PrivateName(
    "torch.overrides._get_current_function_mode",
    lambda: torch.overrides,
    "It says whether the watching of a forward pass can end before the `with` block around it does.",
    "calls of PyTorch take a little longer until the block ends",
    required=False,
)
_SKIP_DYNAMO: Final = PrivateName(
    "torch.utils._python_dispatch.TorchDispatchMode._should_skip_dynamo",
    lambda: _dispatch_module().TorchDispatchMode,
    "Overridden, it keeps a dispatch mode from importing `torch._dynamo`, which takes seconds.",
    "the first gradient check takes seconds longer, if PyTorch imports `torch._dynamo` for it",
    required=False,
)

node_creation_hook: Final[Callable[[Callable[[Node], None]], AbstractContextManager[None]] | None] = getattr(
    torch.autograd.graph, "node_creation_hook", None
)
"""Makes a context manager in which PyTorch calls a hook for every node that this thread makes.

It is public. None in a PyTorch before 2.14, in which calls are watched and their nodes known by number.
"""

_TO_WATCH_CALLS: Final = (
    PrivateName(
        "torch._C._autograd._get_sequence_nr",
        lambda: torch._C._autograd,
        "It says how many autograd nodes this thread has made, before and after a watched call.",
        "no node could be traced to the line of the script that made it",
    ),
    PrivateName(
        "torch.autograd.function._is_setup_context_defined",
        lambda: function,
        "gradstep replaces it while a forward pass is watched: `Function.apply` asks it first.",
        "the nodes of custom Functions would be traced to wrong lines in silence",
        used_by=lambda: function.Function.apply,
    ),
)
"""Names that are needed if PyTorch has no hook for nodes that are made."""

NAMES: Final = (
    _ENGINE_ENTRY,
    PrivateName(
        "torch.autograd.graph._engine_run_backward",
        lambda: torch.autograd.graph,
        "It is the same function by another name, which other parts of PyTorch use.",
        "the passes of a checkpoint would go unrecorded in silence",
    ),
    _ENGINE_SHORTCUT,
    PrivateName(
        "torch.autograd.graph.Node._sequence_nr",
        _product_node,
        "It is the number of one node, by which its line and the order of nodes are known.",
        "no node could be traced to the line of the script that made it",
    ),
    PrivateName(
        "torch.autograd.function.BackwardCFunction",
        lambda: function,
        "It is the base class of the nodes of custom Functions, which are watched in another way.",
        "a custom `backward` that changes its gradient in place would be shown wrongly",
    ),
    PrivateName(
        "torch.autograd.function.BackwardCFunction.apply",
        lambda: function.BackwardCFunction,
        "gradstep wraps it on single nodes, to see what a custom `backward` returned.",
        "gradients that the engine reduced would be shown wrongly",
    ),
    PrivateName(
        "torch.autograd.function.BackwardCFunction._raw_saved_tensors",
        lambda: function.BackwardCFunction,
        "It holds what a custom Function saved, without unpacking it.",
        "the saved tensors of custom Functions could not be read safely",
    ),
    PrivateName(
        "torch.autograd.graph.Node.variable",
        _leaf_node,
        "It is the parameter that an `AccumulateGrad` node adds to.",
        "no write to a `.grad` could be told to its parameter",
    ),
    PrivateName(
        "torch.autograd.graph.Node.__call__",
        _product_node,
        "It has a node make its gradients again, before the engine reduces them.",
        "a broadcast gradient could not be shown as the node made it",
    ),
    PrivateName(
        "torch.autograd.graph.Node._saved_self",
        _product_node,
        "Attributes that begin with `_saved_` hold what a forward operation saved for its backward.",
        "explanations would lack their operands",
    ),
    PrivateName(
        "torch.autograd.graph.Node._raw_saved_self",
        _product_node,
        "Attributes that begin with `_raw_saved_` hold the saved tensors without unpacking them.",
        "a checkpoint's tensors would be unpacked by a look at them, which changes the pass",
    ),
    PrivateName(
        "torch.autograd.SavedTensor.unpack_hook",
        lambda: _product_node()._raw_saved_self,  # type: ignore[attr-defined]
        "It says whether a hook, a checkpoint's for example, unpacks a saved tensor.",
        "a checkpoint's tensors would be unpacked by a look at them, which changes the pass",
    ),
    _BETA,
    _CURRENT_NODE,
    _MODE_ON_TOP,
    PrivateName(
        "torch.nn.functional.embedding(...).grad_fn._saved_sparse",
        _embedding_node,
        "It says whether an embedding makes a sparse gradient, which cannot be shown number by number.",
        "such an embedding would not be refused, and would fail in the middle of a pass",
    ),
    PrivateName(
        "torch.Tensor._version",
        lambda: Tensor,
        "It counts the changes in place of a tensor.",
        "saved tensors that were changed in place would be shown with their new numbers",
    ),
    PrivateName(
        "torch.Tensor._post_accumulate_grad_hooks",
        lambda: Tensor,
        "It says whether a hook runs right after a write to a `.grad`.",
        "an error in such a hook would be told of the wrong node",
    ),
    PrivateName(
        "torch.utils._python_dispatch.TorchDispatchMode",
        _dispatch_module,
        "It sees the dtype of every tensor that an operation makes, for the gradient check.",
        "the gradient check would not notice that a model computes in a coarser type",
    ),
    _SKIP_DYNAMO,
    PrivateName(
        "torch.utils.weak.WeakIdKeyDictionary",
        lambda: torch.utils.weak,
        "It remembers a tensor's summary for as long as the tensor lives.",
        "summaries could not be kept, because tensors do not compare as dictionary keys must",
    ),
    *(_TO_WATCH_CALLS if node_creation_hook is None else ()),
)
"""Every private or undocumented name of PyTorch that gradstep uses with the installed version."""

check_names(PYTORCH, NAMES)  # before the imports below, whose errors would not say what to do

from torch.autograd.function import BackwardCFunction  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402
from torch.utils.weak import WeakIdKeyDictionary  # noqa: E402

__all__ = ["BackwardCFunction", "WeakIdKeyDictionary"]

AccumulateGrad: Final[type[Node]] = type(_leaf_node())
"""Class of the node that adds to a leaf's `.grad`."""

next_sequence_number: Final[Callable[[], int]] = getattr(torch._C._autograd, "_get_sequence_nr", lambda: 0)
"""Returns the number that the next autograd node of this thread will have; only to watch calls."""

COMPILER: Final = "torch._dynamo"
"""Module that PyTorch imports when something is compiled; importing it takes seconds."""

version_of: Final[Callable[[Tensor], int]] = attrgetter("_version")
"""Returns the number of in-place changes of a tensor.

Raises:
    RuntimeError: The tensor was made in inference mode and has no version counter.
"""


@cache
def shortcomings_of_pytorch() -> tuple[str, ...]:
    """Return what works less well with the installed PyTorch than with others, a sentence for each."""
    return shortcomings(PYTORCH, NAMES)


def engine_shortcut() -> Callable[..., None] | None:
    """Return the shortest way into autograd's engine, or None if this PyTorch has none.

    Its arguments go by position: the losses, the gradients to begin with, `keep_graph`, `create_graph`,
    `inputs`, `allow_unreachable` and `accumulate_grad`. To name the last two takes a microsecond.
    """
    if not is_there(_ENGINE_SHORTCUT):
        return None
    return getattr(Variable._execution_engine, "run_backward", None)


def engine_entry() -> Callable[..., Any]:
    """Return the function through which `backward` and `grad` enter the engine."""
    entry: Callable[..., Any] = torch.autograd._engine_run_backward  # type: ignore[attr-defined]
    return entry


def replace_engine_entry(entry: Callable[..., Any]) -> None:
    """Make `entry` the function through which `backward` and `grad` enter the engine; two modules name it."""
    torch.autograd._engine_run_backward = entry  # type: ignore[attr-defined]
    torch.autograd.graph._engine_run_backward = entry


@contextmanager
def engine_entered_by(entry: Callable[..., Any]) -> Iterator[None]:
    """Make `entry` the way into the engine inside the `with` block; what replaces it there stays."""
    plain = engine_entry()
    replace_engine_entry(entry)
    try:
        yield
    finally:
        if engine_entry() is entry:
            replace_engine_entry(plain)


def function_mode_on_top() -> object:
    """Return the mode that sees the next torch function first; None if there is none, or unknown."""
    if not is_there(_MODE_ON_TOP):
        return None
    mode: object = torch.overrides._get_current_function_mode()  # type: ignore[no-untyped-call]
    return mode


def setup_context_test() -> Callable[[Any], bool]:
    """Return the function that `Function.apply` calls first, with the Function's `setup_context`."""
    return function._is_setup_context_defined


def replace_setup_context_test(test: Callable[[Any], bool]) -> None:
    """Make `test` the function that `Function.apply` calls first, before it makes the Function's node."""
    function._is_setup_context_defined = test


def running_node() -> Node | None:
    """Return the node that autograd's engine runs in this thread; None if it runs none, or is not known."""
    return torch._C._current_autograd_node() if is_there(_CURRENT_NODE) else None


def put_first(handle: RemovableHandle) -> bool:
    """Make a node's newest post hook the first to run; return whether the node has others."""
    hooks = handle.hooks_dict_ref()
    if hooks is None or len(hooks) < 2:
        return False
    newest = hooks.pop(handle.id)
    others = list(hooks.items())
    hooks.clear()
    hooks[handle.id] = newest
    hooks.update(others)  # the engine goes by the order in which they were put in
    return True


def sequence_number_of(node: Node) -> int:
    """Return a node's number, by the order in which the nodes of its thread were made."""
    return node._sequence_nr()


def leaf_of(node: Node) -> Tensor:
    """Return the leaf of an `AccumulateGrad` node; AttributeError for any other node."""
    leaf: Tensor = node.variable  # type: ignore[attr-defined]
    return leaf


def has_post_accumulate_hooks(leaf: Tensor) -> bool:
    """Return whether a hook runs right after a write to the leaf's `.grad`."""
    return bool(leaf._post_accumulate_grad_hooks)


def gradients_again(node: Node, grads_in: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
    """Run a node's backward once more, outside the engine.

    Args:
        node: A node whose saved tensors are still there.
        grads_in: dL/d(output), one per output of the forward operation.

    Returns:
        dL/d(input), one per input, as the node makes them: with the shapes and dtypes before broadcasting.

    Raises:
        RuntimeError: The node has let go of a tensor that it saved.
    """
    made = node(*grads_in)  # type: ignore[operator]
    return made if isinstance(made, tuple) else (made,)


@cache
def clamp_keeps_gradient_at_limits() -> bool:
    """Return whether clamp hands its gradient on at its limits, as it did before PyTorch 2.14.

    A node is asked, outside the engine, which must not start before a process forks.
    """
    limit = torch.zeros(1, device="cpu", requires_grad=True)
    with torch.enable_grad():
        made = limit.clamp(min=0).grad_fn
    assert made is not None
    (grad,) = gradients_again(made, (torch.ones(1, device="cpu"),))
    return bool(grad)


def hands_on_first_gradient(node: Node) -> bool:
    """Return whether a matrix node's `beta` is 1; False if it is not known."""
    return getattr(node, "_saved_beta", None) == 1


def makes_sparse_gradient(node: Node) -> bool:
    """Return whether a node makes a gradient that holds only some of its numbers."""
    return bool(getattr(node, "_saved_sparse", False))


class CustomApply:
    """Replaces the `apply` of a custom Function's node, which runs the script's own `backward`.

    It has the `remove` of a hook's handle, which restores the `apply` of the node's class.
    """

    def __init__(self, node: Node, applied: Callable[..., Any]) -> None:
        """Make `applied` the function that the engine calls in place of the node's `apply`."""
        self._node = node
        node.apply = applied  # type: ignore[attr-defined]

    def remove(self) -> None:
        """Restore the `apply` of the node's class."""
        del self._node.apply  # type: ignore[attr-defined]


def apply_of(node: Node) -> Callable[..., Any]:
    """Return the function that runs a custom Function's `backward`."""
    apply: Callable[..., Any] = node.apply  # type: ignore[attr-defined]
    return apply


class SavedNames(NamedTuple):
    """Attributes in which one type of node keeps what its forward operation saved."""

    plain: tuple[str, ...]
    """Attributes that hold no tensors."""

    tensors: tuple[tuple[str, str], ...]
    """Attributes that hold tensors, each with the raw one, which does not unpack them when it is read."""

    hooks: Callable[[Node], tuple[Any, ...]] | None
    """Returns a value that is always None, then the hooks that unpack the tensors; None if no tensors."""

    values: Callable[[Node], tuple[Any, ...]] | None
    """Returns a value to pass over, then the tensors; None if no tensors, or for a custom Function."""


def saved_names_of(node: Node, left_out: Collection[str] = ()) -> SavedNames:
    """Return the attributes in which a node's type keeps what it saved, without the operands `left_out`."""
    if isinstance(node, BackwardCFunction):
        return SavedNames((), (("saved_tensors", "_raw_saved_tensors"),), None, None)
    found = dir(node)
    saved = [name for name in found if name.startswith("_saved_") and operand_name(name) not in left_out]
    plain = tuple(name for name in saved if f"_raw{name}" not in found)
    tensors = tuple((name, f"_raw{name}") for name in saved if name not in plain)
    hooks = _getter([f"{raw}.unpack_hook" for _, raw in tensors])
    return SavedNames(plain, tensors, hooks, _getter([name for name, _ in tensors]))


def _getter(attributes: list[str]) -> Callable[[Node], tuple[Any, ...]] | None:
    # One more attribute in front: a getter of a single one returns no tuple.
    return attrgetter("__doc__", *attributes) if attributes else None


def operand_name(attribute: str) -> str:
    """Return PyTorch's name for a saved operand: `self` for `_saved_self`."""
    return attribute.removeprefix("_saved_").removeprefix("saved_")


def has_unpack_hook(raw: Any) -> bool:
    """Return whether a hook unpacks a raw saved tensor, or any of a list of them."""
    if isinstance(raw, (list, tuple)):
        return any(map(has_unpack_hook, raw))
    return raw.unpack_hook is not None


def saved_tensor(node: Node, operand: str) -> Tensor | None:
    """Return the numbers of a tensor that a node saved under PyTorch's name for an operand, e.g. `target`.

    It is None if there is none, if only a hook can unpack it, or if it was changed in place since.
    """
    raw = getattr(node, f"_raw_saved_{operand}", None)
    if raw is None or has_unpack_hook(raw):
        return None
    try:
        found = getattr(node, f"_saved_{operand}")
    except RuntimeError:
        return None
    is_plain = isinstance(found, Tensor) and found.layout == torch.strided and not found.is_meta
    return found.detach() if is_plain else None


def saved_setting(node: Node, *names: str) -> Any:
    """Return the first of some settings that a node saved, e.g. `reduction`; None if it has none of them."""
    found = (getattr(node, f"_saved_{name}", None) for name in names)
    return next((value for value in found if value is not None), None)


GRAD_MODE_SETTER: Final = "_set_grad_enabled"
"""Name of the function, as a function mode sees it, that switches the recording of graphs on and off."""


class DispatchMode(TorchDispatchMode):  # type: ignore[no-untyped-call] # it has no types
    """Base class of modes that see every operation that PyTorch dispatches."""

    def __init_subclass__(cls) -> None:
        """Let PyTorch prepare a subclass; here, because PyTorch's own method has no types."""
        super().__init_subclass__()  # type: ignore[no-untyped-call]

    def __init__(self) -> None:
        """Make a dispatch mode, which takes effect inside a `with` block."""
        super().__init__()  # type: ignore[no-untyped-call]

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # skipping it means importing it first, which takes seconds
