"""Clipping at the wrong place: gradients are clipped after the step that they were meant to tame.

Three samples of two numbers, of which the second is much larger; the target is a sum of the two.
"""

import torch
from torch import nn

inputs = torch.tensor([[1.0, 20.0], [2.0, 30.0], [3.0, 10.0]])
targets = torch.tensor([[5.0], [9.0], [4.0]])

torch.manual_seed(0)
model = nn.Linear(2, 1)
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

for epoch in range(1000):
    loss = criterion(model(inputs), targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
