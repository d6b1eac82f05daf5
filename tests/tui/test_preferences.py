"""The theme and the problem chosen last are remembered, and nothing wrong with the file is an error."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gradstep.opening import open_session
from gradstep.problems import path_of
from gradstep.start import Start, start_from
from gradstep_tui.app import GradstepApp
from gradstep_tui.plain.conversation import Conversation
from gradstep_tui.session.preferences import VERSION, Preferences
from tests.tui.bench import bench, press, text, until


def app(path: Path, problem: str = "crops") -> GradstepApp:
    return GradstepApp(partial(open_session, Start(problem)), preferences=Preferences(path))


def test_what_is_remembered_is_there_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "state" / "preferences.json"
    assert (Preferences(path).theme, Preferences(path).problem) == ("", "")
    Preferences(path).remember(theme="nord")
    Preferences(path).remember(problem="xor")
    assert (Preferences(path).theme, Preferences(path).problem) == ("nord", "xor")
    assert json.loads(path.read_text(encoding="utf-8"))["version"] == VERSION
    assert [file.name for file in path.parent.iterdir()] == [path.name]


async def test_ones_own_script_is_in_the_list_wherever_one_starts(tmp_path: Path) -> None:
    path, script = tmp_path / "preferences.json", tmp_path / "mine.py"
    script.write_text(path_of("line").read_text(encoding="utf-8"), encoding="utf-8")
    async with app(path).run_test() as pilot:
        await until(pilot, lambda: bench(pilot).frame is not None)
        await press(pilot, "p", "end", "enter", *str(script), "enter")
        await until(pilot, lambda: "mine begins" in text(pilot))
    assert Preferences(path).own == start_from(str(script))
    async with app(path).run_test() as pilot:
        await until(pilot, lambda: bench(pilot).frame is not None)
        await press(pilot, "p")
        assert "your script" in text(pilot)
        await press(pilot, "home", "enter")
        await until(pilot, lambda: "mine begins" in text(pilot))
    said: list[str] = []
    Conversation(open_session(Start()), said.append, own=Preferences(path).own).answer("problem")
    assert any(text.startswith("mine ") for text in said)
    script.unlink()
    assert Preferences(path).own is None
    Preferences(path).remember_own(Start("xor"))
    assert "xor" not in path.read_text(encoding="utf-8")


@given(
    content=st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.one_of(st.none(), st.integers(), st.text()),
            lambda inner: st.dictionaries(st.sampled_from(["version", "theme", "problem", "script"]), inner),
        ).map(lambda found: json.dumps(found).encode()),
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_file_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "preferences.json"
    path.write_bytes(content)
    found = Preferences(path)
    assert isinstance(found.theme, str)
    found.remember(theme="nord", problem="line")
    assert (found.theme, found.problem) == ("nord", "line")


def test_a_file_of_a_newer_version_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "preferences.json"
    path.write_text('{"version": 99, "theme": {"name": "nord"}}', encoding="utf-8")
    found = Preferences(path)
    found.remember(theme="gruvbox")
    assert found.theme == "gruvbox"
    assert json.loads(path.read_text(encoding="utf-8"))["version"] == 99


def test_a_folder_in_which_nothing_can_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = Preferences(tmp_path / "file" / "preferences.json")
    found.remember(theme="nord")
    assert found.theme == "nord"


async def test_a_chosen_theme_is_the_theme_of_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "preferences.json"
    first = app(path)
    async with first.run_test() as pilot:
        await until(pilot, lambda: bench(pilot).frame is not None)
        assert first.theme == "ansi-dark"
        await press(pilot, "f7", *["down"] * 16, "enter")
    second = app(path)
    assert second.theme == "textual-light"
    async with second.run_test() as pilot:
        await pilot.pause()
        light = second.current_theme.background
        assert light is None or bench(pilot).styles.background.hex.lower() == light.lower()
        assert bench(pilot).styles.background.brightness > 0.5


@pytest.mark.parametrize("theme", ["no-such-theme", ""])
async def test_an_unknown_theme_is_passed_over(tmp_path: Path, theme: str) -> None:
    path = tmp_path / "preferences.json"
    Preferences(path).remember(theme=theme)
    assert app(path).theme == "ansi-dark"


async def test_the_problem_chosen_last_is_chosen_first_in_the_list(tmp_path: Path) -> None:
    path = tmp_path / "preferences.json"
    Preferences(path).remember(problem="xor")
    async with app(path).run_test() as pilot:
        await until(pilot, lambda: bench(pilot).frame is not None)
        await press(pilot, "p")
        await until(pilot, lambda: "Enter: begin" in text(pilot))
        assert any(row.strip(" │").startswith(">  xor") for row in text(pilot).splitlines())
        await press(pilot, "up", "enter")
        await until(pilot, lambda: "begins" in text(pilot))
    assert Preferences(path).problem not in ("", "xor")
