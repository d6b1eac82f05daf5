"""Searching the whole manual."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Final

from gradstep.errors import BadInput
from gradstep.loop.literals import shown
from gradstep_tui.manual.pages import INDEX, page, topics

_BEGINS_A_BLOCK: Final = re.compile(r"\s*(?:[-*] |\d+\. |\||#|```)")
"""A line that does not continue the one before."""

NEAR: Final = 30
"""Characters from the beginning of a passage that a list of results always has room for."""

MOST_SUGGESTED: Final = 3
"""Largest number of topics that a message suggests."""

_LINK: Final = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_RULE: Final = re.compile(r"[|\s:-]*")
"""A line that separates the head of a table from its rows, or an empty line."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage of the manual that contains all the words of a search."""

    topic: str
    """Name of the page."""

    line: int
    """Line of the page's Markdown text at which the passage begins, counted from 0."""

    text: str
    """The passage on one line, without Markdown's signs for links and headings."""

    heading: bool
    """Whether the passage is a heading."""


def find(wanted: str) -> Sequence[Hit]:
    """Return the passages that contain every word of `wanted`: headings first, then in the manual's order.

    Upper and lower case do not matter, unless a single character is all that is searched: that is a key,
    and `J` is not `j`.
    """
    words = wanted.split()
    if not words:
        return ()
    if len(wanted.strip()) == 1:
        found = [passage for passage in _passages() if f"`{wanted.strip()}`" in passage.text]
    else:
        found = [
            passage
            for passage in _passages()
            if all(word.casefold() in passage.text.casefold() for word in words)
        ]
    return sorted(found, key=lambda passage: not passage.heading)


def excerpt(text: str, wanted: str) -> str:
    """Return a passage, without its beginning if the first word of `wanted` stands far from there."""
    word = wanted.split()[0].casefold()
    at = text.casefold().find(word)
    if at < NEAR:
        return text
    begin = text.rfind(" ", 0, at - NEAR // 2) + 1
    return f"… {text[begin:]}"


def topic_named(text: str) -> str:
    """Return the name of the page that somebody asked for.

    Upper and lower case do not matter, blanks may stand for hyphens, and a part of a name is enough if only
    one topic has it.

    Raises:
        BadInput: there is no such topic; the message names those that may be meant, if there are any.
    """
    wanted = "-".join(text.split()).casefold()
    names = [INDEX, *(topic.name for topic in topics())]
    if wanted in names:
        return wanted
    having = [name for name in names if wanted and wanted in name]
    if len(having) == 1:
        return having[0]
    meant = " or ".join(map(repr, _suggestions(text, wanted, names)))
    raise BadInput(f"no topic is called {shown(text)}." + (f" Did you mean {meant}?" if meant else ""))


def _suggestions(text: str, wanted: str, names: Sequence[str]) -> Sequence[str]:
    """Return the topics that may be meant: with a similar name, or else the first with a passage on it.

    Args:
        text: Name as it was typed.
        wanted: The same in lower case, with hyphens for blanks.
        names: Names of all topics.
    """
    having = [name for name in names if wanted and wanted in name]
    if 1 < len(having) <= MOST_SUGGESTED:
        return having
    similar = get_close_matches(wanted, names, n=1)
    return similar or [passage.topic for passage in find(text)[:1]]


@cache
def _passages() -> Sequence[Hit]:
    """Return every passage of every page."""
    return tuple(passage for topic in topics() for passage in _passages_of(topic.name))


def _passages_of(name: str) -> Iterator[Hit]:
    """Split a page: a heading, a paragraph, an item of a list, a row of a table, a line of code."""
    start, parts, in_code = 0, list[str](), False

    def ended() -> Iterator[Hit]:
        text = _plain(" ".join(parts))
        if text:
            yield Hit(name, start, text, parts[0].startswith("#"))
        parts.clear()

    for number, line in enumerate(page(name).splitlines()):
        fence = line.startswith("```")
        if in_code or fence or _RULE.fullmatch(line) or _BEGINS_A_BLOCK.match(line):
            yield from ended()
        in_code ^= fence
        if not fence and not _RULE.fullmatch(line):
            start = start if parts else number
            parts.append(line.strip())
    yield from ended()


def _plain(text: str) -> str:
    """Return a passage as it is shown in a list of results."""
    cells = [cell.strip() for cell in text.strip("|").split(" | ")] if text.startswith("|") else [text]
    return _LINK.sub(r"\1", ": ".join(filter(None, cells))).lstrip("# ").replace("**", "")
