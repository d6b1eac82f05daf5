"""Finds the expression of the forward pass that made an autograd node.

A PyTorch that calls a hook for every node it makes hands the nodes over themselves. An older one numbers the
nodes of a thread: the nodes that a torch function made are those with numbers between the thread's counter
before the call and the counter after it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import islice, pairwise
from os.path import dirname, sep
from types import CodeType, FrameType
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

import torch
from torch import Tensor
from torch.autograd.graph import Node
from torch.nn import Module
from torch.overrides import TorchFunctionMode

from gradstep.autograd.expression_text import Span, expression_at
from gradstep.torch_internals import (
    next_sequence_number,
    node_creation_hook,
    replace_setup_context_test,
    sequence_number_of,
    setup_context_test,
)

_MODULE_CALL: Final = Module.__call__.__code__
"""Code that every call of a module runs; it has the module as `self`, and never assigns to it."""

_NO_MODULES: Final[tuple[Module, ...]] = ()

_NOT_THE_SCRIPT: Final = (__file__, dirname(torch.__file__) + sep)
"""Beginnings of the paths of files that are neither the script's nor the caller's."""


class _Files(dict[str, bool]):
    """Whether a file is neither the script's nor the caller's, by its path."""

    def __missing__(self, file: str) -> bool:
        self[file] = file.startswith(_NOT_THE_SCRIPT)
        return self[file]


_IN_TORCH: Final = _Files()


Modules: TypeAlias = tuple[Module, ...]
"""Modules between a torch function and the expression that led to it, the innermost first."""


@dataclass(frozen=True, slots=True)
class Source:
    """The forward expression that made a node."""

    expression: str
    """The exact sub-expression, e.g. `x @ w.t()`; the whole line if Python does not know its columns.

    Empty if the text of the code is not known, as after an edit of a file that is not read again.
    """

    file: str
    """Name of the file that holds the expression, as Python reports it."""

    line: int
    """Line of the expression, counted from 1: its first one, or in a chain of methods the method's."""

    name: str = ""
    """Variable that the whole expression is assigned to: `diff` in `diff = t1 - t2`; empty if none is.

    Several, as in `q, k, v = x.chunk(3)`, have commas between them.
    """

    span: Span | None = None
    """First line, last line, first column and column after the last, in characters; None if not known."""

    part: str = ""
    """Part of the called module that made the node, `[2]` in a `Sequential` or `.self_attn`; or empty."""

    called: int = field(default=0, compare=False)
    """Tells modules that the same expression called apart, as in a loop over layers; 0 if none was called."""


class _Call(NamedTuple):
    """One watched call of a torch function."""

    first: int
    """Sequence number of the first node that the call made."""

    after_last: int
    """Sequence number after that of the last node that the call made."""

    code: CodeType
    """Code that called the function."""

    instruction: int
    """Offset in `code` of the instruction that called the function."""

    results: tuple[Node, ...]
    """Nodes of the tensors that the call returned; empty if they are not known."""

    modules: Modules
    """Modules of PyTorch that the function was called in."""

    @property
    def nodes(self) -> int:
        """Number of nodes that the call made."""
        return self.after_last - self.first


class FoundSources(Protocol):
    """Finds the expression that made a node."""

    def find(self, node: Node) -> Source | None:
        """Return the expression that made a node, or None if no watched call made it."""


class SourceMap:
    """The calls that were seen while a forward pass was watched."""

    def __init__(self) -> None:
        """Start with no call seen."""
        self.calls: list[tuple[int, int, CodeType, int, tuple[Node, ...], Modules]] = []
        """Arguments of one `_Call` for each call; to make the object itself would slow the pass down."""
        self.made: dict[Node, tuple[CodeType, int, Modules]] = {}
        """Code, instruction and modules that made a node, if this PyTorch hands the nodes over."""
        self._looked_up = 0
        """Number of `calls` that `_innermost` covers."""
        self._innermost: dict[int, _Call] = {}
        """Shortest watched call that made each node, by the node's sequence number."""
        self._found: dict[tuple[int, ...], Source] = {}
        """Sources by the instruction, and the `id` of the code and of each module, which `calls` keep."""
        self.is_over = False
        """Whether no further call is noted, although the `with` block has not ended."""

    @property
    def count(self) -> int:
        """Number of calls or nodes that were noted."""
        return len(self.calls) + len(self.made)

    def forget(self, count: int | None = None) -> None:
        """Let go of the first calls, and of the graphs that they made; of all if there is no count."""
        if count is None:
            count = self.count
        del self.calls[:count]
        for node in [*islice(self.made, count)]:
            del self.made[node]
        self._innermost.clear()
        self._found.clear()
        self._looked_up = 0

    def find(self, node: Node) -> Source | None:
        """Return the expression that made a node, or None if no watched call made it.

        If calls were nested, it is the expression of the innermost one.
        """
        place = self.made.get(node)
        if place is None:
            call = self._call_of(sequence_number_of(node))
            if call is None or _is_of_another_thread(node, call):
                return None
            place = call.code, call.instruction, call.modules
        code, instruction, modules = place
        key = instruction, id(code), *map(id, modules)
        source = self._found.get(key)
        if source is None:
            text, line, name, span = expression_at(code, instruction)
            called = id(modules[-1]) if modules else 0
            source = Source(text, code.co_filename, line, name, span, part_of(modules), called)
            self._found[key] = source
        return source

    def _call_of(self, number: int) -> _Call | None:
        """Return the innermost watched call that made the node with a sequence number."""
        innermost = self._innermost
        for seen in self.calls[self._looked_up :]:
            call = _Call(*seen)
            for made in range(call.first, call.after_last):
                known = innermost.get(made)
                if known is None or call.nodes < known.nodes:
                    innermost[made] = call
        self._looked_up = len(self.calls)
        return innermost.get(number)


class SourceMaps:
    """The calls of several watched pieces of code, such as the statements of one round."""

    def __init__(self) -> None:
        """Start with none."""
        self._maps: list[SourceMap] = []

    def add(self, sources: SourceMap) -> None:
        """Look there, too."""
        self._maps.append(sources)

    def find(self, node: Node) -> Source | None:
        """Return the expression that made a node, or None if no watched call made it."""
        found = (sources.find(node) for sources in reversed(self._maps))
        return next((source for source in found if source is not None), None)


def _is_of_another_thread(node: Node, call: _Call) -> bool:
    """Return whether the call made another node with the number of this one: each thread counts its own."""
    if not call.results or node in call.results:
        return False
    number, waiting, seen = sequence_number_of(node), list(call.results), set[Node]()
    while waiting:
        found = waiting.pop()
        if found in seen or not call.first <= sequence_number_of(found) < call.after_last:
            continue
        if sequence_number_of(found) == number:
            return found is not node
        seen.add(found)
        waiting += [following for following, _ in found.next_functions if following is not None]
    return False


def watch_forward() -> AbstractContextManager[SourceMap]:
    """Return a context manager that notes which nodes each torch call makes, and from which expression.

    The computation is unchanged: each call is passed on with its own arguments.
    """
    return _CallWatch() if node_creation_hook is None else _NodeWatch(node_creation_hook)


class _NodeWatch(AbstractContextManager[SourceMap]):
    """Sees every node that this thread makes."""

    def __init__(self, hook: Callable[[Callable[[Node], None]], AbstractContextManager[None]]) -> None:
        self._sources = SourceMap()
        self._hook = hook(self._note)

    def __enter__(self) -> SourceMap:
        self._hook.__enter__()
        return self._sources

    def __exit__(self, *raised: Any) -> None:
        self._hook.__exit__(*raised)

    def _note(self, node: Node) -> None:
        if self._sources.is_over:
            return
        caller, modules = _caller_outside(sys._getframe(1))
        self._sources.made[node] = caller.f_code, caller.f_lasti, modules


class _CallWatch(TorchFunctionMode):
    """Sees every torch function that Python calls, and every call of a custom Function."""

    def __init__(self) -> None:
        super().__init__()
        self._sources = SourceMap()
        self._note = self._sources.calls.append

    def __enter__(self) -> SourceMap:
        # Custom Functions bypass this mode, but `Function.apply` begins with a call of this test. If `apply`
        # itself were replaced, Python would have to look up every attribute of every Function anew, which
        # takes longer than the rest of the watching.
        plain = self._plain_test = setup_context_test()
        note, sources = self._note, self._sources

        def test(setup_context: Any) -> Any:
            if sources.is_over:
                return plain(setup_context)
            number = next_sequence_number()  # the Function's own node takes this one
            caller, modules = _caller_outside(sys._getframe(1))
            note((number, number + 1, caller.f_code, caller.f_lasti, (), modules))
            return plain(setup_context)

        replace_setup_context_test(test)
        super().__enter__()  # type: ignore[no-untyped-call]
        return self._sources

    def __exit__(self, *raised: Any) -> None:
        replace_setup_context_test(self._plain_test)
        super().__exit__(*raised)  # type: ignore[no-untyped-call]

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if self._sources.is_over:
            return func(*args, **kwargs) if kwargs else func(*args)
        first = next_sequence_number()
        result = func(*args, **kwargs) if kwargs else func(*args)
        after_last = next_sequence_number()
        if after_last != first:
            caller, modules = sys._getframe(1), _NO_MODULES
            if _IN_TORCH[caller.f_code.co_filename]:
                caller, modules = _caller_outside(caller)
            # `y[0] = x` returns nothing, and changes its first argument.
            made = _nodes_of(args[:1] if result is None else result)
            self._note((first, after_last, caller.f_code, caller.f_lasti, made, modules))
        return result


def _nodes_of(result: Any) -> tuple[Node, ...]:
    """Return the nodes that made a plain tensor, or the plain tensors among several; empty for all else."""
    if type(result) is Tensor:
        return () if result.grad_fn is None else (result.grad_fn,)
    if not isinstance(result, (tuple, list)):
        return ()
    nodes = [part.grad_fn for part in result if type(part) is Tensor]
    return tuple([node for node in nodes if node is not None])


def _caller_outside(frame: FrameType) -> tuple[FrameType, Modules]:
    """Return the nearest frame outside torch and this module, and the modules that were called on the way.

    If there is no such frame, it is the outermost one.
    """
    modules = _NO_MODULES
    code, before = frame.f_code, frame.f_back
    while _IN_TORCH[code.co_filename] and before is not None:
        if code is _MODULE_CALL:
            modules += (frame.f_locals["self"],)
        frame = before
        code, before = frame.f_code, frame.f_back
    return frame, modules


def part_of(modules: Modules) -> str:
    """Return how the innermost of nested modules is reached from the outermost: `[2]`, `.self_attn`."""
    text = ""
    for outer, inner in pairwise(reversed(modules)):
        path = next((path for path, module in outer.named_modules() if module is inner), "")
        text += "".join(f"[{name}]" if name.isdigit() else f".{name}" for name in path.split(".") if name)
    return text
