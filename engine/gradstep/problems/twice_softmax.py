"""Softmax twice: the loss applies a softmax itself, so this model's outputs can never be sure enough.

Six points on a map, by their coordinates; the target is the number of the group that a point belongs to:
0 is right, 1 is upper, 2 is lower.
"""

import torch
from torch import nn

X = torch.tensor([[1.0, 0.2], [0.8, -0.1], [-0.7, 0.9], [-0.4, 1.1], [-0.6, -0.8], [-0.2, -1.0]])
y = torch.tensor([0, 0, 1, 1, 2, 2])

input_names = ["east", "north"]
target_names = ["right", "upper", "lower"]
learning_rate = 0.5

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(2, 3), nn.Softmax(dim=1))
criterion = nn.CrossEntropyLoss()
