from __future__ import annotations

import linecache
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
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
        "größe": torch.ones(2, requires_grad=True),
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


@pytest.mark.parametrize(
    ("text", "node", "expression"),
    [
        ("loss = torch.sum(\n    w  # the weights\n    * 2  # twice\n)\n", "MulBackward0", "w * 2"),
        ("loss = torch.sum(  # all\n    w * 2,  # twice\n)\n", "SumBackward0", "torch.sum( w * 2, )"),
        ("y = w \\\n    * 2\nloss = y.sum()\n", "MulBackward0", "w * 2"),
        ("y = (w['#' == ' ':]  # '\n    * 2)\nloss = y.sum()\n", "MulBackward0", "w['#' == ' ':] * 2"),
        ("loss = (\n    w\n    .pow(2)\n    .sum()\n)\n", "PowBackward0", "w.pow(2)"),
        ("loss = (\n    w\n    .pow(2)\n    .sum()\n)\n", "SumBackward0", "w.pow(2).sum()"),
        ("loss = (w  # first\n    .pow(\n 2).T.sum())\n", "PermuteBackward0", "w.pow( 2).T"),
        ("loss = (w\n    .T\n    .sum())\n", "PermuteBackward0", "w.T"),
        ("loss = (größe\n    .pow(2).sum())\n", "PowBackward0", "größe.pow(2)"),
        ("y = w * 2\ny[0] = w[1]\nloss = y.sum()\n", "CopySlices", "y[0] = w[1]"),
        ("y = w * 2\ny[0, 1:] = (\n  b[0]\n)\nloss = y.sum()\n", "CopySlices", "y[0, 1:] = ( b[0] )"),
        ("y = w * 2\ny[0], z = w[1], 3\nloss = y.sum()\n", "CopySlices", "y[0], z = w[1], 3"),
        ("y = w * 2\nloss = y[0].sum()\n", "SelectBackward0", "y[0]"),
    ],
)
def test_an_expression_is_whole_and_nothing_else(text: str, node: str, expression: str) -> None:
    assert expression in [said for name, said, _ in told(text) if name.endswith(node)]


def test_an_addition_to_an_element_is_told_as_one_statement() -> None:
    said = told("y = w * 2\ny[0] += w[1]\nloss = y.sum()\n")
    assert {expression for _, expression, _ in said} >= {"y[0] += w[1]", "w[1]"}


def test_a_node_of_another_thread_has_no_source_rather_than_a_wrong_one() -> None:
    with ThreadPoolExecutor(1) as fresh:  # whose nodes are numbered from 0
        fresh.submit(_node_of_another_thread).result()


def _node_of_another_thread() -> None:
    w, made = torch.ones(2, requires_grad=True), list[Tensor]()

    def elsewhere(numbered: int) -> None:
        while (w + 1).grad_fn._sequence_nr() < numbered - 1:
            pass
        made.append(w.exp().sin())

    with watch_forward() as sources:
        here = (w * 2).cos() + w
        thread = threading.Thread(target=elsewhere, args=[here.grad_fn._sequence_nr() - 2])
        thread.start()
        thread.join()
        loss = (here + made[0]).sum()
    found = {event.name: event.source for event in started(record_backward(loss, sources=sources))}
    for other in ("ExpBackward0", "SinBackward0"):
        assert found[other] is None
    for ours in ("MulBackward0", "CosBackward0", "SumBackward0"):
        assert found[ours] is not None


def test_a_file_that_was_edited_since_shows_no_text_of_another_code(tmp_path: Path) -> None:
    file = tmp_path / "edited.py"
    file.write_text("def squared(w):\n    return w * w\n")
    names: dict[str, Any] = {}
    exec(compile(file.read_text(), str(file), "exec"), names)
    file.write_text("def squared(w):\n    return torch.exp(w)\n")
    with watch_forward() as sources:
        loss = names["squared"](torch.ones((), requires_grad=True))
    source = started(record_backward(loss, sources=sources))[0].source
    assert source is not None
    assert (source.expression, source.line) == ("", 2)


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
