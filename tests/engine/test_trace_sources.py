from __future__ import annotations

import linecache
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gradstep.autograd.source_map import SourceMap, watch_forward
from gradstep.autograd.trace import record_backward
from tests.engine.recording_checks import assert_nothing_stays, bits, started


class Squared(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return 2 * grad * x


class SquaredWithSetup(torch.autograd.Function):
    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x * x

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return 2 * grad * x


FILE = "<a learner's cell>"


def told(text: str) -> list[tuple[str, str, int]]:
    """Run a learner's text, which makes `loss`; give each node's name, expression and line."""
    linecache.cache[FILE] = (len(text), None, text.splitlines(keepends=True), FILE)
    names: dict[str, Any] = {
        "torch": torch,
        "X": torch.ones(5, 3),
        "Y": torch.ones(5, 2),
        "w": torch.ones(2, 3, requires_grad=True),
        "b": torch.ones(2, requires_grad=True),
        "Squared": Squared,
        "SquaredWithSetup": SquaredWithSetup,
        "layer": nn.Linear(3, 2),
    }
    with watch_forward() as sources:
        exec(compile(text, FILE, "exec"), names)
    return nodes(names["loss"], sources)


def nodes(loss: Tensor, sources: SourceMap) -> list[tuple[str, str, int]]:
    made = []
    for event in started(record_backward(loss, sources=sources)):
        if event.source is not None:
            assert event.source.file == FILE
            made.append((event.name, event.source.expression, event.source.line))
    return made


def test_each_node_of_one_line_has_its_own_part_of_the_line() -> None:
    assert told("loss = ((X @ w.t() + b - Y)**2).mean()\n") == [
        ("MeanBackward0", "((X @ w.t() + b - Y)**2).mean()", 1),
        ("PowBackward0", "(X @ w.t() + b - Y)**2", 1),
        ("SubBackward0", "X @ w.t() + b - Y", 1),
        ("AddBackward0", "X @ w.t() + b", 1),
        ("MmBackward0", "X @ w.t()", 1),
        ("TBackward0", "w.t()", 1),
    ]


def test_each_line_has_its_own_nodes() -> None:
    assert told("pred = X @ w.t()\ndiff = pred - Y\n\nloss = (diff * diff).sum()\n") == [
        ("SumBackward0", "(diff * diff).sum()", 4),
        ("MulBackward0", "diff * diff", 4),
        ("SubBackward0", "pred - Y", 2),
        ("MmBackward0", "X @ w.t()", 1),
        ("TBackward0", "w.t()", 1),
    ]


def test_an_expression_over_several_lines_is_told_as_one_from_its_first_line() -> None:
    assert told("loss = torch.sum(\n    w\n    * 2\n    + 1\n)\n") == [
        ("SumBackward0", "torch.sum( w * 2 + 1 )", 1),
        ("AddBackward0", "w * 2 + 1", 2),
        ("MulBackward0", "w * 2", 2),
    ]


def test_letters_beyond_ascii_do_not_shift_the_expression() -> None:
    text = "größe = w * 2; écart = größe - 1; loss = (écart * größe).sum()  # 漢字\n"
    assert told(text)[:3] == [
        ("SumBackward0", "(écart * größe).sum()", 1),
        ("MulBackward0", "écart * größe", 1),
        ("SubBackward0", "größe - 1", 1),
    ]


@pytest.mark.parametrize("name", ["Squared", "SquaredWithSetup"])
def test_a_function_of_the_learners_own_is_told_by_its_call(name: str) -> None:
    assert told(f"y = w * 3\nloss = {name}.apply(y).sum()\n") == [
        ("SumBackward0", f"{name}.apply(y).sum()", 2),
        (f"{name}Backward", f"{name}.apply(y)", 2),
        ("MulBackward0", "w * 3", 1),
    ]


def test_what_torch_does_inside_a_module_is_told_by_the_learners_call() -> None:
    expressions = [expression for _, expression, _ in told("loss = layer(X).sum()\n")]
    assert expressions[0] == "layer(X).sum()"
    assert set(expressions[1:]) == {"layer(X)"}


def test_a_function_of_the_learners_is_told_by_its_own_lines() -> None:
    text = "def mse(p, y):\n    diff = p - y\n    return (diff * diff).mean()\n\nloss = mse(X @ w.t(), Y)\n"
    assert ("SubBackward0", "p - y", 2) in told(text)
    assert ("MmBackward0", "X @ w.t()", 5) in told(text)


def test_a_changed_value_is_told_by_its_statement() -> None:
    assert ("AddBackward0", "y += 1", 2) in told("y = w * 2\ny += 1\nloss = y.sum()\n")


def test_code_without_text_still_has_its_line() -> None:
    with watch_forward() as sources:
        names: dict[str, Any] = {"w": torch.ones(2, requires_grad=True)}
        exec(compile("\n\nloss = w.sum()", "<nowhere>", "exec"), names)
    (first, _) = started(record_backward(names["loss"], sources=sources))
    assert first.source is not None
    assert (first.source.expression, first.source.file, first.source.line) == ("", "<nowhere>", 3)


def test_nodes_made_before_watching_have_no_source() -> None:
    early = torch.ones(2, requires_grad=True) * 2
    with watch_forward() as sources:
        loss = early.sum()
    told_sources = [event.source for event in started(record_backward(loss, sources=sources))]
    assert told_sources[0] is not None
    assert told_sources[1:] == [None, None]


def test_a_watched_forward_pass_gives_the_same_bits() -> None:
    def forward() -> Tensor:
        torch.manual_seed(3)
        layer = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Tanh())
        return Squared.apply(layer(torch.randn(5, 3))).mean()

    plain = forward()
    with watch_forward():
        watched = forward()
    assert bits(watched) == bits(plain)


def test_an_error_in_the_forward_pass_leaves_nothing_behind() -> None:
    with pytest.raises(RuntimeError), watch_forward():
        torch.ones(2, requires_grad=True) @ torch.ones(3)
    assert_nothing_stays([])
