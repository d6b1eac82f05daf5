from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from tests.engine.recording_checks import Made, same_as_plain

ROWS = torch.tensor([1, 4, 4, 0])


def on(module: nn.Module, *shape: int) -> Made:
    """Feed one random input through the module, and add up what comes out."""
    x = torch.randn(shape, requires_grad=True)
    return total(module(x)), [x, *module.parameters()]


def total(made: Tensor | tuple[object, ...]) -> Tensor:
    if isinstance(made, Tensor):
        return made.pow(2).sum()
    return sum((total(part) for part in made), torch.zeros(()))  # type: ignore[arg-type]


def looked_up(module: nn.Module) -> Made:
    return module(ROWS).pow(2).sum(), list(module.parameters())


def attention() -> Made:
    layer = nn.MultiheadAttention(4, 2, batch_first=True)
    x, y = torch.randn(2, 3, 4, requires_grad=True), torch.randn(2, 5, 4, requires_grad=True)
    return total(layer(x, y, y)), [x, y, *layer.parameters()]


def loss(module: nn.Module, target: Tensor) -> Made:
    x = torch.randn(4, 5, requires_grad=True)
    weight = torch.randn(5, requires_grad=True)
    return module(torch.log_softmax(x * weight, 1), target), [x, weight]


def positive(*shape: int) -> Tensor:
    return torch.rand(shape)


MODULES: dict[str, Callable[[], Made]] = {
    "linear": lambda: on(nn.Linear(3, 2), 5, 3),
    "linear without bias": lambda: on(nn.Linear(3, 2, bias=False), 5, 3),
    "linear on three dimensions": lambda: on(nn.Linear(3, 2), 2, 5, 3),
    "bilinear": lambda: on(_SameTwice(nn.Bilinear(3, 3, 2)), 5, 3),
    "conv1d": lambda: on(nn.Conv1d(2, 3, 3, padding=1), 2, 2, 6),
    "conv2d": lambda: on(nn.Conv2d(2, 4, 3, stride=2, groups=2), 2, 2, 7, 7),
    "conv transposed": lambda: on(nn.ConvTranspose2d(2, 3, 2), 1, 2, 4, 4),
    "max pool": lambda: on(nn.MaxPool2d(2), 1, 2, 4, 4),
    "average pool": lambda: on(nn.AdaptiveAvgPool1d(2), 1, 2, 5),
    "batch norm": lambda: on(nn.BatchNorm1d(3), 5, 3),
    "batch norm, evaluating": lambda: on(nn.BatchNorm2d(3).eval(), 2, 3, 2, 2),
    "layer norm": lambda: on(nn.LayerNorm(4), 3, 4),
    "group norm": lambda: on(nn.GroupNorm(2, 4), 3, 4, 2),
    "rms norm": lambda: on(nn.RMSNorm(4), 3, 4),
    "weight norm": lambda: on(nn.utils.parametrizations.weight_norm(nn.Linear(3, 2)), 4, 3),
    "embedding": lambda: looked_up(nn.Embedding(5, 3)),
    "embedding, sparse": lambda: looked_up(nn.Embedding(5, 3, sparse=True)),
    "embedding bag, sparse": lambda: looked_up(_Bag(nn.EmbeddingBag(5, 3, sparse=True, mode="sum"))),
    "rnn": lambda: on(nn.RNN(3, 2), 4, 2, 3),
    "lstm": lambda: on(nn.LSTM(3, 2, num_layers=2, bidirectional=True), 4, 2, 3),
    "gru": lambda: on(nn.GRU(3, 2), 4, 2, 3),
    "lstm cell": lambda: on(nn.LSTMCell(3, 2), 4, 3),
    "attention": attention,
    "transformer encoder layer": lambda: on(nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), 2, 3, 4),
    "transformer decoder layer": lambda: on(_SameTwice(nn.TransformerDecoderLayer(4, 2, 8)), 2, 3, 4),
    "dropout": lambda: on(nn.Dropout(0.5), 5, 3),
    "activations": lambda: on(nn.Sequential(nn.GELU(), nn.SiLU(), nn.LeakyReLU(), nn.Softmax(1)), 5, 3),
    "multilayer perceptron": lambda: on(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), 5, 3),
    "mean squared error": lambda: loss(nn.MSELoss(), torch.randn(4, 5)),
    "absolute error": lambda: loss(nn.L1Loss(), torch.randn(4, 5)),
    "huber": lambda: loss(nn.HuberLoss(), torch.randn(4, 5)),
    "smooth absolute error": lambda: loss(nn.SmoothL1Loss(), torch.randn(4, 5)),
    "negative log likelihood": lambda: loss(nn.NLLLoss(ignore_index=0), ROWS),
    "cross entropy": lambda: loss(nn.CrossEntropyLoss(label_smoothing=0.1), ROWS),
    "cross entropy on probabilities": lambda: loss(
        nn.CrossEntropyLoss(), torch.softmax(torch.randn(4, 5), 1)
    ),
    "binary cross entropy": lambda: loss(nn.BCEWithLogitsLoss(pos_weight=positive(5)), positive(4, 5)),
    "divergence": lambda: loss(nn.KLDivLoss(reduction="batchmean"), torch.softmax(torch.randn(4, 5), 1)),
}


class _SameTwice(nn.Module):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.layer(x, x)
        return made


class _Bag(nn.Module):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, rows: Tensor) -> Tensor:
        made: Tensor = self.layer(rows, torch.tensor([0, 2]))
        return made


@pytest.mark.parametrize("grads", ["none", "existing"])
@pytest.mark.parametrize("name", MODULES)
def test_a_recorded_pass_through_a_module_is_a_plain_pass(name: str, grads: str) -> None:
    def build() -> Made:
        torch.default_generator.manual_seed(7)
        made, leaves = MODULES[name]()
        if grads == "existing":
            for leaf in leaves:
                leaf.grad = torch.randn_like(leaf)
        return made, leaves

    same_as_plain(build)
