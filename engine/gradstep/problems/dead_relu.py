"""A dead ReLU: one unit is below zero for every input, so its gradient is exactly 0 and it never moves.

Four points, each an x and a y, for a network with two hidden units; one of them starts far below zero.
"""

import torch

inputs = torch.tensor([[0.0], [1.0], [2.0], [3.0]])
targets = torch.tensor([[0.0], [0.5], [2.0], [3.5]])

learning_rate = 0.02

w1 = torch.tensor([[0.8], [0.5]], requires_grad=True)
b1 = torch.tensor([0.1, -9.0], requires_grad=True)
w2 = torch.tensor([[0.7, 0.9]], requires_grad=True)


def model(x):
    hidden = torch.relu(x @ w1.t() + b1)
    return hidden @ w2.t()


def mse(preds, targets):
    return ((preds - targets) ** 2).mean()
