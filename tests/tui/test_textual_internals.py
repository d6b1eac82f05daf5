"""What is private in Textual: there in the installed version, and refused or done without where it is not."""

from __future__ import annotations

import selectors
import signal
from collections.abc import Callable
from importlib.metadata import version
from typing import Final

import pytest
from textual import _compositor, constants, events
from textual.drivers import linux_driver
from textual.drivers.headless_driver import HeadlessDriver
from textual.screen import Screen
from textual.widgets import OptionList

from gradstep.errors import MissingName
from gradstep.private_names import PrivateName, check_names, is_there
from gradstep_tui import cli
from gradstep_tui.app import GradstepApp
from gradstep_tui.terminal.textual_driver import PromptSelector
from gradstep_tui.terminal.textual_internals import (
    NAMES,
    TEXTUAL,
    StyledOnceApp,
    ignore_early_pages,
    keep_new_styles,
    read_any_input,
    read_terminal_with,
    resize_in_order,
    set_colour_system,
    set_escape_delay,
    waking_driver,
    write_changes_only,
)
from tests.missing_names import path_of, refusal_without, removed
from tests.tui.bench import bench

Patch = pytest.MonkeyPatch


def leaves_the_delay(patch: Patch) -> None:
    set_escape_delay(0.025)
    assert not hasattr(constants, "ESCAPE_DELAY")


def leaves_the_selectors(patch: Patch) -> None:
    read_terminal_with(PromptSelector)
    assert getattr(linux_driver, "selectors", selectors) is selectors


def leaves_the_driver(patch: Patch) -> None:
    leaves_the_selectors(patch)
    assert waking_driver(linux_driver.LinuxDriver, PromptSelector.wake) is linux_driver.LinuxDriver


def makes_the_styles_again(patch: Patch) -> None:
    resumed = events.ScreenResume()
    keep_new_styles(Screen(), resumed)
    assert resumed.refresh_styles


def keeps_what_it_does_not_know(patch: Patch) -> None:
    keep_new_styles(Screen(), events.ScreenResume())


def starts_with_its_styles(patch: Patch) -> None:
    assert StyledOnceApp().theme


def leaves_the_decoder(patch: Patch) -> None:
    read_any_input(lambda: str)
    assert not hasattr(linux_driver, "getincrementaldecoder")


def leaves_the_parser(patch: Patch) -> None:
    before = getattr(linux_driver, "XTermParser", None)
    read_any_input(lambda: str)
    assert getattr(linux_driver, "XTermParser", None) is before


def leaves_the_lists(patch: Patch) -> None:
    ignore_early_pages()
    assert not hasattr(OptionList, "_move_page")


def leaves_the_writing(patch: Patch) -> None:
    write_changes_only()
    assert not hasattr(_compositor, "ChopsUpdate")


def leaves_the_colours(patch: Patch) -> None:
    set_colour_system("256")
    assert not hasattr(constants, "COLOR_SYSTEM")


FALLBACKS: Final[dict[str, Callable[[Patch], None]]] = {
    "textual.constants.ESCAPE_DELAY": leaves_the_delay,
    "textual.constants.COLOR_SYSTEM": leaves_the_colours,
    "textual.drivers.linux_driver.selectors": leaves_the_selectors,
    "textual.drivers.linux_driver.getincrementaldecoder": leaves_the_decoder,
    "textual.drivers.linux_driver.XTermParser": leaves_the_parser,
    "textual._parser.Parser.parse": leaves_the_parser,
    "textual._compositor.ChopsUpdate": leaves_the_writing,
    "textual.widgets.OptionList._move_page": leaves_the_lists,
    "textual.driver.Driver.disable_input": leaves_the_driver,
    "textual.screen.Screen.stack_updates": makes_the_styles_again,
    "textual.events.ScreenResume.refresh_styles": keeps_what_it_does_not_know,
    "textual.app.App.refresh_css": starts_with_its_styles,
}


@pytest.mark.parametrize("name", NAMES, ids=path_of)
def test_the_installed_textual_has_each_name(name: PrivateName) -> None:
    assert is_there(name)


@pytest.mark.parametrize("name", [name for name in NAMES if name.required], ids=path_of)
def test_without_a_name_textual_is_refused_in_words(name: PrivateName, monkeypatch: Patch) -> None:
    message = refusal_without(monkeypatch, TEXTUAL, NAMES, name)
    first, _, remedy = message.partition(". ")
    assert first == (
        f"Textual {version('textual')} does not work with gradstep: "
        f"it has no {name.path}, without which {name.without}"
    )
    assert remedy.startswith("Install")
    assert "pip install 'textual" in message


@pytest.mark.parametrize("name", [name for name in NAMES if not name.required], ids=path_of)
def test_without_a_name_that_only_saves_time_the_app_does_without(
    name: PrivateName, monkeypatch: Patch
) -> None:
    with monkeypatch.context() as patch:
        gone = removed(patch, name)
        assert not is_there(gone)
        check_names(TEXTUAL, [gone])
        FALLBACKS[name.path](patch)


def test_the_command_says_in_words_that_textual_does_not_fit(
    monkeypatch: Patch, capsys: pytest.CaptureFixture[str]
) -> None:
    def drawn(*_: object) -> int:
        raise MissingName("textual.x", "Textual 9.0.0", "nothing is drawn", "textual<9")

    monkeypatch.setattr(cli, "_draw", drawn)
    monkeypatch.setenv("TERM", "xterm-256color")
    for stream in ("stdin", "stdout"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True, raising=False)
    assert cli.main([]) == 2
    assert capsys.readouterr().err.startswith(
        "gradstep: Textual 9.0.0 does not work with gradstep: it has no textual.x, without which nothing is "
        "drawn."
    )


def test_what_else_the_driver_looks_up_in_selectors_stays(monkeypatch: Patch) -> None:
    monkeypatch.setattr(linux_driver, "selectors", selectors)
    read_terminal_with(PromptSelector)
    assert linux_driver.selectors.SelectSelector is PromptSelector
    assert linux_driver.selectors.DefaultSelector is selectors.DefaultSelector
    assert linux_driver.selectors.EVENT_READ == selectors.EVENT_READ


def test_a_driver_wakes_its_reader_before_it_stops_reading() -> None:
    done = list[str]()

    class Plain(HeadlessDriver):
        def disable_input(self) -> None:
            done.append("disabled")

    waking = waking_driver(Plain, lambda: done.append("woken"))
    object.__new__(waking).disable_input()
    assert done == ["woken", "disabled"]


def test_the_event_loop_takes_over_the_handler_for_new_sizes(monkeypatch: Patch) -> None:
    called = list[object]()

    def on_resize(*arguments: object) -> None:
        called.append(arguments)

    monkeypatch.setattr("signal.getsignal", lambda number: on_resize)
    resize_in_order(lambda number, handler: handler(number))
    assert called == [(signal.SIGWINCH, None)]
    monkeypatch.setattr("signal.getsignal", lambda number: 0)  # SIG_DFL: Textual has installed none
    resize_in_order(lambda number, handler: called.append(handler))
    assert len(called) == 1


def test_styles_are_made_anew_for_another_theme_only(monkeypatch: Patch) -> None:
    made = list[str]()
    monkeypatch.setattr("textual.app.App.refresh_css", lambda self, animate=True: made.append(self.theme))
    app = GradstepApp(bench)
    app.refresh_css()
    assert made == []
    app.set_reactive(GradstepApp.theme, "nord")
    app.refresh_css()
    app.refresh_css()
    assert made == ["nord"]
