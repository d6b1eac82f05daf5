"""Shapes that do not fit and run all the same: a column minus a row is a table of all differences.

Six points, each an x and a y; they lie near the line y = 2x - 1, which w and b have to find.
"""

import torch

inputs = torch.tensor([[-2.0], [-1.0], [0.0], [1.0], [2.0], [3.0]])
targets = torch.tensor([-5.2, -2.9, -1.1, 1.2, 2.8, 5.1])

learning_rate = 0.1

w = torch.tensor([[0.0]], requires_grad=True)
b = torch.tensor([0.0], requires_grad=True)


def model(x):
    return x @ w + b


def mse(preds, targets):
    return ((preds - targets) ** 2).mean()
