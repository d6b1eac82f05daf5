"""What a learner takes home runs without gradstep, and comes to every number that was shown."""

from __future__ import annotations

import ast
import csv
import io
import math
import random
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from symtable import symtable
from typing import Any

import nbformat
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbclient import NotebookClient

from gradstep import problems
from gradstep.actions import (
    Action,
    Reset,
    RunEpochs,
    SetBatches,
    SetLearningRate,
    SetOptimizer,
    StepNode,
    ToggleStatement,
    ToggleZeroing,
    Undo,
)
from gradstep.errors import EngineError
from gradstep.exports import export
from gradstep.exports.code.name_conflicts import LOOPS, OWN
from gradstep.exports.code.number_literals import flat, number_literal
from gradstep.exports.code.start_lines import start_cell
from gradstep.exports.export import Export, export_from
from gradstep.exports.narration import retell
from gradstep.exports.recording.moments import moments_of
from gradstep.loop.batches import batches_from
from gradstep.loop.loop import Kind
from gradstep.loop.optimizers import optimizer_from
from gradstep.opening import open_session
from gradstep.session import Session
from gradstep.start import Start
from tests.engine.export_cases import (
    ALL_IN_A_ROW,
    BACK,
    BY_HAND,
    MOMENTUM,
    NODE_BY_NODE,
    REFUSED,
    SESSIONS,
    B,
    F,
    Perceptron,
    S,
    U,
    Z,
    checks_in,
    lines_of_actions,
    run,
    run_alone,
    tampered,
)
from tests.engine.recording_checks import bits


def after(session: Session, actions: Sequence[Action]) -> Session:
    for action in actions:
        try:
            session.apply(action)
        except EngineError:
            continue
    return session


def refuses(script: str) -> bool:
    """Whether a script finds that a number is not the one that was shown."""
    try:
        run(script)
    except AssertionError:
        return True
    return False


def asserts(lines: Sequence[str]) -> dict[str, str]:
    """Give what lines of an export assert by `check`: the name of a number, and its text.

    Of numbers that share a name, as at two nodes of a kind, each has a key of its own as well.
    """
    calls = checks_in(ast.parse("\n".join(lines)))
    texts = [(ast.literal_eval(call.args[0]), *map(ast.unparse, call.args[1:])) for call in calls]
    return {name: text for name, _, text in texts} | {expression: text for _, expression, text in texts}


def text_of(value: object) -> str:
    """Give a number's text as `asserts` has it."""
    return ast.unparse(ast.parse(flat(number_literal(value)), mode="eval"))


def assert_same_end(namespace: dict[str, Any], session: Session) -> None:
    """A script that ran has, bit for bit, what the session has; inside a pass, but for the gradients."""
    frame = session.frame
    for one in frame.parameters:
        assert bits(namespace[one.name]) == bits(one.value)
        if not frame.in_pass:
            assert bits(namespace[one.name].grad) == bits(one.grad)
        if not frame.loop.optimizer.by_hand:
            remembered = namespace["optimizer"].state.get(namespace[one.name], {})
            assert {name: bits(value) for name, value in remembered.items()} == {
                name: bits(value) for name, value in one.memory.items()
            }
    assert ("loss" in namespace) == (frame.loss is not None)
    if frame.loss is not None:
        assert str(namespace["loss"].item()) == str(frame.loss)
        assert bits(namespace["preds"]) == bits(frame.preds)
    assert namespace["lr"] == frame.learning_rate


@pytest.mark.parametrize(
    ("name", "seed"), [*((name, None) for name in SESSIONS), ("by hand", 7), ("mini-batches", 7)]
)
def test_a_script_comes_to_the_same_bits(name: str, seed: int | None) -> None:
    start = Start(seed=seed)
    namespace = run(export(start, SESSIONS[name]).script)
    assert_same_end(namespace, after(open_session(start), SESSIONS[name]))


@cache
def all_in_a_row() -> Export:
    """Every session, one after another, as it is exported."""
    return export(Start(), ALL_IN_A_ROW)


def test_a_script_runs_in_a_python_without_gradstep(tmp_path: Path) -> None:
    told = run_alone(all_in_a_row().script, tmp_path)
    assert told == ("All numbers match those in the session.\n", "", 0)


def test_a_script_with_a_wrong_number_ends_with_an_error() -> None:
    wrong = export(Start(), BY_HAND).script.replace("5997.71875", "5999.71875")
    with pytest.raises(AssertionError, match="losses"):
        run(wrong)


def test_a_notebook_runs_from_top_to_bottom() -> None:
    notebook = nbformat.reads(all_in_a_row().notebook, as_version=4)
    nbformat.validate(notebook)
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    (output,) = notebook.cells[-1].outputs
    assert output.text == "All numbers match those in the session.\n"


def test_a_notebook_has_the_lines_of_the_script() -> None:
    made = all_in_a_row()
    notebook = nbformat.reads(made.notebook, as_version=4)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert ast.unparse(ast.parse("\n".join(code))) == ast.unparse(ast.parse(made.script))
    assert notebook.metadata.kernelspec.name == "python3"


def test_the_same_session_gives_the_same_files() -> None:
    assert export(Start(), ALL_IN_A_ROW) == all_in_a_row()


def test_an_export_leaves_the_random_numbers_alone() -> None:
    before, others = torch.get_rng_state(), (random.getstate(), repr(np.random.get_state()))
    export(Start(seed=1), BY_HAND)
    assert torch.equal(torch.get_rng_state(), before)
    assert (random.getstate(), repr(np.random.get_state())) == others


@pytest.mark.parametrize("name", ["by hand", "node by node", "accumulated", "inside a run"])
def test_a_number_that_was_not_shown_stops_the_script(name: str) -> None:
    scripts = tampered(export(Start(), SESSIONS[name]).script)
    assert len(scripts) > 10
    for script, line in scripts[:: max(1, len(scripts) // 6)]:
        assert refuses(script), f"this passed: {line}"


@given(seed=st.none() | st.integers(0, 5), rate=st.sampled_from([None, 1e-3, 1.0]), line=lines_of_actions)
@settings(max_examples=18)
def test_any_session_can_be_taken_home(seed: int | None, rate: float | None, line: list[Action]) -> None:
    start = Start(seed=seed, rate=rate)
    assert_same_end(run(export(start, line).script), after(open_session(start), line))


@given(line=lines_of_actions)
@settings(max_examples=18, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_session_with_what_pytorch_refuses_half_way_can_be_taken_home(
    tmp_path: Path, line: list[Action]
) -> None:
    problem = Perceptron(tmp_path)
    script = export_from(problem.session, problem.source, line).script
    assert_same_end(run(script), after(problem.session(), line))


@given(line=lines_of_actions)
@settings(max_examples=18)
def test_after_every_action_all_that_the_bench_shows_has_been_asserted(line: list[Action]) -> None:
    moments = moments_of(open_session(Start()), line)
    asserted = asserts(start_cell(open_session(Start()).frame, None, kept=False).lines)
    for moment, cell in zip(moments, retell(moments), strict=False):
        asserted |= asserts(cell.lines)
        frame = moment.after
        for one in frame.parameters:
            assert asserted[one.name] == text_of(one.value)
            assert asserted[f"{one.name}.grad"] == text_of(one.grad)
            for part, value in one.memory.items():
                assert asserted[f"optimizer.state[{one.name}]['{part}']"] == text_of(value)
        if frame.preds is not None:
            assert asserted["preds"] == text_of(frame.preds)
            assert asserted["loss"] == text_of(frame.loss)
        step = None if frame.backward is None else frame.backward.step
        if step is not None and moment.error is None and isinstance(moment.action, StepNode):
            for operand in step.results:
                assert operand.name == "sum" or text_of(operand.value) in asserted.values()


def test_a_pass_that_breaks_off_is_repeated_with_what_it_left(tmp_path: Path) -> None:
    problem = Perceptron(tmp_path)
    line = (F, B, F, U, B, S, U, F, *[S] * 30, *[BACK] * 5, RunEpochs(2))
    script = export_from(problem.session, problem.source, line).script
    assert 'assert "modified by an inplace operation" in str(error), error' in script
    assert_same_end(run(script), after(problem.session(), line))


@pytest.mark.parametrize(("width", "dtype"), [(1100, "torch.float32"), (3, "torch.float64")])
def test_large_tensors_and_other_dtypes_are_asserted(tmp_path: Path, width: int, dtype: str) -> None:
    problem = Perceptron(tmp_path, width, dtype)
    line = (F, *[S] * 30, U, F, B, B, ToggleZeroing(), RunEpochs(3))
    script = export_from(problem.session, problem.source, line).script
    assert_same_end(run(script), after(problem.session(), line))
    assert len(script) < 40_000
    if width == 1100:
        assert "assert first.shape == (1100, 2)" in script
        assert "# 2,200 elements: only their shape, sum and norm are checked." in script


def test_what_pytorch_refused_is_refused_again() -> None:
    script = export(Start(), REFUSED).script
    assert script.count("except NameError as error:") == 1
    assert script.count("except TypeError as error:") == 1
    assert script.count("except AttributeError as error:") == 1
    assert "backward through the graph a second time" in script


def test_a_run_is_the_loop_as_it_then_stood() -> None:
    line = (ToggleZeroing(), ToggleStatement(Kind.UPDATE), F, RunEpochs(4), SetLearningRate(1e-4))
    assert re.sub(r"check\(.*?\n(?=\w|#|\n)", "", export(Start(), line).script, flags=re.DOTALL).endswith(
        """
# 4. Run 4 epochs
loss.backward()
losses = []
for epoch in range(3):
    preds = model(inputs)
    loss = mse(preds, targets)
    losses.append(loss.item())
    loss.backward()
    # with torch.no_grad():
    #     w -= w.grad * lr
    #     b -= b.grad * lr
    # w.grad.zero_()
    # b.grad.zero_()

# 5. Learning rate 0.0001
lr = 0.0001

# All done
print("All numbers match those in the session.")
"""
    )


def test_of_a_long_run_a_sample_of_the_losses_is_asserted() -> None:
    script = export(Start(), [RunEpochs(1001)]).script
    assert "# Of 1,001 losses, one in 6 is checked, beginning with the first, and the last.\n" in script
    assert "assert len(losses) == 1001\n" in script
    run(script)


def test_a_session_that_ends_inside_a_pass_says_so_and_asserts_what_was_shown() -> None:
    script = export(Start(), (F, S, S)).script
    assert "The session ended inside a backward pass." in " ".join(script.replace("\n#", "").split())
    assert "SumBackward0 gives" in script
    assert "MulBackward0 gives" not in script
    assert 'check("w.grad", w.grad, [[' not in script


def test_helpers_come_only_where_they_are_needed() -> None:
    plain, stepped = export(Start(), (F, B, U)).script, export(Start(), (F, S)).script
    assert "def note" not in plain
    assert "def watch" not in plain
    assert "def watch" in stepped


@pytest.mark.parametrize("name", problems.names())
def test_the_problems_leave_the_exports_names_alone(name: str) -> None:
    source = problems.path_of(name).read_text(encoding="utf-8")
    # What is local to a function is its own; it is the script's top level that an export goes on from.
    defined = {one.get_name() for one in symtable(source, name, "exec").get_symbols() if one.is_assigned()}
    assert {"targets"} <= defined or {"y"} <= defined
    assert not defined & (OWN | LOOPS)
    assert source.rstrip() in export(Start(problem=name), ()).script


def test_a_script_imports_nothing_but_torch_and_names_no_folder() -> None:
    script = all_in_a_row().script
    imports = [node for node in ast.walk(ast.parse(script)) if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert [ast.unparse(one) for one in imports] == ["import torch"]
    assert str(Path.cwd()) not in script
    assert str(Path.home()) not in script
    assert max(map(len, script.splitlines())) <= 110


def test_undo_has_no_place_in_an_export() -> None:
    with pytest.raises(ValueError, match="undone"):
        export(Start(), (F, Undo()))


def losses(start: Start, actions: Sequence[Action]) -> list[str]:
    rows = list(csv.reader(io.StringIO(export(start, actions).losses)))
    assert rows[0] == ["epoch", "loss"]
    assert [row[0] for row in rows[1:]] == [str(epoch) for epoch in range(1, len(rows))]
    return [row[1] for row in rows[1:]]


def test_the_loss_history_has_every_digit() -> None:
    told = losses(Start(), BY_HAND)
    assert told[:2] == ["18746.5390625", "12756.552734375"]
    session = after(open_session(Start()), BY_HAND)
    assert [float(one) for one in told] == [session.frame.losses[epoch] for epoch in range(4)]


def test_an_epoch_without_a_loss_is_empty_and_a_diverged_one_is_inf_or_nan() -> None:
    without = (F, B, U, ToggleStatement(Kind.FORWARD), ToggleStatement(Kind.BACKWARD), RunEpochs(3), F)
    told = losses(Start(), without)
    assert told[0] == "18746.5390625"
    assert told[1:-1] == [""] * len(told[1:-1])
    assert len(told) > 2
    assert math.isfinite(float(told[-1]))
    assert losses(Start(rate=1.0), [RunEpochs(100)])[-1] == "inf"
    assert losses(Start(rate=1e30), [F, B, U, F, B, U, F])[-1] in ("inf", "nan")
    assert losses(Start(rate=1e30), [F, B, U, F, B, U, F, B, U, F])[-1] == "nan"


LINEAR = """\
import torch
from torch import nn

X, y = torch.ones(4, 3), torch.arange(4.0).reshape(4, 1)
model = nn.Linear(3, 1)
criterion = nn.MSELoss()
"""
SEQUENTIAL = LINEAR.replace("nn.Linear(3, 1)", "nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 1))")
SHARED_NAMES = LINEAR.replace("model =", "layer =") + (
    "weight, bias = torch.tensor(2.0), torch.zeros(1, requires_grad=True)\n"
    "model = lambda x: layer(x) * weight + bias\n"
)
RECURRENT = """\
import torch
from torch import nn

X, y = torch.linspace(-1, 1, 24).reshape(4, 2, 3), torch.ones(4, 2, 2)
layer = nn.{kind}(3, 2)
model = lambda x: layer(x)[0]
criterion = nn.MSELoss()
"""
DRAWING = """\
import torch
from torch import nn

class Counted(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("passes", torch.zeros(()))

    def forward(self, x):
        self.passes += 1
        return x / self.passes

X, y = torch.randn(8, 3), torch.randn(8, 1)
model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), Counted(), nn.Linear(4, 1))
criterion = nn.MSELoss()
"""
"""A model that draws random numbers, and one that keeps a number in a buffer."""

EMPTY_INSIDE = (
    *(SetOptimizer(optimizer_from("Adam")), SetBatches(batches_from("micro(2)")), RunEpochs(2)),
    *(ToggleStatement(Kind.FORWARD), ToggleStatement(Kind.BACKWARD), RunEpochs(3)),
)


@pytest.mark.parametrize("script", [LINEAR, SEQUENTIAL, SHARED_NAMES])
def test_a_module_s_own_names_are_found_in_an_export(script: str, tmp_path: Path) -> None:
    """Also where they are the script's own too, no Python, or all of the inner loop is commented out."""
    path = tmp_path / "own.py"
    path.write_text(script, encoding="utf-8")
    start = Start(str(path))
    for actions in (BY_HAND, NODE_BY_NODE, (*MOMENTUM, Reset(), F, B), EMPTY_INSIDE):
        run(export(start, actions).script)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_no_memory_that_a_library_works_in_is_asserted(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "recurrent.py"
    path.write_text(RECURRENT.format(kind=kind), encoding="utf-8")
    start, line = Start(str(path)), (F, *[S] * 80, U, Z, RunEpochs(2))
    script = export(start, line).script
    assert "28,672 elements" not in script  # an LSTM layer's, of oneDNN
    # Of a weight that every step uses, the paths are added up before it is written to.
    assert ('AccumulateGrad"][0]' in script) is (kind != "LSTM")
    namespace = run(script)
    assert bits(namespace["loss"]) == bits(torch.tensor(after(open_session(start), line).frame.loss))


@pytest.mark.parametrize("seed", [None, 3])
def test_a_reset_draws_the_same_random_numbers_again(seed: int | None, tmp_path: Path) -> None:
    path = tmp_path / "drawing.py"
    path.write_text(DRAWING, encoding="utf-8")
    start = Start(str(path), seed)
    for line in (
        (*BY_HAND, Reset(), *NODE_BY_NODE, Reset(), RunEpochs(3), F, B),
        (
            F,
            F,
            Reset(),
            F,
            Reset(),
            Reset(),
            *(SetBatches(batches_from("mini(3, shuffle=True)")), RunEpochs(2)),
        ),
        (*(SetLearningRate(1e30), RunEpochs(5), Reset(), SetLearningRate(0.1)), RunEpochs(3)),
    ):
        session = after(open_session(start), line)
        namespace = run(export(start, line).script)
        assert str(namespace["loss"].item()) == str(session.frame.loss)
        assert bits(namespace["parameters"]["0.weight"]) == bits(session.frame.parameters[0].value)


OWN_WORDS = """\
import torch

X, y = torch.linspace(-1, 1, 15).reshape(5, 3), torch.linspace(0, 1, 5).reshape(5, 1)
i = torch.ones(1, 3, requires_grad=True)
g = torch.zeros(1, requires_grad=True)
old = torch.ones(1, requires_grad=True)
new = [torch.ones(1, requires_grad=True)]
order = p = at_start = rng_at_start = drawn = check = note = watch = came = made = saved = 2.0
summary = losses = parts = parameters = error = RTOL = ATOL = LOSS_ATOL = LARGEST = inf = nan = 2.0


def model(x):
    for one in (order, p, at_start, rng_at_start, drawn, check, note, watch, came, made, saved, summary,
                losses, parts, parameters, error, RTOL, ATOL, LOSS_ATOL, LARGEST, inf, nan):
        assert one == 2.0
    return torch.dropout(torch.tanh(x @ i.t() + g), 0.2, True) * old + new[0]


def loss_fn(preds, targets):
    return ((preds - targets) ** 2).mean()


learning_rate = 0.05
"""
"""Every name that an export has of its own is one that the script needs."""


@pytest.mark.parametrize("name", ["node by node", "refused", "mini-batches", "micro-batches"])
def test_names_of_the_script_s_own_stay_its_own(name: str, tmp_path: Path) -> None:
    path = tmp_path / "own_words.py"
    path.write_text(OWN_WORDS, encoding="utf-8")
    start, line = Start(str(path)), (*SESSIONS[name], Reset(), F)
    session = after(open_session(start), line)
    namespace = run(export(start, line).script)
    assert {namespace[one] for one in (OWN | {"order", "p"}) - {"old", "new"}} == {2.0}
    for one, key in zip(session.frame.parameters, ("i", "g", "old"), strict=False):
        assert bits(namespace[key]) == bits(one.value)
    assert str(namespace["loss"].item()) == str(session.frame.loss)


def test_where_nothing_is_drawn_a_script_tells_of_no_generator() -> None:
    assert "rng" not in export(Start(seed=3), (*BY_HAND, Reset(), F)).script
