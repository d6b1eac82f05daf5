"""No key means two things in two places."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Final

from textual.binding import Binding
from textual.screen import Screen

from gradstep_tui.keymap import RESERVED
from gradstep_tui.keys import BY_NAME, KEYS
from gradstep_tui.screens import dialogs
from gradstep_tui.screens.bench import BenchScreen
from gradstep_tui.screens.dialogs.confirm import ConfirmScreen
from gradstep_tui.screens.dialogs.dialog import Dialog
from gradstep_tui.screens.help import key_table, manual
from gradstep_tui.workshop.bench.screens import board, feed, instructor, learner, resume, ssh_keys
from gradstep_tui.workshop.bench.session.keys import FOR_INSTRUCTORS, FOR_LEARNERS, LEAVE
from tests.tui.bench import bench, frame, opened, press, state, text

assert all((key_table, manual, feed, instructor, learner, resume, ssh_keys))  # define the screens below

EVERYWHERE: Final = {
    "escape": "leaves",
    "q": "leaves",
    "enter": "opens, chooses or closes",
    **dict.fromkeys(("up", "down", "left", "right", "j", "k"), "moves along what is shown"),
    **dict.fromkeys(("pageup", "pagedown"), "moves by a page"),
    "tab": "goes to the next of a few",
    "shift+tab": "goes to the one before",
}
"""Keys of the bench that have one general meaning on every screen."""

PAIRS: Final = {
    frozenset({"step_node", "step_node_back"}),
    frozenset({"zero", "zeroing"}),
    frozenset({"epoch", "outer"}),
    frozenset({"cursor_up", "move_up"}),
    frozenset({"cursor_down", "move_down"}),
}
"""Actions that share a letter: two directions or two sizes of one thing."""

CLASS: Final = {
    name: key.id for key in (*FOR_LEARNERS, *FOR_INSTRUCTORS, LEAVE) for name in key.keys.split(",")
}
IN_CLASS: Final = {"f2", "f3", "f4", "f6", "exclamation_mark"}
"""Keys that a class adds to the bench."""


def dialogs_of(kind: type[Screen[object]]) -> Iterator[type[Screen[object]]]:
    """Yield all classes below a class."""
    for below in kind.__subclasses__():
        yield below
        yield from dialogs_of(below)


def bindings(screen: type[Screen[object]]) -> Iterator[tuple[str, Binding]]:
    """Yield each key that a screen binds by itself, with its binding."""
    for binding in screen.__dict__.get("BINDINGS", ()):
        assert isinstance(binding, Binding)
        yield from ((key, binding) for key in binding.key.split(","))


def test_a_dialog_gives_no_key_of_the_bench_another_meaning() -> None:
    for module in pkgutil.iter_modules(dialogs.__path__):
        importlib.import_module(f"{dialogs.__name__}.{module.name}")
    kinds = [kind for kind in dialogs_of(Dialog) if kind is not ConfirmScreen]  # y and n are answers there
    assert len(kinds) > 12
    for kind in (*kinds, board.BoardScreen):
        for key, binding in bindings(kind):
            if key in BY_NAME and key not in EVERYWHERE:
                assert BY_NAME[key].id in (binding.id, binding.action), (kind, key)


def test_no_action_can_be_put_on_a_key_that_only_dialogs_have() -> None:
    for kind in dialogs_of(Dialog):
        for key, binding in bindings(kind):
            if not binding.id and kind is not ConfirmScreen:
                assert key in RESERVED or key in BY_NAME, (kind, key)
    assert IN_CLASS <= RESERVED


def test_a_key_of_a_class_is_no_key_of_the_bench() -> None:
    assert not (CLASS.keys() - EVERYWHERE.keys()) & BY_NAME.keys()
    assert set(CLASS) - EVERYWHERE.keys() == IN_CLASS


def test_two_cases_of_a_letter_are_related() -> None:
    names = {**{name: key.id for name, key in BY_NAME.items()}, **CLASS}
    pairs = {
        frozenset({names[name], names[name.upper()]})
        for name in names
        if len(name) == 1 and name.islower() and name.upper() in names
    }
    assert pairs == PAIRS


def test_no_key_is_declared_twice() -> None:
    names = [name for key in KEYS for name in key.keys.split(",")]
    assert len(names) == len(set(names))
    assert {binding.id for _, binding in bindings(BenchScreen)} == {key.id for key in KEYS}


async def test_a_reset_asks_and_can_be_undone() -> None:
    async with opened() as pilot:
        start = state(frame(pilot))
        await press(pilot, "e", "e")
        there = state(frame(pilot))
        await press(pilot, "0")
        assert "2 epochs" in " ".join(text(pilot).split())
        assert "← undoes a reset" in text(pilot)
        await press(pilot, "escape")
        assert pilot.app.screen is bench(pilot)
        assert state(frame(pilot)) == there
        await press(pilot, "0", "enter")
        assert state(frame(pilot)) == start
        await press(pilot, "left")
        assert state(frame(pilot)) == there
        await press(pilot, "left", "left", "0")
        assert pilot.app.screen is bench(pilot)
