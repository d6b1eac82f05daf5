"""Models that are larger than the built-in problems, made as a learner's script would make them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import torch
from torch import nn

from gradstep import problems
from gradstep.problem import Problem

LARGE: Final = Path(__file__).with_name("large_model.py")
"""A script: a model with 10 million parameters, whose backward pass runs 300 nodes."""


def _problem(name: str, model: nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> Problem:
    parameters = dict(model.named_parameters())
    loss = nn.CrossEntropyLoss() if targets.dtype == torch.int64 else nn.MSELoss()
    labels = {key: ((),) * one.dim() for key, one in parameters.items()}
    return Problem(
        name=name,
        inputs=inputs,
        targets=targets,
        parameters=parameters,
        model=model,
        loss_fn=loss,
        loss_name="criterion",
        learning_rate=1e-3,
        labels=labels,
    )


def mlp() -> Problem:
    """Give an MLP 784-128-10, and 64 images for it."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    return _problem("MLP 784-128-10", model, torch.randn(64, 784), torch.randint(10, (64,)))


def transformer() -> Problem:
    """Give a transformer block of width 64, and 8 sequences of 32."""
    torch.manual_seed(0)
    model = nn.TransformerEncoderLayer(64, 4, 128, dropout=0.0, batch_first=True)
    return _problem("transformer block", model, torch.randn(8, 32, 64), torch.randn(8, 32, 64))


def large() -> Problem:
    """Give the model of `LARGE`."""
    from gradstep.scripts.loader import problem_from
    from gradstep.scripts.source_reader import read_source

    return problem_from(read_source(LARGE))


MODELS: Final[Mapping[str, Callable[[], Problem]]] = {
    "crops": partial(problems.load, "crops"),
    "MLP 784-128-10, batch 64": mlp,
    "transformer block": transformer,
    "10 million parameters": large,
}
"""What recording is measured on."""
