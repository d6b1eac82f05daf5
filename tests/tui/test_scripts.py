"""`gradstep list`, `gradstep check`, and a script's path in place of a problem's name."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import pytest

from gradstep import problems
from gradstep_tui.cli import main
from gradstep_tui.commands.parsers import bench_parser
from tests import preloaded
from tests.terminal import GRADSTEP, Terminal

GOOD = """
import torch
print("a word")
X = torch.ones(5, 3)
y = torch.ones(5, 2)
w = torch.ones(2, 3, requires_grad=True)
def model(x):
    return x @ w.t()
def loss_fn(preds, targets):
    return ((preds - targets) ** 2).mean()
lr = 0.1
"""


def run(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command here, where PyTorch is loaded already."""
    with (
        patch("sys.stdin", io.StringIO(typed)),
        redirect_stdout(io.StringIO()) as out,
        redirect_stderr(io.StringIO()) as err,
    ):
        code = main(arguments)
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(GOOD, encoding="utf-8")
    return path


def test_list_names_every_problem_with_its_idea() -> None:
    told = run("list")
    assert (told.returncode, told.stderr) == (0, "")
    rows = told.stdout.splitlines()
    assert [row.split()[0] for row in rows] == [*problems.all_names()]
    assert all(problems.idea_of(name) in row for name, row in zip(problems.all_names(), rows, strict=True))


def test_check_tells_what_was_found(script: Path) -> None:
    told = run("check", str(script))
    assert (told.returncode, told.stderr) == (0, "")
    for words in ("X, (5, 3) float32", "y, (5, 2) float32", "loss_fn", "w  (2, 3) float32, 6 numbers", "0.1"):
        assert words in told.stdout
    assert "first loss     4.0" in told.stdout
    assert "the script printed:\n  a word" in told.stdout


def test_check_takes_a_built_in_problem_and_names(script: Path) -> None:
    assert run("check", "dead_relu").returncode == 0
    assert "X, (6, 2)" in run("check", "classify").stdout
    another = "def another(x):\n    return x\n"
    script.write_text(GOOD.replace("def model", f"{another}def guess"), encoding="utf-8")
    assert run("check", str(script)).returncode == 2
    assert run("check", str(script), "--model", "guess").returncode == 0
    assert "names can only be given for a script" in run("crops", "--model", "guess").stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GOOD.replace("w.t()", "w"), ["mine.py, line 8: return x @ w", "5x3 and 2x3", "matrix product"]),
        ("import torch\nexit()", ["mine.py, line 2: exit()", "calls exit()"]),
        ("x = (", ["mine.py, line 1", "SyntaxError"]),
    ],
)
def test_an_error_shows_file_line_words_and_a_sentence(script: Path, text: str, told: list[str]) -> None:
    script.write_text(text, encoding="utf-8")
    found = run("check", str(script))
    assert (found.returncode, found.stdout) == (2, "")
    assert all(words in found.stderr for words in told)
    assert "Traceback" not in found.stderr
    trained = run("run", str(script))
    assert trained.returncode == 2
    assert all(words in trained.stderr for words in told[1:])
    assert trained.stderr.count("\n") == 1


def test_a_csv_file_is_checked_trained_and_talked_about_as_a_script_is(tmp_path: Path) -> None:
    path = tmp_path / "yields.csv"
    path.write_text("rain,sun,apples\n1,2,3\n4,5,7\n2,2,1\n", encoding="utf-8")
    options = ("--csv", str(path), "--target", "apples", "--standardize")
    checked = run("check", *options)
    assert checked.returncode == 0
    assert "inputs         inputs, (3, 2) float32" in checked.stdout
    trained = run("run", "--json", "--epochs", "3", "--lr", "0.5", *options)
    assert json.loads(trained.stdout.splitlines()[-1])["learning_rate"] == 0.5
    assert "parameters" not in trained.stderr
    path.write_text("rain,sun,apples\n1,2,3\n4,much,7\n", encoding="utf-8")
    for command in ("run", "check"):
        told = run(command, *options)
        assert (told.returncode, told.stdout) == (2, "")
        assert "yields.csv, line 3, row 2, column sun" in told.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "--target", "a"), "can only be used together with --csv"),
        (("run", "--standardize"), "can only be used together with --csv"),
        (("crops", "--csv", "x.csv"), "name a problem (crops) or use --csv, not both"),
        (("--csv", "x.csv", "--model", "net"), "--targets cannot be used together with --csv"),
        (("check", "--csv", "/nowhere/x.csv"), "no such file"),
        (("run", "--drop", "a b", "--no-header"), "--drop 'a b' --no-header can only be used together with"),
    ],
)
def test_options_of_a_csv_file_that_do_not_fit_are_told(arguments: tuple[str, ...], words: str) -> None:
    told = run(*arguments)
    assert (told.returncode, told.stdout) == (2, "")
    assert words in told.stderr


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_table_without_a_target_names_its_columns_and_the_option(command: str, tmp_path: Path) -> None:
    path = tmp_path / "yields.csv"
    path.write_text("rain,apples\n1,2\n", encoding="utf-8")
    told = run(command, "--csv", str(path))
    assert (told.returncode, told.stdout) == (2, "")
    assert "The columns are: rain, apples." in told.stderr
    assert "Name each target column with --target." in told.stderr


@pytest.mark.parametrize(
    ("option", "text", "words"),
    [
        ("--decimal", ";", "';' is not a decimal sign: use a point (.) or a comma (,)"),
        ("--thousands", "x", "'x' does not group digits"),
        ("--encoding", "klingon", "'klingon' is not an encoding that Python knows"),
    ],
)
def test_a_wrong_sign_or_encoding_is_told(
    option: str, text: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        bench_parser().parse_args(["--csv", "x.csv", option, text])
    assert words in capsys.readouterr().err


def test_the_options_that_an_error_suggests_mend_it(tmp_path: Path) -> None:
    path = tmp_path / "flats.csv"
    path.write_text(
        "kind,sold,rent\nflat,2024-03-01,3\nhouse,2024-03-02,?\nflat,2024-03-05,4\nhouse,2024-04-01,5\n"
    )
    asked = ("check", "--csv", str(path), "--target", "rent")
    told = run(*asked)
    assert told.returncode == 2
    options = "--days sold --one-hot kind --skip-incomplete"
    assert f"add {options}, or" in told.stderr
    checked = run(*asked, *options.split())
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "inputs         inputs, (3, 3) float32" in checked.stdout
    assert "note: 1 of 4 rows lacks a value and is left out (line 3)." in checked.stdout


def test_run_trains_a_script_and_prints_only_its_own_lines(script: Path) -> None:
    told = run("run", str(script), "--json", "--epochs", "3")
    assert told.returncode == 0
    assert [json.loads(row)["action"] for row in told.stdout.splitlines()][-1] == "Forward"


def test_the_conversation_trains_a_script(script: Path) -> None:
    told = run("--plain", str(script), typed="f\ns\nrun 3\nquit\n")
    assert told.returncode == 0
    assert "preds = model(X); loss = loss_fn(preds, y)" in told.stdout


def without_end(script: Path, text: str) -> Path:
    """Make it a script that runs for ever; gives the file that is there once it has begun."""
    begun = script.with_suffix(".begun")
    script.write_text(f"open({str(begun)!r}, 'w').close()\n{text}", encoding="utf-8")
    return begun


def wait_for(path: Path) -> None:
    until = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.parametrize("text", ["while True: pass", "import time; time.sleep(60)"])
def test_ctrl_c_leaves_a_script_that_runs_for_ever(script: Path, text: str) -> None:
    begun = without_end(script, text)
    with preloaded.started([*GRADSTEP, "check", str(script)]) as child:
        wait_for(begun)
        child.send_signal(signal.SIGINT)
        assert (child.wait(20), child.stdout.read(), child.stderr.read()) == (130, b"", b"")


@pytest.mark.parametrize("text", ["while True: pass", "import time; time.sleep(60)"])
def test_ctrl_c_leaves_the_bench_whose_script_runs_for_ever(script: Path, text: str) -> None:
    begun = without_end(script, text)
    env = {"XDG_STATE_HOME": str(script.parent)}
    with Terminal((*GRADSTEP, str(script)), env=env, preloaded=True) as terminal:
        wait_for(begun)
        terminal.send("ctrl+c")
        assert terminal.wait_exit() in (0, 130)


SPOILS = """
import os
plain = model
def model(x):
    os.system("echo spoiled; echo spoiled >&2")
    return plain(x)
"""


def test_the_bench_says_what_is_wrong_with_a_script_and_shows_what_it_printed_on_no_screen(
    script: Path,
) -> None:
    script.write_text(GOOD.replace("w.t()", "w"), encoding="utf-8")
    with Terminal(
        (*GRADSTEP, str(script)), env={"XDG_STATE_HOME": str(script.parent)}, preloaded=True
    ) as terminal:
        assert terminal.wait_exit() == 2
        assert "5x3 and 2x3" in " ".join(terminal.text.split())
    script.write_text(GOOD + SPOILS, encoding="utf-8")
    with Terminal(
        (*GRADSTEP, str(script)), env={"XDG_STATE_HOME": str(script.parent)}, preloaded=True
    ) as terminal:
        told = "spoiled" if sys.platform == "linux" else "a word"
        terminal.wait_for(f"the script printed: {told}")
        terminal.send("f")
        terminal.wait_for(">b loss.backward()")
        assert "spoiled" not in terminal.text
        terminal.send("w")
        terminal.wait_for("a word")
        # From trying the script, and from the forward pass.
        assert terminal.text.count("spoiled") == (4 if sys.platform == "linux" else 0)
        terminal.send("w")  # closes it, too
        terminal.wait_for(">b loss.backward()")
        terminal.send("q")
        assert terminal.wait_exit() == 0
