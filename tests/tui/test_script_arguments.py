"""A script's own arguments on gradstep's command line, and the line that says that a script runs."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from gradstep.actions import RunEpochs
from gradstep.errors import BadInput, EngineError
from gradstep.saving.session_folder import Store
from gradstep.start import Start, start_from
from gradstep.tables.table import Table
from gradstep_tui import cli
from gradstep_tui.commands.parsers import bench_parser, check_parser, run_parser
from gradstep_tui.commands.script_arguments import parsed
from gradstep_tui.commands.start_options import start_of
from gradstep_tui.session import script_start
from gradstep_tui.session.autosave import Autosave
from gradstep_tui.session.loader import LoadFailed
from gradstep_tui.session.script_start import running_title, told_while_running
from tests.saved_sessions import saved_at
from tests.terminal import Terminal
from tests.tui.bench import bench, press, starting, text, until


@pytest.mark.parametrize(
    ("given", "script", "arguments"),
    [
        ("train.py", "train.py", ()),
        ("train.py data.txt 5", "train.py", ("data.txt", "5")),
        ("train.py --steps 5 --ascii -n -3 --name=x", "train.py", ("--steps", "5", "-n", "-3", "--name=x")),
        ("--ascii train.py --steps 5", "train.py", ("--steps", "5")),
        ("--save train.py train.py train.py", "train.py", ("train.py",)),
        ("train.py --lr 0.5 -- --lr 3 -- --ascii", "train.py", ("--lr", "3", "--", "--ascii")),
        ("-- -odd.py --lr 3", "-odd.py", ("--lr", "3")),
        ("notes.ipynb 3", "notes.ipynb", ("3",)),
        ("xor", "xor", ()),
        ("", None, ()),
    ],
)
def test_what_gradstep_does_not_know_behind_a_script_is_the_scripts(
    given: str, script: str | None, arguments: tuple[str, ...]
) -> None:
    options = parsed(bench_parser(), given.split())
    assert (options.problem, options.arguments) == (script, arguments)
    assert options.ascii is ("--ascii" in given.partition(" -- ")[0])


def test_an_option_of_gradsteps_own_is_gradsteps_before_and_behind_the_script() -> None:
    assert parsed(run_parser(), ["train.py", "--epochs", "3", "--steps", "3"]).epochs == 3
    assert parsed(check_parser(), ["train.py", "--steps", "3", "--json"]).json


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            "--steps 5 train.py",
            "unrecognized arguments: --steps train.py; a script's own arguments follow its path",
        ),
        ("xor --steps", "unrecognized arguments: --steps (gradstep"),
        ("xor train.py", "unrecognized arguments: train.py; a script's own arguments follow its path"),
        ("xor -- 3", "only a script takes arguments, and xor is none: leave out 3"),
        ("train.py --seed x", "if the option is the script's own, put -- before it"),
    ],
)
def test_other_arguments_are_refused_in_one_line(
    given: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        parsed(bench_parser(), given.split())
    assert left.value.code == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


def test_a_start_keeps_the_arguments(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text("", encoding="utf-8")
    start = start_of(parsed(bench_parser(), [str(script), "5"]))
    assert start.arguments == ("5",)
    assert Start(str(script)).arguments == ()
    with pytest.raises(BadInput, match="takes no arguments"):
        start_from("xor", arguments=("5",))


# The line that says that a script runs


def test_only_a_script_is_said_to_run() -> None:
    assert running_title(Start("/a/train.py", arguments=("5",))) == "train.py 5 to its first backward"
    long = Start("/a/train.py", arguments=("x" * 100,))
    assert running_title(long).endswith("xxx... to its first backward")
    assert running_title(Start("xor")) == ""
    assert running_title(Start("/a/data.csv", table=Table(targets=("y",)))) == ""


def test_a_script_that_takes_long_is_said_to_run_until_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script_start, "FIRST", 0.0)
    said, told = list[str](), threading.Event()

    def say(line: str) -> None:
        said.append(line)
        told.set()

    with told_while_running("train.py to its first backward", say):
        assert told.wait(60)
    assert said[0] == "running train.py to its first backward, 0 s; ctrl+c stops it"
    assert not any("start line" in thread.name for thread in threading.enumerate())


def test_nothing_is_said_of_what_is_no_script(capsys: pytest.CaptureFixture[str]) -> None:
    with told_while_running(""):
        assert not any("start line" in thread.name for thread in threading.enumerate())
    assert capsys.readouterr().err == ""


def test_a_session_that_is_resumed_says_which_script_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    script = tmp_path / "train.py"
    script.write_text(
        "import torch\nw = torch.ones(2, requires_grad=True)\n"
        "for i in range(9):\n    (w * w).sum().backward()\n    w.data -= 0.1 * w.grad\n"
    )
    start = start_from(str(script), arguments=("5",))
    saved_at(next(Store().paths("train")), [RunEpochs(1)], start)
    offer = Autosave().offer()
    assert offer is not None
    assert offer.runs == "train.py 5 to where it was"

    told = list[str]()
    monkeypatch.setattr(cli, "_train", lambda make, autosave, options, runs="": told.append(runs))
    for command in (["resume"], ["resume", str(offer.path)], ["replay", str(offer.path)]):
        cli.main(command)
    cli.main(["resume", str(script)])
    assert told == [offer.runs, offer.runs, offer.runs, ""]


def slow(folder: Path) -> Path:
    script = folder / "train.py"
    script.write_text("import time\nwhile True:\n    time.sleep(0.05)\n", encoding="utf-8")
    return script


async def test_the_bench_says_which_script_runs_and_escape_leaves_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    autosave, start = Autosave(), start_from(str(slow(tmp_path)), arguments=("5",))
    async with starting(
        make=lambda: autosave.begin(start), autosave=autosave, runs=running_title(start)
    ) as pilot:
        await until(pilot, lambda: "running: train.py 5 to its first backward, " in text(pilot))
        assert "your script is running" in text(pilot)
        assert "Esc stops it" in text(pilot)
        await press(pilot, "escape")
        assert bench(pilot).frame is None
        bench(pilot).on_load_failed(LoadFailed(EngineError("the script was stopped")))
    assert pilot.app.return_code == 130
    assert autosave.has_given_up()


def test_in_a_terminal_escape_stops_a_script_and_says_so(tmp_path: Path) -> None:
    with Terminal(
        [sys.executable, "-m", "gradstep_tui", str(slow(tmp_path)), "--steps", "5"], preloaded=True
    ) as terminal:
        terminal.wait_for("running: train.py --steps 5 to its first backward")
        before = terminal.attributes_before
        terminal.send("\x1b")
        assert terminal.wait_exit() == 130
        terminal.wait_for("gradstep: stopped while running train.py --steps 5 to its first backward")
        assert terminal.attributes == before
