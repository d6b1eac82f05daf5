"""What one expression of a script had a library do: several nodes, some of them in parts of a module."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from functools import cache
from typing import Final, NamedTuple, TypeAlias

from gradstep.autograd.events import ACCUMULATE_GRAD, NodeEvent, event_name
from gradstep.autograd.source_map import Source
from gradstep.autograd.trace import Trace

LIBRARIES: Final = frozenset({"torch", "F", "nn", "functional", "np", "numpy"})
"""Names that a script gives to libraries: what is called on them is no method of a tensor."""

_NAMED: Final = ast.Name | ast.Attribute | ast.Subscript
"""Expressions that a module may be called by."""


class _Call(NamedTuple):
    """An expression of the script, with the module that it calls if it calls one; both as numbers."""

    expression: int
    call: int


_Kind: TypeAlias = tuple[int, str, str]
"""A call, a part of the module that it calls, and the name of a node."""


class LibraryCalls:
    """The nodes of a pass by the expressions of the script that made them."""

    def __init__(self, trace: Trace) -> None:
        """Sort the nodes.

        Args:
            trace: Recording of the pass.
        """
        self._trace = trace
        self._known = dict[int, tuple[Source, _Call]]()
        """Call of each source, by its `id`: an expression that ran often is compared once."""
        self._places = dict[tuple[str, int, object, str], int]()
        self._calls = dict[tuple[int, int], int]()
        self.inner = set[int]()
        """Nodes whose results stay in the library: a later node of the same call uses them."""
        self.outer = set[int]()
        """Nodes that use such results."""
        self._inner_in_part = set[int]()
        self._fed = set[tuple[int, str]]()
        """Parts of modules that use what another part of the same call made."""
        self._fed_nodes = set[int]()
        """Nodes that use what another node of the same call made of data, not of parameters."""
        self._prefixes = dict[int, str]()
        """Path of a called module in the names of parameters, by what tells it apart."""
        self._called = defaultdict[int, set[int]](set)
        self._of_parameters = set[int]()
        self._kinds = Counter[_Kind]()
        self._numbers = dict[int, int]()
        self._results = Counter[_Kind]()
        self._times = dict[int, int]()
        nodes = [event for event in reversed(trace.events) if isinstance(event, NodeEvent)]
        for event in nodes:
            self._sort(event)
        for event in nodes:
            self._count(event)

    def _sort(self, event: NodeEvent) -> None:
        """Sort one node, after those that it got its inputs from."""
        receivers = [None if edge is None else self._trace.event_of(edge.node) for edge in event.edges]
        if event.name == ACCUMULATE_GRAD or (
            None not in receivers and all(sent.node in self._of_parameters for sent in receivers if sent)
        ):
            self._of_parameters.add(event.node)
        if event.source is None:
            return
        call = self._call_of(event.source)
        self._called[call.expression].add(event.source.called)
        for sent in receivers:
            if sent is not None:
                self._sort_edge(event, event.source, call, sent)

    def _call_of(self, source: Source) -> _Call:
        known = self._known.get(id(source))
        if known is None:
            place = source.file, source.line, source.span, source.expression
            expression = self._places.setdefault(place, len(self._places))
            call = self._calls.setdefault((expression, source.called), len(self._calls))
            known = self._known[id(source)] = source, _Call(expression, call)
        return known[1]

    def _count(self, event: NodeEvent) -> None:
        """Number a node among those of its kind that the same call made, and its result among results."""
        if event.source is None:
            return
        kind = self._call_of(event.source).call, event.source.part, event.name
        self._kinds[kind] += 1
        self._numbers[event.node] = self._kinds[kind]
        if event.node not in self.inner or (event.source.part and event.node not in self._inner_in_part):
            self._results[kind] += 1
            self._times[event.node] = self._results[kind]

    def _sort_edge(self, event: NodeEvent, source: Source, call: _Call, sent: NodeEvent) -> None:
        """Note what follows from one node's result being an input of another node."""
        if sent.accumulation is not None:
            self._note_prefix(source, sent.accumulation.parameter or "")
        if sent.source is None or self._call_of(sent.source) != call:
            return
        is_same_part = sent.source.part == source.part
        # Two nodes of one kind are no such pair: they are one expression that ran twice, in a loop.
        if sent.name != event.name or not is_same_part:
            self.inner.add(sent.node)
            self.outer.add(event.node)
        if is_same_part and source.part:
            self._inner_in_part.add(sent.node)
        if not is_same_part:
            self._fed.add((call.call, source.part))
        if sent.node not in self._of_parameters:
            self._fed_nodes.add(event.node)

    def _note_prefix(self, source: Source, parameter: str) -> None:
        """Note the path of a called module, which the name of a parameter in it begins with."""
        part = source.part.replace("[", ".").replace("]", "")
        owner = parameter.rpartition(".")[0]
        if source.called and owner and owner.endswith(part):
            self._prefixes.setdefault(source.called, owner.removesuffix(part))

    def has_several(self, event: NodeEvent) -> bool:
        """Return whether a node is one of several that the library made for the same call."""
        return event.node in self.inner or event.node in self.outer

    def takes_arguments(self, event: NodeEvent) -> bool:
        """Return whether an input of a node without a gradient is an argument of the script's call."""
        return event.node not in self._fed_nodes

    def text_of(self, event: NodeEvent) -> str:
        """Return Python for the result of an inner node if a part of a module returned it, else nothing.

        The part that the call's arguments go to has them: `net[0](X)`; later ones have dots: `net[1](...)`.
        """
        source = event.source
        if source is None or not source.part or event.node in self._inner_in_part:
            return ""
        part = self._part_of(source)
        is_first = (self._call_of(source).call, source.part) not in self._fed
        arguments = _called_in(source.expression)[1] if is_first else "..."
        return f"{part}({arguments})" if part else ""

    def expression_of(self, source: Source) -> str:
        """Return an expression, with the whole name of the module if it calls several: `net[1](x)`."""
        prefix = self._prefix_of(source)
        return f"{_indexed(prefix)}({_called_in(source.expression)[1]})" if prefix else source.expression

    def time_of(self, event: NodeEvent) -> str:
        """Return which of several results of an expression a node's is, ` #2`; empty if there is one."""
        if event.source is None or event.node not in self._times:
            return ""
        kind = self._call_of(event.source).call, event.source.part, event.name
        return f" #{self._times[event.node]}" if self._results[kind] > 1 else ""

    def place_of(self, event: NodeEvent) -> str:
        """Return where a node was made: in which part of a module, or in which expression."""
        if event.source is None:
            return ""
        return (self._part_of(event.source) if event.source.part else "") or event.source.expression

    def label_of(self, event: NodeEvent) -> str:
        """Return words for the result of a node that the script has no name for: `Bmm in att @ v`."""
        kind = event_name(event)
        if event.source is None or not event.source.expression:
            return ""
        key = self._call_of(event.source).call, event.source.part, event.name
        number = f" {self._numbers[event.node]}" if self._kinds[key] > 1 else ""
        return f"{kind}{number} in {self.place_of(event)}"

    def _part_of(self, source: Source) -> str:
        """Return the part of a module that made a node: `net[1]`; empty if the module has no name."""
        prefix = self._prefix_of(source)
        name = _indexed(prefix) if prefix else _called_in(source.expression)[0]
        return f"{name}{source.part}" if name else ""

    def _prefix_of(self, source: Source) -> str:
        """Return the path of a called module if its expression calls several modules and it is known."""
        is_one_of_several = len(self._called[self._call_of(source).expression]) > 1
        return self._prefixes.get(source.called, "") if is_one_of_several else ""


def _indexed(path: str) -> str:
    """Return a path in the names of parameters as Python: `model.blocks[0].net`."""
    first, *names = path.split(".")
    return first + "".join(f"[{name}]" if name.isdigit() else f".{name}" for name in names)


@cache
def _called_in(expression: str) -> tuple[str, str]:
    """Return what an expression calls, if it can be a module, and its arguments, as text."""
    try:
        node = ast.parse(expression, mode="eval").body
    except (SyntaxError, ValueError):
        return "", "..."
    if not isinstance(node, ast.Call):
        return "", "..."
    owner = node.func
    while isinstance(owner, ast.Attribute):
        owner = owner.value
    is_library = isinstance(owner, ast.Name) and owner.id in LIBRARIES
    if is_library or not isinstance(node.func, _NAMED):
        return "", "..."
    arguments = [*map(ast.unparse, node.args), *map(ast.unparse, node.keywords)]
    return ast.unparse(node.func), ", ".join(arguments) or "..."
