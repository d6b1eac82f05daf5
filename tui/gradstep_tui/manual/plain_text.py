"""Pages of the manual as plain text: for a pager, a pipe, or a screen reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Final

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

if TYPE_CHECKING:
    from markdown_it.token import Token

WIDTH: Final = 80
"""Columns of a terminal for which pages are wrapped."""

INDENT: Final = "    "


def plain_text(markdown: str, width: int = WIDTH) -> str:
    """Return Markdown as plain text that is at most `width` columns wide; code keeps its own lines."""
    return "\n\n".join("\n".join(block) for block in _blocks(_parsed(markdown), width)) + "\n"


def spoken_lines(markdown: str) -> Iterator[str]:
    """Return Markdown as lines to be read aloud: one for each paragraph, list item and row of a table."""
    for node in _parsed(markdown).children:
        if node.type == "table":
            yield from (": ".join(filter(None, row)) for row in _rows(node)[1:])
        elif node.type in ("bullet_list", "ordered_list"):
            yield from (" ".join(map(_inline, item.children)) for item in node.children)
        elif node.type == "fence":
            yield from node.content.splitlines()
        else:
            yield _inline(node)


def _parsed(markdown: str) -> SyntaxTreeNode:
    return SyntaxTreeNode(MarkdownIt("commonmark").enable("table").parse(markdown))


def _blocks(parent: SyntaxTreeNode, width: int) -> Iterator[Sequence[str]]:
    """Return the lines of each block."""
    for node in parent.children:
        match node.type:
            case "heading":
                title = _inline(node)
                yield [title, ("=" if node.tag == "h1" else "-") * len(title)]
            case "fence":
                yield [f"{INDENT}{line}".rstrip() for line in node.content.splitlines()]
            case "bullet_list" | "ordered_list":
                yield [line for item in _items(node, width) for line in item]
            case "table":
                yield _table(_rows(node), width)
            case _:
                yield _wrapped(_inline(node), width)


def _items(parent: SyntaxTreeNode, width: int) -> Iterator[Sequence[str]]:
    for number, item in enumerate(parent.children, 1):
        sign = f"{number}. " if parent.type == "ordered_list" else "- "
        inside = [line for block in _blocks(item, width - len(sign)) for line in block]
        yield [f"{'' if index else sign:{len(sign)}}{line}" for index, line in enumerate(inside)]


def _rows(table: SyntaxTreeNode) -> Sequence[Sequence[str]]:
    return [[_inline(cell) for cell in row.children] for part in table.children for row in part.children]


def _table(rows: Sequence[Sequence[str]], width: int) -> Sequence[str]:
    """Align a table's columns and wrap the last one; if there is no room for it, write the rows as items."""
    head, *body = rows
    wide = [max(map(len, column)) + 2 for column in zip(*rows, strict=True)][:-1]
    room = width - sum(wide)
    if room < width // 2:
        return [line for row in body for line in _item(head, row, width)]
    lines = [_aligned(head, wide), "-" * (sum(wide) + min(room, max(len(row[-1]) for row in rows)))]
    for row in body:
        for index, text in enumerate(_wrapped(row[-1], room)):
            lines.append(_aligned([*([""] * len(wide) if index else row[:-1]), text], wide))
    return lines


def _aligned(cells: Sequence[str], wide: Sequence[int]) -> str:
    *first, last = cells
    return "".join(f"{cell:<{width}}" for cell, width in zip(first, wide, strict=True)) + last


def _item(head: Sequence[str], row: Sequence[str], width: int) -> Iterator[str]:
    first, *others = row
    if len(others) > 1:
        others = ["; ".join(f"{name}: {cell}" for name, cell in zip(head[1:], others, strict=True) if cell)]
    yield from _wrapped(first, width)
    for cell in others:
        yield from (f"{INDENT}{line}" for line in _wrapped(cell, width - len(INDENT)))


def _wrapped(text: str, width: int) -> Sequence[str]:
    return wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]


def _inline(node: SyntaxTreeNode) -> str:
    """Return the text inside a block; a link to a page is followed by the name of its topic."""
    tokens: Sequence[Token] = [
        token for part in node.walk() if part.type == "inline" and part.token for token in _tokens(part)
    ]
    return "".join(_written(tokens)).strip()


def _tokens(inline: SyntaxTreeNode) -> Sequence[Token]:
    return (inline.token.children or ()) if inline.token else ()


def _written(tokens: Sequence[Token]) -> Iterator[str]:
    target, linked = "", ""
    for token in tokens:
        match token.type:
            case "text":
                linked += token.content
                yield token.content
            case "code_inline":
                linked += token.content
                yield f"`{token.content}`"
            case "softbreak" | "hardbreak":
                yield " "
            case "link_open":
                target, linked = str(token.attrGet("href")), ""
            case "link_close":
                topic = target.partition("#")[0].removesuffix(".md")
                if topic and not topic.startswith("-".join(linked.split())):
                    yield f" ({topic})"
