"""The one door to what is private or undocumented in Textual.

No other module of gradstep reaches these names. `NAMES` says for each what it is for and what is worse
without it. Importing this module, which the app does when it starts, checks the installed Textual.
"""

from __future__ import annotations

import os
import selectors
import signal
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from types import FrameType, SimpleNamespace
from typing import Any, Final

from rich.console import Console
from rich.control import Control
from textual import _compositor, constants, events
from textual.app import App
from textual.driver import Driver
from textual.message import Message
from textual.screen import Screen
from textual.widgets import OptionList

from gradstep.private_names import Library, PrivateName, check_names, is_there

TEXTUAL: Final = Library("Textual", "textual")


def _linux_driver() -> Any:
    from textual.drivers import linux_driver

    return linux_driver


def _parser() -> Any:
    from textual import _parser

    return _parser.Parser


_ESCAPE_DELAY: Final = PrivateName(
    "textual.constants.ESCAPE_DELAY",
    lambda: constants,
    "It is the time after which Textual takes a lone Escape for the key itself.",
    "a run of epochs stops a tenth of a second after Escape",
    required=False,
)
_COLOR_SYSTEM: Final = PrivateName(
    "textual.constants.COLOR_SYSTEM",
    lambda: constants,
    "It is the number of colours that Textual draws with.",
    "a terminal that the system does not know may get colours that it cannot show",
    required=False,
)
_SELECTORS: Final = PrivateName(
    "textual.drivers.linux_driver.selectors",
    _linux_driver,
    "gradstep replaces it, so that the thread that reads the terminal sleeps until a key arrives.",
    "Textual looks for keys ten times a second, and may not notice that its terminal is gone",
    required=False,
)
_DECODER: Final = PrivateName(
    "textual.drivers.linux_driver.getincrementaldecoder",
    _linux_driver,
    "gradstep replaces it, so that bytes of another encoding than UTF-8 are left out.",
    "such a byte ends the program",
    required=False,
)
_PARSER: Final = PrivateName(
    "textual.drivers.linux_driver.XTermParser",
    _linux_driver,
    "gradstep replaces it, so that pastes are cut and control sequences with impossible numbers ignored.",
    "a long paste takes minutes, and such a sequence ends the program",
    required=False,
)
_GENERATOR: Final = PrivateName(
    "textual._parser.Parser.parse",
    _parser,
    "It reads control sequences; gradstep begins anew after one with impossible numbers.",
    "such a sequence ends the program",
    required=False,
)
_RENDER_CHANGES: Final = PrivateName(
    "textual._compositor.ChopsUpdate",
    lambda: _compositor,
    "gradstep replaces its `render_segments`, so that of a line only what changed is written.",
    "a step writes half as many bytes again, which a slow connection shows",
    required=False,
)
_MOVE_PAGE: Final = PrivateName(
    "textual.widgets.OptionList._move_page",
    lambda: OptionList,
    "gradstep ignores it for a list that has no height yet.",
    "a page key right after the palette was opened ends the program",
    required=False,
)
_DISABLE_INPUT: Final = PrivateName(
    "textual.driver.Driver.disable_input",
    lambda: Driver,
    "Overridden, it wakes the sleeping thread that reads the terminal, when the app ends.",
    "that thread is left to look for keys ten times a second",
    required=False,
)
_STACK_UPDATES: Final = PrivateName(
    "textual.screen.Screen.stack_updates",
    lambda: Screen,
    "It says whether a screen comes up for the first time.",
    "a screen's styles are made twice before its first frame",
    required=False,
)
_REFRESH_STYLES: Final = PrivateName(
    "textual.events.ScreenResume.refresh_styles",
    lambda: events.ScreenResume(),
    "Set to False, it keeps a new screen from making its styles a second time.",
    "a screen's styles are made twice before its first frame",
    required=False,
)
_REFRESH_CSS: Final = PrivateName(
    "textual.app.App.refresh_css",
    lambda: App,
    "Overridden, it does nothing while the theme is the one that the styles were made for.",
    "the first frame takes a fifth longer",
    required=False,
)

NAMES: Final = (
    _ESCAPE_DELAY,
    _COLOR_SYSTEM,
    _SELECTORS,
    _DECODER,
    _PARSER,
    _GENERATOR,
    _RENDER_CHANGES,
    _MOVE_PAGE,
    _DISABLE_INPUT,
    _STACK_UPDATES,
    _REFRESH_STYLES,
    _REFRESH_CSS,
    PrivateName(
        "textual.message.Message.is_forwarded",
        lambda: Message,
        "It says whether a key was passed on to the screen, because no field had the focus.",
        "the first characters of an answer that is typed fast would be lost",
    ),
)
"""Every private or undocumented name of Textual that gradstep uses."""

check_names(TEXTUAL, NAMES)


def set_escape_delay(seconds: float) -> None:
    """Set the time after which Textual takes a lone Escape for the key itself, in seconds."""
    if is_there(_ESCAPE_DELAY):
        constants.ESCAPE_DELAY = seconds  # type: ignore[misc]


def read_terminal_with(selector: type[selectors.BaseSelector]) -> None:
    """Make Textual's driver for Linux and macOS wait for the terminal with a selector of this class.

    Nothing changes if Textual has no place for it, or no way to wake the selector when the app ends.
    """
    if is_there(_SELECTORS) and is_there(_DISABLE_INPUT):
        # Everything else that the driver may look up in the module stays.
        _linux_driver().selectors = SimpleNamespace(**{**vars(selectors), "SelectSelector": selector})


def read_any_input(shorten: Callable[[], Callable[[str], str]]) -> None:
    """Have Textual's driver for Linux and macOS survive any input.

    Bytes that are no UTF-8 and control sequences with impossible numbers are ignored.

    Args:
        shorten: Returns a function that is called with all input that arrives, and returns what to read of
            it.
    """
    driver = _linux_driver()
    if is_there(_DECODER):
        driver.getincrementaldecoder = lambda encoding: partial(getincrementaldecoder(encoding), "ignore")
    if not (is_there(_PARSER) and is_there(_GENERATOR)):
        return

    parser: Any = driver.XTermParser

    class AnyInputParser(parser):  # type: ignore[misc]
        def __init__(self, debug: bool = False) -> None:
            super().__init__(debug)
            self._shorten = shorten()

        def feed(self, data: str) -> Iterator[Message]:
            if not data:  # the end of the input
                yield from super().feed(data)
            for character in self._shorten(data):
                try:
                    yield from super().feed(character)
                except (ValueError, ArithmeticError):  # numbers that are no character, size or place
                    self._gen = self.parse(self._tokens.append)
                    self._awaiting = next(self._gen)

        def tick(self) -> Iterator[Message]:
            try:
                yield from super().tick()
            except (ValueError, ArithmeticError):
                self._gen = self.parse(self._tokens.append)
                self._awaiting = next(self._gen)

    driver.XTermParser = AnyInputParser


def write_changes_only() -> None:
    """Have Textual write of each line no more than the cells that a widget asked to repaint."""
    if not is_there(_RENDER_CHANGES):
        return

    def render_segments(self: _compositor.ChopsUpdate, console: Console) -> str:
        pieces = []
        for y, first, last in self.spans:
            for end, (start, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                left, right = max(start, first), min(end, last)
                if strip is not None and left < right:
                    part = strip.crop(left - start, right - start)
                    pieces += [Control.move_to(left, y).segment.text, part.render(console)]
        return "".join(pieces)

    _compositor.ChopsUpdate.render_segments = render_segments  # type: ignore[method-assign]


def ignore_early_pages() -> None:
    """Have Textual's lists of options, the palette's for instance, ignore page keys before their layout."""
    if not is_there(_MOVE_PAGE):
        return
    move: Callable[..., None] = OptionList._move_page

    def move_page(self: OptionList, direction: Any) -> None:
        with suppress(KeyError, IndexError):  # it looks up lines that are not laid out
            move(self, direction)

    OptionList._move_page = move_page  # type: ignore[method-assign]


def set_colour_system(name: str) -> None:
    """Have Textual draw with `standard` (16), `256` or `truecolor` colours, unless the learner chose."""
    if "TEXTUAL_COLOR_SYSTEM" not in os.environ and is_there(_COLOR_SYSTEM):
        constants.COLOR_SYSTEM = name  # type: ignore[misc]


def waking_driver(driver: type[Driver], wake: Callable[[], object]) -> type[Driver]:
    """Return a subclass of a driver class that calls `wake` before it stops the reading of keys."""
    if not is_there(_DISABLE_INPUT):
        return driver

    class WakingDriver(driver):  # type: ignore[misc, valid-type]
        def disable_input(self) -> None:
            wake()
            super().disable_input()

    return WakingDriver


def keep_new_styles(screen: Screen[Any], message: Message) -> None:
    """Keep the styles that were just made for a screen that comes up for the first time.

    Args:
        screen: The screen that is about to receive `message`.
        message: Any message; only a `ScreenResume` is changed.
    """
    if isinstance(message, events.ScreenResume) and not getattr(screen, "stack_updates", True):
        message.refresh_styles = False


def is_passed_on(key: events.Key) -> bool:
    """Return whether a key was passed on to the screen, because no field had the focus."""
    return key.is_forwarded


class StyledOnceApp(App[None]):
    """An app that rebuilds its styles only if its theme has changed.

    Textual rebuilds them at the start and for every new screen, a fifth of the time to the first frame.
    """

    def __init__(self) -> None:
        """Assume that the current styles are those of the theme that the app starts with."""
        super().__init__()
        self._styled_for = self.theme

    def refresh_css(self, animate: bool = True) -> None:
        """Rebuild all styles if the theme has changed since they were built."""
        if self.theme != self._styled_for:
            self._styled_for = self.theme
            super().refresh_css(animate)


def resize_in_order(handle: Callable[[int, Callable[[int], object]], object]) -> None:
    """Let the event loop call Textual's handler for new window sizes, if there is one.

    Textual installs a plain signal handler, which the next signal interrupts: an older size could then be
    taken after a newer one, and stay.

    Args:
        handle: Called with the number of the signal and with a function for the event loop to call.
    """
    number = getattr(signal, "SIGWINCH", None)
    if number is None:
        return
    handler: Callable[[int, FrameType | None], Any] | int | None = signal.getsignal(number)
    if callable(handler):
        handle(number, partial(_call, handler))


def _call(handler: Callable[[int, FrameType | None], Any], number: int) -> None:
    handler(number, None)
