"""Users choose keys in a configuration file; bad entries are named, and the usual keys stay there."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from gradstep.actions import Forward, RunEpochs, StepNode
from gradstep.opening import open_session
from gradstep.start import Start
from gradstep_tui.app import GradstepApp
from gradstep_tui.key import CHOSEN
from gradstep_tui.keymap import Keymap, config_file, keymap_of, read_keymap
from gradstep_tui.keys import BY_ID, KEYS
from gradstep_tui.manual.pages import page
from gradstep_tui.text.lookalikes import TABLE
from tests.tui.bench import bench, frame, headless, idle, opened, press, state, text, until


@pytest.fixture(autouse=True)
def usual_keys_afterwards() -> Iterator[None]:
    yield
    CHOSEN.clear()


def test_characters_names_and_lists_are_keys() -> None:
    found = keymap_of(
        {"reset": "f9", "comment": "%", "undo": ["comma", "ctrl+z"], "help": "H"}, "config.toml"
    )
    assert not found.problems
    assert found.keys == {
        "reset": "f9",
        "comment": "percent_sign",
        "undo": "comma,ctrl+z",
        "help": "H",
    }
    found.use()
    assert [BY_ID[name].shown for name in ("reset", "comment", "undo", "help", "quit")] == [
        *("F9", "%", ",", "H", "q"),
    ]


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"foward": "x"}, "keymap has no action 'foward': did you mean 'forward'?"),
        ({"reset": 3}, 'write the key of reset as a text, e.g. reset = "f9"'),
        ({"reset": []}, "write the key of reset as a text"),
        ({"reset": "f99x"}, "'f99x' for reset is not a key"),
        ({"reset": "hyper+x"}, "'hyper+x' for reset is not a key"),
        ({"reset": "ctrl+c"}, "'ctrl+c' for reset is taken by dialogs or by the program"),
        ({"reset": "f"}, "reset cannot be on 'f', which is the key of forward"),
        ({"reset": "#"}, "reset cannot be on '#', which is the key of comment"),
    ],
)
def test_a_bad_entry_gets_one_line_and_the_others_count(table: dict[str, object], problem: str) -> None:
    found = keymap_of({**table, "verdict": "f10"}, "config.toml")
    assert found.keys == {"verdict": "f10"}
    [line] = found.problems
    assert line.startswith("config.toml: ")
    assert problem in line
    assert "\n" not in line


def test_two_actions_can_change_places() -> None:
    found = keymap_of({"forward": "s", "step_node": "f"}, "config.toml")
    assert found == Keymap({"forward": "s", "step_node": "f"})


def test_the_file_is_in_the_users_configuration_folder(tmp_path: Path) -> None:
    path = config_file({"XDG_CONFIG_HOME": str(tmp_path)})
    assert path == tmp_path / "gradstep" / "config.toml"
    assert read_keymap(path) == Keymap()
    path.parent.mkdir()
    for content, expected in (
        ("[keymap]\nreset = 'f9'\n", ""),
        ("[keymap", "is not valid TOML"),
        ("keymap=3", "table"),
    ):
        path.write_text(content, encoding="utf-8")
        found = read_keymap(path)
        assert bool(found.keys) == (not expected)
        assert expected in "".join(found.problems)
        assert len(found.problems) == bool(expected)


async def test_chosen_keys_work_and_are_shown_in_the_bar_the_list_the_hints_and_dialogs() -> None:
    keymap = keymap_of({"forward": "s", "step_node": "f", "twin": "W", "reset": "f9"}, "config.toml")
    async with opened((160, 50), keymap=keymap) as pilot:
        await press(pilot, "s", "f")
        assert state(frame(pilot)) == state(headless([Forward(), StepNode()]))
        assert "f next node" in text(pilot).splitlines()[-1]
        assert "f runs one node" in text(pilot)
        await press(pilot, "e")
        await idle(pilot)
        await press(pilot, "0")
        assert state(frame(pilot)) == state(headless([RunEpochs(1)]))
        await press(pilot, "question_mark")
        rows = [" ".join(row.split()) for row in text(pilot).splitlines()]
        assert any("s Compute the predictions and the loss." in row for row in rows)
        assert any("F9 Go back to the start values" in row for row in rows)
        await press(pilot, "escape", "W")
        await idle(pilot)
        assert pilot.app.screen is not bench(pilot)
        await press(pilot, "W")
        assert pilot.app.screen is bench(pilot)


async def test_in_ascii_no_two_keys_look_the_same() -> None:
    async with opened(ascii_only=True):
        shown = [key.shown.translate(TABLE) for key in KEYS]
        assert len(set(shown)) == len(shown)
        assert [BY_ID[key_id].shown for key_id in ("undo", "cursor_down")] == ["Left", "Down"]


async def test_a_bad_entry_is_told_on_the_bench() -> None:
    keymap = keymap_of({"foward": "x", "reset": "f"}, "config.toml")
    app = GradstepApp(partial(open_session, Start()))
    app.choose_keys(keymap)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until(pilot, lambda: "did you mean" in text(pilot))
        assert "(and 1 more)" in text(pilot)


def test_the_manual_lists_every_action() -> None:
    listed = page("keys").partition("## Choose your own keys")[2]
    assert all(f"`{key_id}`" in listed for key_id in BY_ID)
