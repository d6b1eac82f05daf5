"""Messages of the engine: they name no key, no option of a command line and no width of a screen."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ENGINE = Path(__file__).parents[2] / "engine" / "gradstep"

KEYS_AND_OPTIONS = re.compile(
    r"""
    (^|\s|\() --[a-z]                                  # an option of a command line
    | (?<=\s) \( [A-Za-z\[\]#?←→↑↓] \)                 # a key in brackets: "finish it (b)"
    | \b (left|right|up|down) [ ] arrows? \b
    | \b (Esc|Escape|Backspace|ctrl\+\w|alt\+\w|F\d\d?) \b
    | \b press(es)? [ ] (\w|Enter|space) \b
    | \b type [ ] (an?|one|its) \b                     # what can be typed, the screen knows
    | \b \d\d\d?x\d\d \b                               # columns and rows of a terminal
    """,
    re.VERBOSE,
)


def literals(path: Path) -> Iterator[str]:
    """Return every string of a module that is not a docstring, also the constant parts of f-strings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


def named(text: str) -> bool:
    """Return whether a message names a key, an option or a width; a word alone is no message."""
    return " " in text and KEYS_AND_OPTIONS.search(text) is not None


def test_the_engine_names_no_key_no_option_and_no_width_of_a_screen() -> None:
    modules = list(ENGINE.rglob("*.py"))
    assert len(modules) > 100
    found = [(path.name, text) for path in modules for text in literals(path) if named(text)]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "a backward pass is under way: finish it (b)",
        "take it back (left arrow)",
        "the right arrow goes on to the end",
        "summaries are kept (--trace-limit)",
        "Or leave out --standardize.",
        "lower the learning rate ([)",
        "that is the highest learning rate: type one to go on",
        "press F5 to read it again",
        "as many as fit into 80x24",
    ],
)
def test_a_key_an_option_or_a_width_in_a_message_is_found(text: str) -> None:
    assert named(text)


@pytest.mark.parametrize(
    "text",
    ["the loss has shape (5, 2)", "optimizer.step() was skipped", "f(x) and g(x)", "a float of type int"],
)
def test_a_message_without_them_is_not_found(text: str) -> None:
    assert not named(text)
