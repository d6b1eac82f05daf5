"""Programs that make each kind of node that has a rule."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from gradstep.autograd.events import ACCUMULATE_GRAD, NodeEvent
from gradstep.autograd.source_map import watch_forward
from gradstep.autograd.trace import Trace, record_backward
from gradstep.derivatives import RULES

SEEDS = range(4)
DTYPES = (torch.float32, torch.float64)


@dataclass(frozen=True)
class Make:
    """Makes the leaves of an example."""

    seed: int
    dtype: torch.dtype

    def __post_init__(self) -> None:
        # Thousands of times; `torch.manual_seed` also formats a traceback for each other kind of device.
        torch.default_generator.manual_seed(self.seed)

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(shape, dtype=self.dtype).requires_grad_()

    def positive(self, *shape: int) -> Tensor:
        return (torch.rand(shape, dtype=self.dtype) + 0.1).requires_grad_()

    def kinked(self, *shape: int) -> Tensor:
        """Small whole numbers: zeros, ties, both signs."""
        return torch.randint(-2, 3, shape).to(self.dtype).requires_grad_()

    def data(self, *shape: int) -> Tensor:
        return torch.randn(shape, dtype=self.dtype)

    def chances(self, *shape: int) -> Tensor:
        return torch.rand(shape, dtype=self.dtype)

    def places(self, below: int, *shape: int) -> Tensor:
        return torch.randint(0, below, shape)


Example = Callable[[Make], Tensor | tuple[Tensor, ...] | list[Tensor]]

BROADCAST = [
    ((3, 4), (3, 4)),
    ((3, 4), (4,)),
    ((3, 1), (1, 4)),
    ((), (2, 3)),
    ((5,), ()),
    ((2, 1, 3), (4, 1)),
    ((), ()),
]


def pairs(operation: Callable[[Tensor, Tensor], Tensor], right: str = "normal") -> list[Example]:
    """Examples of an operation on two tensors that broadcast; both, the first or the second need one."""
    examples: list[Example] = []
    for one, two in BROADCAST:
        examples += [
            lambda m, one=one, two=two: operation(m.normal(*one), getattr(m, right)(*two)),
            lambda m, one=one, two=two: operation(m.normal(*one).detach(), getattr(m, right)(*two)),
            lambda m, one=one, two=two: operation(m.normal(*one), getattr(m, right)(*two).detach()),
        ]
    return examples


def each(operation: Callable[[Tensor], Tensor], kind: str = "normal") -> list[Example]:
    """Examples of an operation on one tensor, of several shapes."""
    shapes = [(), (1,), (7,), (3, 4), (2, 3, 5), (33, 17), (0, 3)]
    return [lambda m, shape=shape: operation(getattr(m, kind)(*shape)) for shape in shapes]


def dims(operation: Callable[..., Tensor], kind: str = "normal") -> list[Example]:
    """Examples of a reduction over one or several dims, which are dropped or kept."""
    chosen = [0, 1, -1, (0,), (0, 1), (-1, 0), (0, 1, 2)]
    return [
        lambda m, dim=dim, keep=keep: operation(getattr(m, kind)(2, 3, 4), dim=dim, keepdim=keep)
        for dim in chosen
        for keep in (False, True)
    ]


def one_dim(operation: Callable[..., Tensor], kind: str = "normal") -> list[Example]:
    return [
        lambda m, dim=dim, keep=keep: operation(getattr(m, kind)(3, 4), dim=dim, keepdim=keep)
        for dim in (0, 1, -1)
        for keep in (False, True)
    ]


def products(
    operation: Callable[[Tensor, Tensor], Tensor], *shapes: tuple[tuple[int, ...], ...]
) -> list[Example]:
    """Examples of a product: row-major and column-major operands, each with and without a gradient."""
    examples: list[Example] = []
    for left, right in shapes:
        for flip_left in (False, True):
            for flip_right in (False, True):
                for needs in ("both", "left", "right"):

                    def example(
                        m: Make, left=left, right=right, fl=flip_left, fr=flip_right, needs=needs
                    ) -> Tensor:
                        a, b = _matrix(m, left, fl), _matrix(m, right, fr)
                        return operation(
                            a.detach() if needs == "right" else a, b.detach() if needs == "left" else b
                        )

                    examples.append(example)
    return examples


def _matrix(m: Make, shape: tuple[int, ...], flipped: bool) -> Tensor:
    if len(shape) < 2 or not flipped:
        return m.normal(*shape)
    return m.normal(*shape[:-2], shape[-1], shape[-2]).transpose(-1, -2)


MATRICES = [((5, 3), (3, 2)), ((1, 4), (4, 1)), ((17, 9), (9, 33)), ((64, 50), (50, 10))]
BATCHES = [((2, 3, 4), (2, 4, 5)), ((1, 1, 2), (1, 2, 1)), ((3, 16, 8), (3, 8, 17))]
aten = torch.ops.aten


def losses(operation: Callable[..., Tensor]) -> list[Example]:
    return [lambda m, r=reduction, op=operation: op(m, reduction=r) for reduction in ("none", "mean", "sum")]


EXAMPLES: dict[str, list[Example]] = {
    "AddBackward0": [
        *pairs(torch.add),
        *pairs(lambda a, b: torch.add(a, b, alpha=0.3)),
        *each(lambda x: x + 2),
    ],
    "AddBackward1": each(lambda x: aten.add.Scalar(x, 2)),
    "SubBackward0": [
        *pairs(torch.sub),
        *pairs(lambda a, b: torch.sub(a, b, alpha=0.3)),
        *each(lambda x: x - 2),
    ],
    "SubBackward1": each(lambda x: aten.sub.Scalar(x, 2)),
    "RsubBackward0": [*pairs(torch.rsub), *pairs(lambda a, b: torch.rsub(a, b, alpha=0.3))],
    "RsubBackward1": [*each(lambda x: 2 - x), *each(lambda x: torch.rsub(x, 2, alpha=3))],
    "MulBackward0": [
        *pairs(torch.mul),
        *each(lambda x: x * 0.1),
        *each(lambda x: 3 * x),
        *each(lambda x: x * x),
    ],
    "MulBackward1": each(lambda x: aten.mul.Scalar(x, 0.1)),
    "DivBackward0": [*pairs(torch.div, "positive"), *each(lambda x: x / 10), *each(lambda x: x / 0.3)],
    "DivBackward1": [
        *each(lambda x: aten.div.Scalar(x, 0.3)),
        lambda m: F.cross_entropy(m.normal(6, 4), m.chances(6, 4).softmax(1)),
    ],
    "DivBackward2": [
        *pairs(lambda a, b: torch.div(a, b, rounding_mode="floor"), "positive"),
        *pairs(lambda a, b: torch.div(a, b, rounding_mode=None), "positive"),
    ],
    "DivBackward3": [
        *each(lambda x: aten.div.Scalar_mode(x, 0.3, rounding_mode="trunc")),
        *each(lambda x: aten.div.Scalar_mode(x, 0.3, rounding_mode=None)),
    ],
    "PowBackward0": [
        *each(lambda x: x**2, "kinked"),
        *each(torch.square),
        *each(lambda x: x**3, "kinked"),
        *each(lambda x: x**0, "kinked"),
        *each(lambda x: x**1),
        *each(lambda x: x**0.5, "positive"),
        *each(lambda x: x**-1.5, "positive"),
        *each(lambda x: x**2.5, "positive"),
    ],
    "PowBackward1": [
        *pairs(lambda a, b: torch.pow(a.abs(), b)),
        *pairs(lambda a, b: torch.pow(a.round().abs(), b), "kinked"),
    ],
    "PowBackward2": [
        *each(lambda x: 2**x),
        *each(lambda x: 0.3**x),
        *each(lambda x: 0**x, "positive"),
        *each(lambda x: torch.pow(0.0, x), "kinked"),
    ],
    "NegBackward0": each(torch.neg),
    "ExpBackward0": each(torch.exp),
    "Expm1Backward0": each(torch.expm1),
    "LogBackward0": each(torch.log, "positive"),
    "Log1PBackward0": each(torch.log1p, "positive"),
    "SqrtBackward0": [*each(torch.sqrt, "positive"), *each(lambda x: torch.sqrt(x.abs()), "kinked")],
    "RsqrtBackward0": each(torch.rsqrt, "positive"),
    "ReciprocalBackward0": each(lambda x: 3 / x, "positive"),
    "AbsBackward0": [*each(torch.abs, "kinked"), *each(torch.abs)],
    "SinBackward0": each(torch.sin),
    "CosBackward0": each(torch.cos),
    "MaximumBackward0": [*pairs(torch.maximum), *pairs(lambda a, b: torch.maximum(a.round(), b), "kinked")],
    "MinimumBackward0": [*pairs(torch.minimum), *pairs(lambda a, b: torch.minimum(a.round(), b), "kinked")],
    "WhereBackward0": [
        *pairs(lambda a, b: torch.where(a > b, a, b)),
        *pairs(lambda a, b: torch.where(torch.tensor(True), a, b)),
        *each(lambda x: torch.where(x > 0, x, 0)),
    ],
    "MaskedFillBackward0": each(lambda x: x.masked_fill(x > 0, 3.0)),
    "ClampBackward1": [
        *each(lambda x: x.clamp(-1, 1), "kinked"),
        *each(lambda x: x.clamp(min=-1), "kinked"),
        *each(lambda x: x.clamp(max=1), "kinked"),
    ],
    "ClampMinBackward0": each(lambda x: x.clamp_min(1), "kinked"),
    "ClampMaxBackward0": each(lambda x: x.clamp_max(1), "kinked"),
    "MmBackward0": products(torch.mm, *MATRICES),
    "AddmmBackward0": [
        *products(
            lambda a, b: torch.addmm(torch.ones(b.shape[1], dtype=a.dtype).requires_grad_(), a, b), *MATRICES
        ),
        *products(lambda a, b: torch.addmm(a[:, :1], a, b, beta=0.3, alpha=0.7), *MATRICES),
        lambda m: F.linear(m.data(5, 3), m.normal(2, 3), m.normal(2)),
        lambda m: F.linear(m.normal(2, 5, 3), m.normal(2, 3), m.normal(2)),
    ],
    "BmmBackward0": products(torch.bmm, *BATCHES),
    "BaddbmmBackward0": [
        *products(lambda a, b: torch.baddbmm(a[:, :, :1], a, b), *BATCHES),
        *products(lambda a, b: torch.baddbmm(b[:, :1], a, b, beta=0.3, alpha=0.7), *BATCHES),
    ],
    "MvBackward0": products(torch.mv, ((3, 4), (4,)), ((17, 33), (33,)), ((1, 1), (1,))),
    "AddmvBackward0": [
        *products(lambda a, b: torch.addmv(a[:, 0], a, b), ((3, 4), (4,)), ((17, 33), (33,))),
        *products(lambda a, b: torch.addmv(a[:, 0], a, b, beta=0.3, alpha=0.7), ((3, 4), (4,))),
    ],
    "DotBackward0": [
        *products(torch.dot, ((4,), (4,)), ((1,), (1,)), ((33,), (33,))),
    ],
    "SumBackward0": each(torch.sum),
    "SumBackward1": [*dims(torch.sum), lambda m: m.normal(2, 3).sum(()), lambda m: m.normal(0, 3).sum(0)],
    "MeanBackward0": each(torch.mean)[:-1],
    "MeanBackward1": [*dims(torch.mean), lambda m: m.normal(2, 3).mean(()), lambda m: m.normal().mean(0)],
    "CumsumBackward0": [lambda m, d=d: m.normal(3, 4).cumsum(d) for d in (0, 1, -1)],
    "MaxBackward0": one_dim(lambda x, **k: torch.max(x, **k).values, "kinked"),
    "MaxBackward1": each(torch.max, "kinked")[:-1],
    "MinBackward0": one_dim(lambda x, **k: torch.min(x, **k).values, "kinked"),
    "MinBackward1": each(torch.min, "kinked")[:-1],
    "AmaxBackward0": [*dims(torch.amax, "kinked"), lambda m: m.kinked(2, 3).amax()],
    "AminBackward0": [*dims(torch.amin, "kinked"), lambda m: m.kinked(2, 3).amin()],
    "TBackward0": [lambda m: m.normal(3, 4).t(), lambda m: m.normal(3).t()],
    "TransposeBackward0": [lambda m: m.normal(2, 3, 4).transpose(0, -1), lambda m: m.normal(2, 3, 4).mT],
    "PermuteBackward0": [lambda m: m.normal(2, 3, 4).permute(2, 0, -2), lambda m: m.normal(3, 4).T],
    "ViewBackward0": [lambda m: m.normal(3, 4).view(2, -1), lambda m: m.normal(2, 3, 4).flatten(1)],
    "UnsafeViewBackward0": [
        lambda m: m.normal(3, 4).T.reshape(-1),
        lambda m: m.normal(2, 3, 4) @ m.normal(4, 5),
    ],
    "ReshapeAliasBackward0": [lambda m: aten._reshape_alias(m.normal(3, 4), [12], [1])],
    "SqueezeBackward0": [lambda m: m.normal(1, 3, 1).squeeze(), lambda m: m.normal(3).squeeze()],
    "SqueezeBackward1": [lambda m: m.normal(3, 1).squeeze(-1), lambda m: m.normal(3, 4).squeeze(0)],
    "SqueezeBackward2": [
        lambda m: m.normal(1, 3, 1).squeeze((0, -1)),
        lambda m: m.normal(2, 1).squeeze((0, 1)),
    ],
    "UnsqueezeBackward0": [lambda m, d=d: m.normal(3, 4).unsqueeze(d) for d in (0, 1, 2, -1, -3)],
    "ExpandBackward0": [
        lambda m: m.normal(4).expand(3, 4),
        lambda m: m.normal(3, 1).expand(2, 3, 40),
        lambda m: m.normal().expand(5),
        lambda m: m.normal(3, 4).expand(-1, 4),
    ],
    "RepeatBackward0": [
        lambda m: m.normal(3, 4).repeat(2, 1),
        lambda m: m.normal(3, 4).repeat(2, 3, 5),
        lambda m: m.normal(3).repeat(1),
    ],
    "SelectBackward0": [
        lambda m: m.normal(3, 4)[1],
        lambda m: m.normal(3, 4)[:, -1],
        lambda m: m.normal(3)[0],
    ],
    "SliceBackward0": [
        lambda m: m.normal(5, 4)[1:3],
        lambda m: m.normal(5, 4)[:, ::2],
        lambda m: m.normal(5, 4)[-2:],
        lambda m: m.normal(5, 4)[3:3],
        lambda m: m.normal(5, 4).narrow(1, 1, 2),
    ],
    "IndexBackward0": [
        lambda m: m.normal(5, 4)[m.places(5, 7)],
        lambda m: m.normal(5, 4)[:, m.places(4, 7)],
        lambda m: m.normal(5, 4)[m.places(5, 7), m.places(4, 7)],
        lambda m: m.normal(5, 4)[m.data(5, 4) > 0],
        lambda m: m.normal(5, 4)[m.places(5, 2, 3)],
    ],
    "IndexSelectBackward0": [lambda m, d=d: m.normal(5, 5).index_select(d, m.places(5, 7)) for d in (0, -1)],
    "GatherBackward0": [lambda m: m.normal(3, 4).gather(1, m.places(4, 3, 6))],
    "CatBackward0": [
        lambda m: torch.cat([m.normal(3, 4), m.normal(3, 2), m.normal(3, 1)], -1),
        lambda m: torch.cat([m.data(3, 4), m.normal(3, 2), m.normal(3, 1)], 1),
        lambda m: torch.cat([m.normal(3, 4), m.data(3, 2), m.normal(3, 1)], 1),
        lambda m: torch.cat([m.normal(3), m.normal(5)]),
    ],
    "StackBackward0": [
        lambda m: torch.stack([m.normal(3, 4), m.normal(3, 4)], -1),
        lambda m: torch.stack([m.normal(3), m.data(3), m.normal(3)]),
    ],
    "UnbindBackward0": [
        lambda m: m.normal(3, 4).unbind(0)[::2],
        lambda m: m.normal(3, 4).unbind(-1),
        lambda m: [x * 2 for x in m.normal(3, 4)],
    ],
    "SplitBackward0": [
        lambda m: m.normal(5, 4).split(2),
        lambda m: m.normal(5, 4).split(2)[:1],
        lambda m: m.normal(5, 5).chunk(3, -1)[1:2],
    ],
    "SplitWithSizesBackward0": [
        lambda m: m.normal(5, 4).split([1, 4]),
        lambda m: m.normal(5, 4).split([1, 3], -1)[1:],
    ],
    "FlipBackward0": [lambda m: m.normal(3, 4).flip(0), lambda m: m.normal(3, 4).flip(0, 1)],
    "TriuBackward0": [lambda m: m.normal(3, 4).triu(1)],
    "TrilBackward0": [lambda m: m.normal(3, 4).tril()],
    "CloneBackward0": each(torch.clone),
    "ToCopyBackward0": [
        lambda m: m.normal(3, 4).to(torch.float64 if m.dtype == torch.float32 else torch.float32),
        lambda m: m.normal(3).half(),
    ],
    "ReluBackward0": [*each(F.relu, "kinked"), *each(F.relu)],
    "LeakyReluBackward0": [*each(F.leaky_relu, "kinked"), *each(lambda x: F.leaky_relu(x, 0.3))],
    "EluBackward0": [*each(F.elu, "kinked"), *each(lambda x: F.elu(x, 0.7)), *each(F.selu)],
    "SigmoidBackward0": each(torch.sigmoid),
    "LogSigmoidBackward0": [*each(F.logsigmoid), *each(lambda x: F.logsigmoid(10 * x))],
    "TanhBackward0": each(torch.tanh),
    "HardtanhBackward0": [*each(F.hardtanh, "kinked"), *each(F.relu6, "kinked")],
    "GeluBackward0": [*each(F.gelu), *each(lambda x: F.gelu(x, approximate="tanh")), *each(F.gelu, "kinked")],
    "SiluBackward0": each(F.silu),
    "SoftplusBackward0": [*each(F.softplus), *each(lambda x: F.softplus(x * 20, beta=2, threshold=5))],
    "SoftmaxBackward0": [lambda m, d=d: m.normal(33, 17).softmax(d) for d in (0, 1, -1)],
    "LogSoftmaxBackward0": [lambda m, d=d: m.normal(33, 17).log_softmax(d) for d in (0, 1, -1)],
    "MseLossBackward0": [
        *losses(lambda m, **k: F.mse_loss(m.normal(3, 4), m.normal(3, 4), **k)),
        *losses(lambda m, **k: F.mse_loss(m.normal(33), m.data(33), **k)),
        *losses(lambda m, **k: F.mse_loss(m.data(3, 4), m.normal(3, 4), **k)),
    ],
    "NllLossBackward0": [
        *losses(lambda m, **k: F.nll_loss(m.normal(6, 4), m.places(4, 6), **k)),
        *losses(lambda m, **k: F.nll_loss(m.normal(6, 4), m.places(4, 6), m.chances(4), **k)),
        *losses(lambda m, **k: F.nll_loss(m.normal(9, 4), m.places(4, 9), ignore_index=2, **k)),
        *losses(lambda m, **k: F.nll_loss(m.normal(9, 4), m.places(4, 9), m.chances(4), ignore_index=1, **k)),
        *losses(lambda m, **k: F.nll_loss(m.normal(4), m.places(4), **k)),
        *losses(lambda m, **k: F.nll_loss(m.normal(3, 4), torch.tensor([0, -100, 3]), **k)),
        *losses(lambda m, **k: F.cross_entropy(m.normal(6, 4), m.places(4, 6), **k)),
    ],
    "NllLoss2DBackward0": [
        *losses(lambda m, **k: F.nll_loss(m.normal(2, 4, 3, 5), m.places(4, 2, 3, 5), **k)),
        *losses(
            lambda m, **k: F.nll_loss(m.normal(2, 4, 3), m.places(4, 2, 3), m.chances(4), ignore_index=1, **k)
        ),
    ],
    "BinaryCrossEntropyWithLogitsBackward0": [
        *losses(lambda m, **k: F.binary_cross_entropy_with_logits(m.normal(6, 4), m.chances(6, 4), **k)),
        *losses(
            lambda m, **k: F.binary_cross_entropy_with_logits(
                m.normal(6, 4), m.chances(6, 4).requires_grad_(), m.chances(6, 4), **k
            )
        ),
        *losses(
            lambda m, **k: F.binary_cross_entropy_with_logits(
                m.normal(6, 4), m.chances(6, 4).requires_grad_(), m.chances(4), pos_weight=m.chances(4), **k
            )
        ),
        *losses(
            lambda m, **k: F.binary_cross_entropy_with_logits(
                m.normal(6, 4), m.chances(6, 4).round(), pos_weight=m.chances(4), **k
            )
        ),
        *losses(
            lambda m, **k: F.binary_cross_entropy_with_logits(
                m.normal(6, 4), m.chances(6, 4).requires_grad_(), pos_weight=m.chances(4), **k
            )
        ),
        *losses(
            lambda m, **k: F.binary_cross_entropy_with_logits(
                m.data(6, 4), m.chances(6, 4).requires_grad_(), **k
            )
        ),
    ],
    "EmbeddingBackward0": [
        lambda m: F.embedding(m.places(5, 9), m.normal(5, 3)),
        lambda m: F.embedding(m.places(5, 2, 9), m.normal(5, 3)),
        lambda m: F.embedding(m.places(5, 2, 9), m.normal(5, 3), padding_idx=1),
        lambda m: F.embedding(m.places(5, 9), m.normal(5, 3), scale_grad_by_freq=True),
    ],
    ACCUMULATE_GRAD: [lambda m: m.normal(3), lambda m: _with_grad(m, m.normal(2, 3)) * 2],
}


def _with_grad(m: Make, leaf: Tensor) -> Tensor:
    leaf.grad = m.data(*leaf.shape)
    return leaf


def record(example: Example, seed: int, dtype: torch.dtype, *, with_names: bool = False) -> Trace:
    """Record a pass in which each element of each result gets a gradient of its own, zeros among them.

    Args:
        example: What makes the results.
        seed: Seed of all random numbers.
        dtype: Type of the numbers.
        with_names: Whether the trace has the expressions of the program, as one that gradstep opens has.
    """
    with watch_forward() if with_names else nullcontext() as sources:
        made = example(Make(seed, dtype))
        results = [made] if isinstance(made, Tensor) else list(made)
        terms = [(one * torch.randn_like(one).mul(2).round().div(1.7)).sum() for one in results]
        loss = terms[0] if len(terms) == 1 else torch.stack([one.double() for one in terms]).sum()
    return record_backward(loss, sources=sources)


def test_every_rule_has_an_example() -> None:
    assert set(RULES) == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_makes_the_node_that_it_is_for(name: str) -> None:
    for example in EXAMPLES[name]:
        events = record(example, 0, torch.float32).events
        assert name in {event.name for event in events if isinstance(event, NodeEvent)}
