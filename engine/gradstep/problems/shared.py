"""One weight, used twice: its gradient is the sum of two paths, inside a single backward pass.

Three samples of two numbers each, and two targets for each; the numbers mean nothing in themselves.
"""

import torch

inputs = torch.tensor([[1.0, 0.5], [0.5, -1.0], [-1.0, 0.2]])
targets = torch.tensor([[0.5, 0.1], [0.1, -0.6], [-0.4, 0.3]])

learning_rate = 0.1

w = torch.tensor([[0.8, -0.3], [0.4, 0.6]], requires_grad=True)


def model(x):
    hidden = torch.tanh(x @ w)
    return hidden @ w


def mse(preds, targets):
    return ((preds - targets) ** 2).mean()
