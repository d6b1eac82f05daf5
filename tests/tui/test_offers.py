"""Leaving says where the session is, and the next start offers it without being in the way."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from gradstep.actions import Action, Forward, RunEpochs
from gradstep.saving.session_folder import Store
from gradstep.start import Start, start_from
from gradstep_tui import cli
from gradstep_tui.session.autosave import Autosave
from tests.terminal import Terminal
from tests.tui.bench import bench, frame, headless, idle, opened, press, state, text, until


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


def left(*actions: Action, problem: str = "crops") -> None:
    autosave = Autosave()
    session = autosave.begin(Start(problem))
    for action in actions:
        session.apply(action)
    autosave.close()


def plain(*arguments: str, typed: str) -> int:
    stdin, sys.stdin = sys.stdin, io.StringIO(typed)
    try:
        return cli.main([*arguments, "--plain"])
    finally:
        sys.stdin = stdin


def test_leaving_says_where_the_session_is_and_how_it_goes_on(folder: Path) -> None:
    env = {"XDG_STATE_HOME": str(folder / "state")}
    with Terminal(env=env, preloaded=True) as terminal:
        terminal.wait_for("next: forward")
        terminal.send("f")
        terminal.wait_for("next: backward")
        terminal.send("q")
        assert terminal.wait_exit() == 0
        (path,) = Store().newest_first()
        shown = terminal.text.replace("\n", "").replace(" ", "")
        assert f"Saved:`gradstepresume`goesonwiththissession.Itisin{path}" in shown


def test_a_session_in_which_nothing_was_done_is_not_spoken_of(capsys: pytest.CaptureFixture[str]) -> None:
    assert plain(typed="quit\n") == 0
    assert "Saved" not in capsys.readouterr().out


def test_a_session_in_a_file_of_its_own_is_resumed_by_that_name(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "mine.jsonl"
    assert plain("--save", str(path), typed="f\nquit\n") == 0
    assert capsys.readouterr().out.endswith(f"Saved: `gradstep resume {path}` goes on with this session.\n")


async def test_enter_at_the_start_resumes_the_last_session_of_the_problem() -> None:
    left(Forward(), RunEpochs(5))
    autosave = Autosave()
    async with opened(make=lambda: autosave.begin(Start()), autosave=autosave) as pilot:
        await until(pilot, lambda: "hint: Enter resumes crops from " in text(pilot))
        assert ": 2 actions, 5 epochs" in text(pilot)
        assert pilot.app.screen is bench(pilot)
        assert state(frame(pilot)) == state(headless([]))
        await press(pilot, "enter")
        await until(pilot, lambda: "done: the session is resumed: 2 actions replayed" in text(pilot))
        assert state(frame(pilot)) == state(headless([Forward(), RunEpochs(5)]))
    autosave.close()


async def test_any_other_key_goes_on_as_if_nothing_were_offered() -> None:
    left(Forward())
    autosave = Autosave()
    async with opened(make=lambda: autosave.begin(Start()), autosave=autosave) as pilot:
        await until(pilot, lambda: "Enter resumes" in text(pilot))
        await press(pilot, "e")
        await idle(pilot)
        assert "Enter resumes" not in text(pilot)
        await press(pilot, "enter", "escape")
        assert state(frame(pilot)) == state(headless([RunEpochs(1)]))
    autosave.close()


def test_only_the_same_problem_is_offered_unless_none_was_asked_for() -> None:
    left(Forward(), problem="xor")
    autosave = Autosave()
    autosave.begin(Start("crops"))
    assert autosave.offer() is None
    autosave.offers_any = True
    offer = autosave.offer()
    assert offer is not None
    assert (offer.problem, offer.actions, offer.in_order) == ("xor", 1, True)


def test_plain_mode_offers_it_too_and_resumes_it(capsys: pytest.CaptureFixture[str]) -> None:
    left(Forward(), RunEpochs(5))
    assert plain("crops", typed="resume\nquit\n") == 0
    told = capsys.readouterr().out
    assert "2 actions, epochs done 5. Type resume to continue it." in told
    assert "done: the session is resumed: 2 actions replayed, all numbers identical" in told


ODD = """
import torch
X = torch.linspace(-1, 1, 8).unsqueeze(1)
model = torch.nn.Linear(1, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(5):
    loss = ((model(X) - 3 * X) ** 2).mean()
    loss.backward()
    optimizer.step()
"""


async def test_the_offer_comes_before_a_note_on_the_script_that_leaves_no_room(folder: Path) -> None:
    path = folder / "odd.py"
    path.write_text(ODD, encoding="utf-8")
    first = Autosave()
    first.begin(start_from(str(path))).apply(RunEpochs(2))
    first.close()
    autosave = Autosave()
    async with opened(make=lambda: autosave.begin(start_from(str(path))), autosave=autosave) as pilot:
        await until(pilot, lambda: "hint: Enter resumes odd from " in text(pilot))
        assert "w shows what is odd about the script" in " ".join(text(pilot).split())
        await press(pilot, "enter")
        await until(pilot, lambda: frame(pilot).epoch == 2)
    autosave.close()
