"""The pages of the manual as lines that can be read aloud, and a search over them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gradstep.errors import BadInput
from gradstep_tui.manual.pages import INDEX, page
from gradstep_tui.manual.search import find, topic_named

SEARCH: Final = "search"
"""First word of a line that searches all pages."""

MOST_HITS: Final = 20
"""Largest number of passages that a search lists."""


def manual_texts(text: str) -> Iterator[str]:
    """Return the lines of a page, by default the list of topics, or the passages that a search finds.

    Raises:
        BadInput: there is no such topic, or nothing was found.
    """
    first, _, words = text.partition(" ")
    if first == SEARCH:
        yield from _search(words)
        return
    from gradstep_tui.manual.plain_text import spoken_lines

    try:
        name = topic_named(text) if text else INDEX
    except BadInput as error:
        raise BadInput(f"{error} Type manual to list the topics.") from None
    yield from spoken_lines(page(name))


def _search(words: str) -> Iterator[str]:
    hits = find(words)
    if not hits:
        raise BadInput(f"nothing in the manual has {words!r}" if words else "type words to search for")
    yield from (f"{hit.topic}: {hit.text}" for hit in hits[:MOST_HITS])
    if len(hits) > MOST_HITS:
        yield f"{len(hits) - MOST_HITS} more passages; add a word to find fewer"
