"""The learner's names for the tensors that a backward pass goes through."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Set
from functools import cache
from typing import Final

import torch

from gradstep.autograd.events import Edge, NodeEvent
from gradstep.autograd.source_map import Source
from gradstep.autograd.trace import Trace
from gradstep.derivatives.library_calls import LIBRARIES, LibraryCalls

_VIEWS: Final[Mapping[str, str]] = {
    "TBackward0": "{}.t()",
    "TransposeBackward0": "{}.mT",
    "ViewBackward0": "{}.view(...)",
    "UnsafeViewBackward0": "{}.view(...)",
    "ReshapeAliasBackward0": "{}.view(...)",
    "ExpandBackward0": "{}.expand(...)",
    "LogSoftmaxBackward0": "log_softmax({})",
    "SoftmaxBackward0": "softmax({})",
}
"""Names of the results of nodes that a library's code made of one tensor, by the node's name."""

_MOST_VIEWS: Final = 2
"""Number of such results of each other that have a name."""

_PARTS: Final = frozenset({"SplitBackward0", "SplitWithSizesBackward0", "UnbindBackward0", "ChunkBackward0"})
"""Nodes of operations that return several tensors to the script."""


class TensorNames:
    """Names of the tensors of one pass: a variable's, a parameter's, or the expression that made them."""

    def __init__(self, trace: Trace, loss: str = "") -> None:
        """Read the names from the calls that made the nodes.

        Args:
            trace: Recording of the pass.
            loss: The script's variable for what the pass goes back from; empty if it is not known.
        """
        self._trace, self._loss = trace, loss
        self._root = trace.events[0].node if trace.events else -1
        self._calls = LibraryCalls(trace)
        self._ambiguous = frozenset(_names_of_several(trace, self._calls.inner))

    def of_result(self, event: NodeEvent) -> str:
        """Return Python for the tensor that a node's forward operation made; empty if the script has none."""
        return self._of_result(event, _MOST_VIEWS)

    def _of_result(self, event: NodeEvent, views: int) -> str:
        if event.accumulation is not None:
            return event.accumulation.parameter or ""
        source = event.source
        if event.node == self._root and self._loss and not (source and source.name):
            return self._loss
        if source is not None and source.expression and event.node not in self._calls.inner:
            is_variable = source.name and (event.node == self._root or source.name not in self._ambiguous)
            is_variable = is_variable and "," not in source.name
            return source.name if is_variable else self._calls.expression_of(source)
        if part := self._calls.text_of(event):
            return part
        view = _VIEWS.get(event.name) if views else None
        inner = self._of_input(event, 0, views - 1) if view else ""
        return (
            view.format(_in_parentheses(inner) if view.startswith("{}") else inner) if view and inner else ""
        )

    def of_edge(self, edge: Edge) -> str:
        """Return Python for the tensor that an edge leads to; empty if the script has none."""
        return self._of_edge(edge, _MOST_VIEWS)

    def _of_edge(self, edge: Edge, views: int) -> str:
        receiver = self._trace.event_of(edge.node)
        name = "" if receiver is None else self._of_result(receiver, views)
        if receiver is None or receiver.name not in _PARTS or not name:
            return name
        variables = (
            receiver.source.name.split(", ") if receiver.source and name == receiver.source.expression else []
        )
        variable = variables[edge.slot] if edge.slot < len(variables) else ""
        is_clear = variable and variable not in self._ambiguous
        return variable if is_clear else f"{_in_parentheses(name)}[{edge.slot}]"

    def of_input(self, event: NodeEvent, slot: int) -> str:
        """Return Python for an input of a node's forward operation; empty if the script has none."""
        return self._of_input(event, slot, _MOST_VIEWS)

    def _of_input(self, event: NodeEvent, slot: int, views: int) -> str:
        edge = event.edges[slot] if slot < len(event.edges) else None
        if edge is not None and (
            (name := self._of_edge(edge, views)) or not self._is_plain_leaf(event, edge)
        ):
            return name
        if event.source is None or not event.source.expression:
            return ""
        operands = self._in_order(event, operands_of(event.source.expression))
        if self._calls.has_several(event):
            # A module's call has its input as the only argument; parameters have names of their own.
            is_argument = len(operands) == 1 and self._calls.takes_arguments(event)
            return operands[0] if is_argument else ""
        return operands[slot] if slot < len(operands) else ""

    def words_for_result(self, event: NodeEvent) -> str:
        """Return the name of a node's result, or which node in which call made it; empty if neither is known.

        The second of several results of the same expression, as in a loop, is `h #2`.
        """
        name = self.of_result(event)
        return f"{name}{self._calls.time_of(event)}" if name else self._calls.label_of(event)

    def words_for_edge(self, edge: Edge) -> str:
        """Return such words for the tensor that an edge leads to."""
        receiver = self._trace.event_of(edge.node)
        if receiver is None:
            return ""
        name = self.of_edge(edge)
        return f"{name}{self._calls.time_of(receiver)}" if name else self._calls.label_of(receiver)

    def words_for_input(self, event: NodeEvent, slot: int) -> str:
        """Return such words for an input of a node's operation."""
        edge = event.edges[slot] if slot < len(event.edges) else None
        return (self.words_for_edge(edge) if edge is not None else "") or self.of_input(event, slot)

    def place_of(self, event: NodeEvent) -> str:
        """Return where the script made a node: the expression, what it made, or the part of a module."""
        if event.node in self._calls.inner:
            return self.of_result(event) or self._calls.place_of(event)
        return "" if event.source is None else event.source.expression

    def _is_plain_leaf(self, event: NodeEvent, edge: Edge) -> bool:
        """Return whether an edge leads to a leaf without a name, right out of the script's own expression."""
        receiver = self._trace.event_of(edge.node)
        is_leaf = receiver is not None and receiver.accumulation is not None
        return is_leaf and not self._calls.has_several(event)

    def _in_order(self, event: NodeEvent, operands: tuple[str, ...]) -> tuple[str, ...]:
        """Return operands in the order of the node: the tensor first, also for `2 * x` or `1 - x`."""
        edge = event.edges[0] if event.edges else None
        if len(operands) != 2 or edge is None:
            return operands
        is_turned = _is_number(operands[0]) or self.of_edge(edge) == operands[1]
        return operands[::-1] if is_turned else operands


def _names_of_several(trace: Trace, inner: Set[int]) -> Iterator[str]:
    """Yield variables that say less than their expressions: several expressions, or its own, go into them.

    One that a loop makes again and again of its own value, as the state of a recurrent network, stays.
    """
    made = defaultdict[str, dict[Source, int]](dict)
    for event in trace.events:
        if isinstance(event, NodeEvent) and event.source and event.source.name and event.node not in inner:
            for name in event.source.name.split(", "):
                made[name][event.source] = made[name].get(event.source, 0) + 1
    for name, counts in made.items():
        (first, count), *more = counts.items()
        if more or (count == 1 and name in _names_in(first.expression)):
            yield name


def _names_in(expression: str) -> frozenset[str]:
    try:
        tree = ast.parse(expression)
    except (SyntaxError, ValueError):
        return frozenset()
    return frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))


@cache
def operands_of(expression: str) -> tuple[str, ...]:
    """Return the tensors that an expression was made of, as text: the sides of an operator, or arguments.

    A method of a tensor has the tensor first, as the function of the same name has.
    """
    try:
        (statement,) = ast.parse(expression).body
    except (SyntaxError, ValueError):
        return ()
    node = statement.value if isinstance(statement, ast.Expr) else statement
    match node:
        case ast.BinOp(left=left, right=right):
            return ast.unparse(left), ast.unparse(right)
        case ast.AugAssign(target=left, value=right):
            return ast.unparse(left), ast.unparse(right)
        case ast.UnaryOp(operand=operand):
            return (ast.unparse(operand),)
        case ast.Attribute(value=owner) | ast.Subscript(value=owner):
            return (ast.unparse(owner),)
        case ast.Call(func=ast.Attribute(value=owner, attr=name), args=arguments):
            texts = tuple(_texts(arguments))
            return (ast.unparse(owner), *texts) if _is_method(owner, name) else texts
        case ast.Call(args=arguments):
            return tuple(_texts(arguments))
        case _:
            return ()


def _texts(arguments: list[ast.expr]) -> Iterator[str]:
    """Yield arguments as text, the tensors of a list one by one, and no text such as that of `einsum`."""
    for argument in arguments:
        match argument:
            case ast.List(elts=parts) | ast.Tuple(elts=parts):
                yield from map(ast.unparse, parts)
            case ast.Constant(value=str()):
                continue
            case _:
                yield ast.unparse(argument)


def _is_method(owner: ast.expr, name: str) -> bool:
    while isinstance(owner, ast.Attribute):
        owner = owner.value
    is_library = isinstance(owner, ast.Name) and owner.id in LIBRARIES
    return not is_library and hasattr(torch.Tensor, name)


def _is_number(text: str) -> bool:
    try:
        return isinstance(ast.literal_eval(text), int | float)
    except (SyntaxError, ValueError):
        return False


def _in_parentheses(text: str) -> str:
    """Return an expression such that `.t()` behind it belongs to all of it."""
    try:
        node = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):
        return text
    whole = ast.Name | ast.Attribute | ast.Call | ast.Subscript
    return text if isinstance(node, whole) else f"({text})"
