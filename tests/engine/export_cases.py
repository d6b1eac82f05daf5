"""Sessions to export, and what runs the exports."""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st

from gradstep.actions import (
    Action,
    Backward,
    Forward,
    LowerLearningRate,
    MoveStatement,
    NextLine,
    RaiseLearningRate,
    Reset,
    RunEpochs,
    SetBatches,
    SetLearningRate,
    SetOptimizer,
    StepNode,
    StepNodeBack,
    ToggleSetToNone,
    ToggleStatement,
    ToggleZeroing,
    Update,
    Zero,
)
from gradstep.loop.batches import batches_from
from gradstep.loop.loop import Kind
from gradstep.loop.optimizers import HAND, PYTORCH_NAMES, optimizer_from
from gradstep.scripts.loader import load_script
from gradstep.session import Session
from tests import preloaded
from tests.session_strategies import batches, optimizers

F, B, U, Z = Forward(), Backward(), Update(), Zero()
S, BACK = StepNode(), StepNodeBack()

BY_HAND: Final = (F, B, U, Z, RunEpochs(3))
NODE_BY_NODE: Final = (F, *[S] * 6, *[BACK] * 3, *[S] * 4, B, *[BACK] * 4, S, S, B, U)
TAKEN_BACK: Final = (F, S, S, BACK, BACK, Z, *[S] * 9, *[BACK] * 9, U, *[S] * 3, ToggleZeroing(), B, U, Z)
ACCUMULATED: Final = (F, B, F, B, F, *[S] * 11, *[BACK] * 2, B, U, Z, RunEpochs(2))
NOT_ZEROED: Final = (ToggleZeroing(), RunEpochs(4), RaiseLearningRate(), F, NextLine(), RunEpochs(2), F, B)
SET_TO_NONE: Final = (ToggleSetToNone(), F, B, U, Z, RunEpochs(2), ToggleSetToNone(), U, F, B, Z, F)
REORDERED: Final = (
    *(MoveStatement(Kind.ZERO, -1),) * 3,
    *(Z, RunEpochs(2), F, B, Z, RunEpochs(5), F, RunEpochs(1)),
    *(ToggleStatement(Kind.FORWARD), RunEpochs(2), ToggleStatement(Kind.BACKWARD), RunEpochs(3)),
)
INSIDE_A_RUN: Final = (
    *(ToggleZeroing(), ToggleStatement(Kind.UPDATE), RunEpochs(5), *[BACK] * 3, S, *[BACK] * 12),
    *(RunEpochs(2), *[BACK] * 4),
)
RUN_IN_A_PASS: Final = (
    *(F, S, S, RunEpochs(1), F, *[S] * 4, BACK, RunEpochs(3), SetBatches(batches_from("micro(2)"))),
    *(F, S, S, RunEpochs(2), SetBatches(batches_from("full")), *(MoveStatement(Kind.BACKWARD, 1),) * 2),
    *(F, U, Z, S, S, RunEpochs(2), F, U, Z, S, RunEpochs(1), *[BACK] * 2, B),
)
REFUSED: Final = (B, U, Z, F, B, B, S, U, U, Z, NextLine(), NextLine(), NextLine(), B, RunEpochs(2))
RATES: Final = (LowerLearningRate(), F, B, SetLearningRate(3e-4), U, RaiseLearningRate(), NextLine(), F)
DIVERGED: Final = (
    *(F, SetLearningRate(1.0), RunEpochs(100), B, U, F, Z, F, Reset(), F, B, SetLearningRate(1e-5)),
    *(NextLine(), RunEpochs(450), F, S, S, S),
)
MOMENTUM: Final = (
    *(SetOptimizer(optimizer_from("SGD(momentum=0.9, nesterov=True)")), F, B, U, Z, RaiseLearningRate()),
    *(RunEpochs(3), ToggleSetToNone(), U, NextLine(), S, S, B, BACK, B, U, Z, Reset(), U, F, B, U),
)
OPTIMIZERS: Final = tuple(
    one
    for text in ("Adam(amsgrad=True)", "RMSprop(centered=True, momentum=0.5)", *PYTORCH_NAMES, "hand")
    for one in (SetOptimizer(optimizer_from(text)), F, B, U, SetLearningRate(1e-4), RunEpochs(2), U)
)
MICRO: Final = (
    *(SetBatches(batches_from("micro(2)")), *(F, B, F, *[S] * 8, *[BACK] * 3, B, F, B, U, Z), RunEpochs(4)),
    *(F, B, RunEpochs(3), SetBatches(batches_from("micro(2, weight='parts')")), RunEpochs(2), F, F, U, Z),
    *(MoveStatement(Kind.ZERO, -1), MoveStatement(Kind.ZERO, -1), F, B, RunEpochs(3), Z, Reset(), F, B),
    *(SetLearningRate(30.0), RunEpochs(40), Reset(), SetLearningRate(1e-5)),
    *(SetBatches(batches_from("full")), RunEpochs(2)),
)
MINI: Final = (
    *(SetBatches(batches_from("mini(2, shuffle=True, seed=3)")), F, B, U, F, S, S, B, RunEpochs(5), F, B),
    *(SetLearningRate(1.0), RunEpochs(40), Reset(), SetLearningRate(1e-5), RunEpochs(1), RunEpochs(3)),
    *(SetBatches(batches_from("mini(3)")), RunEpochs(3), F, B, U, RunEpochs(1)),
)
ENDED_INSIDE: Final = (F, B, F, *[S] * 9)

SESSIONS: Final = {
    "by hand": BY_HAND,
    "node by node": NODE_BY_NODE,
    "taken back": TAKEN_BACK,
    "accumulated": ACCUMULATED,
    "not zeroed": NOT_ZEROED,
    "set to None": SET_TO_NONE,
    "reordered": REORDERED,
    "inside a run": INSIDE_A_RUN,
    "run in a pass": RUN_IN_A_PASS,
    "refused": REFUSED,
    "rates": RATES,
    "diverged": DIVERGED,
    "ended inside": ENDED_INSIDE,
    "momentum": MOMENTUM,
    "optimizers": OPTIMIZERS,
    "micro-batches": MICRO,
    "mini-batches": MINI,
    "nothing": (),
}

ALL_IN_A_ROW: Final = (
    *(one for name, actions in SESSIONS.items() for one in (*actions, Reset()) if name != "nothing"),
    *ENDED_INSIDE,
)
"""Every session, one after another: the loop's edits add up."""

PERCEPTRON: Final = '''\
"""Two layers: the graph saves the second one's weight, so backward after an update is refused."""

import torch

torch.manual_seed(5)
inputs = torch.randn(4, 2, dtype={dtype})
targets = torch.randn(4, 1, dtype={dtype})
first = torch.randn({width}, 2, dtype={dtype}, requires_grad=True)
bias = torch.zeros({width}, dtype={dtype}, requires_grad=True)
second = torch.randn(1, {width}, dtype={dtype}, requires_grad=True)
learning_rate = 0.05


def model(x):
    return torch.tanh(x @ first.t() + bias) @ second.t()


def loss_fn(preds, targets):
    return ((preds - targets) ** 2).mean()
'''


class Perceptron:
    """A problem of its own, in a file."""

    def __init__(self, folder: Path, width: int = 3, dtype: str = "torch.float32") -> None:
        self.source = PERCEPTRON.format(width=width, dtype=dtype)
        self._path = folder / "perceptron.py"
        self._path.write_text(self.source, encoding="utf-8")

    def session(self) -> Session:
        return Session(load_script(self._path))


WITHOUT_GRADSTEP: Final = """
import runpy, sys
assert not {"gradstep", "gradstep_tui"} & {name.partition(".")[0] for name in sys.modules}
sys.modules["gradstep"] = sys.modules["gradstep_tui"] = None
runpy.run_path(sys.argv[1], run_name="__main__")
"""
"""Runs a script for which gradstep is not installed."""


def run(script: str) -> dict[str, Any]:
    """Run a script here, in a namespace of its own, and give that.

    Raises:
        AssertionError: a number is not the one that was shown.
    """
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(script, "exported.py", "exec"), namespace)
    return namespace


def run_alone(script: str, folder: Path) -> tuple[str, str, int]:
    """Run a script in a process of its own, which cannot import gradstep.

    Returns:
        What it printed, what it wrote to standard error, and its exit code.
    """
    path = folder / "exported.py"
    path.write_text(script, encoding="utf-8")
    ran = preloaded.run(
        [sys.executable, "-c", WITHOUT_GRADSTEP, path.name], cwd=folder, env={"PYTHONPATH": None}
    )
    return ran.stdout, ran.stderr, ran.returncode


def tampered(script: str) -> list[tuple[str, str]]:
    """Give, for each number asserted by `check`, the script with that one changed, and the line changed."""
    changed = []
    for number, call in enumerate(checks_in(ast.parse(script))):
        if any(isinstance(node, ast.Constant) for node in ast.walk(call.args[2])):
            tree = ast.parse(script)
            other = checks_in(tree)[number]
            constants = [node for node in ast.walk(other.args[2]) if isinstance(node, ast.Constant)]
            constants[-1].value = 1.0 if constants[-1].value is None else constants[-1].value * 1.01 + 0.05
            changed.append((ast.unparse(tree), ast.unparse(call)))
    return changed


def checks_in(tree: ast.Module) -> Sequence[ast.Call]:
    """Give the calls of `check` at the top of a script."""
    calls = (node.value for node in tree.body if isinstance(node, ast.Expr))
    return [
        call
        for call in calls
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "check"
    ]


actions: st.SearchStrategy[Action] = st.one_of(
    st.sampled_from([F, B, U, Z, NextLine(), NextLine(), S, S, S, BACK, BACK]),
    st.sampled_from([ToggleZeroing(), ToggleSetToNone(), RaiseLearningRate(), LowerLearningRate(), Reset()]),
    st.builds(RunEpochs, st.integers(1, 5)),
    st.builds(SetOptimizer, st.just(HAND) | optimizers),
    st.builds(SetBatches, batches),
    st.builds(SetLearningRate, st.sampled_from([1e-6, 1e-4, 0.5, 30.0])),
    st.builds(ToggleStatement, st.sampled_from(list(Kind))),
    st.builds(MoveStatement, st.sampled_from(list(Kind)), st.sampled_from([-1, 1])),
)
lines_of_actions = st.lists(st.one_of(actions, st.just(S), st.just(NextLine())), max_size=40)
