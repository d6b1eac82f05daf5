"""Sessions are saved as they go, offered again, resumed, replayed and exported: the command as a whole."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gradstep.actions import Action, Forward, NextLine, RunEpochs, StepNode, Undo
from gradstep.saving import replay as replaying
from gradstep.saving.reader import read_session_file
from gradstep.start import Start
from gradstep_tui import cli
from gradstep_tui.screens.dialogs.confirm import ConfirmScreen
from gradstep_tui.session.autosave import Autosave
from tests import preloaded
from tests.terminal import Terminal
from tests.tui.bench import bench, frame, headless, idle, opened, press, state, text, until

READY = "next: forward"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


@contextmanager
def kept(save: Path | None = None) -> Iterator[Autosave]:
    autosave = Autosave(save)
    try:
        yield autosave
    finally:
        autosave.close()


def saved(path: Path, *actions: Action) -> Path:
    with kept(path) as autosave:
        session = autosave.begin(Start())
        for action in actions:
            session.apply(action)
    return path


def left_open(*actions: Action) -> None:
    """Save a session in the state folder, as a program leaves it that was killed."""
    autosave = Autosave()
    session = autosave.begin(Start())
    for action in actions:
        session.apply(action)
    autosave.flush()
    assert autosave._writer is not None
    autosave._writer.abandon()


def files() -> list[Path]:
    return sorted(Path(os.environ["XDG_STATE_HOME"]).rglob("*.jsonl"))


def command(*arguments: str, typed: str = "") -> int:
    stdin, sys.stdin = sys.stdin, io.StringIO(typed)
    try:
        return cli.main(arguments)
    except SystemExit as left:
        return int(str(left.code))
    finally:
        sys.stdin = stdin


# Killed


def test_a_killed_program_is_offered_again_and_resumes_to_the_same_screen(folder: Path) -> None:
    env = {"XDG_STATE_HOME": os.environ["XDG_STATE_HOME"]}
    with Terminal(env=env, preloaded=True) as terminal:
        terminal.wait_for(READY)
        terminal.send("Z")
        terminal.send("r50")
        terminal.send("enter")
        terminal.wait_for("epochs done 50")
        terminal.send("fssss")
        terminal.wait_for("in backward 4/11")
        terminal.settle()
        before = terminal.lines[:-2]  # the notice and the keys are of the moment
        terminal.signal(signal.SIGKILL)
        terminal.wait_exit()
    with Terminal(env=env, preloaded=True) as terminal:
        terminal.wait_for("7 actions, epochs done 50")
        terminal.send("enter")
        terminal.wait_for("in backward 4/11")
        terminal.settle()
        shown = terminal.lines[:-2]
        assert [one.replace("*", " ") for one in shown] == [one.replace("*", " ") for one in before]
        assert len(files()) == 1
        terminal.send("q")
        assert terminal.wait_exit() == 0
    assert Autosave().offer() is None


def test_a_running_program_is_not_offered_to_another(tmp_path: Path) -> None:
    env = {"XDG_STATE_HOME": str(tmp_path)}
    with Terminal(env=env, preloaded=True) as first, Terminal(env=env, preloaded=True) as second:
        for terminal in (first, second):
            terminal.wait_for(READY)
            terminal.send("f")
            terminal.wait_for("next: backward")
        second.wait_for(lambda _: len(list(tmp_path.rglob("*.jsonl"))) == 2)
        assert "not left in order" not in second.text


# Offers


async def test_an_offer_that_is_declined_is_kept_and_not_made_again(folder: Path) -> None:
    left_open(Forward(), RunEpochs(5))
    (path,) = files()
    with kept() as autosave:
        async with opened(make=lambda: autosave.begin(Start()), autosave=autosave) as pilot:
            await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
            await press(pilot, "escape")
            await idle(pilot)
            assert state(frame(pilot)) == state(headless([]))
    assert len(read_session_file(path).actions) == 2
    assert Autosave().offer() is None


async def test_keys_typed_before_the_answer_are_done_after_it(folder: Path) -> None:
    left_open(Forward())
    with kept() as autosave:
        async with opened(make=lambda: autosave.begin(Start()), autosave=autosave) as pilot:
            await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
            await press(pilot, "y", "b")
            await until(pilot, lambda: frame(pilot).backward is not None)
            assert state(frame(pilot)) == state(headless([Forward(), NextLine()]))
    assert [type(one.action).__name__ for one in read_session_file(files()[0]).actions] == [
        "Forward",
        "Backward",
    ]


def test_a_conversation_resumes_what_is_offered(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    left_open(Forward(), RunEpochs(5))
    assert command("--plain", typed="resume\nundo\nresume\n") == 0
    told = capsys.readouterr().out
    assert "was not left in order: 2 actions, epochs done 5. Type resume to continue it." in told
    assert "2 actions replayed, all numbers identical" in told
    assert "no session is offered" in told
    assert read_session_file(files()[0]).actions[-1].action == Undo()


# Files by name


def test_save_keeps_a_session_in_a_file_and_resume_goes_on_in_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "mine.jsonl"
    assert command("--plain", "--save", str(path), "--lr", "1e-4", typed="forward\nrun 7\n") == 0
    assert command("resume", str(path), "--plain", typed="undo\nback\n") == 0
    assert "2 actions replayed, all numbers identical" in capsys.readouterr().out
    found = read_session_file(path)
    assert [one.action for one in found.actions] == [Forward(), RunEpochs(7), Undo()]
    assert found.header.start.rate == 1e-4
    assert not files()


def test_resume_without_a_file_goes_on_with_the_last_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("--plain", typed="forward\n") == 0
    assert command("resume", "--plain", typed="backward\n") == 0
    assert len(read_session_file(files()[0]).actions) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--save", "{saved}"), "this file exists already; use `gradstep resume"),
        (("--save", "{folder}/no/where"), "there is no folder"),
        (("resume", "{folder}/missing"), "missing: "),
        (("resume",), "there is no saved session"),
        (("resume", "{folder}"), "this is a folder"),
        (("replay", "{empty}"), "empty"),
        (("replay", "{cut}"), "line 3 is cut off; the 1 action before it is complete"),
        (("replay", "{edited}"), "line 2"),
        (("resume", "{edited}"), "line 2"),
        (("replay", "{new}"), "version 99"),
        (("replay", "{foreign}"), "foreign: "),
        (("replay", "--to-end", "{edited}"), "line 2"),
        (("export", "{edited}", "{folder}/out"), "line 2"),
        (("export", "{saved}", "{folder}/no/out"), "there is no folder"),
        (("export", "{saved}", "{exported}"), "exists already; --force replaces it"),
    ],
)
def test_a_bad_file_is_told_in_one_line_with_code_2_and_stays_as_it_is(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    good = saved(folder / "saved", Forward(), RunEpochs(3)).read_bytes()
    made = {
        "empty": b"",
        "cut": good[: good.rindex(b'{"what":"did"') + 50],
        "edited": good.replace(b"18746", b"18747", 1),
        "new": good.replace(b'session":1', b'session":99', 1),
        "foreign": b"apples,oranges\n1,2\n",
        "exported.py": b"mine",
    }
    for name, data in made.items():
        (folder / name).write_bytes(data)
    names = {name: folder / name for name in ("saved", "exported", *made)} | {"folder": folder}
    plain = () if arguments[0] == "export" or "--to-end" in arguments else ("--plain",)
    assert command(*(one.format(**names) for one in arguments), *plain) == 2
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    assert words in errors
    assert {name: (folder / name).read_bytes() for name in made} == made
    assert (folder / "saved").read_bytes() == good


# Replay


async def test_replay_begins_at_the_start_and_the_right_arrow_steps_through_it(folder: Path) -> None:
    path = saved(folder / "mine", Forward(), StepNode(), StepNode(), Undo())
    before = path.read_bytes()
    with kept() as autosave:
        autosave.offers = False
        async with opened(make=lambda: autosave.replay(path), autosave=autosave) as pilot:
            assert state(frame(pilot)) == state(headless([]))
            assert "4 actions replayed, all numbers identical" in text(pilot)
            await press(pilot, "right", "right")
            assert state(frame(pilot)) == state(headless([Forward(), StepNode()]))
    assert path.read_bytes() == before
    assert not files()


def test_replay_to_end_prints_what_it_came_to(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved(folder / "mine", RunEpochs(100), Forward())
    assert command("replay", "--to-end", str(path)) == 0
    told = capsys.readouterr().out
    assert "2 actions replayed, 100 epochs done" in told
    assert "all numbers are identical to those recorded" in told
    assert f"loss {headless([RunEpochs(100), Forward()]).loss}" in told


def test_other_numbers_are_told_with_the_action_and_by_how_much_and_code_1(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(folder / "mine", Forward(), NextLine(), NextLine())
    plain = replaying.open_session

    def moved(start: Start, stopped: Callable[[], bool]):
        session = plain(start, stopped)
        session._problem.inputs[0, 0] += 1e-3
        return session

    monkeypatch.setattr(replaying, "open_session", moved)
    assert command("replay", "--to-end", str(path)) == 1
    told = capsys.readouterr().err
    assert told.startswith(
        "gradstep replay: the replay gave different numbers: action 1 (line 2, Forward()): loss is "
    )
    assert "apart" in told


# Trouble


async def test_where_nothing_can_be_saved_it_is_told_once_and_training_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "file").write_text("in the way")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "file"))
    with kept() as autosave:
        async with opened(size=(160, 50), make=lambda: autosave.begin(Start()), autosave=autosave) as pilot:
            await press(pilot, "f")
            await until(pilot, lambda: "not saved from action 1 on" in text(pilot))
            assert "training goes on" in text(pilot)
            await press(pilot, "b", "u", "e")
            await idle(pilot)
            assert "not saved" not in text(pilot)
            assert "UNSAVED" in text(pilot).splitlines()[0]
            assert frame(pilot).position == 4


def test_a_full_disk_is_told_once_in_a_conversation(folder: Path) -> None:
    """The file may not grow beyond a limit: the kernel refuses, as it does on a full disk."""
    script = (
        "import resource, signal, sys\n"
        # Python itself would leave bytecode that is cut off at the limit, for later tests to stumble over.
        "sys.dont_write_bytecode = True\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1500, resource.RLIM_INFINITY))\n"
        "from gradstep_tui.cli import main\n"
        "sys.exit(main(['--plain']))\n"
    )
    typed = b"forward\nbackward\nupdate\nzero\nforward\n"
    told = preloaded.run([sys.executable, "-c", script], given=typed)
    assert told.returncode == 0
    assert told.stdout.count("not saved from action") == 1
    assert "File too large" in told.stdout
    assert "Traceback" not in told.stdout + told.stderr
    assert read_session_file(files()[0], allow_torn=True).actions


# Export


async def test_x_writes_a_script_a_notebook_losses_and_a_picture(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    async with opened((120, 40)) as pilot:
        await press(pilot, "f", "s", "s", "b", "u", "z", "e", "x", *"mine", "enter")
        await idle(pilot)
        assert "wrote mine.py, mine.ipynb, mine.csv, mine.svg" in text(pilot)
        assert state(frame(pilot))[1] == 2
        svg = (folder / "mine.svg").read_text(encoding="utf-8")
        assert "AccumulateGrad" in svg
        await press(pilot, "x", *"mine", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        assert "mine.py exists already" in text(pilot)
        await press(pilot, "escape")
        assert "no file was written" in text(pilot)
        await press(pilot, "left", "x", *"mine", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await press(pilot, "y")
        await until(pilot, lambda: not bench(pilot).running and "wrote mine.py" in text(pilot))
    assert (folder / "mine.csv").read_text().splitlines()[0] == "epoch,loss"
    cells = json.loads((folder / "mine.ipynb").read_text())["cells"]
    assert any(cell["cell_type"] == "code" for cell in cells)
    namespace = {"__name__": "mine"}
    exec((folder / "mine.py").read_text(), namespace)


async def test_a_folder_that_is_not_there_is_told_and_nothing_is_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    async with opened(size=(160, 50)) as pilot:
        await press(pilot, "f", "x", *"no/mine", "enter")
        await idle(pilot)
        assert "There is no folder" in text(pilot)
    assert not list(folder.iterdir())


def test_export_writes_a_saved_session(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved(folder / "mine", RunEpochs(3), Undo(), RunEpochs(2))
    assert command("export", str(path), str(folder / "out")) == 0
    assert "wrote out.py, out.ipynb, out.csv" in capsys.readouterr().out
    assert len((folder / "out.csv").read_text().splitlines()) == 3
    assert command("export", "--force", str(path), str(folder / "out")) == 0


def test_a_conversation_exports_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    assert command("--plain", typed="forward\nexport mine\nexport mine\nexport --force mine\n") == 0
    told = capsys.readouterr().out
    assert told.count("wrote mine.py, mine.ipynb, mine.csv") == 2
    assert "exists already" in told
