"""An ill-conditioned bowl: one direction is 100 times as steep, and limits the learning rate for both.

Two samples, one for each direction; every target is 0, so the loss is a bowl whose lowest point is
w = 0.
"""

import torch

inputs = torch.tensor([[10.0, 0.0], [0.0, 1.0]])
targets = torch.tensor([0.0, 0.0])

input_names = ["steep", "flat"]
learning_rate = 0.015

w = torch.tensor([1.0, 1.0], requires_grad=True)


def model(x):
    return x @ w


def loss_fn(preds, targets):
    return ((preds - targets) ** 2).sum() / 2
