"""The `gradstep` command line, and what starts without PyTorch."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from gradstep._version import __version__
from gradstep_tui.cli import main
from tests.terminal import GRADSTEP


def run(*arguments: str, **streams: object) -> subprocess.CompletedProcess[str]:
    """Run the command without a terminal."""
    found = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    return subprocess.run([*GRADSTEP, *arguments], text=True, timeout=60, check=False, **found)  # type: ignore[call-overload, no-any-return]


def test_help_names_every_option() -> None:
    told = run("--help")
    assert told.returncode == 0
    assert told.stderr == ""
    for option in (
        "--version",
        "--seed N",
        "--lr X",
        "--optimizer NAME",
        "--batches WAY",
        "--ascii",
        "--plain",
        "problem",
        "crops",
    ):
        assert option in told.stdout


def test_version_is_that_of_the_package() -> None:
    told = run("--version")
    assert (told.returncode, told.stdout, told.stderr) == (0, f"gradstep {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--nonsense"], "--nonsense"),
        (["--asci"], "--asci"),
        (["--lr"], "--lr"),
        (["--lr", "fast"], "'fast'"),
        (["--lr", "0"], "'0'"),
        (["--batches", "mikro(2)"], "Did you mean 'micro'? The ways to split samples are: full, micro, mini"),
        (
            ["--batches", "mini(2, shufle=True)"],
            "Did you mean 'shuffle'? The options of mini are: size, shuffle, seed",
        ),
        (["--optimizer", "Adan"], "Did you mean 'Adam'? The optimizers are: hand, SGD, RMSprop, Adam, AdamW"),
        (["--optimizer", "SGD(momentun=0.9)"], "Did you mean 'momentum'?"),
        (["--optimizer", "Adam(betas=(2, 3))"], "two numbers from 0 to below 1"),
        (["--lr", "-1"], "--lr"),
        (["--lr=-1"], "'-1'"),
        (["--lr", "nan"], "'nan'"),
        (["--lr", "inf"], "'inf'"),
        (["--lr", "1e999"], "'1e999'"),
        (["--lr", ""], "an empty text"),
        (["--seed", "x"], "'x'"),
        (["--seed", "1.5"], "'1.5'"),
        (["--seed=-1"], "'-1'"),
        (["--seed", "99999999999999999999999"], "99999999999999999999999"),
        (["--seed", "9" * 5000], "seed"),
        (["carrots"], "carrots"),
        (["zebra"], "no problem is called 'zebra'. The problems are: line, crops, quadratic"),
        (["runn"], "no problem is called 'runn'. Did you mean `gradstep run`?"),
        (["chekc"], "Did you mean `gradstep check`?"),
        (["resum"], "Did you mean `gradstep resume`?"),
        (["data.csv"], "data.csv is a table: train on it with --csv data.csv --target COLUMN"),
        (["list.CSV"], "list.CSV is a table: train on it with --csv list.CSV"),
        (["../my data.csv"], "train on it with --csv '../my data.csv' --target COLUMN"),
        (["--batches", "0inf("], "'0inf(' is not a way to split samples"),
        (["--optimizer", f"SGD(momentum={'-' * 500}1)"], "is not an optimizer"),
        (["\x1b[2Jcrops"], "\\x1b[2Jcrops"),
        (["crops", "\x1b[2J"], "\\x1b[2J"),
        (["Export", "--ascii"], "no problem is called 'Export'. Did you mean `gradstep export`?"),
        (["../crops"], "../crops"),
        (["crops", "crops"], "crops"),
        (["--lr", "new\nline"], "new"),
        (["new\nline"], "new"),
        (["crops", "new\nline"], "new line"),
        (["--new\nline"], "--new line"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_with_exit_code_2(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code_of(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("gradstep: ")
    assert named in err
    assert err.count("\n") == 1
    assert len(err) < 300


def test_the_process_ends_with_the_code_and_the_words_of_the_command() -> None:
    told = run("--nonsense")
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.startswith("gradstep: ")
    assert "--nonsense" in told.stderr
    assert told.stderr.count("\n") == 1


def code_of(arguments: list[str]) -> object:
    """Run the command here; return its exit code."""
    try:
        return main(arguments)
    except SystemExit as ended:
        return ended.code


def test_without_a_terminal_it_says_so_and_points_to_the_headless_way() -> None:
    master, slave = os.openpty()
    try:
        for streams in ({}, {"stdin": slave}, {"stdout": slave}):
            told = run(**streams)
            assert told.returncode == 2
            assert "needs a terminal" in told.stderr
            assert "`gradstep help python-api`" in told.stderr
            assert told.stderr.count("\n") == 1
            assert not told.stdout
    finally:
        os.close(master)
        os.close(slave)


def test_with_closed_streams_it_still_ends_with_code_2() -> None:
    script = "import os, sys; os.close(0); os.close(1); os.execv(sys.argv[1], sys.argv[1:])"
    told = subprocess.run(
        [sys.executable, "-c", script, *GRADSTEP], stderr=subprocess.PIPE, text=True, timeout=60, check=False
    )
    assert told.returncode == 2
    assert "needs a terminal" in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize(
    "module", ["gradstep_tui.app", "gradstep_tui.cli", "gradstep_tui.screens.dialogs.whole_step"]
)
def test_the_first_frame_needs_neither_torch_nor_numpy(module: str) -> None:
    script = f"import sys, {module}; print([name for name in ('torch', 'numpy') if name in sys.modules])"
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert told.stdout == "[]\n"
