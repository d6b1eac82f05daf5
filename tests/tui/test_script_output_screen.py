"""What a script prints is told once, and shown by a key, also while it trains."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from gradstep.opening import open_session
from gradstep.start import start_from
from gradstep_tui.plain.conversation import MOST_PRINTED, Conversation
from gradstep_tui.screens.dialogs.script_output import PrintedScreen
from tests.engine.test_captured_output import NOISY
from tests.tui.bench import bench, frame, idle, opened, press, text, until


@pytest.fixture
def script(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "noisy.py"
    path.write_text(NOISY, encoding="utf-8")
    return path


async def test_new_output_is_told_once_and_w_shows_it(script: Path) -> None:
    async with opened(make=partial(open_session, start_from(str(script)))) as pilot:
        assert "the script printed: careful (w shows all)" in text(pilot)
        await press(pilot, "f")
        assert "w shows all" not in text(pilot)  # the next key is told, as ever
        await press(pilot, "w")
        shown = text(pilot)
        assert isinstance(pilot.app.screen, PrintedScreen)
        assert [shown.count(words) for words in ("loaded", "in forward", "careful")] == [1, 2, 2]
        await press(pilot, "w", "b")
        assert "w shows all" not in text(pilot)
        await press(pilot, "f")
        assert "the script printed: careful (w shows all)" in text(pilot)


async def test_the_newest_lines_come_in_while_epochs_run_and_stand_still_for_whoever_reads(
    script: Path,
) -> None:
    async with opened(make=partial(open_session, start_from(str(script)))) as pilot:
        await press(pilot, "r", *"1000000", "enter")
        await press(pilot, "w")
        _, printed = bench(pilot).script_output  # type: ignore[misc]
        await until(pilot, lambda: printed.gone > 0 and "older line" not in text(pilot))
        assert "in forward" in text(pilot)
        await press(pilot, "home")
        await until(pilot, lambda: "older lines gone" in text(pilot) or "loaded" in text(pilot))
        read = ""
        while text(pilot) != read:  # lines that came with the key are drawn once more
            read, count = text(pilot), printed.count
            await until(pilot, lambda since=count: printed.count > since + 100)  # type: ignore[misc]
        await press(pilot, "escape", "escape")
        await idle(pilot)
        assert frame(pilot).epoch < 1_000_000


def test_a_conversation_tells_what_is_new_after_each_command(script: Path) -> None:
    said = list[str]()
    conversation = Conversation(open_session(start_from(str(script))), said.append)
    conversation.greet()
    assert said[-3:] == ["script: loaded", "script: in forward", "script: careful"]
    said.clear()
    conversation.answer("f")
    assert said[-2:] == ["script: in forward", "script: careful"]
    conversation.answer("run 20")
    assert said[-MOST_PRINTED - 1] == "script: 28 more lines before these (type printed to see them)"
    said.clear()
    conversation.answer("printed")
    assert len(said) == 43
