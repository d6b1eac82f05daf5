"""Names and expressions in few characters: arguments and sides of operators are left out, ends are kept."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

REST: Final = "…"
"""Stands for what is left out."""

_GRADIENT: Final = re.compile(r"(?P<head>(?:.* )?dL/d)(?:\((?P<inside>.*)\)|(?P<name> \S+))(?P<tail>,.*)?")
"""Name of a gradient: `dL/d diff`, `dL/d(x @ w.t())`, `dL/d b, summed`."""

_NUMBER: Final = re.compile(r"(?<=[A-Za-z_0-9])\.(\d+)(?=[.(\[])")
"""Number of a module among others, `net.0.weight`, which is no Python."""

_LIBRARIES: Final = frozenset({"torch", "nn", "functional", "F"})
"""What functions may stand behind without a word being lost: `F.relu(x)` is `relu(x)`."""

_DEEPEST: Final = 4
"""Number of levels of an expression that are looked into."""


class _Brief(NamedTuple):
    """A shorter form of an expression."""

    rank: int
    """How little it says: 0 if the right side of its operator is whole."""

    text: str


@lru_cache(maxsize=4096)
def shortened_name(name: str, room: int) -> str:
    """Return a name or an expression of at most `room` characters.

    An expression is shortened at its operators and arguments: `torch.sum(diff * diff) / diff.numel()` is
    `… / diff.numel()`. In anything else, the middle is left out.
    """
    if len(name) <= room:
        return name
    if found := _GRADIENT.fullmatch(name):
        head, tail = found["head"], found["tail"] or ""
        inside, start, end = found["inside"], "(", ")"
        if inside is None:
            inside, start, end = found["name"][1:], " ", ""
        forms = [_Brief(each.rank, f"{head}{start}{each.text}{end}{tail}") for each in _known_forms(inside)]
    else:
        forms = [*_known_forms(name)]
    fitting = [each for each in forms if len(each.text) <= room]
    if fitting:
        return min(fitting, key=lambda each: (each.rank, -len(each.text))).text
    if found and room > len(head) + len(start + end + tail) + len(REST):
        return f"{head}{start}{_cut(inside, room - len(head + start + end + tail))}{end}{tail}"
    return _cut(name, room)


def _cut(name: str, room: int) -> str:
    """Return a name without its middle."""
    if len(name) <= room:
        return name
    half = max((room - 1) // 2, 1)
    return f"{name[: max(room - 1 - half, 0)]}{REST}{name[-half:]}"


@lru_cache(maxsize=1024)
def _known_forms(text: str) -> tuple[_Brief, ...]:
    """Return the shorter forms; several widths are tried for each name."""
    return tuple(_forms(text))


def _forms(text: str) -> Iterator[_Brief]:
    """Yield shorter forms of a name or an expression; modules may be numbers, as in `net.0.weight`."""
    name, _, words = text.partition(" ")
    parts = name.split(".")
    if len(parts) > 1 and all(part.replace("_", "a").isalnum() for part in parts):
        rest = f" {words}" if words else ""
        yield from (_Brief(0, f"{REST}.{'.'.join(parts[at:])}{rest}") for at in range(1, len(parts)))
        if not words or words[0].isalpha():
            return
    try:
        tree = ast.parse(_NUMBER.sub(r".__\1", text), mode="eval").body
    except (SyntaxError, ValueError):
        return
    for form in _of_node(tree, _DEEPEST):
        yield _Brief(form.rank, form.text.replace(".__", "."))


def _of_node(node: ast.expr, depth: int) -> Iterator[_Brief]:
    """Yield forms of a part of an expression, the whole one first."""
    yield _Brief(0, ast.unparse(node))
    if not depth:
        return
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            yield from _of_operator(left, op, right, depth - 1)
        case ast.UnaryOp(operand=operand):
            sign = ast.unparse(node).removesuffix(ast.unparse(operand))
            if len(sign) < len(ast.unparse(node)):
                yield from (_Brief(each.rank, f"{sign}{each.text}") for each in _of_node(operand, depth - 1))
        case ast.Call(func=function, args=arguments, keywords=keywords):
            yield from _of_call(function, arguments, bool(keywords), depth - 1)
        case ast.Attribute(value=owner, attr=name):
            yield from (_Brief(each.rank, f"{each.text}.{name}") for each in _of_owner(owner, depth - 1))
        case ast.Subscript(value=owner):
            yield from (_Brief(1, f"{each.text}[{REST}]") for each in _of_owner(owner, depth - 1))


def _of_operator(left: ast.expr, op: ast.operator, right: ast.expr, depth: int) -> Iterator[_Brief]:
    whole = ast.unparse(ast.BinOp(left, op, right))
    sign = ast.unparse(ast.BinOp(ast.Name("a"), op, ast.Name("b")))[2:-2]
    lefts = [_side(each, whole.startswith(f"({ast.unparse(left)})")) for each in _of_node(left, depth)]
    rights = [_side(each, whole.endswith(f"({ast.unparse(right)})")) for each in _of_node(right, depth)]
    for one in (*lefts, _Brief(3, REST)):
        yield _Brief(0, f"{one.text} {sign} {rights[0].text}")
    for other in (*rights[1:], _Brief(3, REST)):
        yield _Brief(1, f"{lefts[0].text} {sign} {other.text}")
        yield _Brief(2, f"{REST} {sign} {other.text}")


def _side(form: _Brief, in_parentheses: bool) -> _Brief:
    return _Brief(form.rank, f"({form.text})") if in_parentheses else form


def _of_call(function: ast.expr, given: list[ast.expr], more: bool, depth: int) -> Iterator[_Brief]:
    whole = ", ".join(map(ast.unparse, given)) if not more else REST
    inside = [whole]
    if len(given) > 1 or (given and more):
        inside.append(f"{ast.unparse(given[0])}, {REST}")
    if given or more:
        inside.append(REST)
    owners = [*_of_node(function, depth)]
    if isinstance(function, ast.Attribute) and _LIBRARIES & {*ast.unparse(function).split(".")[:-1]}:
        owners[1:] = [_Brief(0, function.attr)]
    for owner in owners:
        yield from (
            _Brief(owner.rank + min(at, 1), f"{owner.text}({text})") for at, text in enumerate(inside)
        )


def _of_owner(node: ast.expr, depth: int) -> Iterable[_Brief]:
    """Return forms of what stands before a dot or a bracket; nothing at all is one of them."""
    is_operator = isinstance(node, ast.BinOp | ast.UnaryOp)
    forms = [_side(each, is_operator) for each in _of_node(node, depth)]
    return [*forms, _Brief(3 if isinstance(node, ast.Attribute) else 2, REST)]
