"""A lone Escape is known soon; the benchmarks tell how soon."""

from __future__ import annotations

import os
import selectors
import sys
import threading
import time

import pytest

from gradstep_tui.terminal.textual_driver import QUIET, PromptSelector
from tests.terminal import Terminal


def test_after_input_it_looks_again_soon_and_only_then() -> None:
    reader, writer = os.pipe()
    with PromptSelector() as selector:
        selector.register(reader, selectors.EVENT_READ)
        os.write(writer, b"\x1b")
        assert selector.select(60)
        os.read(reader, 1)
        begun = time.monotonic()
        assert not selector.select(60)
        assert time.monotonic() - begun < 30
        begun = time.monotonic()
        assert not selector.select(0.2)
        assert time.monotonic() - begun >= 0.2
    os.close(reader)
    os.close(writer)


def test_where_nothing_comes_it_waits_until_it_is_woken_and_from_then_on_never() -> None:
    reader, writer = os.pipe()
    with PromptSelector() as selector:
        selector.register(reader, selectors.EVENT_READ)
        for _ in range(QUIET):
            assert not selector.select(0.001)
        threading.Timer(0.3, PromptSelector.wake).start()
        begun = time.monotonic()
        assert not selector.select(0.001)
        assert time.monotonic() - begun >= 0.2
        assert not selector.select(60)
        selector.unregister(reader)
        assert not selector.select(60)
        assert time.monotonic() - begun < 30
    os.close(reader)
    os.close(writer)


def test_a_lone_escape_and_a_key_that_begins_with_one_are_told_apart() -> None:
    with Terminal(preloaded=True) as terminal:
        terminal.wait_for("next: forward")
        terminal.send("f?")
        terminal.wait_for("Esc: close")
        terminal.send("escape")
        terminal.wait_for("next: backward")
        terminal.send("left")
        terminal.wait_for("next: forward")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells")
def test_a_terminal_that_is_gone_is_not_asked_again() -> None:
    ours, theirs = os.openpty()
    with PromptSelector() as selector:
        selector.register(theirs, selectors.EVENT_READ)
        assert selector.select(0) == []
        os.write(ours, b"f\n")
        assert len(selector.select(1)) == 1
        os.close(ours)
        with pytest.raises(EOFError):
            selector.select(1)
    os.close(theirs)
