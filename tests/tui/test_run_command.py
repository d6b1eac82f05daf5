"""`gradstep run`: training without a screen."""

from __future__ import annotations

import errno
import io
import json
import math
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from gradstep import problems
from gradstep.actions import (
    Action,
    Backward,
    Forward,
    RunEpochs,
    SetLearningRate,
    ToggleZeroing,
    Update,
    Zero,
)
from gradstep.errors import BadInput
from gradstep.frame import Frame
from gradstep.loop.loop import Kind
from gradstep.session import Session
from gradstep_tui import cli
from gradstep_tui.commands.reports import json_report as json_lines
from tests import preloaded
from tests.engine.test_notebook import PRINTED, START, assert_printed
from tests.terminal import GRADSTEP

PAGE = Path(__file__).parents[2] / "tui/gradstep_tui/manual/command-line.md"

STEP_BY_HAND = (Forward(), Backward(), Update(), Zero(), Forward())
STEP_WITHOUT_ZERO = (ToggleZeroing(), Forward(), Backward(), Update(), Forward())

KEYS = {
    *("action", "arguments", "epoch", "loss", "predictions", "parameters"),
    *("epoch_loss", "optimizer", "batches", "zeroing", "learning_rate", "diverged_in_epoch"),
}


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command in this process; gives its exit code, standard output and standard error."""
    code = cli.main(["run", *arguments])
    return (code, *capsys.readouterr())


def objects(out: str) -> list[dict[str, object]]:
    """Read JSON lines, strictly: Python's own NaN and Infinity are no JSON."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    assert out.endswith("\n")
    return [json.loads(line, parse_constant=refuse) for line in out.splitlines()]


def frames(session: Session, actions: Iterable[Action]) -> list[tuple[Action, Frame]]:
    return [(action, session.apply(action)) for action in actions]


def bits(value: object) -> object:
    """Give numbers by their hexadecimal digits, so that -0.0 is not 0.0, and nan equals itself."""
    match value:
        case list():
            return [bits(one) for one in value]
        case float() | "nan" | "inf" | "-inf":
            return float(value).hex()
        case _:
            return value


def assert_same_bits(found: dict[str, object], action: Action, frame: Frame) -> None:
    """Check an object against the frame of a session that did the same."""
    assert found["action"] == type(action).__name__
    assert found["arguments"] == ({"count": action.count} if isinstance(action, RunEpochs) else {})
    assert found["epoch"] == frame.epoch
    assert bits(found["loss"]) == bits(frame.loss)
    assert bits(found["predictions"]) == bits(None if frame.preds is None else frame.preds.tolist())
    assert found["zeroing"] == frame.loop.is_enabled(Kind.ZERO)
    assert found["learning_rate"] == frame.learning_rate
    parameters = found["parameters"]
    assert isinstance(parameters, dict)
    assert list(parameters) == [parameter.name for parameter in frame.parameters]
    for parameter in frame.parameters:
        grad = None if parameter.grad is None else parameter.grad.tolist()
        assert bits(parameters[parameter.name]["value"]) == bits(parameter.value.tolist())
        assert bits(parameters[parameter.name]["grad"]) == bits(grad)


def sections(out: str) -> dict[str, list[str]]:
    """Give the numbers under each title."""
    parts = [part.split("\n", 1) for part in out.strip().split("\n\n")]
    return {title: re.findall(r"-?\d+\.\d+", tensor) for title, tensor in parts}


def test_it_prints_every_number_of_the_notebook() -> None:
    ran = preloaded.run([*GRADSTEP, "run", "--epochs", "100"])
    assert (ran.returncode, ran.stderr) == (0, "")
    printed = sections(ran.stdout)
    of_the_notebook = [
        number
        for title in (
            "w at the start",
            "loss at the start",
            "w.grad after the first backward",
            "w after the first update",
            "b after the first update",
            "loss after the first update",
            "loss after 100 more epochs, 101 in all",
            "predictions after 100 more epochs, 101 in all",
        )
        for number in printed[title]
    ]
    assert all(re.fullmatch(r"-?\d+\.\d{4}", number) for number in of_the_notebook)
    assert_printed([float(number) for number in of_the_notebook], (*START, *PRINTED))


def test_it_prints_tensors_as_pytorch_does(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = told(capsys)
    session = Session(problems.load("crops"))
    assert f"loss at the start\ntensor({session.apply(Forward()).loss:.4f})\n" in out
    for parameter in session.apply(Backward()).parameters:
        assert f"{parameter.name}.grad after the first backward\n{parameter.grad}\n" in out


def test_100_epochs_after_the_first_step_are_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys) == told(capsys, "crops", "--epochs", "100")


def test_one_more_epoch_is_told_in_the_singular(capsys: pytest.CaptureFixture[str]) -> None:
    assert "loss after 1 more epoch, 2 in all" in told(capsys, "--epochs", "1")[1]


def test_json_has_the_values_of_a_session_bit_for_bit(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = told(capsys, "--epochs", "100", "--json")
    assert (code, err) == (0, "")
    found = objects(out)
    expected = frames(Session(problems.load("crops")), (*STEP_BY_HAND, RunEpochs(100), Forward()))
    assert len(found) == len(expected)
    for one, (action, frame) in zip(found, expected, strict=True):
        assert_same_bits(one, action, frame)


def test_json_objects_have_the_keys_that_the_docstring_and_the_manual_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, out, _ = told(capsys, "--json", "--epochs", "3")
    assert [set(one) for one in objects(out)] == [KEYS] * 7
    assert set(re.findall(r"^    (\w+)  ", json_lines.__doc__ or "", flags=re.MULTILINE)) == KEYS
    table = PAGE.read_text(encoding="utf-8").split("| key of an object |")[1].split("\n\n")[0]
    assert all(f"`{key}`" in table for key in KEYS)


def test_json_has_null_where_a_gradient_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    first, *_ = objects(told(capsys, "--json", "--no-zero")[1])
    assert (first["loss"], first["predictions"], first["diverged_in_epoch"]) == (None, None, None)
    assert [one["grad"] for one in first["parameters"].values()] == [None, None]  # type: ignore[attr-defined]


def test_no_zero_is_the_action_that_comments_zeroing_out(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = told(capsys, "--no-zero", "--epochs", "40", "--json")
    expected = frames(Session(problems.load("crops")), (*STEP_WITHOUT_ZERO, RunEpochs(40), Forward()))
    assert (code, err) == (0, "")
    for one, (action, frame) in zip(objects(out), expected, strict=True):
        assert_same_bits(one, action, frame)
        assert one["zeroing"] is False


def test_no_zero_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "--no-zero")[1].startswith("zeroing is commented out of the loop")


@pytest.mark.parametrize("options", [("--seed", "3"), ("--lr", "2e-5"), ("--lr", "5e-6", "--seed", "0")])
def test_a_seed_and_a_learning_rate_are_those_of_the_session(
    capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    given = dict(zip(options[::2], options[1::2], strict=True))
    session = Session(problems.load("crops", int(given["--seed"]) if "--seed" in given else None))
    if "--lr" in given:
        session.apply(SetLearningRate(float(given["--lr"])))
    expected = frames(session, (*STEP_BY_HAND, RunEpochs(10), Forward()))
    found = objects(told(capsys, *options, "--epochs", "10", "--json")[1])
    for one, (action, frame) in zip(found, expected, strict=True):
        assert_same_bits(one, action, frame)


@pytest.mark.parametrize(
    ("options", "last"),
    [(("--lr", "1"), RunEpochs(100)), (("--lr", "1e30"), Forward()), (("--lr", "1", "--epochs", "4"), None)],
)
def test_divergence_ends_it_with_exit_code_3_and_one_line_that_names_the_epoch(
    capsys: pytest.CaptureFixture[str], options: tuple[str, ...], last: Action | None
) -> None:
    code, out, err = told(capsys, *options, "--json")
    found = objects(out)
    epoch = found[-1]["diverged_in_epoch"]
    assert code == 3
    assert isinstance(epoch, int)
    assert err == f"gradstep run: training diverged in epoch {epoch}: the loss is {found[-1]['loss']}\n"
    assert [one["diverged_in_epoch"] for one in found[:-1]] == [None] * (len(found) - 1)
    if last is not None:
        assert found[-1]["action"] == type(last).__name__

    losses: list[float] = []
    session = Session(problems.load("crops"), float(options[1]))
    while not losses or math.isfinite(losses[-1]):
        loss = session.apply(Forward()).loss
        assert loss is not None
        losses.append(loss)
        if math.isfinite(loss):
            frames(session, (Backward(), Update(), Zero()))
    assert (len(losses), bits(found[-1]["loss"])) == (epoch, bits(losses[-1]))


def test_divergence_is_told_without_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = told(capsys, "--lr", "1")
    assert code == 3
    assert err == "gradstep run: training diverged in epoch 5: the loss is inf\n"
    assert "in all" not in out


def test_numbers_that_json_lacks_are_strings(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = told(capsys, "--lr", "1e38", "--json")
    assert '"inf"' in out
    assert '"-inf"' in out
    assert '"nan"' in out


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--nonsense"], "--nonsense"),
        (["--epoch", "3"], "--epoch"),
        (["--ascii"], "--ascii"),
        (["--epochs"], "--epochs"),
        (["--epochs", "many"], "'many'"),
        (["--epochs", "0"], "'0'"),
        (["--epochs=-1"], "'-1'"),
        (["--epochs", "1.5"], "'1.5'"),
        (["--epochs", "1000001"], "'1000001'"),
        (["--epochs", "9" * 5000], "epochs"),
        (["--epochs", ""], "an empty text"),
        (["--epochs", "new\nline"], "new"),
        (["--lr", "fast"], "'fast'"),
        (["--lr", "0"], "'0'"),
        (["--lr", "inf"], "'inf'"),
        (["--seed", "x"], "'x'"),
        (["--seed=-1"], "'-1'"),
        (["--json=yes"], "--json"),
        (["carrots"], "carrots"),
        (["../crops"], "../crops"),
        (["run"], "'run'"),
        (["crops", "crops"], "crops"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_with_exit_code_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], named: str
) -> None:
    try:
        code: object = cli.main(["run", *arguments])
    except SystemExit as left:
        code = left.code
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert err.startswith("gradstep run: ")
    assert named in err
    assert "(gradstep run --help lists the options)" in err
    assert err.count("\n") == 1
    assert len(err) < 300


def test_an_option_before_the_word_run_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--seed", "3", "run"]) == 2
    assert "gradstep run [options] [problem]" in capsys.readouterr().err


def test_what_the_engine_refuses_is_said_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(*_: object) -> Session:
        raise BadInput("this seed\nis too odd")

    monkeypatch.setattr(cli, "open_session", refusing)
    assert told(capsys)[::2] == (
        2,
        "gradstep run: this seed is too odd (gradstep run --help lists the options)\n",
    )


def test_ctrl_c_ends_it_without_a_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> Session:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "open_session", interrupted)
    assert told(capsys) == (130, "", "")


def test_a_closed_pipe_is_quiet() -> None:
    # Each run is a process of its own to its very end, where what is left is flushed.
    script = (
        "import os, sys, gradstep_tui.cli, gradstep.opening\n"
        "gradstep.opening.open_session(gradstep.opening.Start())\n"
        "ends = []\n"
        "for options in ([], ['--json'], ['--json', '--lr', '1']):\n"
        "    if not os.fork(): sys.exit(gradstep_tui.cli.main(['run', *options]))\n"
        "    ends.append(os.waitstatus_to_exitcode(os.wait()[1]))\n"
        "print(ends, file=sys.stderr)"
    )
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ran = preloaded.run([sys.executable, "-c", script], stdout=writer)
    finally:
        os.close(writer)
    assert ran.stderr == "[0, 0, 0]\n"


def test_a_reader_gets_each_line_as_soon_as_its_action_is_done() -> None:
    command = [*GRADSTEP, "run", "--json", "--epochs", "1000000"]
    with preloaded.started(command) as ran:
        first = [json.loads(ran.stdout.readline())["action"] for _ in STEP_BY_HAND]
        # A million epochs take many seconds: what has arrived by now was not kept back until the end.
        assert ran.poll() is None
        ran.send_signal(signal.SIGTERM)
        assert ran.stderr.read() == b""
    assert first == [type(action).__name__ for action in STEP_BY_HAND]


def test_a_full_disk_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Full(io.TextIOWrapper):
        def flush(self) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    out = Full((tmp_path / "out").open("wb", buffering=0))
    monkeypatch.setattr(sys, "stdout", out)
    assert cli.main(["run", "--json"]) == 1
    assert capsys.readouterr().err == f"gradstep run: cannot write the output: {os.strerror(errno.ENOSPC)}\n"


def test_a_wrong_value_is_told_without_waiting_for_pytorch() -> None:
    script = (
        "import atexit, sys, gradstep_tui.cli\n"
        "atexit.register(lambda: print('torch' in sys.modules))\n"
        "gradstep_tui.cli.main(['run', '--epochs', 'x'])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.returncode, ran.stdout) == (2, "False\n")


def test_help_lists_its_options_and_says_what_an_epoch_more_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["run", "--help"])
    out, err = capsys.readouterr()
    assert (left.value.code, err) == (0, "")
    for named in (
        "--epochs N",
        "--no-zero",
        "--lr X",
        "--seed N",
        "--json",
        "problem",
        "N + 1 in all",
        "diverged",
    ):
        assert named in out


def test_the_help_of_gradstep_mentions_run(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    assert "gradstep run [options] [problem]" in capsys.readouterr().out


def test_the_manual_names_every_option() -> None:
    section = PAGE.read_text(encoding="utf-8").split("## gradstep run")[1].split("\n## ")[0]
    for option in ("--epochs N", "--no-zero", "--seed N", "--lr X", "--json", "--help"):
        assert f"`{option}`" in section


def test_where_samples_are_split_it_tells_the_loss_of_whole_epochs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, _ = told(capsys, "--batches", "micro(2)", "--epochs", "3")
    assert code == 0
    # As far as rounding shows here, the first epoch's is that of the full batch: the notebook's own number.
    assert "loss of epoch 1, over its 3 micro-batches\n18746.5" in out
    assert "loss of epoch 4, over its 3 micro-batches" in out
    _, out, _ = told(capsys, "--batches", "mini(2)", "--epochs", "3", "--json")
    last = objects(out)[-1]
    assert (last["batches"], last["epoch"]) == ("mini(2)", 4)
    assert last["epoch_loss"] > last["loss"]


def test_samples_that_cannot_be_split_so_are_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, wrong = told(capsys, "--batches", "mini(9)")
    assert (code, out) == (2, "")
    assert "parts of 9 are too large: there are 5 samples" in wrong
