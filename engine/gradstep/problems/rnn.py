"""Backpropagation through time: one weight serves every step of a sequence, and each step adds to it.

Four sequences of four zeros and ones; the target is the share of ones in the sequence.
"""

import torch

# Four sequences of four steps; the last hidden state should be the share of ones.
inputs = torch.tensor(
    [[0.0, 0.0, 0.0, 1.0], [1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]]
)
targets = torch.tensor([0.25, 0.5, 0.75, 0.9])

learning_rate = 0.1

w_in = torch.tensor(0.4, requires_grad=True)
w_back = torch.tensor(0.5, requires_grad=True)


def model(x):
    hidden = torch.zeros(len(x))
    for step in range(4):
        hidden = torch.tanh(w_in * x[:, step] + w_back * hidden)
    return hidden


def mse(preds, targets):
    return ((preds - targets) ** 2).mean()
