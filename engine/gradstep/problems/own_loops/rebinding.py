"""An update that makes a new tensor: after w = w - lr * w.grad, the name w means another one.

Six points, each an x and a y; they lie near the line y = 2x - 1, which w and b have to find.
"""

import torch

inputs = torch.tensor([-2.0, -1.0, 0.0, 1.0, 2.0, 3.0])
targets = torch.tensor([-5.2, -2.9, -1.1, 1.2, 2.8, 5.1])

lr = 0.1

w = torch.tensor(0.0, requires_grad=True)
b = torch.tensor(0.0, requires_grad=True)

for epoch in range(1000):
    preds = w * inputs + b
    loss = ((preds - targets) ** 2).mean()
    loss.backward()
    w = w - lr * w.grad
    b = b - lr * b.grad
