from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.utils.checkpoint import checkpoint

from tests.engine.recording_checks import Made, same_as_plain

SCENARIOS: dict[str, Callable[[], Made]] = {}


def scenario(build: Callable[[], Made]) -> Callable[[], Made]:
    def seeded() -> Made:
        torch.default_generator.manual_seed(0)
        return build()

    SCENARIOS[build.__name__] = seeded
    return seeded


def leaf(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(shape, dtype=dtype, requires_grad=True)


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad * 3 * x * x


class InPlaceOnItsGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * 3

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad.mul_(3)


class Once(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * 3

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad * 3


class SumAndDifference(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, factor: float) -> tuple[Tensor, Tensor]:
        ctx.factor = factor
        return (x + y) * factor, (x - y) * factor

    @staticmethod
    def backward(ctx: Any, total: Tensor, difference: Tensor) -> tuple[Tensor | None, ...]:
        return (total + difference) * ctx.factor, (total - difference) * ctx.factor, None


class NoZeros(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> tuple[Tensor, Tensor]:
        ctx.set_materialize_grads(False)
        return x * 2, x * 3

    @staticmethod
    def backward(ctx: Any, two: Tensor | None, three: Tensor | None) -> Tensor | None:
        assert three is None
        return None if two is None else two * 2


class SendsNone(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
        return x + y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor]:
        return None, grad


class SendsWhatItSaved(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(torch.ones(x.shape[::-1]).t() * 5)
        return x * 5

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return ctx.saved_tensors[0]


class MadeInInference(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * 2

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        with torch.inference_mode():
            return grad * 2


class Dirty(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.mark_dirty(x)
        return x.mul_(4)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad * 4


class WithSetup(torch.autograd.Function):
    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x.exp()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad * ctx.saved_tensors[0]


class NestedPass(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(x, y)
        return (x * y).tanh()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        x, y = (saved.detach().requires_grad_() for saved in ctx.saved_tensors)
        with torch.enable_grad():
            again = (x * y).tanh()
        again.backward(grad)
        assert x.grad is not None
        return x.grad, torch.autograd.grad((x * y).sum(), y)[0] if y.grad is None else y.grad


class Fails(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * 1

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        raise RuntimeError("on purpose")


@scenario
def a_plain_regression() -> Made:
    x, w, b = torch.randn(5, 3), leaf(2, 3), leaf(2)
    diff = x @ w.t() + b - torch.randn(5, 2)
    return (diff * diff).sum() / diff.numel(), [w, b]


@scenario
def a_leaf_as_the_loss() -> Made:
    w = leaf()
    return w, [w]


@scenario
def a_parameter_used_three_times() -> Made:
    w = leaf(3)
    return (w * w + w.exp()).sum(), [w]


@scenario
def branches_that_meet_again() -> Made:
    w = leaf(2, 3)
    hidden = w.tanh()
    return (hidden.exp() * hidden + hidden.sum(0)).mean() + hidden[0, 0], [w]


@scenario
def a_column_read_through_its_transpose() -> Made:
    w = leaf(4, 1)
    return (w.t() * torch.arange(4.0)).sum(), [w]


@scenario
def a_column_read_directly_and_through_its_transpose() -> Made:
    w = leaf(4, 1)
    hidden = w * 2
    up = hidden.exp()
    return ((hidden.t() + 1) * torch.arange(4.0)).sum() + up.sum(), [w, hidden]


@scenario
def a_column_whose_gradient_passes_unchanged() -> Made:
    w = leaf(4, 1)
    hidden = w + 1
    return ((hidden + 1).t() * torch.arange(4.0)).sum() + (hidden - 1).t().exp().sum(), [w]


@scenario
def an_existing_grad() -> Made:
    w = leaf(2, 3)
    w.grad = torch.randn(2, 3)
    return (w * 2).sum(), [w]


@scenario
def an_existing_grad_in_another_order_of_memory() -> Made:
    w = leaf(2, 3)
    w.grad = torch.randn(3, 2).t()
    return (w * 2).sum() + w.exp().mean(), [w]


@scenario
def a_negative_zero_in_the_grad() -> Made:
    w = leaf(2)
    return (w * torch.tensor([-0.0, 1.0])).sum(), [w]


@scenario
def nan_and_inf() -> Made:
    w = torch.tensor([0.0, -1.0, 2.0], requires_grad=True)
    return (w.log() + w.sqrt() + 1 / w + w).sum(), [w]


@scenario
def an_empty_parameter() -> Made:
    w, b = leaf(0, 3), leaf(3)
    return (w * b).sum() + b.sum(), [w, b]


@scenario
def an_unused_part_of_unbind() -> Made:
    w = leaf(3, 2)
    first, _, last = (w * 2).unbind()
    return (first * last).sum(), [w]


@scenario
def split_chunk_max_and_var() -> Made:
    w = leaf(4, 3)
    one, two = w.split([1, 3])
    three, _ = w.chunk(2, 1)
    variance, _ = torch.var_mean(w, 0)
    return two.max(0).values.sum() + (one * three.mean()).sum() + variance.sum(), [w]


@scenario
def svd_and_qr() -> Made:
    w = leaf(3, 3)
    _, values, _ = torch.linalg.svd(w)
    return values.sum() + torch.linalg.qr(w)[1].sum(), [w]


@scenario
def views_of_views() -> Made:
    w = leaf(4, 4)
    return w.view(2, 8).t()[1:5].select(1, 0).exp().sum() + w.as_strided((2, 2), (1, 5)).sum(), [w]


@scenario
def written_in_place_through_a_view() -> Made:
    w, v = leaf(3, 3), leaf(3)
    made = w.clone()
    made[1] = v * 2
    made[:, 0].mul_(3)
    made.t()[2].add_(v)
    return made.pow(2).sum(), [w, v]


@scenario
def in_place_on_values() -> Made:
    w = leaf(3)
    made = w * 2
    made.add_(1).mul_(w).relu_()
    return made.sum(), [w]


@scenario
def a_scalar_broadcast_and_mixed_dtypes() -> Made:
    w, v, s = leaf(2, 3), leaf(3, dtype=torch.float64), leaf()
    return (w * v + s).mean() + (w.half() * 2).sum(), [w, v, s]


@scenario
def bfloat16() -> Made:
    w, b = leaf(4, 3, dtype=torch.bfloat16), leaf(3, dtype=torch.bfloat16)
    return (w * b + b).tanh().mean(), [w, b]


@scenario
def complex_numbers() -> Made:
    w = leaf(3, dtype=torch.complex64)
    return (w * w.conj() + w.exp()).real.sum() + (w.imag * w.abs()).sum(), [w]


@scenario
def autocast() -> Made:
    w, x = leaf(4, 4), torch.randn(2, 4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = torch.nn.functional.linear(x, w).relu() @ w
    return out.float().sum(), [w]


@scenario
def a_sparse_grad() -> Made:
    table = leaf(5, 3)
    picked = torch.nn.functional.embedding(torch.tensor([1, 2, 2, 4]), table, sparse=True)
    return (picked * picked).sum(), [table]


@scenario
def a_sparse_grad_upon_a_sparse_grad() -> Made:
    table = leaf(5, 3)
    embedding = torch.nn.functional.embedding
    embedding(torch.tensor([0, 1]), table, sparse=True).sum().backward()
    return embedding(torch.tensor([1, 3]), table, sparse=True).pow(2).sum(), [table]


@scenario
def a_sparse_grad_upon_a_dense_grad() -> Made:
    table = leaf(5, 3)
    table.grad = torch.randn(5, 3)
    return torch.nn.functional.embedding(torch.tensor([1, 3]), table, sparse=True).pow(2).sum(), [table]


@scenario
def sparse_and_dense_paths_to_one_table() -> Made:
    table = leaf(5, 3)
    picked = torch.nn.functional.embedding(torch.tensor([1, 3]), table, sparse=True)
    return picked.pow(2).sum() + table.exp().sum(), [table]


@scenario
def a_sparse_matrix_times_a_dense_one() -> Made:
    w = leaf(3, 2)
    return (torch.eye(3).to_sparse() @ w).exp().sum(), [w]


@scenario
def own_functions() -> Made:
    w, v = leaf(3), leaf(3)
    total, difference = SumAndDifference.apply(Cube.apply(w), Once.apply(v), 0.5)
    return (total * WithSetup.apply(difference)).sum(), [w, v]


@scenario
def own_function_with_only_one_output_used() -> Made:
    w, v = leaf(3), leaf(3)
    return SumAndDifference.apply(w, v, 2.0)[1].sum() + NoZeros.apply(w)[0].sum(), [w, v]


@scenario
def own_function_that_changes_its_gradient_in_place() -> Made:
    w = leaf(3)
    hidden = w * 2
    return InPlaceOnItsGradient.apply(hidden).exp().sum() + (hidden + 1).sum(), [w]


@scenario
def own_function_that_sends_none() -> Made:
    w, v = leaf(3), leaf(3)
    return SendsNone.apply(w * 2, v).sum(), [w, v]


@scenario
def own_function_that_sends_what_it_saved() -> Made:
    w = leaf(4, 1)
    return SendsWhatItSaved.apply(w).sum(), [w]


@scenario
def own_function_that_works_in_place() -> Made:
    w = leaf(3)
    return Dirty.apply(w * 2).exp().sum(), [w]


@scenario
def own_function_that_sends_an_inference_tensor() -> Made:
    w, v = leaf(3), leaf(3)
    return (MadeInInference.apply(w * 2) + MadeInInference.apply(v)).sum(), [w, v]


@scenario
def a_nested_pass() -> Made:
    w, v = leaf(3), leaf(3)
    return NestedPass.apply(w * 2, v.exp()).sum() + (w * v).sum(), [w, v]


@scenario
def hooks_that_look() -> Made:
    w = leaf(3)
    hidden = w * 2
    hidden.register_hook(lambda grad: None)
    w.register_hook(lambda grad: None)
    return hidden.exp().sum(), [w]


@scenario
def hooks_that_change_the_gradient() -> Made:
    w = leaf(3)
    hidden = w * 2
    hidden.register_hook(lambda grad: grad * 10)
    hidden.register_hook(lambda grad: grad + 1)
    w.register_hook(lambda grad: grad.clamp(-1, 1))
    return (hidden.exp() + hidden).sum(), [w]


@scenario
def hooks_that_change_the_gradient_in_place() -> Made:
    w = leaf(3)
    hidden = w * 2
    hidden.register_hook(_scaled)
    return ((hidden + 1) * 3).sum() + w.sum(), [w]


def _scaled(grad: Tensor) -> None:
    grad.mul_(10)


@scenario
def node_hooks() -> Made:
    w = leaf(3)
    hidden = w * 2
    made = hidden.exp()
    assert made.grad_fn is not None
    made.grad_fn.register_prehook(lambda grads: tuple(grad * 2 for grad in grads))
    made.grad_fn.register_hook(lambda grads_out, grads_in: tuple(grad + 1 for grad in grads_out))
    return made.sum() + hidden.sum(), [w]


@scenario
def retained_grads() -> Made:
    w = leaf(3)
    hidden = w * 2
    hidden.retain_grad()
    made = hidden.exp()
    made.retain_grad()
    return (made + hidden).sum(), [w, hidden, made]


@scenario
def a_hook_after_accumulation() -> Made:
    w, v = leaf(3), leaf(3)
    w.register_post_accumulate_grad_hook(lambda parameter: _scaled(parameter.grad))
    return (w * v).sum() + w.exp().sum(), [w, v]


@scenario
def module_hooks() -> Made:
    layer = torch.nn.Linear(3, 2)
    layer.register_full_backward_hook(lambda module, grads_in, grads_out: None)
    layer.register_full_backward_pre_hook(lambda module, grads_out: tuple(g * 2 for g in grads_out))
    w = leaf(4, 3)
    return layer(w * 2).tanh().sum(), [w, *layer.parameters()]


def checkpointed(use_reentrant: bool) -> Made:
    w, v = leaf(3), leaf(3)
    hidden = checkpoint(lambda x: (x * v).tanh() * x, w * 2, use_reentrant=use_reentrant)
    return hidden.sum() + (w * v).sum(), [w, v]


@scenario
def a_checkpoint() -> Made:
    return checkpointed(False)


@scenario
def a_reentrant_checkpoint() -> Made:
    return checkpointed(True)


@scenario
def checkpoint_in_checkpoint() -> Made:
    w = leaf(3)

    def inner(x: Tensor) -> Tensor:
        return x.exp() * w

    def outer(x: Tensor) -> Tensor:
        return checkpoint(inner, x.tanh(), use_reentrant=True) * 2

    return checkpoint(outer, w * 2, use_reentrant=True).sum(), [w]


@scenario
def saved_tensors_with_hooks() -> Made:
    w = leaf(3)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.detach().clone(), lambda t: t):
        made = (w * w).exp()
    with torch.autograd.graph.save_on_cpu():
        return (made * w).sum(), [w]


@scenario
def recurrent_layers() -> Made:
    lstm, gru = torch.nn.LSTM(3, 2), torch.nn.GRU(2, 2, num_layers=2)
    x = leaf(4, 1, 3)
    return gru(lstm(x)[0])[0].sum(), [x, *lstm.parameters(), *gru.parameters()]


@scenario
def vmap() -> Made:
    w, x = leaf(3), torch.randn(4, 3)
    return torch.func.vmap(lambda row: (row * w).tanh().sum())(x).sum(), [w]


@scenario
def a_deep_chain() -> Made:
    w = leaf(2)
    made = w
    for _ in range(3000):
        made = made * 1.0001
    return made.sum(), [w]


@scenario
def a_zero_tensor_gradient() -> Made:
    w = leaf(3)
    return w.sign().sum() + torch.sgn(w).mul(w).sum(), [w]


@scenario
def a_node_that_raises() -> Made:
    w, v = leaf(3), leaf(3)
    return (Fails.apply(w * 2) + v * 3).sum(), [w, v]


@scenario
def a_saved_tensor_changed_in_place() -> Made:
    w, v = leaf(3), leaf(3)
    hidden = w * 2
    made = hidden * hidden
    hidden.add_(1)
    return (made * v).sum() + v.exp().sum(), [w, v]


@scenario
def a_hook_that_raises() -> Made:
    w, v = leaf(3), leaf(3)

    def fails(grad: Tensor) -> None:
        raise RuntimeError("on purpose")

    hidden = w * 2
    hidden.register_hook(fails)
    return (hidden + v).sum(), [w, v]


NOT_IN_PROFILE = {"a_deep_chain"}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_recorded_pass_is_a_plain_pass(name: str) -> None:
    same_as_plain(SCENARIOS[name], ordered=name not in NOT_IN_PROFILE)


TWICE = {
    "a_checkpoint": "checkpoints recompute once",
    "a_node_that_raises": "raises",
    "a_saved_tensor_changed_in_place": "raises",
    "a_hook_that_raises": "raises",
    "a_deep_chain": "slow",
}


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name not in TWICE])
def test_a_second_recorded_pass_is_a_second_plain_pass(name: str) -> None:
    def build() -> Made:
        loss, leaves = SCENARIOS[name]()
        loss.backward(retain_graph=True)
        return loss, leaves

    same_as_plain(build, retain_graph=True)


NO_DOUBLE = {
    "a_reentrant_checkpoint": "refused by PyTorch",
    "own_function_that_changes_its_gradient_in_place": "changes a number that the new graph needs",
    "hooks_that_change_the_gradient_in_place": "changes a number that the new graph needs",
    "a_deep_chain": "slow",
}


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name not in NO_DOUBLE])
@pytest.mark.filterwarnings("ignore:Using backward")
def test_a_recorded_pass_that_builds_a_graph_is_a_plain_one(name: str) -> None:
    same_as_plain(SCENARIOS[name], create_graph=True)


@pytest.mark.parametrize(
    "name", ["a_plain_regression", "own_functions", "in_place_on_values", "a_nested_pass", "hooks_that_look"]
)
def test_a_recorded_pass_for_chosen_inputs_is_a_plain_one(name: str) -> None:
    same_as_plain(SCENARIOS[name], inputs=[0])
