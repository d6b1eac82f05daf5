"""A detach in the middle: the values go on through it, and no gradient comes back.

The four pairs of 0 and 1; the target is 1 if exactly one of the pair is 1.
"""

import torch

inputs = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
targets = torch.tensor([[0.0], [1.0], [1.0], [0.0]])

torch.manual_seed(2)
w1 = torch.randn(2, 2, requires_grad=True)
b1 = torch.zeros(2, requires_grad=True)
w2 = torch.randn(1, 2, requires_grad=True)
b2 = torch.zeros(1, requires_grad=True)
optimizer = torch.optim.SGD([w1, b1, w2, b2], lr=0.5)

for epoch in range(1000):
    hidden = torch.tanh(inputs @ w1.t() + b1)
    preds = hidden.detach() @ w2.t() + b2
    loss = ((preds - targets) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
