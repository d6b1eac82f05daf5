"""Vanishing gradients: each sigmoid shrinks the gradients further back, so the first layer hardly learns."""

import torch
from torch import nn

inputs = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
targets = torch.tensor([[0.0, 0.0], [0.0, 1.0], [0.0, 1.0], [1.0, 1.0]])

learning_rate = 1.0

torch.manual_seed(0)
model = nn.Sequential(
    nn.Linear(2, 2, bias=False),
    nn.Sigmoid(),
    nn.Linear(2, 2, bias=False),
    nn.Sigmoid(),
    nn.Linear(2, 2, bias=False),
    nn.Sigmoid(),
    nn.Linear(2, 2, bias=False),
    nn.Sigmoid(),
    nn.Linear(2, 2, bias=False),
)
criterion = nn.MSELoss()
