"""Names of what a library made for one expression of a script: parts of modules, loops, several results."""

from __future__ import annotations

import linecache
import weakref
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import torch
from torch import nn

from gradstep.autograd.events import ACCUMULATE_GRAD, NodeEvent
from gradstep.autograd.source_map import watch_forward
from gradstep.autograd.trace import Trace, record_backward
from gradstep.derivatives.tensor_names import TensorNames
from gradstep.derivatives.value_names import ScriptNames
from gradstep.derivatives.worksheet import worksheet_for
from gradstep.equations.equations import equations_of
from gradstep.recordings.event_records import StoredNodeEvent, stored_event
from gradstep.recordings.tensor_table import TensorTable
from tests.engine.recording_checks import started

FILE = "<a script with modules>"

BLOCKS = """
class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
    def forward(self, x):
        return x + self.net(x)

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([Block(), Block()])
    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x

net = Model()
loss = net(X).sum()
"""

FUNCTIONAL = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(3, 4), nn.Linear(4, 2)
    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = self.fc2(x)
        return F.log_softmax(x, dim=1)

net = Net()
loss = F.nll_loss(net(X), torch.tensor([0, 1]))
"""

SEQUENTIAL = """
net = nn.Sequential(nn.Linear(3, 4), nn.LeakyReLU(), nn.Dropout(0.5), nn.Linear(4, 2))
loss = net(X).sum()
"""

ENCODER = """
net = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True)
loss = net(torch.ones(2, 3, 4)).sum()
"""

RECURRENT = """
h, w = torch.zeros(2, 2), torch.ones(2, 2, requires_grad=True)
for x in torch.ones(3, 2, 2):
    h = torch.tanh(x + h @ w)
loss = h.sum()
"""

SPLIT = """
w = torch.ones(3, requires_grad=True)
q, k = (X * w).split(1)
loss = (q @ k.t()).sum()
"""

WHOLE = """
w = torch.ones(4, 3, requires_grad=True)
loss = ((X * 2).expand(5, 2, 3) @ w.t()).sum()
"""

EVERY = {
    "blocks": BLOCKS,
    "functional": FUNCTIONAL,
    "sequential": SEQUENTIAL,
    "encoder": ENCODER,
    "recurrent": RECURRENT,
    "split": SPLIT,
    "whole": WHOLE,
}

INTERNAL = {"self", "mat1", "mat2", "other", "input", "self_sym_sizes"}


def recorded(text: str) -> Trace:
    torch.manual_seed(0)
    linecache.cache[FILE] = (len(text), None, text.splitlines(keepends=True), FILE)
    names: dict[str, Any] = {"torch": torch, "nn": nn, "F": nn.functional, "X": torch.ones(2, 3)}
    with watch_forward() as sources:
        exec(compile(text, FILE, "exec"), names)
    leaves = dict(names["net"].named_parameters(prefix="net")) if "net" in names else {"w": names["w"]}
    running = record_backward(names["loss"], names=leaves, sources=sources)
    started(running)
    return running


def told(text: str) -> list[tuple[str, str]]:
    """Give each node's name and the words for what its forward operation made, but for parameters."""
    trace = recorded(text)
    names = TensorNames(trace, "loss")
    return [(event.name.partition("Backward")[0], names.words_for_result(event)) for event in nodes(trace)]


def nodes(trace: Trace) -> Iterator[NodeEvent]:
    for event in trace.events:
        if isinstance(event, NodeEvent) and event.name not in (ACCUMULATE_GRAD, "TBackward0"):
            yield event


def test_a_part_of_a_sequential_is_told_by_its_place_and_the_first_one_by_its_input() -> None:
    assert told(SEQUENTIAL) == [
        ("Sum", "loss"),
        ("Addmm", "net(X)"),
        ("Mul", "net[2](...)"),
        ("LeakyRelu", "net[1](...)"),
        ("Addmm", "net[0](X)"),
    ]


def test_the_mask_of_a_dropout_is_not_taken_for_the_input_of_the_model() -> None:
    trace = recorded(SEQUENTIAL)
    names = TensorNames(trace)
    (mul,) = (event for event in nodes(trace) if event.name == "MulBackward0")
    assert names.of_input(mul, 0) == "net[1](...)"
    assert names.of_input(mul, 1) == ""


def test_a_variable_that_is_assigned_again_is_told_by_its_expressions() -> None:
    assert told(FUNCTIONAL) == [
        ("NllLoss", "loss"),
        ("LogSoftmax", "F.log_softmax(x, dim=1)"),
        ("Addmm", "self.fc2(x)"),
        ("Relu", "F.relu(self.fc1(x))"),
        ("Addmm", "self.fc1(x)"),
    ]


def test_modules_that_one_expression_calls_in_turn_have_their_whole_names() -> None:
    assert told(BLOCKS) == [
        ("Sum", "loss"),
        ("Add", "x + self.net(x) #2"),
        ("Relu", "net.blocks[1].net(x)"),
        ("Addmm", "net.blocks[1].net[0](x)"),
        ("Add", "x + self.net(x) #1"),
        ("Relu", "net.blocks[0].net(x)"),
        ("Addmm", "net.blocks[0].net[0](x)"),
    ]


def test_the_state_of_a_recurrent_network_keeps_its_name_and_gets_a_number() -> None:
    assert [name for kind, name in told(RECURRENT) if kind == "Tanh"] == ["h #3", "h #2", "h #1"]


def test_each_of_several_results_of_one_call_has_its_own_variable() -> None:
    trace = recorded(SPLIT)
    names = TensorNames(trace)
    (product,) = (event for event in nodes(trace) if event.name == "MmBackward0")
    assert names.of_input(product, 0) == "q"
    assert names.of_input(product, 1) == "k.t()"


def test_nodes_within_one_operator_are_told_by_the_operator() -> None:
    assert told(WHOLE)[1:] == [
        ("UnsafeView", "(X * 2).expand(5, 2, 3) @ w.t()"),
        ("Mm", "Mm in (X * 2).expand(5, 2, 3) @ w.t()"),
    ]


def test_what_a_deep_part_of_a_module_made_is_told_by_its_path() -> None:
    made = dict.fromkeys(name for _, name in told(ENCODER))
    assert {"net.norm1(...)", "net.linear2(...)", "Addmm in net.self_attn"} <= made.keys()


@pytest.mark.parametrize("name", EVERY)
def test_no_gradient_has_the_same_name_before_and_after_a_node(name: str) -> None:
    trace = recorded(EVERY[name])
    names = TensorNames(trace, "loss")
    for event in nodes(trace):
        for equation in equations_of(event, trace, names):
            assert equation.upstream.name
            assert equation.downstream.name
            assert equation.upstream.name != equation.downstream.name


@pytest.mark.parametrize("name", EVERY)
def test_no_formula_and_no_sentence_has_a_name_out_of_pytorch(name: str) -> None:
    trace = recorded(EVERY[name])
    names = TensorNames(trace, "loss")
    for event in nodes(trace):
        sheet = worksheet_for(event)
        if sheet is None:
            continue
        for equation in equations_of(event, trace, names):
            local = "" if equation.local is None else equation.local.name
            words = set(f"{equation.formula} {local}".replace("(", " ").replace(")", " ").split())
            assert not words & INTERNAL
        script_names = ScriptNames(event, sheet, names)
        assert not {script_names.prose(name) for name in INTERNAL & sheet.values.keys()} & INTERNAL


def test_a_file_keeps_which_part_of_a_module_made_a_node() -> None:
    trace = recorded(SEQUENTIAL)
    for event in nodes(trace):
        stored = stored_event(event, TensorTable())
        assert isinstance(stored, StoredNodeEvent)
        assert event.source is not None
        read = msgspec.msgpack.decode(msgspec.msgpack.encode(stored), type=StoredNodeEvent)
        assert (read.part, read.called) == (event.source.part, event.source.called)


def test_watching_a_module_keeps_none_of_its_tensors_alive() -> None:
    freed = []

    class Kept(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            made = x * 2
            made.register_hook(lambda grad: grad)
            freed.append(made)
            return made.sum()

    net = nn.Sequential(nn.ReLU(), Kept())
    with watch_forward() as sources:
        net(torch.ones(3, requires_grad=True))
    gone = weakref.ref(freed.pop())
    sources.forget()
    assert gone() is None
