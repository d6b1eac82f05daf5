"""The learner's names for the tensors that a backward pass goes through."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

import torch

from gradstep.autograd.events import Edge, NodeEvent
from gradstep.autograd.trace import Trace

_LIBRARIES: Final = frozenset({"torch", "F", "nn", "functional", "np", "numpy"})
"""Names that a script gives to libraries: what is called on them is no method of a tensor."""

_VIEWS: Final[Mapping[str, str]] = {
    "TBackward0": "{}.t()",
    "TransposeBackward0": "{}.mT",
    "LogSoftmaxBackward0": "log_softmax({})",
    "SoftmaxBackward0": "softmax({})",
}
"""Names of the results of nodes that a library's code made of one tensor, by the node's name."""


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
        pairs = [*_pairs_of_one_call(trace)]
        self._inner = frozenset(inner for _, inner in pairs)
        self._last_of_several = frozenset(outer for outer, _ in pairs)

    def of_result(self, event: NodeEvent) -> str:
        """Return the name of the tensor that a node's forward operation made; empty if unknown."""
        if event.accumulation is not None:
            return event.accumulation.parameter or ""
        source = event.source
        if event.node == self._root and self._loss and not (source and source.name):
            return self._loss
        if source is not None and source.expression and event.node not in self._inner:
            return source.name or source.expression
        view = _VIEWS.get(event.name)
        inner = self.of_input(event, 0) if view else ""
        return (
            view.format(inner if view.endswith(")") and "(" in view[:-2] else _in_parentheses(inner))
            if view and inner
            else ""
        )

    def of_edge(self, edge: Edge) -> str:
        """Return the name of the tensor that an edge leads to; empty if unknown."""
        receiver = self._trace.event_of(edge.node)
        return "" if receiver is None else self.of_result(receiver)

    def of_input(self, event: NodeEvent, slot: int) -> str:
        """Return the name of an input of a node's forward operation; empty if unknown."""
        edge = event.edges[slot] if slot < len(event.edges) else None
        if edge is not None and ((name := self.of_edge(edge)) or not self._is_plain_leaf(event, edge)):
            return name
        if event.source is None or not event.source.expression:
            return ""
        operands = self._in_order(event, operands_of(event.source.expression))
        if event.node in self._last_of_several:
            # A module's call has its input as the only argument; parameters have names of their own.
            return operands[0] if len(operands) == 1 else ""
        return operands[slot] if slot < len(operands) else ""

    def _is_plain_leaf(self, event: NodeEvent, edge: Edge) -> bool:
        """Return whether an edge leads to a leaf without a name, right out of the script's own expression."""
        receiver = self._trace.event_of(edge.node)
        is_leaf = receiver is not None and receiver.accumulation is not None
        return is_leaf and event.node not in self._last_of_several | self._inner

    def _in_order(self, event: NodeEvent, operands: tuple[str, ...]) -> tuple[str, ...]:
        """Return operands in the order of the node: the tensor first, also for `2 * x` or `1 - x`."""
        edge = event.edges[0] if event.edges else None
        if len(operands) != 2 or edge is None:
            return operands
        is_turned = _is_number(operands[0]) or self.of_edge(edge) == operands[1]
        return operands[::-1] if is_turned else operands


def _pairs_of_one_call(trace: Trace) -> Iterator[tuple[int, int]]:
    """Yield pairs of nodes that a library's code made for one expression of the script, the later one first.

    Two nodes of the same kind are no such pair: they are one expression that ran twice, in a loop.
    """
    for event in trace.events:
        if not isinstance(event, NodeEvent) or event.source is None:
            continue
        for edge in event.edges:
            sent = None if edge is None else trace.event_of(edge.node)
            if sent is not None and sent.source == event.source and sent.name != event.name:
                yield event.node, sent.node


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
    is_library = isinstance(owner, ast.Name) and owner.id in _LIBRARIES
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
