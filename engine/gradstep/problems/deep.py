"""Vanishing gradients: each sigmoid shrinks the gradients further back, so the first layer hardly learns.

The four pairs of 0 and 1; the two targets are whether both are 1, and whether at least one is.
"""

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
