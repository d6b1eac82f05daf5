"""What a script does besides training is told as a fact, and never ends or changes the program."""

from __future__ import annotations

import inspect
import os
import sys
import threading
import time
from pathlib import Path

import pytest
import torch

from gradstep.capture.capture import capture, capture_function
from gradstep.capture.captured_loop import CapturedLoop
from gradstep.capture.effects import Role
from gradstep.capture.loop_places import LoopKind
from gradstep.capture.obstacles import Abandoned, Fact, NotCaptured, Noticed, Obstacle
from gradstep.capture.parking.loop_errors import LoopOver
from gradstep.capture.search import missed
from gradstep.learner_code.interruption import Interrupted, Interrupter
from gradstep.scripts.source_reader import read_source
from tests.engine.capture_other_scripts import OTHERS
from tests.engine.capture_scripts import BEGIN, NET, ROUND
from tests.engine.captured_runs import captured, differences, state_of

TRAINS = BEGIN + NET + "for epoch in range(40):\n" + ROUND


def opened(folder: Path, text: str, *arguments: str) -> CapturedLoop:
    path = folder / "train.py"
    path.write_text(text, encoding="utf-8")
    return capture(read_source(path), arguments)


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        ("x = 1\n", Obstacle.NO_BACKWARD, None),
        ("x = 1\nraise ValueError('no data')\n", Obstacle.RAISED, 2),
        ("x = [\n", Obstacle.UNREADABLE, None),
        ("import sys\nfor i in range(3):\n    sys.exit(4)\n", Obstacle.EXITED, 3),
        (
            "import torch, threading\nx = torch.ones(1, requires_grad=True)\ndef work():\n"
            "    for i in range(9):\n        (x * x).backward()\n"
            "t = threading.Thread(target=work)\nt.start()\nt.join()\n",
            Obstacle.IN_ANOTHER_THREAD,
            5,
        ),
        (
            "import torch, sys\nx = torch.ones(1, requires_grad=True)\n"
            "sys.runs = getattr(sys, 'runs', 0) + 1\n"
            "def run():\n    for i in range(9):\n        yield i\n        if i == 8 - sys.runs:\n"
            "            (x * x).backward()\nlist(run())\n",
            Obstacle.OUT_OF_REACH,
            8,
        ),
    ],
)
def test_a_script_without_a_loop_to_step_says_why(
    tmp_path: Path, text: str, reason: Obstacle, line: int | None
) -> None:
    with pytest.raises(NotCaptured) as caught:
        opened(tmp_path, text)
    assert caught.value.reason is reason
    assert (caught.value.place and caught.value.place.line) == line


def test_what_surrounds_a_loop_is_not_left_when_it_is_captured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = BEGIN + NET + "events = []\ntry:\n    with open('log', 'w') as log:\n        for e in range(40):\n"
    text += "".join(f"        {row}\n" for row in ROUND.splitlines())
    text += "            log.write('.')\nfinally:\n    events.append('left')\n    raise SystemExit\n"
    monkeypatch.chdir(tmp_path)
    loop = opened(tmp_path, text)
    loop.run(3)
    assert loop.names["events"] == []
    assert not loop.names["log"].closed


def test_the_process_is_ours_again_while_a_script_is_parked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").mkdir()
    text = "import os, sys, io\nos.chdir('there')\nsys.stdout = io.StringIO()\nsys.argv.append('more')\n"
    text += TRAINS.replace("optimizer.step()\n", "optimizer.step(); print(os.getcwd(), sys.argv)\n")
    monkeypatch.chdir(tmp_path)
    before = os.getcwd(), sys.stdout, list(sys.argv), list(sys.path), sys.modules["__main__"]
    loop = opened(tmp_path, text, "--lr", "3")
    loop.run(2)
    loop.run_statement(0)
    assert before == (os.getcwd(), sys.stdout, list(sys.argv), list(sys.path), sys.modules["__main__"])
    facts = {noticed.fact for noticed in loop.facts}
    assert {Fact.CHANGED_FOLDER, Fact.REPLACED_STREAM} <= facts
    written = loop.names["sys"].__class__ and loop.ask(lambda: sys.stdout.getvalue())  # type: ignore[attr-defined]
    assert f"{tmp_path / 'there'} ['{tmp_path / 'train.py'}', '--lr', '3', 'more']" in written


def test_settings_of_pytorch_are_told_and_in_force_in_the_scripts_thread(tmp_path: Path) -> None:
    text = "import torch\ntorch.set_grad_enabled(False)\ntorch.set_default_dtype(torch.float64)\n" + TRAINS
    text = text.replace("    loss =", "    torch.set_grad_enabled(True)\n    loss =")
    try:
        loop = opened(tmp_path, text)
        assert Fact.SET_DTYPE in {noticed.fact for noticed in loop.facts}
        loop.run(3)
        assert loop.names["loss"].dtype is torch.float64
        assert torch.is_grad_enabled()
    finally:
        torch.set_default_dtype(torch.float32)


def test_a_fork_goes_on_by_itself_and_the_script_is_captured(tmp_path: Path) -> None:
    text = (
        "import os\npid = os.fork()\nif pid == 0:\n    print('child')\nelse:\n    os.waitpid(pid, 0)\n"
        + TRAINS
    )
    assert opened(tmp_path, text).run(5) == 5


def test_a_script_that_runs_for_ever_is_stopped(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text("n = 0\nwhile True:\n    n += 1\n", encoding="utf-8")
    begun, before = time.monotonic(), set(threading.enumerate())
    with pytest.raises(Abandoned):
        capture(read_source(path), stopped=lambda: True)
    assert time.monotonic() - begun < 2
    for thread in set(threading.enumerate()) - before:
        thread.join(2)
        assert not thread.is_alive()


def test_a_round_that_never_ends_is_interrupted_and_the_script_stays_parked(tmp_path: Path) -> None:
    text = TRAINS.replace("    optimizer.step()", "    while epoch == 3: pass\n    optimizer.step()")
    loop = opened(tmp_path, text)
    interrupter, ended = Interrupter(), threading.Event()

    def run() -> None:
        with interrupter.attached():
            try:
                loop.run(10)
            except Interrupted:
                ended.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while not ended.wait(0.02):
        if loop.position.rounds == (4,):
            interrupter.interrupt()
    thread.join()
    assert (loop.names["epoch"], loop.over, loop.next_statement) == (3, False, 3)
    loop.run_statement(4)
    loop.end_round()
    assert loop.run(5) == 5


def test_a_loop_ends_with_the_scripts_own_and_what_follows_does_not_run(tmp_path: Path) -> None:
    loop = opened(tmp_path, TRAINS + "print('after')\nraise SystemExit\n")
    assert loop.run(100) == 40
    assert loop.over
    assert loop.position.over
    assert loop.printed.lines == ()
    with pytest.raises(LoopOver):
        loop.run_statement(0)
    assert loop.run(3) == 0


def test_what_a_round_raises_leaves_the_script_where_it_is(tmp_path: Path) -> None:
    loop = opened(
        tmp_path, TRAINS.replace("    optimizer.step()", "    if epoch == 4: 1 / 0\n    optimizer.step()")
    )
    with pytest.raises(ZeroDivisionError):
        loop.run(10)
    assert isinstance(loop.failure, ZeroDivisionError)
    assert (loop.names["epoch"], loop.next_statement) == (4, 3)
    loop.run_statement(4)
    loop.end_round()
    assert loop.names["epoch"] == 5
    assert loop.run(3) == 3


def test_statements_are_told_apart_by_what_they_do(tmp_path: Path) -> None:
    text = (
        BEGIN
        + NET
        + """
schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
class Odd:
    def backward(self): return self
for epoch in range(9):
    rows = torch.randperm(24)[:8]
    guess = model(X[rows])
    wrong = loss_fn(guess, y[rows])
    optimizer.zero_grad()
    Odd().backward()
    wrong.backward()
    nn.utils.clip_grad_value_(model.parameters(), 0.01)
    optimizer.step()
    schedule.step()
    with torch.no_grad(): model(X)
    print(epoch)
"""
    )
    loop = opened(tmp_path, text)
    loop.watch_round()
    roles = [effects.role for effects in loop.watch_round().values()]
    assert roles == [
        *(Role.DRAW, Role.FORWARD, Role.LOSS, Role.ZERO, Role.OTHER, Role.BACKWARD),
        *(Role.CLIP, Role.UPDATE, Role.SCHEDULE, Role.EVALUATE, Role.LOG),
    ]


def test_a_statement_can_be_left_out_or_moved(tmp_path: Path) -> None:
    loop = opened(tmp_path, TRAINS)
    loop.run_round([0, 2, 3])
    loop.run_round([1, 0, 2, 3])
    assert loop.position.rounds == (3,)
    grad = loop.names["model"][0].weight.grad.clone()
    loop.run_round([0, 2, 3])
    assert not torch.equal(grad, loop.names["model"][0].weight.grad)


def test_the_loops_and_their_statements_are_told_as_they_stand(tmp_path: Path) -> None:
    text = BEGIN + NET + "def fit():\n    for e in range(3):\n        n = 0\n        while n < 4:\n"
    text += "".join(f"        {row}\n" for row in ROUND.splitlines()) + "            n += 1\nfit()\n"
    loop = opened(tmp_path, text)
    assert [(place.kind, place.function, place.header) for place in loop.loops] == [
        (LoopKind.FOR, "fit", "for e in range(3):"),
        (LoopKind.WHILE, "fit", "while n < 4:"),
    ]
    assert [statement.text for statement in loop.statements] == [
        *map(str.strip, ROUND.splitlines()),
        "n += 1",
    ]
    assert loop.position.rounds == (1, 1)
    loop.run(5)
    assert loop.position.rounds == (2, 2)
    assert "def fit" in inspect.getsource(loop.names["fit"])


def fit_here() -> None:
    w = torch.ones(2, requires_grad=True)
    for _ in range(30):
        loss = (w * w).sum()
        loss.backward()
        with torch.no_grad():
            w -= 0.1 * w.grad  # type: ignore[operator]
            w.grad = None


def test_a_function_is_captured_as_a_script_is() -> None:
    loop = capture_function(fit_here)
    assert loop.names["w"].tolist() == [1.0, 1.0]
    loop.run(2)
    loop.run_statement(0)
    assert loop.names["loss"].item() == pytest.approx(2 * 0.8**4)


def test_a_loop_with_too_many_rounds_before_its_pass_is_captured_at_that_round_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "train.py"
    path.write_text(OTHERS["rounds that only gather come first"], encoding="utf-8")
    kept = captured(path)
    kept.run(20)
    expected = state_of(kept, [])
    monkeypatch.setattr(missed, "FREE", 0.0)
    monkeypatch.setattr(missed, "SHARE", 0.0)
    loop = captured(path)
    assert (loop.position.rounds, loop.facts) == ((31,), (Noticed(Fact.RAN_AGAIN, "2"),))
    loop.run(20)
    assert not differences(expected, state_of(loop, []))


def test_rounds_before_the_pass_that_take_no_time_are_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "import pathlib\npathlib.Path('runs').open('a').write('.')\n"
    monkeypatch.chdir(tmp_path)
    opened(tmp_path, text + OTHERS["rounds that only gather come first"])
    assert (tmp_path / "runs").read_text() == "."


def test_a_copy_of_the_process_that_a_statement_makes_ends_after_it(tmp_path: Path) -> None:
    text = (
        TRAINS + "    import os\n    pid = os.fork()\n    if pid == 0: os._exit(3)\n    os.waitpid(pid, 0)\n"
    )
    loop = opened(tmp_path, text)
    for statement in loop.statements:
        loop.run_statement(statement.index)
    loop.end_round()
    assert loop.run(3) == 3
