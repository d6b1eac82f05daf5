"""Equations of a backward pass: upstream, local derivative, operator, downstream, in the script's names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from gradstep.autograd.source_map import watch_forward
from gradstep.autograd.trace import Trace, record_backward
from gradstep.derivatives import RULES
from gradstep.derivatives.script_formula import in_names
from gradstep.derivatives.tensor_names import TensorNames, operands_of
from gradstep.equations.equation import Equation, Operator
from gradstep.equations.equations import combined, equations_of
from tests.engine.test_derivatives_examples import DTYPES, EXAMPLES, record

PRODUCTS = {Operator.TIMES, Operator.EXPAND, Operator.MATMUL, Operator.MATMUL_LEFT}

ROUNDINGS = {torch.float32: 2e-6, torch.float64: 4e-15}
"""Largest difference, relative to the largest number of a gradient, that rounding explains."""

WHOLE_FORMULAS = {
    "AddmvBackward0",
    "AmaxBackward0",
    "AminBackward0",
    "CumsumBackward0",
    "EmbeddingBackward0",
    "LogSoftmaxBackward0",
    "MvBackward0",
    "NllLoss2DBackward0",
    "NllLossBackward0",
    "RepeatBackward0",
    "SoftmaxBackward0",
}
"""Nodes with gradients that are no single product of what arrived and a local derivative."""


def equations(trace: Trace, loss: str = "") -> Iterator[Equation]:
    names = TensorNames(trace, loss)
    for event in trace.events:
        yield from equations_of(event, trace, names)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", EXAMPLES)
def test_upstream_and_local_combined_as_the_screen_says_give_what_autograd_made(
    name: str, dtype: torch.dtype
) -> None:
    for example in EXAMPLES[name]:
        for equation in equations(record(example, 0, dtype)):
            made, wanted = combined(equation), equation.downstream.value
            if made is None:
                assert equation.operator not in PRODUCTS or not isinstance(equation.upstream.value, Tensor)
                continue
            assert isinstance(wanted, Tensor)
            made = made.broadcast_to(wanted.shape)
            size = wanted.nan_to_num(0, 0, 0).abs().max().item() if wanted.numel() else 0.0
            torch.testing.assert_close(
                made, wanted, rtol=1e-5, atol=ROUNDINGS[dtype] * max(size, 1.0), equal_nan=True
            )


@pytest.mark.parametrize("name", sorted(RULES))
def test_each_gradient_is_a_product_a_move_or_a_sum_but_for_the_nodes_named_here(name: str) -> None:
    used = set[Operator]()
    for example in EXAMPLES[name]:
        trace = record(example, 1, torch.float64)
        names = TensorNames(trace)
        for event in trace.events:
            if getattr(event, "name", "") == name:
                used |= {equation.operator for equation in equations_of(event, trace, names)}
    assert (Operator.RULE in used) == (name in WHOLE_FORMULAS)


def test_an_equation_without_rounding_gives_the_bits_that_autograd_made() -> None:
    for equation in equations(watched()):
        made, wanted = combined(equation), equation.downstream.value
        if made is not None and equation.operator is not Operator.TIMES:
            assert isinstance(wanted, Tensor)
            assert torch.equal(made.broadcast_to(wanted.shape), wanted)


def watched() -> Trace:
    """Record a small model, written as a learner would."""
    torch.manual_seed(0)
    x, y = torch.randn(5, 3), torch.randn(5, 2)
    layer = torch.nn.Linear(3, 2)
    scale = torch.randn(2, requires_grad=True)
    with watch_forward() as sources:
        hidden = torch.tanh(layer(x))
        diff = hidden * scale - y
        loss = (diff * diff).sum() / 10
    leaves = {"layer.weight": layer.weight, "layer.bias": layer.bias, "scale": scale}
    return record_backward(loss, names=leaves, sources=sources)


def test_an_equation_speaks_in_the_scripts_names() -> None:
    told = [
        (
            equation.operator.value,
            equation.upstream.name,
            equation.local.name if equation.local else "",
            equation.downstream.name,
        )
        for equation in equations(watched(), "loss")
        if equation.operator is not Operator.ACCUMULATE
    ]
    assert told == [
        ("times", "loss", "1 / 10", "(diff * diff).sum()"),
        ("expand", "(diff * diff).sum()", "1", "diff * diff"),
        ("times", "diff * diff", "diff", "diff"),
        ("times", "diff * diff", "diff", "diff"),
        ("add", "diff", "", "diff"),
        ("same", "diff", "", "hidden * scale"),
        ("times", "hidden * scale", "scale", "hidden"),
        ("times", "hidden * scale", "hidden", "scale"),
        ("sum", "scale", "", "scale"),
        ("times", "hidden", "1 - hidden ** 2", "layer(x)"),
        ("same", "layer(x)", "", "layer.bias"),
        ("matmul left", "layer(x)", "x.T", "layer.weight.t()"),
        ("sum", "layer.bias", "", "layer.bias"),
        ("move", "layer.weight.t()", "", "layer.weight"),
    ]


def test_no_name_of_pytorchs_sources_is_shown_if_the_script_has_one() -> None:
    shown = " ".join(
        f"{equation.formula} {equation.local.name if equation.local else ''}"
        for equation in equations(watched())
    )
    assert not {"self", "other", "mat1", "mat2", "result", "self_sym_sizes"} & set(
        shown.replace("(", " ").replace(")", " ").replace(".", " ").replace(",", " ").split()
    )


def test_parts_of_a_sequential_model_keep_their_numbers_in_a_formula() -> None:
    assert in_names("g @ mat2.T", {"mat2": "net.2.weight.t()"}) == "g @ net.2.weight"
    assert in_names("2 * self", {"self": "net.0.1.bias * 0.5"}) == "2 * (net.0.1.bias * 0.5)"


def turned_round(x: Tensor) -> Trace:
    """Record a pass of an operator that has its number on the left."""
    with watch_forward() as sources:
        loss = (2 * x).sum()
    return record_backward(loss, names={"x": x}, sources=sources)


def test_a_number_on_the_left_is_the_local_derivative_not_the_tensor_beside_it() -> None:
    product = [*equations(turned_round(torch.randn(3, requires_grad=True)))][1]
    assert product.local is not None
    assert (product.local.name, product.downstream.name) == ("2", "x")


@pytest.mark.parametrize(
    ("expression", "operands"),
    [
        ("a * b", ("a", "b")),
        ("x @ w.t() + b", ("x @ w.t()", "b")),
        ("torch.sum(diff * diff)", ("diff * diff",)),
        ("diff.pow(2)", ("diff", "2")),
        ("F.mse_loss(preds, y)", ("preds", "y")),
        ("self.hidden(x)", ("x",)),
        ("net(x)", ("x",)),
        ("2 * x", ("2", "x")),
        ("torch.cat([a, b], 1)", ("a", "b", "1")),
        ("torch.einsum('ij,jk->ik', a, b)", ("a", "b")),
        ("-x", ("x",)),
        ("w.T", ("w",)),
        ("x[0]", ("x",)),
        ("total += loss", ("total", "loss")),
        ("for", ()),
        ("", ()),
    ],
)
def test_the_tensors_of_an_expression_are_read_from_its_text(
    expression: str, operands: tuple[str, ...]
) -> None:
    assert operands_of(expression) == operands
