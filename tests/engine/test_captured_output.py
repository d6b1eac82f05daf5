"""What a script prints is kept, as plain text and as far as there is room; the terminal never sees it."""

from __future__ import annotations

import io
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gradstep.actions import Forward, RunEpochs
from gradstep.captured_output import (
    LONGEST,
    MOST_LINES,
    STREAMS,
    KeptFromTerminal,
    Printed,
    harmless,
    past_the_streams,
)
from gradstep.opening import open_session
from gradstep.scripts.loader import load_script
from gradstep.scripts.script_errors import Abandoned
from gradstep.session import Session
from gradstep.start import start_from
from gradstep.training.pytorch_errors import PyTorchError

NOISY = """
import sys, torch
print("loaded")
X = torch.ones(3, 1)
y = torch.ones(3, 1)
w = torch.zeros(1, 1, requires_grad=True)
def model(x):
    print("in forward")
    sys.stderr.write("careful\\n")
    return x @ w.t()
def loss_fn(preds, targets):
    return ((preds - targets) ** 2).mean()
lr = 0.1
"""


def noisy(folder: Path, text: str = NOISY) -> Session:
    path = folder / "noisy.py"
    path.write_text(text, encoding="utf-8")
    return open_session(start_from(str(path)))


def written(*texts: str) -> Printed:
    printed = Printed()
    for text in texts:
        printed.streams[0].write(text)
    return printed


@example("a\r\n", [2])
@example("ab\rb\r\r", [4])
@given(st.text(alphabet="ab\n\r\x1b[m3é", max_size=60), st.lists(st.integers(0, 60), max_size=5))
def test_lines_are_the_same_in_whatever_pieces_they_are_written(text: str, cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(text)]
    whole = written(text)
    pieces = written(*(text[one:other] for one, other in pairwise(places)))
    assert pieces.lines == whole.lines
    assert pieces.count == whole.count == len(whole.lines)


@given(st.text())
def test_what_is_shown_controls_no_terminal(text: str) -> None:
    shown = harmless(text)
    assert shown.isprintable()
    assert shown == text or not text.isprintable()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;a title\x07here", "here"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b[2J\x1b[1;1Htop", "top"),
        ("a\tb", "a   b"),
        ("bell\x07", "bell\\x07"),
        ("right \u202e left", "right \\u202e left"),
        ("\udc80", "\\udc80"),
    ],
)
def test_control_sequences_go_and_other_odd_characters_are_spelled_out(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_a_progress_bar_is_its_last_state() -> None:
    assert written("\r10%", "\r20%", "\r30%\n", "done\r\n").lines == ("30%", "done")


def test_only_the_newest_lines_are_kept_and_long_ones_are_cut() -> None:
    printed = written("".join(f"{number}\n" for number in range(MOST_LINES + 5)), "x" * 10_000, "x" * 10_000)
    assert printed.gone == 5
    assert printed.lines[0] == "5"
    assert printed.count == MOST_LINES + 6
    assert printed.lines[-1] == "x" * LONGEST + " ..."


def test_what_a_model_prints_while_it_trains_is_kept_from_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session, before = noisy(tmp_path), (sys.stdin, sys.stdout, sys.stderr)
    assert session.problem.printed.lines == ("loaded", "in forward", "careful")
    session.apply(Forward())
    assert session.problem.printed.count == 5
    session.apply(RunEpochs(10))
    session.twin()
    session.verdict()
    session.pictures().fit()
    session.check_gradient()
    assert set(session.problem.printed.lines) == {"loaded", "in forward", "careful"}
    assert capsys.readouterr() == ("", "")
    assert (sys.stdin, sys.stdout, sys.stderr) == before


def test_a_model_that_asks_gets_the_end_of_input_and_a_sentence(tmp_path: Path) -> None:
    # Not the first time, or it could not be loaded.
    text = NOISY.replace('print("in forward")', "calls.append(1); len(calls) > 1 and input('how much? ')")
    session = noisy(tmp_path, "calls = []" + text)
    with pytest.raises(PyTorchError) as caught:
        session.apply(Forward())
    assert caught.value.kind == "EOFError"
    assert "it cannot ask for input" in caught.value.lesson
    assert session.frame.loss is None


def test_what_passes_the_streams_by_is_read_into_the_script_s_lines() -> None:
    texts = ["a child's\n", "", "cut off: h", "ere\n"]
    printed = Printed()
    with past_the_streams(lambda: texts.pop(0)):
        for words in ("first", "", "second", ""):
            with KeptFromTerminal(printed):
                print(words)
    assert printed.lines == ("first", "a child's", "", "second", "", "cut off: here")
    printed.catch_up()
    assert printed.count == 6


def test_whoever_took_the_streams_meanwhile_keeps_them() -> None:
    before, other = sys.stdout, io.StringIO()
    try:
        with KeptFromTerminal(Printed()):
            sys.stdout = other
        assert sys.stdout is other
    finally:
        sys.stdout = before


def test_a_script_that_was_left_prints_nowhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in STREAMS:
        monkeypatch.setattr(sys, name, getattr(sys, name))  # to be put back
    path = tmp_path / "endless.py"
    begun = tmp_path / "begun"
    path.write_text(
        "import sys\nfrom pathlib import Path\n"
        f"while not Path({str(tmp_path / 'end')!r}).exists():\n"
        f"    print('words'); print('more', file=sys.stderr); Path({str(begun)!r}).touch()\n",
        encoding="utf-8",
    )
    with pytest.raises(Abandoned):
        load_script(path, stopped=begun.exists)
    (thread,) = [one for one in threading.enumerate() if one.name == "gradstep endless.py"]
    time.sleep(0.05)
    print("mine")
    (tmp_path / "end").touch()
    thread.join()
    assert capsys.readouterr() == ("mine\n", "")
