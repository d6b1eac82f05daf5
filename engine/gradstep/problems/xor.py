"""A hidden layer: no straight line separates these four points, two lines together do.

The four pairs of 0 and 1; the target is 1 if exactly one of the pair is 1.
"""

import torch

inputs = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
targets = torch.tensor([[0.0], [1.0], [1.0], [0.0]])

learning_rate = 0.5

torch.manual_seed(2)
w1 = torch.randn(2, 2, requires_grad=True)
b1 = torch.zeros(2, requires_grad=True)
w2 = torch.randn(1, 2, requires_grad=True)
b2 = torch.zeros(1, requires_grad=True)


def model(x):
    hidden = torch.tanh(x @ w1.t() + b1)
    return hidden @ w2.t() + b2


def mse(preds, targets):
    return ((preds - targets) ** 2).mean()
