"""Yes or no: a sigmoid turns a sum into a probability, and the gradient is how far that is off.

Eight students: hours of study, and whether they were rested (1) or not (0); the target is 1 for those
who passed.
"""

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

hours = torch.tensor([0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0])
rested = torch.tensor([1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0])
inputs = torch.stack([hours, rested], dim=1)
passed = [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]
targets = torch.tensor(passed)

learning_rate = 0.5

w = torch.zeros(2, requires_grad=True)
b = torch.zeros(1, requires_grad=True)


def model(x):
    return x @ w + b


def loss_fn(preds, targets):
    # This loss applies the sigmoid itself, which is numerically safer than two separate steps.
    return binary_cross_entropy_with_logits(preds, targets)
