"""The manual on the bench, in plain mode, and as `gradstep help`."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Sequence

import pytest
from textual import events
from textual.widgets import Input, Markdown

from gradstep_tui.manual.pages import page, topics
from gradstep_tui.screens.help.key_table import HelpScreen
from gradstep_tui.screens.help.manual import ManualScreen
from tests.engine.test_imports import loaded_after
from tests.terminal import GRADSTEP, Terminal
from tests.tui.bench import Opened, bench, drawn, frame, opened, press, state, strips, text, type_ahead, until
from tests.tui.test_plain import Talk

TITLES = {topic.name: page(topic.name).splitlines()[0].removeprefix("# ") for topic in topics()}


async def search(pilot: Opened, words: str) -> None:
    await press(pilot, "slash", *words, "enter")


async def shows(pilot: Opened, *words: str) -> None:
    await until(pilot, lambda: all(word in text(pilot) for word in words))


async def test_f1_opens_the_topics_enter_a_page_and_escape_goes_back_to_the_session_as_it_was() -> None:
    async with opened() as pilot:
        await press(pilot, *"fs")
        was, drawn_before = state(frame(pilot)), text(pilot)
        await press(pilot, "f1")
        *others, last = TITLES
        await shows(pilot, *others[:20])  # the others are below
        await press(pilot, "end")
        await shows(pilot, f"> {last}")
        await press(pilot, "home", "down", "enter")
        await shows(pilot, "These are the keys of the bench", "Run the loop's next line")
        assert "first-steps" not in text(pilot)
        await press(pilot, "escape")
        await shows(pilot, "first-steps", "> keys")
        await press(pilot, "escape")
        assert pilot.app.screen is bench(pilot)
        assert (state(frame(pilot)), text(pilot)) == (was, drawn_before)


@pytest.mark.parametrize("key", ["f1", "q"])
async def test_f1_and_q_close_the_manual_from_a_page(key: str) -> None:
    async with opened() as pilot:
        await press(pilot, "f1", "enter")
        await shows(pilot, "opens the bench")
        await press(pilot, key)
        assert pilot.app.screen is bench(pilot)


async def test_the_list_of_keys_leads_to_the_manual() -> None:
    async with opened() as pilot:
        await press(pilot, "?")
        assert isinstance(pilot.app.screen, HelpScreen)
        assert "F1: manual" in text(pilot)
        await press(pilot, "f1")
        assert isinstance(pilot.app.screen, ManualScreen)
        await press(pilot, "escape")
        assert pilot.app.screen is bench(pilot)


async def test_a_search_lists_passages_and_enter_opens_the_page_at_the_place() -> None:
    async with opened() as pilot:
        await press(pilot, "f1")
        await search(pilot, "ssh-audit")
        await shows(pilot, "> workshop-administration")
        assert "first-steps" not in text(pilot)
        await press(pilot, "enter")
        await shows(pilot, "finds no failure")
        assert TITLES["workshop-administration"] not in text(pilot)
        await press(pilot, "escape")
        await shows(pilot, "> workshop-administration")
        await press(pilot, "escape")
        await shows(pilot, "> first-steps")


async def test_a_row_of_a_table_is_opened_at_the_row() -> None:
    async with opened() as pilot:
        await press(pilot, "f1")
        await search(pilot, "List the keys; type")
        await shows(pilot, "> keys")
        await press(pilot, "enter")
        await shows(pilot, "List the keys; type")
        found = [widget for widget in pilot.app.screen.query(".-found") if widget.region.height]
        assert any("List the keys; type" in str(widget.render()) for widget in found)
        assert not any("Quit" in str(widget.render()) for widget in found)


async def test_a_search_without_results_says_so_and_can_be_typed_again() -> None:
    async with opened() as pilot:
        await press(pilot, "f1")
        await search(pilot, "xylophone")
        assert "no passage of the manual has 'xylophone'" in text(pilot)
        await press(pilot, *["backspace"] * 9, *"kink", "enter")
        await shows(pilot, "> gradient-check")


async def test_q_and_slash_can_be_typed_into_a_search() -> None:
    async with opened() as pilot:
        await press(pilot, "f1", "slash", *"q/")
        assert isinstance(pilot.app.screen, ManualScreen)
        await shows(pilot, "q/")
        await press(pilot, "escape", "escape")
        assert pilot.app.screen is bench(pilot)


async def test_all_that_is_typed_after_slash_goes_to_the_field_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on_event = ManualScreen.on_event

    async def busy(screen: ManualScreen, event: events.Event) -> None:
        if isinstance(event, events.Key):
            await asyncio.sleep(0.05)  # a busy machine: keys that are passed on arrive late
        await on_event(screen, event)

    monkeypatch.setattr(ManualScreen, "on_event", busy)
    async with opened() as pilot:
        await press(pilot, "f1")
        field = pilot.app.screen.query_one(Input)
        type_ahead(pilot, "down", "slash", *"jk q")
        await until(pilot, lambda: pilot.app.focused is field)
        type_ahead(pilot, *"/and more")
        await until(pilot, lambda: len(field.value) == 13)
        assert field.value == "jk q/and more"


async def test_tab_goes_from_the_list_to_the_page_and_back_beside_each_other_on_a_wide_screen() -> None:
    async with opened((120, 40)) as pilot:
        await press(pilot, "f1")
        await shows(pilot, "> first-steps", "gradstep manual")
        await press(pilot, "down", "enter")
        await shows(pilot, "> keys", "These are the keys of the bench")
        await press(pilot, "down", "down")
        assert "> keys" in text(pilot)
        await press(pilot, "tab", "down")
        await shows(pilot, "> problems", "keys of the bench")


async def test_a_link_to_a_page_opens_it_and_one_that_leads_outside_opens_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with opened() as pilot:
        urls: list[str] = []
        monkeypatch.setattr(pilot.app, "open_url", lambda url, **_: urls.append(url))
        await press(pilot, "f1", "enter")
        await shows(pilot, "opens the bench")
        markdown = pilot.app.screen.query_one(Markdown)
        markdown.post_message(Markdown.LinkClicked(markdown, "keys.md#train"))
        await shows(pilot, "These are the keys of the bench")
        markdown.post_message(Markdown.LinkClicked(markdown, "https://example.org/"))
        await shows(pilot, "not opened from here: https://example.org/")
        markdown.post_message(Markdown.LinkClicked(markdown, "../../../etc/passwd"))
        await shows(pilot, "not opened from here: ../../../etc/passwd")
        assert not urls


async def test_every_page_is_drawn_at_80x24_in_ascii_only() -> None:
    async with opened(ascii_only=True) as pilot:
        await press(pilot, "f1")
        screen = pilot.app.screen
        assert isinstance(screen, ManualScreen)
        screen.reading = True
        for name, title in TITLES.items():
            await screen.open(name)
            await drawn(pilot)
            shown = text(pilot)
            assert title in shown
            assert shown.isascii()
            assert max(map(len, shown.splitlines())) <= 80


async def test_without_colour_the_place_that_was_found_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened() as pilot:
        await press(pilot, "f1")
        await search(pilot, "Each step overshoots")
        await press(pilot, "enter")
        await shows(pilot, "Each step overshoots the")
        marked = [
            segment.text
            for strip in strips(pilot)
            for segment in strip
            if segment.style is not None and segment.style.reverse
        ]
        assert any("overshoots" in words for words in marked)


async def test_the_command_palette_has_the_manual() -> None:
    async with opened() as pilot:
        found = {command.title for command in pilot.app.get_system_commands(bench(pilot))}
        assert "manual (F1)" in found


def test_the_first_frame_waits_for_no_part_of_the_manual() -> None:
    loaded = loaded_after("import gradstep_tui.app, gradstep_tui.plain.talk")
    assert "textual" in loaded
    assert not loaded & {"markdown_it", "pygments"}


# Plain mode


def told(*lines: str) -> Sequence[str]:
    talk = Talk()
    return [line for typed in lines for line in talk(typed).splitlines()]


def test_plain_mode_reads_a_page_without_lines_that_only_draw() -> None:
    lines = told("manual gradient-check")
    assert lines[0] == "Check a gradient"
    assert any("suspicious" in line for line in lines)
    assert not any(line.strip("-=| ") == "" for line in lines)


def test_plain_mode_lists_the_topics_and_finds_words() -> None:
    assert f"time-travel: {next(topic.summary for topic in topics() if topic.name == 'time-travel')}" in told(
        "manual"
    )
    found = told("manual search kink")
    assert len(found) == 1
    assert found[0].startswith("gradient-check: ")


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        (
            "manual keyz",
            "error: no topic is called 'keyz'. Did you mean 'keys'? Type manual to list the topics.",
        ),
        ("manual search xylophone", "error: nothing in the manual has 'xylophone'"),
        ("manual search", "error: type words to search for"),
    ],
)
def test_plain_mode_says_what_cannot_be_found(typed: str, answer: str) -> None:
    assert told(typed) == [answer]


# gradstep help


def run_help(*topic: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*GRADSTEP, "help", *topic],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **env},
    )


def test_help_lists_the_topics_a_line_each() -> None:
    ran = run_help()
    assert (ran.returncode, ran.stderr) == (0, "")
    for topic in topics():
        assert f"{topic.name}  " in ran.stdout
        (row,) = (line for line in ran.stdout.splitlines() if line.startswith(f"{topic.name} "))
        assert row.endswith(topic.summary)


def test_help_writes_a_page_into_a_pipe_as_plain_text() -> None:
    ran = run_help("time", "travel")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("Time travel\n===========\n")
    assert "\x1b" not in ran.stdout
    assert "←" in ran.stdout


def test_help_writes_ascii_where_nothing_else_can_be_written() -> None:
    ran = run_help("keys", PYTHONIOENCODING="ascii")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.isascii()


def test_an_unknown_topic_is_told_in_one_line_with_the_closest() -> None:
    ran = run_help("keyz")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == (
        "gradstep help: no topic is called 'keyz'. Did you mean 'keys'? `gradstep help` lists the topics.\n"
    )


def test_help_pages_in_a_terminal() -> None:
    env = {"PAGER": "sed -e 's/^/paged: /'", "LC_ALL": "C.UTF-8"}
    with Terminal((*GRADSTEP, "help", "batches"), columns=100, rows=60, env=env) as terminal:
        terminal.wait_for("paged: Micro-batches and mini-batches")
        assert terminal.wait_exit() == 0


def test_help_needs_no_pytorch_and_no_textual() -> None:
    script = """
import contextlib, io
from gradstep_tui.cli import main
with contextlib.redirect_stdout(io.StringIO()) as out:
    assert main(["help", "keys"]) == 0
assert out.getvalue().startswith("Keys")
"""
    loaded = loaded_after(script)
    assert "markdown_it" in loaded
    assert not loaded & {"torch", "numpy", "asyncssh", "textual"}
