"""A learner's own script: what is found in it, and that it trains as it would by itself."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest
import torch

from gradstep.actions import Backward, Forward, GoTo, RunEpochs, ToggleZeroing, Undo
from gradstep.autograd.events import NodeEvent
from gradstep.errors import BadInput
from gradstep.exports.export import export
from gradstep.loop.conventions import Names
from gradstep.loop.optimizers import HAND as BY_HAND
from gradstep.opening import open_session
from gradstep.scripts.loader import load_script
from gradstep.scripts.script_errors import Abandoned, ScriptError
from gradstep.session import Session
from gradstep.start import Start, start_from
from gradstep.training.pytorch_errors import PyTorchError
from tests.engine.export_cases import run
from tests.engine.recording_checks import bits

MODULE = """
import torch
from torch import nn

torch.manual_seed(1)
X = torch.randn(6, 3)
y = torch.randn(6, 1)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.norm = nn.BatchNorm1d(4)
        self.second = nn.Linear(4, 1)

    def forward(self, x):
        return self.second(nn.functional.dropout(torch.relu(self.norm(self.first(x))), {dropout}))


net = Net()
loss = nn.MSELoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
"""

HAND = """
import torch
X = torch.ones(5, 3)
y = torch.ones(5, 2)
w = torch.ones(2, 3, requires_grad=True)
def model(x):
    return x @ w.t()
def loss_fn(preds, targets):
    return ((preds - targets) ** 2).mean()
lr = 0.1
"""


def script(folder: Path, text: str, name: str = "mine.py") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def wrong(folder: Path, text: str, names: Names | None = None) -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        load_script(script(folder, text), names=names)
    assert "\n" not in str(caught.value)
    return caught.value


def test_names_are_found_by_convention(tmp_path: Path) -> None:
    problem = load_script(script(tmp_path, HAND))
    assert problem.spelling is not None
    assert problem.reference_loop().statements[0].lines == ("preds = model(X)", "loss = loss_fn(preds, y)")
    assert (list(problem.parameters), problem.learning_rate, problem.notes) == (["w"], 0.1, ())


def test_names_can_be_given(tmp_path: Path) -> None:
    text = (
        HAND.replace("X =", "weather =").replace("def model", "def guess").replace("def loss_fn", "def far")
    )
    names = Names(model="guess", loss="far", inputs="weather")
    problem = load_script(script(tmp_path, text), names=names)
    assert problem.reference_loop().statements[0].lines == ("preds = guess(weather)", "loss = far(preds, y)")
    error = wrong(tmp_path, text, Names(model="gues"))
    assert "no gues" in str(error)
    assert "Did you mean guess?" in str(error)
    assert "must be a tensor" in str(wrong(tmp_path, text, Names(inputs="guess")))


def test_a_module_trains_as_in_the_plain_loop(tmp_path: Path) -> None:
    path = script(tmp_path, MODULE.format(dropout=0.0))
    session = open_session(Start(str(path)))
    namespace = {"__name__": "x"}
    exec(path.read_text(encoding="utf-8"), namespace)
    net, optimizer = namespace["net"], namespace["optimizer"]
    for _ in range(20):
        optimizer.zero_grad()
        namespace["loss"](net(namespace["X"]), namespace["y"]).backward()
        optimizer.step()
    frame = session.apply(RunEpochs(20))
    assert [one.name for one in frame.parameters] == [name for name, _ in net.named_parameters()]
    assert [bits(one.value) for one in frame.parameters] == [bits(p) for p in net.parameters()]
    buffers = session.state.trainer.buffers
    assert [bits(one) for one in buffers] == [bits(one) for one in net.buffers()]


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_going_back_brings_the_buffers_back(tmp_path: Path, dropout: float) -> None:
    session = open_session(Start(str(script(tmp_path, MODULE.format(dropout=dropout)))))
    for action in (Forward(), Backward(), RunEpochs(3), Undo(), Undo(), Backward(), RunEpochs(3)):
        session.apply(action)
    once = [bits(one) for one in (*session.state.trainer.parameters, *session.state.trainer.buffers)]
    other = open_session(Start(str(tmp_path / "mine.py")))
    for action in (Forward(), Backward(), RunEpochs(3), GoTo(0), GoTo(3)):
        other.apply(action)
    assert [bits(one) for one in (*other.state.trainer.parameters, *other.state.trainer.buffers)] == once


def test_every_node_shows_the_learners_own_expression(tmp_path: Path) -> None:
    session = open_session(Start(str(script(tmp_path, MODULE.format(dropout=0.0)))))
    session.apply(Forward())
    passed = session.apply(Backward()).backward
    assert passed is not None
    sources = {one.source.expression for one in passed.events if isinstance(one, NodeEvent) and one.source}
    assert {"self.second(nn.functional.dropout(torch.relu(self.norm(self.first(x))), 0.0))"} <= sources
    assert "loss_fn(preds, y)" in sources


OWN = "torch.optim.SGD(net.parameters(), lr=0.05)"


@pytest.mark.parametrize(
    ("optimizer", "chosen"),
    [
        (OWN, "SGD"),
        ("torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, nesterov=True)", None),
        ("torch.optim.Adam(net.parameters(), 0.05, betas=(0.8, 0.9), amsgrad=True)", None),
        ("torch.optim.AdamW([*net.parameters(), torch.ones(1)], 0.05)", "AdamW"),
        ("torch.optim.RMSprop(net.parameters(), 0.05, centered=True)", None),
        ("torch.optim.Adagrad(net.parameters(), 0.05, lr_decay=0.1, initial_accumulator_value=0.5)", None),
        ("torch.optim.NAdam(net.parameters(), 0.05, weight_decay=0.1, decoupled_weight_decay=True)", None),
        ("torch.optim.Adadelta(net.parameters(), 0.05, rho=0.5)", None),
    ],
)
def test_a_scripts_own_optimizer_updates_with_its_options(
    tmp_path: Path, optimizer: str, chosen: str | None
) -> None:
    path = script(tmp_path, MODULE.format(dropout=0.0).replace(OWN, optimizer))
    session = open_session(Start(str(path)))
    told = session.state.loop.optimizer.text
    assert told == chosen or (chosen is None and "=" in told)
    assert (session.state.learning_rate, session.problem.notes) == (pytest.approx(0.05), ())
    namespace = {"__name__": "x"}
    torch.manual_seed(0)
    exec(path.read_text(encoding="utf-8"), namespace)
    for _ in range(5):
        namespace["optimizer"].zero_grad()
        namespace["loss"](namespace["net"](namespace["X"]), namespace["y"]).backward()
        namespace["optimizer"].step()
    frame = session.apply(RunEpochs(5))
    assert [bits(one.value) for one in frame.parameters] == [bits(p) for p in namespace["net"].parameters()]
    assert open_session(Start(str(path), optimizer=BY_HAND, rate=1.0)).state.loop.optimizer.by_hand


@pytest.mark.parametrize(
    ("optimizer", "why"),
    [
        ("torch.optim.Adamax(net.parameters(), 0.05)", "the supported optimizers are SGD"),
        ("torch.optim.SGD([{'params': [p]} for p in net.parameters()], 0.05)", "6 groups of parameters"),
        (
            "torch.optim.SGD(net.parameters(), 0.05); shift = torch.zeros(1, requires_grad=True)\n"
            "loss = lambda preds, y: ((preds + shift - y) ** 2).mean()",
            "it does not update shift",
        ),
        (f"{OWN}; other = torch.optim.Adam(net.parameters())", "the script has 2 optimizers"),
        ("torch.optim.Adam(net.parameters(), 0.05, fused=True)", "fused=True is not supported"),
        ("type('Mine', (torch.optim.SGD,), {})(net.parameters(), 0.05)", "Mine is left out"),
    ],
)
def test_an_optimizer_that_is_not_taken_over_is_told_and_gives_its_rate(
    tmp_path: Path, optimizer: str, why: str
) -> None:
    problem = load_script(script(tmp_path, MODULE.format(dropout=0.0).replace(OWN, optimizer)))
    assert (problem.optimizer, problem.learning_rate) == (BY_HAND, 0.05)
    assert len(problem.notes) == 1
    assert why in problem.notes[0]
    assert "updates by hand" in problem.notes[0]


def test_the_loop_of_a_module_goes_through_its_parameters(tmp_path: Path) -> None:
    loop = load_script(script(tmp_path, MODULE.format(dropout=0.0))).reference_loop()
    assert loop.statements[2].lines[1:] == ("    for p in net.parameters():", "        p -= p.grad * lr")
    assert loop.statements[3].lines == ("for p in net.parameters():", "    p.grad.zero_()")
    none = loop.with_zeroing(set_to_none=True).statements[3].lines
    assert none == ("for p in net.parameters():", "    p.grad = None")


MIXED = MODULE.format(dropout=0.0).replace("net = Net()", "net = Net()\nnet.idle = nn.Linear(1, 1)") + (
    "scale = torch.ones(1, requires_grad=True)\nmodel = lambda x: net(x) * scale\n"
)


@pytest.mark.parametrize("text", [MODULE.format(dropout=0.0), HAND, MIXED])
def test_an_export_of_a_script_runs(tmp_path: Path, text: str) -> None:
    start = start_from(str(script(tmp_path, text)))
    made = export(start, (Forward(), Backward(), RunEpochs(5), Forward()))
    assert text.strip() in made.script
    run(made.script)


def test_parameters_in_a_list_have_names(tmp_path: Path) -> None:
    text = HAND.replace(
        "w = torch.ones(2, 3, requires_grad=True)", "ws = [torch.ones(2, 3, requires_grad=True)]"
    )
    problem = load_script(script(tmp_path, text.replace("w.t()", "ws[0].t()")))
    assert list(problem.parameters) == ["ws[0]"]


def test_a_notebook_works_as_its_cells_would_in_a_file(tmp_path: Path) -> None:
    import nbformat

    cells = ["%matplotlib inline\nimport torch\n!ls", "%%bash\necho 'no python'", HAND, "display(w)\n1 + 1"]
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("words"), *map(nbformat.v4.new_code_cell, cells)]
    )
    path = script(tmp_path, nbformat.writes(book), "mine.ipynb")
    problem = load_script(path)
    assert list(problem.parameters) == ["w"]
    assert "%matplotlib inline (cell 1)" in problem.notes[0]
    assert "tensor" in problem.printed.lines[0]
    book.cells[3].source = HAND.replace("w.t()", "w")
    path.write_text(nbformat.writes(book), encoding="utf-8")
    with pytest.raises(ScriptError) as caught:
        load_script(path)
    assert caught.value.place == "cell 3, line 7"


@pytest.mark.parametrize("text", ["{", "[]", "null", json.dumps({"cells": 3}), ""])
def test_what_is_no_notebook_is_told_so(tmp_path: Path, text: str) -> None:
    with pytest.raises(ScriptError, match="not a notebook"):
        load_script(script(tmp_path, text, "mine.ipynb"))


@pytest.mark.parametrize(
    ("text", "place", "words", "sentence"),
    [
        ("x = 1\ny = (\n", "line 2", "SyntaxError", "cannot read"),
        ("import sys\nsys.exit(3)", "line 2", "calls exit(3)", "remove this line"),
        ("exit()", "line 1", "calls exit()", "remove this line"),
        ("n = input()", "line 1", "EOFError", "cannot ask for input"),
        ("import nothing_of_the_kind", "line 1", "No module named", "Install the module"),
        ("raise KeyboardInterrupt", "line 1", "KeyboardInterrupt", "interrupted itself"),
        ("1 / 0", "line 1", "ZeroDivisionError: division by zero", "while it ran"),
        ("def f(): f()\nf()", "line 1", "RecursionError", "endlessly"),
        (HAND.replace("w.t()", "w"), "line 7", "shapes cannot be multiplied (5x3 and 2x3)", "matrix product"),
        (HAND.replace(".mean()", ""), "line 8", "(5, 2)|5x2", ".mean()"),
        (HAND.replace(".mean()", ".mean().item()"), "line 8", "float", ".item()"),
        (HAND.replace("w.t()", "w.detach().t()"), "", "depends on no parameter", "cuts the graph"),
        (HAND.replace("preds - targets", "preds - targets[:3]"), "line 9", "must match", "broadcast"),
        (HAND.replace("requires_grad=True", ""), "", "has no parameter", ""),
        (HAND.replace("X = torch.ones(5, 3)", "X = [[1, 2, 3]]"), "", "has no inputs", "torch.tensor(X)"),
        ("a\0b", "", "null bytes", ""),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_a_sentence(
    tmp_path: Path, text: str, place: str, words: str, sentence: str
) -> None:
    error = wrong(tmp_path, text)
    assert error.place == place
    assert any(one in error.own_words for one in words.split("|"))
    assert sentence in error.sentence
    assert error.path == tmp_path / "mine.py"


def test_what_is_no_script_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "latin.py").write_bytes("é = 1".encode("latin-1"))
    (tmp_path / "x.txt").write_text("1")
    (tmp_path / "folder.py").mkdir()
    for name, words in (
        ("latin.py", "UTF-8"),
        ("x.txt", "must end with .py"),
        ("folder.py", "a folder"),
        ("none.py", "no such file"),
    ):
        with pytest.raises(ScriptError, match=words):
            load_script(tmp_path / name)


def test_a_script_that_runs_for_ever_can_be_left(tmp_path: Path) -> None:
    path = script(tmp_path, "import time\ntime.sleep(30)")
    began = time.monotonic()
    with pytest.raises(Abandoned):
        load_script(path, stopped=lambda: time.monotonic() - began > 0.1)
    assert time.monotonic() - began < 5


def test_a_script_that_prints_and_starts_threads_is_survived(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    started = threading.active_count()
    text = 'print("a word")\nimport threading, time\nthreading.Thread(target=time.sleep, args=(1,)).start()\n'
    problem = load_script(script(tmp_path, text + HAND))
    assert problem.printed.lines == ("a word",)
    assert capsys.readouterr() == ("", "")
    assert threading.active_count() == started + 1
    assert Session(problem).apply(RunEpochs(2)).epoch == 2


def test_what_is_odd_is_noted(tmp_path: Path) -> None:
    text = HAND.replace("y = torch.ones(5, 2)", "y = torch.ones(2)\nidle = torch.ones(1, requires_grad=True)")
    text = text.replace("lr = 0.1", "loss_fn(model(X), y).backward()")
    problem = load_script(script(tmp_path, text))
    told = " ".join(problem.notes)
    for words in ("no learning rate", "depends on none of them: idle", "broadcast", "left gradients in w"):
        assert words in told
    assert list(problem.parameters) == ["w"]
    assert problem.parameters["w"].grad is None


def test_a_parameter_without_a_name_is_refused(tmp_path: Path) -> None:
    text = (
        HAND.replace("x @ w.t()", "x @ w.t() * one()")
        + "one = (lambda s: lambda: s)(w[:1, :1].detach().clone().requires_grad_())"
    )
    assert "has no name" in str(wrong(tmp_path, text))


def test_a_changed_or_missing_script_is_refused_in_one_line(tmp_path: Path) -> None:
    path = script(tmp_path, HAND)
    origin = open_session(start_from(str(path))).origin
    assert origin is not None
    assert origin.digest
    assert open_session(origin).origin == origin
    script(tmp_path, HAND + "# edited")
    with pytest.raises(ScriptError, match="has changed since"):
        open_session(origin)
    path.unlink()
    with pytest.raises(ScriptError, match="no such file"):
        open_session(origin)


ODD = """
import argparse
import torch
parser = argparse.ArgumentParser()
parser.add_argument("--many", type=int, default=4)
X = torch.ones(parser.parse_args().many, 3, dtype=torch.complex64)
y = torch.ones(4, 1, dtype=torch.complex64)
w = torch.full((3, 1), 1 + 2j, requires_grad=True)
calls = 0
def model(x):
    global calls
    calls += 1
    if calls == 8:
        exit("enough")
    return x @ w
def loss_fn(preds, targets):
    return (preds - targets).abs().pow(2).mean()
lr = 0.01
"""


def test_a_script_has_no_arguments_of_ours_and_a_model_that_calls_exit_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["gradstep", "mine.py", "--seed", "3"])
    session = Session(load_script(script(tmp_path, ODD)))
    before = session.apply(RunEpochs(3)).parameters[0].value
    for _ in range(3):
        session.apply(Forward())
    with pytest.raises(
        PyTorchError, match=r"calls exit\('enough'\) \(mine.py, line \d+\)\. Remove that line: "
    ):
        session.apply(Forward())
    assert bits(session.frame.parameters[0].value) == bits(before)


def test_complex_parameters_are_compared_and_taken_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["train.py"])  # which the exported script reads
    start = Start(str(script(tmp_path, ODD.replace("calls == 8", "False"))))
    session = open_session(start)
    for action in (ToggleZeroing(), Forward(), Backward(), RunEpochs(3)):
        session.apply(action)
    found = session.twin()
    assert isinstance(found.gaps[0].first, complex)
    assert found.gaps[0].size > 0
    with pytest.raises(BadInput, match="w holds complex numbers"):
        session.pictures().surface(0, 1)
    ends = run(export(start, session.line()).script)
    assert torch.allclose(ends["w"].detach(), session.frame.parameters[0].value)


def test_a_gradient_that_would_be_sparse_is_refused_with_what_to_do(tmp_path: Path) -> None:
    text = """
import torch
X, y = torch.arange(4), torch.ones(4, 2)
model = torch.nn.Embedding(5, 2, sparse=True)
criterion = torch.nn.MSELoss()
"""
    assert "Remove sparse=True" in str(wrong(tmp_path, text))
    assert load_script(script(tmp_path, text.replace(", sparse=True", "")))
