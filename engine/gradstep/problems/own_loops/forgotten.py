"""A parameter that the optimizer lacks: b gets a gradient in every pass, and nothing ever moves it.

Six points, each an x and a y; they lie near the line y = 2x - 1, which w and b have to find.
"""

import torch

inputs = torch.tensor([-2.0, -1.0, 0.0, 1.0, 2.0, 3.0])
targets = torch.tensor([-5.2, -2.9, -1.1, 1.2, 2.8, 5.1])

w = torch.tensor(0.0, requires_grad=True)
b = torch.tensor(0.0, requires_grad=True)
optimizer = torch.optim.SGD([w], lr=0.1)

for epoch in range(1000):
    loss = ((w * inputs + b - targets) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
